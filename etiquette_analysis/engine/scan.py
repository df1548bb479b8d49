"""Reading message and connection files with DuckDB into the few columns that labelling needs.

The relation ``messages`` that is left behind holds people as they stand in the file, the rest as numbers: the instant
in microseconds, the kind and the level as positions in the schema's tuples. Text is scored while it is read and goes
no further.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pandas as pd
import pyarrow as pa

from etiquette_analysis.engine.score import score_batch
from etiquette_analysis.errors import DesignError, SchemaError, SourceError
from etiquette_analysis.labels.structure import NAT
from etiquette_analysis.schema import KEPT, KINDS, NOTE_STAGE, PITCH_LEVELS, READ, TURN_KINDS, AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etiquette_analysis.engine.score import Flag, Score

    Paths = str | Path | Sequence[str | Path]

_READERS: Final = {
    ".parquet": "read_parquet({})",
    ".csv": "read_csv({}, header = true, all_varchar = true, quote = '\"', escape = '\"')",
}
_REQUIRED: Final = ("sender", "recipient", "sent_at")
_MESSAGE: Final = KINDS.index("message")
_SCAN_ROWS: Final = 1 << 16
_STAGE: Final = "messages"


def open_database(folder: Path, *, memory_limit: str, threads: int | None) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that spills into ``folder`` and keeps to its limits.

    Raises
    ------
    DesignError
        Where DuckDB does not understand a limit.
    """
    settings = {"TimeZone": "UTC", "memory_limit": memory_limit, "temp_directory": str(folder)}
    database = duckdb.connect()
    try:
        for name, value in settings.items():
            database.execute(f"SET GLOBAL {name} = {quoted(value)}")  # a cursor does not see what is set for a session
        if threads is not None:
            database.execute(f"SET threads = {int(threads)}")
    except duckdb.Error as error:
        msg = f"memory_limit is {memory_limit!r} and threads is {threads!r}; expected e.g. '1GB' and 2 ({error})"
        raise DesignError(msg) from error
    return database


def quoted(value: str) -> str:
    """Return ``value`` as a string of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


class Source:
    """Files of one table as DuckDB sees them: ``sql`` to select from, and the ``columns`` they have."""

    def __init__(self, database: duckdb.DuckDBPyConnection, paths: Paths, *, table: str) -> None:
        self.paths = [str(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
        self.name = ", ".join(self.paths)
        readers = {_READERS.get(_suffix(path)) for path in self.paths}
        reader = readers.pop() if len(readers) == 1 else None
        if reader is None:
            msg = (
                f"{self.name}: expected the {table} as .csv or .parquet (all of one kind); other formats: ea.read(path)"
            )
            raise SourceError(msg)
        self.is_text = reader is _READERS[".csv"]
        self.sql = reader.format(f"[{', '.join(map(quoted, self.paths))}]")
        try:
            described = database.sql(f"DESCRIBE SELECT * FROM {self.sql}").fetchall()
        except duckdb.Error as error:
            raise self.unreadable(error) from error
        self.columns: dict[str, str] = {name: kind for name, kind, *_ in described}

    def require(self, *names: str) -> None:
        """Raise ``SchemaError`` unless all the columns are there."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            msg = (
                f"{self.name} has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(map(repr, self.columns))}. Rename yours, or use ea.read_table(..., mapping={{...}})."
            )
            raise SchemaError(msg)

    def unreadable(self, error: Exception) -> SourceError:
        """Return what to raise where DuckDB gave up; its first line only, since further ones quote the file."""
        return SourceError(f"{self.name} could not be read: {str(error).splitlines()[0]}")


def _suffix(path: str) -> str:
    suffixes = Path(path).suffixes
    last = suffixes[-1].lower() if suffixes else ""
    return suffixes[-2].lower() if last in (".gz", ".zst") and len(suffixes) > 1 else last


def load_messages(
    database: duckdb.DuckDBPyConnection, source: Source, *, score: Score | None, flag: Flag | None
) -> int:
    """Create the relation ``messages``; return how many automatic answers were recognised by their text.

    Columns: sender, recipient, sent_at (microseconds), message_id, kind, pitch_score, pitch_level, and what stood where
    no date, kind or level could be read (bad_date, bad_kind, bad_level). Parquet without text to score stays where it
    is; all else is read once into a temporary table, which spills.
    """
    source.require(*_REQUIRED)
    has_text = "text" in source.columns and (score is not None or flag is not None)
    select = _select(source, with_text=has_text)
    scanned = None
    try:
        if has_text:
            scanned = _Scored(database.cursor().sql(select).to_arrow_reader(_SCAN_ROWS), score, flag)
            database.register("scanned", scanned.reader)
            database.execute("CREATE TEMP TABLE messages AS SELECT * FROM scanned")
            database.unregister("scanned")
        else:
            form = "TABLE" if source.is_text or "message_id" not in source.columns else "VIEW"
            database.execute(f"CREATE TEMP {form} messages AS {select}")
        if "message_id" not in source.columns:
            _number_in_time_order(database)
    except duckdb.Error as error:
        if scanned is not None and scanned.error is not None:
            raise scanned.error from None
        raise source.unreadable(error) from error
    return scanned.n_flagged if scanned is not None else 0


