"""``etiquette lab``: JupyterLab on a copy of the notebooks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = "Copy the notebooks into a folder (files already there are kept) and open JupyterLab there."
    command.add_argument("--folder", default="etiquette-notebooks", help="where to copy (default: etiquette-notebooks)")
    command.add_argument("--no-browser", action="store_true", help="start the server only")
    command.add_argument("--copy-only", action="store_true", help="copy, and do not start JupyterLab")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    import shutil
    import subprocess

    from etiquette_analysis import pipeline

    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(pipeline.bundled("notebooks").glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copy(notebook, folder / notebook.name)
    sys.stderr.write(f"notebooks in {folder}\n")
    if options.copy_only:
        return 0
    start = [sys.executable, "-m", "jupyter", "lab", "--notebook-dir", str(folder)]
    return subprocess.call([*start, "--no-browser"] if options.no_browser else start)
