"""Putting messages in (dyad, time, message id) order with DuckDB, which spills what does not fit.

Sorted are numbers: people are coded in byte order first, because sorting long addresses costs twice as much. What
comes out are the batches that the labelling stream takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from etiquette_analysis.engine.scan import REASON, Source
from etiquette_analysis.engine.tables import sorted_batch
from etiquette_analysis.errors import SchemaError, SourceError
from etiquette_analysis.labels.dyads import People, earliest_connections, people_named
from etiquette_analysis.labels.structure import NAT
from etiquette_analysis.schema import KEPT, RESOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etiquette_analysis.engine.scan import Paths, Summary
    from etiquette_analysis.engine.stream import What
    from etiquette_analysis.labels.dyads import ConnectionDates

#: Ids spread over a range up to so many times their number are checked for repeats in a table of flags.
_SPARSE: Final = 32


def load_people(
    database: duckdb.DuckDBPyConnection, connections: tuple[Source, tuple[str, str]] | None
) -> tuple[People, ConnectionDates]:
    """Code everyone who wrote or was written to, as the relation ``people``, and date their connections."""
    names = database.sql(
        """SELECT DISTINCT name FROM (SELECT sender AS name FROM messages UNION ALL SELECT recipient FROM messages)
        WHERE name IS NOT NULL"""
    ).to_arrow_table()
    people = people_named(names.column("name").cast(pa.large_string()).combine_chunks())
    codes = pa.array(np.arange(len(people.names)), pa.int32())
    ranks = pa.array(people.rank, pa.int32())
    database.register("coded", pa.table({"name": people.names, "code": codes, "rank": ranks}))
    database.execute("CREATE TEMP TABLE people AS SELECT * FROM coded")
    database.unregister("coded")
    if connections is None:
        nothing = np.empty(0, dtype=np.int64)
        return people, earliest_connections(nothing, nothing, nothing.astype(bool))
    return people, _connection_dates(database, people, *connections)


def connection_source(
    database: duckdb.DuckDBPyConnection, messages: Source, connections: Paths | None
) -> tuple[Source, tuple[str, str]] | None:
    """Return where connections stand, and what the two people are called there; None where nowhere."""
    if connections is not None:
        source = Source(database, connections, table="connections")
        source.require("person_a", "person_b", "connected_at", "resolution")
        return source, ("person_a", "person_b")
    if "connected_at" in messages.columns:
        messages.require("resolution")
        return messages, ("sender", "recipient")
    return None


def _connection_dates(
    database: duckdb.DuckDBPyConnection, people: People, source: Source, persons: tuple[str, str]
) -> ConnectionDates:
    instant = "TRY_CAST(c.connected_at AS TIMESTAMPTZ)"
    person_a, person_b = (f"CAST(c.{person} AS VARCHAR)" for person in persons)
    try:
        found = database.sql(
            f"""SELECT DISTINCT a.code AS a, b.code AS b, epoch_us({instant}) AS connected_at,
            CAST(c.resolution AS VARCHAR) AS resolution,
            CASE WHEN {instant} IS NULL THEN CAST(c.connected_at AS VARCHAR) END AS bad_date
            FROM {source.sql} c JOIN people a ON a.name = {person_a} JOIN people b ON b.name = {person_b}
            WHERE c.connected_at IS NOT NULL"""
        ).to_arrow_table()
    except duckdb.Error as error:
        raise source.unreadable(error) from error
    bad_date = found.column("bad_date").drop_null()
    if len(bad_date):
        msg = f"{source.name}: connected_at {bad_date[0].as_py()!r} is not a date; expected e.g. '2024-02-28'"
        raise SourceError(msg)
    strange = set(found.column("resolution").unique().to_pylist()) - {*RESOLUTIONS, None}
    if strange:
        msg = f"{source.name}: unknown resolution {sorted(strange)}; expected 'day' or 'second'"
        raise SchemaError(msg)
    a, b, connected = (found.column(name).to_numpy().astype(np.int64) for name in ("a", "b", "connected_at"))
    by_day = found.column("resolution").to_numpy() != "second"
    return earliest_connections(people.dyad(a, b), connected, by_day)


def sorted_batches(
    database: duckdb.DuckDBPyConnection,
    people: People,
    dates: ConnectionDates,
    summary: Summary,
    *,
    batch_rows: int,
    what: What,
) -> Iterator[Any]:
    """Sort the messages by (dyad, time, message id), those without two people first, as batches of ``SORTED``."""
    kept = f"WHERE {REASON} = '{KEPT}'" if what == "turns" else ""
    sql = f"""SELECT coalesce(a.code, -1) AS sender, coalesce(b.code, -1) AS recipient,
        sent_at, message_id, kind, pitch_score, pitch_level
        FROM messages LEFT JOIN people a ON a.name = sender LEFT JOIN people b ON b.name = recipient {kept}
        ORDER BY CASE WHEN a.code < b.code THEN a.rank WHEN a.code > b.code THEN b.rank ELSE -1 END NULLS FIRST,
        greatest(a.code, b.code), sent_at, message_id"""
    seen = _Ids(database, summary)
    for batch in database.sql(sql).to_arrow_reader(batch_rows):
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
        sent = batch.column("sent_at").fill_null(NAT).to_numpy()
        sender, recipient = columns["sender"].astype(np.int64), columns["recipient"].astype(np.int64)
        seen.add(columns["message_id"])
        yield sorted_batch(people, dates, sender, recipient, columns | {"sent_at": sent})
    seen.check()


class _Ids:
    """The message ids that went by, to refuse a repeat: a bit each where they are dense, else one query."""

    def __init__(self, database: duckdb.DuckDBPyConnection, summary: Summary) -> None:
        self.database = database
        self.first, last = summary.ids
        span = last - self.first + 1
        self.seen = np.zeros(span if span <= _SPARSE * (summary.n_rows + 1) else 0, dtype=bool)
        self.n = 0

    def add(self, ids: Any) -> None:
        """Take note of the ids of a batch."""
        if len(self.seen):
            self.seen[ids - self.first] = True
        self.n += len(ids)

    def check(self) -> None:
        """Raise ``SchemaError`` where an id came twice."""
        if len(self.seen) and int(self.seen.sum()) == self.n:
            return
        repeats = self.database.sql(
            "SELECT message_id, count(*) FROM messages GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
        ).fetchall()
        if repeats:
            msg = f"message_id {repeats[0][0]} occurs {repeats[0][1]} times; message_id must be unique"
            raise SchemaError(msg)
