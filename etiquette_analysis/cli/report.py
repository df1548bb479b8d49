"""``etiquette report``: an export in, a folder with the report out."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, check_audit, given_for_reading, read_source
from etiquette_analysis.errors import DesignError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Read an export, label it, and write a folder with index.html (open it by double-click), report.ipynb,\n"
        "results.json (every number), provenance.json, audit.csv (every row left out, and why) and turns.csv\n"
        "(pseudonymous, no text). LinkedIn: ask for your data under Settings > Data privacy > Get a copy of your\n"
        "data, and give the zip as it came. SOURCE may also be the file that etiquette label --rows dyads writes."
    )
    command.add_argument("source", nargs="?", help="zip, folder, CSV or Parquet file; none: the invented sample")
    command.add_argument("--out", default="reports", metavar="FOLDER", help="folder to write (default: reports)")
    command.add_argument("--language", choices=("en", "it"), default="en", help="of the report (default: en)")
    command.add_argument("--window-days", type=float, help="a reply counts within so many days (14)")
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
    from etiquette_analysis.report.folder import require_writable

    require_writable(Path(options.out))
    progress = Progress(quiet=options.quiet)
    progress.step(f"reading {options.source or 'the sample'}")
    found = None if options.source is None else pipeline.read_dyads(options.source)
    changed = {} if options.window_days is None else {"window_days": options.window_days}
    source: Any
    if found is None:
        source, plan = read_source(options, options.source), Plan(**changed)
        if not options.quiet:
            sys.stderr.write(f"{source!r}\n")
    else:
        source, origin = found
        _check_dyads(origin.audit, options)
        plan = replace(origin.plan, **changed)
    written = pipeline.write_report(
        source,
        Path(options.out),
        language=options.language,
        plan=plan,
        identify=options.identify,
        project=options.project,
        pdf=options.pdf,
        progress=progress.step,
    )
    sys.stdout.write(f"{written}\n")
    return 0


def _check_dyads(audit: Any, options: argparse.Namespace) -> None:
    """Refuse options that came too late, and say what became of the messages behind a file of dyads."""
    given = given_for_reading(options)
    if given:
        msg = f"{', '.join(given)}: not for a file of dyads, where it is settled; give it to etiquette label"
        raise DesignError(msg)
    check_audit(audit, options)
