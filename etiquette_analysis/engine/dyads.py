"""From files of any size to one row per connection: messages and connections of a pair brought together by sorting.

What is known of a connection follows from its own messages, so whoever reduces messages to dyads can be given the
pairs a part at a time. Three things belong to all of them: with how many others each person makes a pair, when the
history of messages begins, and the numbers that people get in the end. These are found here, before and after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.engine.files import LabelledFile
from etiquette_analysis.engine.parts import ROW_GROUP, joined, write_part, write_parts
from etiquette_analysis.engine.run import open_run
from etiquette_analysis.engine.sort import code_people, match_connections
from etiquette_analysis.engine.source import identifier, open_cursor, quoted
from etiquette_analysis.engine.tables import INSTANT_TYPE, PITCH_LEVEL, from_codes, from_microseconds
from etiquette_analysis.engine.workers import n_threads
from etiquette_analysis.errors import SchemaError, SourceError, as_shown
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.structure import NAT
from etiquette_analysis.schema import KINDS, TURN_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import duckdb

    from etiquette_analysis.engine.parts import Key
    from etiquette_analysis.engine.run import Run
    from etiquette_analysis.engine.scan import Progress
    from etiquette_analysis.engine.score import Score
    from etiquette_analysis.engine.source import Paths, Source
    from etiquette_analysis.labels.dyads import People
    from etiquette_analysis.labels.structure import Ints

#: Messages (labelled, without text) and connections of some pairs, the number of pairs that each person is in, the
#: instant of the first message of all (microseconds, ``NAT`` for none) and the end of observation -> their dyads, with
#: identifiers in ``sender`` and ``contact``.
Reduce = Callable[[pd.DataFrame, pd.DataFrame, pd.Series, int, pd.Timestamp], pd.DataFrame]

#: What was found in the files (``_look_at_files``) and the audit -> what the table is to say of itself, which pandas
#: reads back as ``attrs``.
Describe = Callable[[dict[str, Any], pd.DataFrame], Mapping[str, str]]

_BATCH_ROWS: Final = 1 << 16
_MESSAGE, _INMAIL = KINDS.index("message"), KINDS.index("inmail")
_READ: Final = (_MESSAGE, _INMAIL, KINDS.index("invitation"), KINDS.index("auto_reply"))
_TEXTS: Final = ("invited_by", "position", "language")
_ATTRS: Final = "PANDAS_ATTRS"
_PAIR: Final = "least(a.code, b.code) AS low, greatest(a.code, b.code) AS high"
_MESSAGES: Final = "messages JOIN people a ON a.name = sender JOIN people b ON b.name = recipient"
_LISTED: Final = "listed JOIN people a ON a.name = person_a JOIN people b ON b.name = person_b"


def reduce_to_dyads(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    reduce: Reduce,
    describe: Describe,
    ego: Sequence[str] | None,
    depends_on: Mapping[str, Any],
    observed_until: pd.Timestamp | str | None = None,
    score: Score | None = None,
    mapping: Mapping[str, str] | None = None,
    strict: bool = False,
    memory_limit: str = "1GB",
    threads: int | None = None,
    part_rows: int = 1 << 18,
    progress: Progress | None = None,
    say: Callable[[str], object] | None = None,
) -> LabelledFile:
    """Reduce the messages and connections in files to a Parquet file with one row per dyad.

    Parameters
    ----------
    messages, connections, mapping, observed_until, score, strict, memory_limit, threads, progress, say
        As for :func:`etiquette_analysis.engine.files.label_files`. Connections may say besides ``invited_by``,
        ``invited_at``, ``position``, ``language`` and numbers named ``x_*``.
    out : path
        A name ending in ``.parquet``.
    reduce : callable
        Makes dyads of some pairs, see ``Reduce``.
    describe : callable
        Says what the file is to tell of itself, see ``Describe``.
    ego : sequence of str or None
        Only pairs with one of them are wanted; None: all.
    depends_on : mapping
        What ``reduce`` depends on, as JSON can hold it.
    part_rows : int
        So many messages and connections, and those that the last pair has beyond, are reduced at a time.

    Returns
    -------
    LabelledFile
        Rows ordered by ``time_zero``, then both people; people numbered in order of appearance.
    """
    out = Path(out)
    if out.suffix != ".parquet":
        msg = f"{out}: dyads are one file; expected a name ending in .parquet"
        raise SourceError(msg)
    progress, threads = progress or (lambda *_: None), n_threads(threads)
    until = None if observed_until is None else instant(observed_until, name="observed_until")
    question = {"what": "dyads", "options": {"observed_until": until, "part_rows": part_rows}, **depends_on}
    with open_run(
        out,
        messages,
        connections,
        question=question,
        mapping=mapping,
        score=score,
        flag=flag_auto_reply,
        strict=strict,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
        say=say,
    ) as run:
        n_listed = _list_connections(run.database, run.dates_from)
        people = code_people(
            run.database,
            "SELECT sender AS name FROM messages UNION ALL SELECT recipient FROM messages "
            "UNION ALL SELECT person_a FROM listed UNION ALL SELECT person_b FROM listed",
        )
        summary = match_connections(run.database, run.dates_from, run.summary)
        n_partners, first = _look_at_pairs(run.database, people, ego)
        end = pd.Timestamp(run.summary.latest if until is None else until, unit="us", tz="UTC")
        reduce_part = _PartReducer(run, people, lambda m, c, n: reduce(m, c, n, first, end), n_partners)
        nothing = reduce_part.frame([])
        schema = _schema_of(nothing)
        n_rows = write_parts(
            run.work,
            partial(_sorted, run.database),
            lambda part: reduce_part(part, schema),
            schema,
            rows=part_rows,
            n_messages=run.summary.n_rows + n_listed,
            progress=progress,
        )
        numbered = run.work.spill / "numbered.parquet"
        nothing = nothing.astype({"sender": "int64", "contact": "int64"})
        nothing.attrs.update(describe(_look_at_files(run, end), summary.audit))
        schema = _schema_of(nothing)
        write_part(_numbered(run, schema), schema, numbered)
        run.work.finish({}, made=numbered)
    return LabelledFile(out, n_rows, summary.audit, end)


def _list_connections(database: duckdb.DuckDBPyConnection, dates_from: tuple[Source, tuple[str, str]] | None) -> int:
    """Create the table ``listed``, a row per connection in the order of the file; return how many there are."""
    if dates_from is None:
        database.execute("CREATE TABLE listed (row BIGINT, person_a VARCHAR, person_b VARCHAR, connected_at BIGINT)")
        return 0
    source, persons = dates_from
    dates = [name for name in ("connected_at", "invited_at") if name in source.columns]
    x_names = [name for name in source.columns if name.startswith("x_")]
    expressions = {
        "row": "row_number() OVER () - 1",
        "person_a": f"CAST({persons[0]} AS VARCHAR)",
        "person_b": f"CAST({persons[1]} AS VARCHAR)",
    }
    expressions |= {name: f"epoch_us(TRY_CAST({name} AS TIMESTAMPTZ))" for name in dates}
    expressions |= {name: f"CAST({name} AS VARCHAR)" for name in _TEXTS if name in source.columns}
    expressions |= {name: f"TRY_CAST({identifier(name)} AS DOUBLE)" for name in x_names}
    select = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
    # Beside messages a date is repeated with each of them; the earliest counts, and one is enough.
    first = "QUALIFY row_number() OVER (PARTITION BY person_a, person_b ORDER BY connected_at, row) = 1"
    database.execute(
        f"""CREATE TABLE listed AS SELECT * FROM (SELECT {select} FROM {source.sql})
        WHERE connected_at IS NOT NULL {first if persons[0] == "sender" else ""}"""
    )
    for name in dates:
        bad = database.sql(
            f"SELECT min(CAST({name} AS VARCHAR)) FROM {source.sql} "
            f"WHERE {name} IS NOT NULL AND TRY_CAST({name} AS TIMESTAMPTZ) IS NULL"
        ).fetchall()[0][0]
        if bad is not None:
            msg = f"{source.name}: {name} {as_shown(bad)!r} is not a date; expected e.g. '2024-02-28'"
            raise SourceError(msg)
    return int(database.sql("SELECT count(*) FROM listed").fetchall()[0][0])


def _look_at_pairs(database: duckdb.DuckDBPyConnection, people: People, ego: Sequence[str] | None) -> tuple[Ints, int]:
    """Create the relation ``pair``; return how many pairs each person is in, and when the first message was sent.

    A pair is listed, or has an ordinary message to show for it.
    """
    database.execute(
        f"""CREATE TEMP TABLE pair AS SELECT low, high, min(first) AS first FROM (
          SELECT {_PAIR}, min(sent_at) FILTER (WHERE kind IN ({_MESSAGE}, {_INMAIL})) AS first,
            bool_or(kind = {_MESSAGE}) AS is_pair
          FROM {_MESSAGES} WHERE sent_at IS NOT NULL AND sender <> recipient GROUP BY low, high
          UNION ALL SELECT DISTINCT {_PAIR}, NULL, true FROM {_LISTED} WHERE person_a <> person_b)
        GROUP BY low, high HAVING bool_or(is_pair)"""
    )
    counted = database.sql(
        "SELECT code, count(*) AS n FROM (SELECT low AS code FROM pair UNION ALL SELECT high FROM pair) GROUP BY code"
    ).to_arrow_table()
    n_partners = np.zeros(len(people.names), dtype=np.int64)
    n_partners[counted.column("code").to_numpy()] = counted.column("n").to_numpy()
    if ego is not None:
        owners = pc.drop_null(pc.index_in(pa.array(ego, people.names.type), people.names)).to_pylist()
        if not owners and len(people.names):
            msg = "none of the owners occurs in the messages or connections; expected owner to be an identifier"
            raise SchemaError(msg)
        listed = ", ".join(map(str, owners)) or "-1"
        database.execute(f"DELETE FROM pair WHERE low NOT IN ({listed}) AND high NOT IN ({listed})")
    first = database.sql("SELECT min(first) FROM pair").fetchall()[0][0]
    return n_partners, NAT if first is None else int(first)


def _look_at_files(run: Run, end: pd.Timestamp) -> dict[str, Any]:
    """Return how many messages there are, how many of them have a level, and what is known besides."""
    enters = f"kind BETWEEN 0 AND {len(TURN_KINDS) - 1}"
    n_labelled, n_abstained, n_automatic = run.database.sql(
        f"""SELECT count_if({enters} AND pitch_level >= 0), count_if({enters} AND pitch_level < 0),
        count_if(kind = {KINDS.index("auto_reply")}) FROM messages"""
    ).fetchall()[0]
    return {
        "n_messages": run.summary.n_rows,
        "n_labelled": n_labelled,
        "n_abstained": n_abstained,
        "n_auto_replies": n_automatic,
        "is_own_coding": "pitch_level" in run.source.columns and "text" not in run.source.columns,
        "has_connection_dates": run.dates_from is not None,
        "observed_until": None if pd.isna(end) else f"{end:%Y-%m-%d}",
    }


def _sorted(database: duckdb.DuckDBPyConnection, after: Key | None) -> Iterator[tuple[Any, Ints, Ints]]:
    """Yield messages and connections of the pairs behind ``after``, sorted by pair, and both codes of each row's."""
    behind = "" if after is None else f"WHERE low > {after[0]} OR (low = {after[0]} AND high > {after[1]})"
    sql = f"""SELECT author, reader, sent_at, message_id, kind, pitch_level, has_text, row FROM (
          SELECT {_PAIR}, a.code AS author, b.code AS reader, sent_at, message_id, kind, pitch_level, has_text,
            -1::BIGINT AS row FROM {_MESSAGES} WHERE sent_at IS NOT NULL AND kind IN {_READ}
          UNION ALL
          SELECT {_PAIR}, a.code, b.code, NULL, NULL, NULL, NULL, NULL, row FROM {_LISTED})
        JOIN pair USING (low, high) {behind} ORDER BY low, high, row, sent_at, message_id"""
    for batch in database.sql(sql).to_arrow_reader(_BATCH_ROWS):
        author, reader = (batch.column(name).to_numpy().astype(np.int64) for name in ("author", "reader"))
        yield batch, np.minimum(author, reader), np.maximum(author, reader)


