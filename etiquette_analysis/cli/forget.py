"""``etiquette forget``: removing what was written, and the keys of pseudonyms."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from etiquette_analysis.errors import DesignError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Remove reports, shareable folders, labelled tables and files of codes that this package wrote, whole or\n"
        "half; in a copy of the notebooks, the outputs only. What it did not write it leaves alone. The export,\n"
        "backups and what you have sent to others are yours to delete."
    )
    command.add_argument("paths", nargs="*", metavar="PATH", help="what was written: my-report, shareable, turns.csv")
    command.add_argument(
        "--key",
        nargs="?",
        const="default",
        action="append",
        default=[],
        metavar="PROJECT",
        help="remove a key (default: of the project 'default'): its pseudonyms can then never be looked up again",
    )
    command.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis.pipeline.forgetting import find_written

    if not options.paths and not options.key:
        msg = "nothing to forget was named; name what was written, e.g. `etiquette forget my-report`, or --key"
        raise DesignError(msg)
    found = find_written([Path(path) for path in options.paths], projects=options.key)
    sys.stdout.write("\n".join(found.lines()) + "\n")
    if not options.yes:
        sys.stdout.write("Go ahead? This cannot be undone. [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes", "s", "sì", "si"):
            sys.stdout.write("nothing was removed\n")
            return 1
    found.carry_out()
    sys.stdout.write("done\n")
    return 0
