"""The options that describe a source, the same for every command that reads one, and reading it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from etiquette_analysis.cli.progress import Progress, plain
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
    command.add_argument(
        "--date-order", choices=("dmy", "mdy", "ymd"), help="of WhatsApp files and tables whose dates leave it open"
    )
    command.add_argument("--encoding", metavar="NAME", help="of a table not in UTF-8: cp1252, as Excel's plain CSV")
    command.add_argument(
        "--strict",
        action="store_true",
        help="stop, and write nothing, where any row is left out; groups, drafts and repeated notes count too, so that "
        "a LinkedIn export as it comes will rarely pass",
    )
    command.add_argument("--quiet", action="store_true", help="say nothing but errors")


def given_for_reading(options: argparse.Namespace) -> list[str]:
    """Return those options that say how messages are to be read, where they were given."""
    given = {
        "--owner": options.owner,
        "--on-bad-row drop": options.on_bad_row != "error",
        "--connections": options.connections,
        "--mapping": options.mapping,
        "--observed-until": options.observed_until,
        "--timezone": options.timezone,
        "--date-order": options.date_order,
        "--encoding": options.encoding,
    }
    return [name for name, value in given.items() if value]


def read_source(options: argparse.Namespace, source: str | None) -> Any:
    """Read the source that the options describe, and say what was left out of it."""
    return read_audited(options, source)[0]


def read_audited(options: argparse.Namespace, source: str | None) -> tuple[Any, Any]:
    """Read a source as :func:`read_source` does; return the audit as well."""
    from etiquette_analysis import pipeline
    from etiquette_analysis.schema import check_observed_until, count_of, losses

    dataset = pipeline.load_sample() if source is None else _read(options, source)
    audit = pipeline.audit_of(dataset)
    check_audit(audit, options)
    if dataset.messages.empty:
        left = losses(audit)
        rows = count_of(int(left["n"].sum()), "row was", "rows were")
        why = f": {rows} left out ({left['reason'].iloc[0]})" if len(left) else ""
        msg = f"{source}: holds no message that can be used{why}; expected one row for each message"
        raise SourceError(msg)
    check_observed_until(dataset.observed_until, dataset.messages["sent_at"].min())
    return dataset, audit


def _read(options: argparse.Namespace, source: str) -> Any:
    """Read a source with those options that were given, and say how far a long reading has come."""
    from etiquette_analysis import sources
    from etiquette_analysis.sources.progress import following

    given: dict[str, Any] = {"owner": options.owner, "observed_until": options.observed_until}
    given |= {"timezone": options.timezone, "date_order": options.date_order}
    given["encoding"] = options.encoding
    if options.connections:
        given["connections"] = options.connections
    if options.mapping:
        given["mapping"] = read_mapping(Path(options.mapping))
    if options.on_bad_row != "error":
        given["on_bad_row"] = options.on_bad_row
    progress = Progress(quiet=options.quiet)
    with following(progress.bytes_read), progress:
        return sources.read(source, **{name: value for name, value in given.items() if value is not None})


def check_audit(audit: Any, options: argparse.Namespace) -> None:
    """Say on the error stream what became of every row; with ``--strict``, raise where any was left out."""
    from etiquette_analysis.schema import require_complete

    if not options.quiet:
        sys.stderr.write(plain(audit_table(audit)))
    if options.strict:
        require_complete(audit)


def audit_table(audit: Any) -> str:
    """Return what became of the rows of each stage, as in audit.csv and in the report, and what there is to note.

    >>> from etiquette_analysis.schema import AuditLog
    >>> log = AuditLog([("messages", "read", 3, None), ("messages", "no date", 1, 2), ("messages", "kept", 2, None)])
    >>> log.add("note", "without a zone, taken as UTC", 2)
    >>> print(audit_table(log.frame()), end="")
    rows            read      kept  left out
    messages           3         2         1
                                           1  no date, e.g. 2
    noted              2  without a zone, taken as UTC
    """
    import pandas as pd

    from etiquette_analysis.schema import KEPT, NOTE_STAGE, READ, losses

    counted = audit[audit["stage"] != NOTE_STAGE]
    lost = losses(audit)
    width = max([8, *counted["stage"].str.len()])
    lines = [f"{'rows':<{width}}{'read':>10}{'kept':>10}{'left out':>10}"]
    for stage in counted["stage"].unique():
        rows, left = counted[counted["stage"] == stage], lost[lost["stage"] == stage]
        n = [rows.loc[rows["reason"] == READ, "n"], rows.loc[rows["reason"] == KEPT, "n"], left["n"]]
        lines.append(f"{stage:<{width}}" + "".join(f"{int(part.sum()):>10,}" for part in n))
        for row in left.itertuples(index=False):
            example = "" if pd.isna(row.example) else f", e.g. {row.example}"
            lines.append(f"{row.n:>{width + 30},}  {row.reason}{example}")
    for row in audit[audit["stage"] == NOTE_STAGE].itertuples(index=False):
        lines.append(f"{'noted':<{width}}{row.n:>10,}  {row.reason}")
    return "\n".join(lines) + "\n"


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
    empty = [name for name, value in mapping.items() if not value.strip()]
    if empty:
        msg = f"{path}: {empty[0]} is still empty; write the name of your column between the quotes, or drop the line"
        raise SourceError(msg)
    return mapping
