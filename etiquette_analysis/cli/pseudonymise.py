"""``etiquette pseudonymise``: an export in, a folder without names and texts out."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, read_source


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Write a folder that can be sent to somebody who repeats the analysis: pseudonyms for people, labels made\n"
        "from the texts, no texts. It is pseudonymous, not anonymous: its README.md says what remains. Look at its\n"
        "CSV files before you send them."
    )
    command.add_argument("source", help="zip, folder, CSV or Parquet file")
    command.add_argument("out", help="folder to write; an earlier one is replaced, anything else left alone")
    command.add_argument(
        "--text", choices=("none", "redacted"), default="none", help="leave texts out (default), or redact them"
    )
    command.add_argument(
        "--coarse-dates", choices=("day", "week"), help="blur times; the folder's README.md says what is lost"
    )
    command.add_argument(
        "--project",
        metavar="NAME",
        help="whose key makes the pseudonyms; two projects cannot be linked (default: the name of the folder)",
    )
    add_source_options(command)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis import privacy
    from etiquette_analysis.pipeline.sharing import SHAREABLE, write_shareable
    from etiquette_analysis.report.folder import require_writable

    progress = Progress(quiet=options.quiet)
    out = Path(options.out)
    named = re.sub(r"[^A-Za-z0-9_-]+", "-", out.absolute().name).strip("-") or privacy.DEFAULT_PROJECT
    project = named[:64] if options.project is None else options.project
    privacy.key_path(project)
    require_writable(out, SHAREABLE)
    progress.step(f"reading {options.source}")
    dataset = read_source(options, options.source)
    progress.step("taking names and texts away")
    key = privacy.load_key(project)  # made only now, when nothing is left to be refused
    written = write_shareable(dataset, out, key=key, text=options.text, coarse_dates=options.coarse_dates)
    sys.stdout.write(f"{written / 'README.md'}\n")
    return 0
