"""``etiquette report``: an export in, a folder with the report out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, read_source


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Read an export, label it, and write a folder with index.html (open it by double-click), report.ipynb,\n"
        "results.json (every number), provenance.json, audit.csv (every row left out, and why) and turns.csv\n"
        "(pseudonymous, no text). LinkedIn: ask for your data under Settings > Data privacy > Get a copy of your\n"
        "data, and give the zip as it came."
    )
    command.add_argument("source", nargs="?", help="zip, folder, CSV or Parquet file; none: the invented sample")
    command.add_argument("--out", default="reports", metavar="FOLDER", help="folder to write (default: reports)")
    command.add_argument("--language", choices=("en", "it"), default="en", help="of the report (default: en)")
    command.add_argument("--window-days", type=float, default=14, help="a reply counts within so many days (14)")
    command.add_argument(
        "--identify", action="store_true", help="write identifiers as they are in turns.csv instead of pseudonyms"
    )
    command.add_argument(
        "--project", metavar="NAME", default="default", help="whose key makes the pseudonyms (default)"
    )
    command.add_argument("--pdf", action="store_true", help="also print the page to report.pdf, by Chromium or Chrome")
    add_source_options(command)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis import pipeline
    from etiquette_analysis.analysis.plan import Plan

    progress = Progress(quiet=options.quiet)
    progress.step(f"reading {options.source or 'the sample'}")
    dataset = read_source(options, options.source)
    if not options.quiet:
        sys.stderr.write(f"{dataset!r}\n")
    written = pipeline.write_report(
        dataset,
        Path(options.out),
        language=options.language,
        plan=Plan(window_days=options.window_days),
        identify=options.identify,
        project=options.project,
        pdf=options.pdf,
        progress=progress.step,
    )
    sys.stdout.write(f"{written}\n")
    return 0