def _select(source: Source, *, with_text: bool) -> str:
    has = source.columns
    instant = "TRY_CAST(sent_at AS TIMESTAMPTZ)"
    expressions = {
        "sender": "CAST(sender AS VARCHAR)",
        "recipient": "CAST(recipient AS VARCHAR)",
        "sent_at": f"epoch_us({instant})",
        "message_id": "TRY_CAST(message_id AS BIGINT)" if "message_id" in has else "row_number() OVER ()",
        "kind": _position("kind", KINDS, null=_MESSAGE) if "kind" in has else f"{_MESSAGE}::TINYINT",
        "pitch_score": "TRY_CAST(pitch_score AS DOUBLE)" if "pitch_score" in has else "NULL::DOUBLE",
        "pitch_level": _position("pitch_level", PITCH_LEVELS) if "pitch_level" in has else "-1::TINYINT",
        "bad_date": f"CASE WHEN {instant} IS NULL THEN CAST(sent_at AS VARCHAR) END",
        "bad_kind": _strange("kind", KINDS) if "kind" in has else "NULL::VARCHAR",
        "bad_level": _strange("pitch_level", PITCH_LEVELS) if "pitch_level" in has else "NULL::VARCHAR",
    }
    if with_text:
        expressions["text"] = "CAST(text AS VARCHAR)"
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in expressions.items())} FROM {source.sql}"


def _position(column: str, values: tuple[str, ...], *, null: int = -1) -> str:
    """Return SQL for the position of a column's value in ``values``; ``null`` where it is null or none of them."""
    cases = " ".join(f"WHEN {quoted(value)} THEN {position}" for position, value in enumerate(values))
    return f"CAST(CASE CAST({column} AS VARCHAR) {cases} ELSE {null} END AS TINYINT)"


def _strange(column: str, values: tuple[str, ...]) -> str:
    """Return SQL for a column's value where it is none of ``values``, else null."""
    value = f"CAST({column} AS VARCHAR)"
    return f"CASE WHEN {value} NOT IN ({', '.join(map(quoted, values))}) THEN {value} END"


#: SQL that says why a message enters no turn, or that it was kept.
REASON: Final = f"""CASE
    WHEN kind >= {len(TURN_KINDS)} THEN [{", ".join(map(quoted, KINDS))}][kind + 1]
    WHEN sent_at IS NULL THEN 'no date'
    WHEN sender IS NULL OR recipient IS NULL THEN 'no sender or recipient'
    WHEN sender = recipient THEN 'to oneself'
    ELSE '{KEPT}' END"""


class _Scored:
    """A reader of batches that have been scored, with what happened on the way."""

    def __init__(self, batches: Any, score: Score | None, flag: Flag | None) -> None:
        self.n_flagged = 0
        self.error: Exception | None = None
        schema = batches.schema.remove(batches.schema.get_field_index("text"))
        self.reader = pa.RecordBatchReader.from_batches(schema, self._scored(batches, score, flag))

    def _scored(self, batches: Any, score: Score | None, flag: Flag | None) -> Iterator[Any]:
        for batch in batches:
            try:
                scored, n_flagged = score_batch(batch, score, flag)
            except Exception as error:  # DuckDB would hand on its message only
                self.error = error
                raise
            self.n_flagged += n_flagged
            yield scored


def _number_in_time_order(database: duckdb.DuckDBPyConnection) -> None:
    """Replace row numbers by numbers in time order; a newest-first file breaks ties in reverse."""
    steps = "SELECT sent_at - lag(sent_at) OVER (ORDER BY message_id) AS step FROM messages"
    oldest_first = database.sql(f"SELECT sum(sign(step)) > 0 FROM ({steps})").fetchall()[0][0]
    tie = "message_id" if oldest_first else "-message_id"
    database.execute(
        f"""CREATE TEMP TABLE numbered AS
        SELECT * REPLACE (row_number() OVER (ORDER BY sent_at, {tie}) - 1 AS message_id) FROM messages;
        DROP TABLE messages;
        ALTER TABLE numbered RENAME TO messages"""
    )


@dataclass(frozen=True)
class Summary:
    """What one look at all messages says: the latest instant, the range of ids, and the audit."""

    latest: int
    ids: tuple[int, int]
    n_rows: int
    audit: pd.DataFrame


def summarise(database: duckdb.DuckDBPyConnection, source: Source, n_flagged: int) -> Summary:
    """Count what was read and left out, and check what must hold of every row."""
    *groups, total = database.sql(
        f"""SELECT {REASON} AS reason, count(*), max(sent_at), min(message_id), max(message_id), count(message_id),
        min(bad_date), min(bad_kind), min(bad_level)
        FROM messages GROUP BY GROUPING SETS ((reason), ()) ORDER BY reason NULLS LAST"""
    ).fetchall()
    _, n_rows, latest, first_id, last_id, n_ids, bad_date, bad_kind, bad_level = total
    if bad_date is not None:
        msg = f"{source.name}: sent_at {bad_date!r} is not a date; expected e.g. '2024-02-28 09:15:00 UTC'"
        raise SourceError(msg)
    for name, value, allowed in (("kind", bad_kind, KINDS), ("pitch_level", bad_level, PITCH_LEVELS)):
        if value is not None:
            msg = f"{source.name}: column {name!r} holds {value!r}; expected one of {', '.join(allowed)}"
            raise SchemaError(msg)
    if n_ids < n_rows:
        msg = (
            f"{source.name}: {n_rows - n_ids} rows have no whole number as message_id; expected a unique int64 per row"
        )
        raise SchemaError(msg)
    log = AuditLog()
    log.add(_STAGE, READ, n_rows)
    for reason, n, *_ in groups:
        log.add(_STAGE, reason, n)
    if not any(reason == KEPT for reason, *_ in groups):
        log.add(_STAGE, KEPT, 0)
    log.add(NOTE_STAGE, "automatic answers recognised by their text", n_flagged)
    return Summary(NAT if latest is None else latest, (first_id or 0, last_id or 0), n_rows, log.frame())
