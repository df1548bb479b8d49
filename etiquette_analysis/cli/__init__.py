"""The command line, ``etiquette``: a report from an export, labels for files, a score for a sentence.

Everything runs on this machine; no command opens a network connection. A mistake in what was asked or given ends
with one sentence on the error stream and exit code 2, and leaves nothing half-written. Each command is a module of
this room, imported when it is called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys

from etiquette_analysis import __version__

TYPE_CHECKING = False  # typing, importlib and shutil are a third of the time that --help takes
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any, Final, NoReturn

USAGE_ERROR: Final = 2

#: Command, and the module of the same name -> what it is for, in a few words.
COMMANDS: Final = {
    "report": "write the report on an export (no source: the sample)",
    "label": "label messages: timing, intensity, rapport, reply",
    "score": "how hard does a text sell, and why",
    "code": "hand-code a sample of your messages",
    "pseudonymise": "write a folder without names and texts, to share",
    "forget": "remove what was written, and keys",
    "simulate": "invent an export whose truth is known",
    "lab": "open JupyterLab on a copy of the notebooks",
}

EPILOG = """examples:
  etiquette report                                    the report on the invented sample
  etiquette report Complete_LinkedInDataExport.zip --out my-report --language it
  etiquette score "20% off until Friday, book here"   how hard does this sell, and why
  etiquette label 'messages/*.parquet' --connections connections.parquet --out labelled/
  etiquette code export.zip --out codes.csv            check the labels by hand on a sample of your own
  etiquette pseudonymise export.zip shareable         a folder without names and texts, to share
  etiquette forget my-report shareable                remove what was written; --key: the key of the pseudonyms too
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
    from etiquette_analysis.cli.progress import plain
    from etiquette_analysis.errors import EtiquetteError

    try:
        return int(_module(command).run(options) or 0)
    except EtiquetteError as error:
        sys.stderr.write(f"etiquette: {plain(str(error))}\n")
        return USAGE_ERROR
    except BrokenPipeError:
        return 0
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.stderr.write(
            plain(f"etiquette: {where}{error.strerror or error}; check the path, its rights and the disk\n")
        )
        return USAGE_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("etiquette: stopped; nothing was left half-written\n")
        return 130


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps line breaks, and asks the system for the terminal's width."""

    def __init__(self, prog: str, **options: Any) -> None:
        try:
            columns = int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(sys.stdout.fileno()).columns
        except (AttributeError, ValueError, OSError):
            columns = 80
        super().__init__(prog, **{"width": columns - 2} | options)


class _Parser(argparse.ArgumentParser):
    """Shows what it could not understand, a file's name say, without obeying its control characters."""

    def error(self, message: str) -> NoReturn:
        from etiquette_analysis.cli.progress import plain

        super().error(plain(message))


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser: every command by name, and the arguments of ``command``."""
    parser = _Parser(
        prog="etiquette",
        description="Does pitching right after connecting cost you replies? Labels outreach messages and tests the "
        "claim on your own export. Nothing leaves this machine.",
        epilog=EPILOG,
        formatter_class=_HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"etiquette_analysis {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, what in COMMANDS.items():
        added = commands.add_parser(name, help=what, formatter_class=_HelpFormatter)
        if name == command:
            _module(name).add_arguments(added)
    return parser


def _module(command: str) -> ModuleType:
    import importlib

    return importlib.import_module(f"etiquette_analysis.cli.{command}")
