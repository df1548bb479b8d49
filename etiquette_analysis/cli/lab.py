"""``etiquette lab``: JupyterLab on a copy of the notebooks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

#: Left alone, JupyterLab asks other machines for its news, its updates and the list of its extensions.
QUIET: Final = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Copy the notebooks, without results, into a folder (files already there are kept) and open JupyterLab there."
    )
    command.add_argument("--folder", default="etiquette-notebooks", help="where to copy (default: etiquette-notebooks)")
    command.add_argument("--no-browser", action="store_true", help="start the server only")
    command.add_argument("--copy-only", action="store_true", help="copy, and do not start JupyterLab")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    import os
    import subprocess

    from etiquette_analysis import pipeline
    from etiquette_analysis.report.notebooks import tidy_text

    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(pipeline.bundled("notebooks").glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            (folder / notebook.name).write_text(tidy_text(notebook), encoding="utf-8")
    sys.stderr.write(f"notebooks in {folder}\n")
    if options.copy_only:
        return 0
    start = [sys.executable, "-m", "jupyter", "lab", "--notebook-dir", str(folder), *QUIET]
    start += ["--no-browser"] if options.no_browser else []
    if os.name == "posix":
        # In this process's place, so that whoever stops it stops the server.
        os.execv(sys.executable, start)
    return subprocess.call(start)
