"""The options that describe a source, the same for every command that reads one, and reading it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from etiquette_analysis.errors import SourceError


def add_source_options(command: argparse.ArgumentParser) -> None:
    """Add the options that say how a source is to be read."""
    command.add_argument("--owner", metavar="NAME", help="whose export it is: name, URL or address")
    command.add_argument(
        "--on-bad-row",
        choices=("error", "drop"),
        default="error",
        help="stop at a row that cannot be read (default), or leave it out and count it in audit.csv",
    )
    command.add_argument("--connections", metavar="FILE", help="table of connections, where the source is a table")
    command.add_argument(
        "--mapping",
        metavar="FILE",
        help='TOML file naming your columns, one line each: sender = "From" (ours = theirs)',
    )
    command.add_argument(
        "--observed-until", metavar="DATE", help="end of observation, e.g. 2024-06-30; default: the latest message"
    )
    command.add_argument("--timezone", metavar="ZONE", help="of a source without one (WhatsApp), e.g. Europe/Rome")
    command.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), help="of a WhatsApp file that leaves it open")
    command.add_argument("--quiet", action="store_true", help="say nothing but errors")


def read_source(options: argparse.Namespace, source: str | None) -> Any:
    """Read the source that the options describe."""
    from etiquette_analysis import pipeline, sources

    if source is None:
        return pipeline.load_sample()
    given: dict[str, Any] = {"owner": options.owner, "observed_until": options.observed_until}
    given |= {"timezone": options.timezone, "date_order": options.date_order}
    if options.connections:
        given["connections"] = options.connections
    if options.mapping:
        given["mapping"] = read_mapping(Path(options.mapping))
    if options.on_bad_row != "error":
        given["on_bad_row"] = options.on_bad_row
    return sources.read(source, **{name: value for name, value in given.items() if value is not None})


def read_mapping(path: Path) -> dict[str, str]:
    """Read a column mapping (ours = "theirs") from a TOML file."""
    import tomllib

    try:
        mapping = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f'{path}: not a readable TOML file ({error}); expected lines such as sender = "From"'
        raise SourceError(msg) from error
    wrong = [name for name, value in mapping.items() if not isinstance(value, str)]
    if wrong:
        msg = f'{path}: {wrong[0]} is not a column name in quotes; expected lines such as sender = "From"'
        raise SourceError(msg)
    return mapping
