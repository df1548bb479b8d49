"""Reading messages with DuckDB into the few columns that labelling needs.

The relation ``messages`` that is left behind holds people as they stand in the file, the rest as numbers: the instant
in microseconds, the kind and the level as positions in the schema's tuples. Text is scored while it is read and goes
no further. Scoring is the long part of the work, so what it gives is kept in parts, and a run that was stopped scores
only the rest.
"""

from __future__ import annotations

import ctypes
import sys
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.engine.parts import recut, without_first, write_part
from etiquette_analysis.engine.score import score_batch
from etiquette_analysis.engine.source import open_cursor, quoted
from etiquette_analysis.engine.summary import refuse
from etiquette_analysis.engine.work import n_whole, part_of, write_whole
from etiquette_analysis.engine.workers import ordered_map
from etiquette_analysis.schema import KINDS, PITCH_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.source import Source
    from etiquette_analysis.engine.work import Work

    #: What is going on, how much is done, of how much, in which unit.
    Progress = Callable[[str, int, int, str], object]

_REQUIRED: Final = ("sender", "recipient", "sent_at")
_MESSAGE: Final = KINDS.index("message")
_SCAN_ROWS: Final = 1 << 16
_BATCHES_A_PART: Final = 8
_COMPLETE: Final = "complete"
_STAGE: Final = "messages"
#: Columns for what could not be read.
BAD: Final = ("bad_date", "bad_kind", "bad_level")


def load_messages(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    work: Work,
    *,
    score: Score | None,
    flag: Flag | None,
    threads: int,
    progress: Progress,
) -> None:
    """Create the relation ``messages``.

    Columns: sender, recipient, sent_at (microseconds), message_id, kind, pitch_score, pitch_level, has_text, is_flagged
    (an automatic answer, recognised by its text), and what stood where no date, kind or level could be read (bad_date,
    bad_kind, bad_level). Parquet with nothing to score and with ids stays where it is; all else is read once, into
    parts that a later run finds.
    """
    source.require(*_REQUIRED)
    with_text = "text" in source.columns and (score is not None or flag is not None)
    select = _select(source, with_text=with_text)
    has_ids = "message_id" in source.columns
    try:
        if with_text or source.is_text or not has_ids:
            if not (work.scanned / _COMPLETE).exists():
                _scan(database, source, select, work, score=score, flag=flag, threads=threads, progress=progress)
            select = f"SELECT * FROM read_parquet({quoted(str(work.scanned / '*.parquet'))})"
        database.execute(f"CREATE TEMP VIEW messages AS {select}")
        if not has_ids:
            _number_in_time_order(database)
    except (duckdb.Error, pa.ArrowException) as error:
        raise source.unreadable(error) from error


def _scan(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    select: str,
    work: Work,
    *,
    score: Score | None,
    flag: Flag | None,
    threads: int,
    progress: Progress,
) -> None:
    """Read and score what no earlier run has, and write it in parts of equal length."""
    size, unit = source.size(database)
    n_parts = n_whole(work.scanned)
    cursor = open_cursor(database)
    reader = cursor.sql(select).to_arrow_reader(_SCAN_ROWS)
    rest = without_first(reader, n_parts * _BATCHES_A_PART * _SCAN_ROWS)
    scored = ordered_map(partial(_scored, source, score, flag), recut(rest, _SCAN_ROWS), threads=threads)
    n = n_parts * _BATCHES_A_PART * _SCAN_ROWS

    def counted(batches: Iterable[Any]) -> Iterator[Any]:
        nonlocal n
        for batch in batches:
            yield batch
            n += batch.num_rows
            done = round(max(cursor.query_progress(), 0) / 100 * size) if source.is_text else n
            progress("reading", done, size, unit)

    schema = pa.schema([field for field in reader.schema if field.name != "text"])
    for number, batches in enumerate(_by_part(scored), n_parts):
        write_part(counted(batches), schema, part_of(work.scanned, number))
    if not n_whole(work.scanned):
        write_part([], schema, part_of(work.scanned, 0))
    write_whole(work.scanned / _COMPLETE, "")
    del reader, rest, scored
    _give_back_memory()


def _give_back_memory() -> None:
    """Return to the system what reading and scoring held; sorting needs it, and allocators would keep it."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
        if trim is not None:
            trim(0)


def _by_part(batches: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """Group batches by part; each group must be used up before the next."""
    for first in batches:
        yield chain([first], islice(batches, _BATCHES_A_PART - 1))


def _scored(source: Source, score: Score | None, flag: Flag | None, batch: Any) -> Any:
    """Return a batch as it is kept: the text gives way to what it says."""
    refuse(source, *(pc.min(batch.column(name)).as_py() for name in BAD))
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if "text" in columns:
        texts, kind = columns["text"], columns["kind"]
        columns["has_text"] = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False)
        scored, _ = score_batch(batch, score, flag)
        columns |= dict(zip(scored.schema.names, scored.columns, strict=True)) | {
            "has_text": columns["has_text"],
            "is_flagged": pc.not_equal(scored.column("kind"), kind),
        }
        del columns["text"]
    return pa.record_batch(columns)


def _select(source: Source, *, with_text: bool) -> str:
    has = source.columns
    instant = "TRY_CAST(sent_at AS TIMESTAMPTZ)"
    if source.is_text:  # of 25-03-10 DuckDB makes the year 25
        instant = f"CASE WHEN year({instant}) >= 1000 THEN {instant} END"
    expressions = {
        "sender": "CAST(sender AS VARCHAR)",
        "recipient": "CAST(recipient AS VARCHAR)",
        "sent_at": f"epoch_us({instant})",
        "message_id": "TRY_CAST(message_id AS BIGINT)" if "message_id" in has else "row_number() OVER ()",
        "kind": _position("kind", KINDS, null=_MESSAGE) if "kind" in has else f"{_MESSAGE}::TINYINT",
        "pitch_score": "TRY_CAST(pitch_score AS DOUBLE)" if "pitch_score" in has else "NULL::DOUBLE",
        "pitch_level": _position("pitch_level", PITCH_LEVELS) if "pitch_level" in has else "-1::TINYINT",
        "has_text": "coalesce(trim(CAST(text AS VARCHAR)) <> '', false)" if "text" in has else "false",
        "is_flagged": "false",
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


def _number_in_time_order(database: duckdb.DuckDBPyConnection) -> None:
    """Replace row numbers by numbers in time order; a newest-first file breaks ties in reverse."""
    steps = "SELECT sent_at - lag(sent_at) OVER (ORDER BY message_id) AS step FROM messages"
    oldest_first = database.sql(f"SELECT sum(sign(step)) > 0 FROM ({steps})").fetchall()[0][0]
    tie = "message_id" if oldest_first else "-message_id"
    database.execute(
        f"""CREATE TEMP TABLE numbered AS
        SELECT * REPLACE (row_number() OVER (ORDER BY sent_at, {tie}) - 1 AS message_id) FROM messages;
        DROP VIEW messages;
        ALTER TABLE numbered RENAME TO messages"""
    )
