"""One look at all messages before anything is sorted: what was read, what is left out and why, and what must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.engine.source import quoted
from etiquette_analysis.errors import SchemaError, SourceError, as_shown
from etiquette_analysis.labels.structure import NAT
from etiquette_analysis.schema import KEPT, KINDS, NOTE_STAGE, PITCH_LEVELS, READ, TURN_KINDS, AuditLog

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from etiquette_analysis.engine.source import Source

_STAGE: Final = "messages"
#: Repeats of ids are looked for in a table of flags where ids span so little, absolutely and beside their number.
_SPAN, _SPARSE = 1 << 27, 32

#: SQL that says why a message enters no turn, or that it was kept.
REASON: Final = f"""CASE
    WHEN kind >= {len(TURN_KINDS)} THEN [{", ".join(map(quoted, KINDS))}][kind + 1]
    WHEN sent_at IS NULL THEN 'no date'
    WHEN sender IS NULL OR recipient IS NULL THEN 'no sender or recipient'
    WHEN sender = recipient THEN 'to oneself'
    ELSE '{KEPT}' END"""


@dataclass(frozen=True)
class Summary:
    """The latest instant of any message, how many were read and how many enter turns, and the audit."""

    latest: int
    n_rows: int
    n_kept: int
    audit: pd.DataFrame


def summarise(database: duckdb.DuckDBPyConnection, source: Source) -> Summary:
    """Count what was read and left out, and check what must hold of every row."""
    *groups, total = database.sql(
        f"""SELECT {REASON} AS reason, count(*), max(sent_at), min(message_id), max(message_id), count(message_id),
        count_if(is_flagged), min(bad_date), min(bad_kind), min(bad_level)
        FROM messages GROUP BY GROUPING SETS ((reason), ()) ORDER BY reason NULLS LAST"""
    ).fetchall()
    _, n_rows, latest, first_id, last_id, n_ids, n_flagged, *bad = total
    refuse(source, *bad)
    if n_ids < n_rows:
        msg = (
            f"{source.name}: {n_rows - n_ids} rows have no whole number as message_id; expected a unique int64 per row"
        )
        raise SchemaError(msg)
    if n_rows:
        _refuse_repeats(database, first_id, last_id, n_rows)
    counts = {reason: n for reason, n, *_ in groups}
    log = AuditLog()
    log.add(_STAGE, READ, n_rows)
    for reason, n in ({KEPT: 0} | counts).items():
        log.add(_STAGE, reason, n)
    log.add(NOTE_STAGE, "automatic answers recognised by their text", n_flagged)
    return Summary(NAT if latest is None else latest, n_rows, counts.get(KEPT, 0), log.frame())


def refuse(source: Source, bad_date: str | None, bad_kind: str | None, bad_level: str | None) -> None:
    """Raise where a date, a kind or a level could not be read; what stood there is given, None where all could."""
    if bad_date is not None:
        msg = f"{source.name}: sent_at {as_shown(bad_date)!r} is not a date; expected e.g. '2024-02-28 09:15:00 UTC'"
        raise SourceError(f"{msg}; 28/02/2024 is read as well where --out ends in .csv, perhaps with --date-order")
    for name, value, allowed in (("kind", bad_kind, KINDS), ("pitch_level", bad_level, PITCH_LEVELS)):
        if value is not None:
            msg = f"{source.name}: column {name!r} holds {value!r}; expected one of {', '.join(allowed)}"
            raise SchemaError(msg)


def _refuse_repeats(database: duckdb.DuckDBPyConnection, first: int, last: int, n_rows: int) -> None:
    """Raise ``SchemaError`` where an id comes twice: a flag for each where they are dense, else one query."""
    span = last - first + 1
    if span <= min(_SPAN, _SPARSE * n_rows):
        seen = np.zeros(span, dtype=bool)
        for batch in database.sql("SELECT message_id FROM messages").to_arrow_reader(1 << 17):
            seen[batch.column("message_id").to_numpy() - first] = True
        if int(seen.sum()) == n_rows:
            return
    repeats = database.sql(
        "SELECT message_id, count(*) FROM messages GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()
    if repeats:
        msg = f"message_id {repeats[0][0]} occurs {repeats[0][1]} times; message_id must be unique"
        raise SchemaError(msg)
