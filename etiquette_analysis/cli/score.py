"""``etiquette score``: how hard a text sells, and which words say so."""

from __future__ import annotations

import argparse
import json
import sys


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Score texts by the codebook: none, soft, moderate or hard, with what in the words led to it.\n"
        "With no TEXT, reads one text per line from standard input."
    )
    command.add_argument("text", nargs="*", help="a text; several are scored one by one")
    command.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis.labels.pitch import explain_pitch

    for text in options.text or (line.rstrip("\n") for line in sys.stdin):
        found = explain_pitch(text)
        if options.json:
            sys.stdout.write(json.dumps(found.as_dict(), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"{found}\n")
    return 0