class _PartReducer:
    """Makes dyads of the sorted rows of some pairs."""

    def __init__(
        self,
        run: Run,
        people: People,
        reduce: Callable[[pd.DataFrame, pd.DataFrame, pd.Series], pd.DataFrame],
        n_partners: Ints,
    ) -> None:
        self.people, self.reduce, self.n_partners = people, reduce, n_partners
        self.database = open_cursor(run.database)  # the sort goes on meanwhile

    def __call__(self, batches: Iterable[Any], schema: Any) -> Iterator[Any]:
        dyads = pa.Table.from_pandas(self.frame(list(batches)), schema=schema, preserve_index=False)
        yield from dyads.to_batches()

    def frame(self, batches: list[Any]) -> pd.DataFrame:
        """Return the dyads of sorted rows."""
        if not batches:
            types = {"author": pa.int32(), "reader": pa.int32(), "sent_at": pa.int64(), "message_id": pa.int64()}
            types |= {"kind": pa.int8(), "pitch_level": pa.int8(), "has_text": pa.bool_(), "row": pa.int64()}
            batches = [pa.RecordBatch.from_pylist([], pa.schema(types))]
        rows = joined(batches)
        is_message = pc.less(rows.column("row"), 0)
        people = pc.unique(pa.concat_arrays([rows.column("author"), rows.column("reader")]))
        names = self.people.names.take(people).to_pandas()
        n_partners = pd.Series(self.n_partners[people.to_numpy()], index=pd.Index(names, dtype="str"))
        listed = self._listed(rows.filter(pc.invert(is_message)).column("row"))
        return self.reduce(self._messages(rows.filter(is_message)), listed, n_partners)

    def _messages(self, rows: Any) -> pd.DataFrame:
        names = self.people.names
        columns = {
            "message_id": rows.column("message_id"),
            "sender": names.take(rows.column("author")),
            "recipient": names.take(rows.column("reader")),
            "sent_at": rows.column("sent_at").cast(INSTANT_TYPE),
            "kind": pa.array(KINDS).take(rows.column("kind")),
            "pitch_level": from_codes(rows.column("pitch_level").to_numpy(), PITCH_LEVEL),
            "has_text": rows.column("has_text"),
        }
        frame: pd.DataFrame = pa.table(columns).to_pandas()
        return frame

    def _listed(self, wanted: Any) -> pd.DataFrame:
        self.database.register("wanted", pa.table({"row": wanted}))
        found = self.database.sql("SELECT listed.* FROM listed JOIN wanted USING (row) ORDER BY row").to_arrow_table()
        self.database.unregister("wanted")
        for name in ("connected_at", "invited_at"):
            if name in found.column_names:
                dates = found.column(name).fill_null(NAT).to_numpy()
                place = found.column_names.index(name)
                found = found.set_column(place, name, from_microseconds(dates, INSTANT_TYPE))
        frame: pd.DataFrame = found.drop_columns(["row"]).to_pandas()
        return frame


