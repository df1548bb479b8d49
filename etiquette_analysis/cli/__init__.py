"""The command line, ``etiquette``: a report from an export, labels for files, a score for a sentence.

Everything runs on this machine; no command opens a network connection. A mistake in what was asked or given ends
with one sentence on the error stream and exit code 2, and leaves nothing half-written. Each command is a module of
this room, imported when it is called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING, Final

from etiquette_analysis import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

USAGE_ERROR: Final = 2

#: Command, and the module of the same name -> what it is for, in a few words.
COMMANDS: Final = {
    "report": "write the report on an export (no source: the sample)",
    "label": "label messages: timing, intensity, rapport, reply",
    "score": "how hard does a text sell, and why",
    "code": "hand-code a sample of your messages",
    "simulate": "invent an export whose truth is known",
    "lab": "open JupyterLab on a copy of the notebooks",
}

EPILOG = """examples:
  etiquette report                                    the report on the invented sample
  etiquette report Complete_LinkedInDataExport.zip --out my-report --language it
  etiquette score "20% off until Friday, book here"   how hard does this sell, and why
  etiquette label 'messages/*.parquet' --connections connections.parquet --out labelled.parquet
  etiquette code export.zip --out codes.csv            check the labels by hand on a sample of your own
  etiquette simulate D --n 1500 --out world            an export whose truth is known
  etiquette lab                                       JupyterLab on a copy of the notebooks
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    command = arguments[0] if arguments and arguments[0] in COMMANDS else None
    parser = build_parser(command)
    options = parser.parse_args(arguments)
    if command is None:
        parser.print_help()
        return 0
    from etiquette_analysis.errors import EtiquetteError

    try:
        return int(_module(command).run(options) or 0)
    except EtiquetteError as error:
        sys.stderr.write(f"etiquette: {error}\n")
        return USAGE_ERROR
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("etiquette: stopped; nothing was left half-written\n")
        return 130


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser: every command by name, and the arguments of ``command``."""
    parser = argparse.ArgumentParser(
        prog="etiquette",
        description="Does pitching right after connecting cost you replies? Labels outreach messages and tests the "
        "claim on your own export. Nothing leaves this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"etiquette_analysis {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, what in COMMANDS.items():
        added = commands.add_parser(name, help=what, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == command:
            _module(name).add_arguments(added)
    return parser


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"etiquette_analysis.cli.{command}")
