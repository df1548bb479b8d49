"""Putting messages in (dyad, time, message id) order with DuckDB, which spills what does not fit.

Sorted are numbers: people are coded in byte order first, because sorting long addresses costs twice as much. What
comes out are the batches that the labelling stream takes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.engine.source import Source
from etiquette_analysis.engine.summary import REASON
from etiquette_analysis.engine.tables import sorted_batch
from etiquette_analysis.errors import SchemaError, SourceError, as_shown
from etiquette_analysis.labels.dyads import People, earliest_connections, people_named
from etiquette_analysis.labels.structure import DAY, NAT
from etiquette_analysis.schema import KEPT, RESOLUTIONS, AuditLog, note_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from etiquette_analysis.engine.parts import Key
    from etiquette_analysis.engine.source import Paths
    from etiquette_analysis.engine.stream import What
    from etiquette_analysis.engine.summary import Summary
    from etiquette_analysis.labels.dyads import ConnectionDates
    from etiquette_analysis.labels.structure import Ints


#: So many messages are looked at first, to see whether connections match them.
_FIRST_LOOK: Final = 50_000


def code_people(database: duckdb.DuckDBPyConnection, names: str, rename: Callable[[Any], Any] | None = None) -> People:
    """Code the people whom a query names, as the relation ``people`` with name, code and rank.

    Where ``rename`` gives them other names, they are numbered in the order of those: rows in the order of the names
    that people had would tell them.
    """
    found = database.sql(f"SELECT DISTINCT name FROM ({names}) WHERE name IS NOT NULL").to_arrow_table()
    given = found.column("name").cast(pa.large_string()).combine_chunks()
    shown = given if rename is None else rename(given).cast(pa.large_string())
    people = people_named(shown)
    codes = pa.array(np.arange(len(people.names)), pa.int32())
    ranks = pa.array(people.rank, pa.int32())
    database.register("coded", pa.table({"name": given.take(pc.sort_indices(shown)), "code": codes, "rank": ranks}))
    database.execute("CREATE TEMP TABLE people AS SELECT * FROM coded")
    database.unregister("coded")
    return people


def load_people(
    database: duckdb.DuckDBPyConnection,
    connections: tuple[Source, tuple[str, str]] | None,
    rename: Callable[[Any], Any] | None = None,
) -> tuple[People, ConnectionDates]:
    """Code everyone who wrote or was written to, as the relation ``people``, and date their connections."""
    everyone = "SELECT sender AS name FROM messages UNION ALL SELECT recipient FROM messages"
    people = code_people(database, everyone, rename)
    if connections is None:
        nothing = np.empty(0, dtype=np.int64)
        return people, earliest_connections(nothing, nothing, nothing.astype(bool))
    return people, _connection_dates(database, people, *connections)


def connection_source(
    database: duckdb.DuckDBPyConnection,
    messages: Source,
    connections: Paths | None,
    mapping: Mapping[str, str] | None = None,
) -> tuple[Source, tuple[str, str]] | None:
    """Return where connections stand, and what the two people are called there; None where nowhere."""
    if connections is not None:
        source = Source(database, connections, table="connections", mapping=mapping)
        source.require("person_a", "person_b", "connected_at")
        return source, ("person_a", "person_b")
    if "connected_at" in messages.columns:
        return messages, ("sender", "recipient")
    return None


def match_connections(
    database: duckdb.DuckDBPyConnection, connections: tuple[Source, tuple[str, str]] | None, summary: Summary
) -> Summary:
    """Return the summary, its audit saying so where hardly any pair in the messages is in the table of connections.

    Connections beside the messages need no look. The first messages tell whether a look at all of them is worth while.
    """
    if connections is None or connections[1] != ("person_a", "person_b"):
        return summary
    log = AuditLog()
    for messages in (f"(FROM messages LIMIT {_FIRST_LOOK})", "messages"):
        n_pairs, n_found = database.sql(
            f"""WITH written AS (
              SELECT DISTINCT least(sender, recipient) AS low, greatest(sender, recipient) AS high FROM {messages}
              WHERE sender <> recipient
            ), known AS (
              SELECT least(person_a, person_b) AS low, greatest(person_a, person_b) AS high
              FROM (SELECT CAST(person_a AS VARCHAR) AS person_a, CAST(person_b AS VARCHAR) AS person_b, connected_at
                FROM {connections[0].sql}) WHERE connected_at IS NOT NULL
            ) SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM written SEMI JOIN known USING (low, high))"""
        ).fetchall()[0]
        log.rows.clear()
        note_match(log, n_pairs=n_pairs, n_found=n_found)
        if not log.rows:
            return summary
    return replace(summary, audit=pd.concat([summary.audit, log.frame()], ignore_index=True))


def _connection_dates(
    database: duckdb.DuckDBPyConnection, people: People, source: Source, persons: tuple[str, str]
) -> ConnectionDates:
    instant = "TRY_CAST(c.connected_at AS TIMESTAMPTZ)"
    if source.is_text:  # of 25-03-10 DuckDB makes the year 25
        instant = f"CASE WHEN year({instant}) >= 1000 THEN {instant} END"
    person_a, person_b = (f"CAST(c.{person} AS VARCHAR)" for person in persons)
    # Where the table does not say how exact its dates are: days, where all of them are midnights.
    resolution = (
        "CAST(c.resolution AS VARCHAR)"
        if "resolution" in source.columns
        else f"if((SELECT bool_and(epoch_us({instant}) % {DAY} = 0) FROM {source.sql} c), 'day', 'second')"
    )
    try:
        found = database.sql(
            f"""SELECT DISTINCT a.code AS a, b.code AS b, epoch_us({instant}) AS connected_at,
            {resolution} AS resolution,
            CASE WHEN {instant} IS NULL THEN CAST(c.connected_at AS VARCHAR) END AS bad_date
            FROM {source.sql} c JOIN people a ON a.name = {person_a} JOIN people b ON b.name = {person_b}
            WHERE c.connected_at IS NOT NULL"""
        ).to_arrow_table()
    except duckdb.Error as error:
        raise source.unreadable(error) from error
    bad_date = found.column("bad_date").drop_null()
    if len(bad_date):
        msg = f"{source.name}: connected_at {as_shown(bad_date[0].as_py())!r} is not a date; expected e.g. '2024-02-28'"
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
    *,
    batch_rows: int,
    what: What,
    after: Key | None,
) -> Iterator[tuple[Any, Ints, Ints]]:
    """Sort the messages by (dyad, time, message id), those without two people first.

    Yields batches of ``SORTED``, and for each row the two numbers by which its dyad is sorted; only what comes behind
    the dyad ``after``, where one is given.
    """
    conditions = [f"{REASON} = '{KEPT}'"] if what == "turns" else []
    if after is not None:
        conditions.append(f"(first > {after[0]} OR (first = {after[0]} AND second > {after[1]}))")
    sql = f"""SELECT coalesce(a.code, -1) AS author, coalesce(b.code, -1) AS reader,
        sent_at, message_id, kind, pitch_score, pitch_level,
        CASE WHEN a.code < b.code THEN a.rank WHEN a.code > b.code THEN b.rank ELSE -1 END AS first,
        greatest(coalesce(a.code, -1), coalesce(b.code, -1)) AS second
        FROM messages LEFT JOIN people a ON a.name = sender LEFT JOIN people b ON b.name = recipient
        {"WHERE " + " AND ".join(conditions) if conditions else ""}"""
    ordered = f"SELECT * EXCLUDE (first, second) FROM ({sql}) ORDER BY first, second, sent_at, message_id"
    for batch in database.sql(ordered).to_arrow_reader(batch_rows):
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
        sent = batch.column("sent_at").fill_null(NAT).to_numpy()
        sender, recipient = columns["author"].astype(np.int64), columns["reader"].astype(np.int64)
        two_people = (np.minimum(sender, recipient) >= 0) & (sender != recipient)
        first = np.where(two_people, people.rank[np.minimum(sender, recipient)] if len(people.rank) else -1, -1)
        sorted_ = sorted_batch(people, dates, sender, recipient, columns | {"sent_at": sent})
        yield sorted_, first, np.maximum(sender, recipient)