def _schema_of(frame: pd.DataFrame) -> Any:
    """Return the Arrow schema of a table, that of texts too where there are none, and ``attrs`` as pandas has them."""
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    if frame.attrs:
        schema = schema.with_metadata({**(schema.metadata or {}), _ATTRS: json.dumps(frame.attrs)})
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pa.large_string()))
    return schema


def _numbered(run: Run, schema: Any) -> Iterator[Any]:
    """Yield all dyads in their order, people replaced by numbers in order of appearance."""
    run.database.execute(
        f"""CREATE TEMP TABLE dyad AS
          SELECT *, row_number() OVER (ORDER BY time_zero NULLS LAST, sender, contact) AS place
          FROM read_parquet({quoted(str(run.work.parts / "*.parquet"))});
        CREATE TEMP TABLE senders AS
          SELECT sender, row_number() OVER (ORDER BY min(place)) - 1 AS number FROM dyad GROUP BY sender;
        CREATE TEMP TABLE contacts AS
          SELECT contact, row_number() OVER (ORDER BY min(place)) - 1 AS number FROM dyad GROUP BY contact"""
    )
    ordered = """SELECT dyad.* EXCLUDE (place) REPLACE (senders.number AS sender, contacts.number AS contact)
        FROM dyad JOIN senders USING (sender) JOIN contacts USING (contact) ORDER BY place"""
    for batch in run.database.sql(ordered).to_arrow_reader(ROW_GROUP):
        columns = {name: batch.column(name) for name in schema.names}
        level = pc.fill_null(pc.index_in(columns["pitch_level"].cast(pa.string()), PITCH_LEVEL[1]), -1)
        columns["pitch_level"] = from_codes(level.to_numpy(zero_copy_only=False).astype(np.int8), PITCH_LEVEL)
        yield pa.record_batch([columns[field.name].cast(field.type) for field in schema], schema=schema)
