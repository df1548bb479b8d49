"""What Spark's Python workers do: score the texts of a batch, and label a partition that Spark has sorted.

Nothing here needs pyspark or DuckDB, so a worker needs NumPy, pandas, pyarrow and this package. No text leaves
:func:`score_partition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from etiquette_analysis.engine.score import score_batch
from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import INSTANT_TYPE, MESSAGE_LABELS, SORTED, TURNS, from_microseconds
from etiquette_analysis.labels.structure import NAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.stream import What
    from etiquette_analysis.labels.structure import LabelOptions

    #: Identifiers (an Arrow array of large strings, no null) -> what to write in their place.
    Rename = Callable[[Any], Any]

#: The kind of a row that is no message but the date on which a dyad connected: ``message_id`` is twice the instant,
#: plus 1 where only the day is known; it sorts before the dyad's messages, and the earliest date first.
CONNECTION: Final = -2

LABELS: Final = {"turns": TURNS, "messages": MESSAGE_LABELS}
#: Spark sends 10,000 rows at a time; NumPy likes more.
_ROWS: Final = 1 << 16


def read_partition(
    batches: Iterable[Any], *, people: tuple[str, str], score: Score | None, flag: Flag | None, rename: Rename | None
) -> Iterator[Any]:
    """Replace the column ``text``, where there is one, by what it says (``engine.score``), and rename people.

    Renaming comes before anything is hashed or sorted: the place of a row must not tell whose it is.
    """
    for batch in batches:
        read = score_batch(batch, score, flag)[0] if "text" in batch.schema.names else batch
        yield read if rename is None else _renamed(read, people, rename)


def _renamed(batch: Any, people: tuple[str, str], rename: Rename) -> Any:
    names = pa.chunked_array([batch.column(name).cast(pa.large_string()) for name in people]).dictionary_encode()
    names = names.combine_chunks()
    new = rename(names.dictionary).cast(pa.string()).take(names.indices)
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns |= {name: new.slice(number * batch.num_rows, batch.num_rows) for number, name in enumerate(people)}
    return pa.record_batch(columns)


def label_partition(batches: Iterable[Any], *, observed_until: int, options: LabelOptions, what: What) -> Iterator[Any]:
    """Label a partition that holds whole dyads, sorted by (k1, k2, sent_at, message_id).

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Columns ``k1`` and ``k2`` (int64, together the dyad), then those of ``SORTED`` but for the date of the
        connection, which is a row of its own (``CONNECTION``); ``sent_at`` in microseconds, null last.
    observed_until : int
        The instant at which observation ended, in microseconds since 1970 UTC.
    options : LabelOptions
        The thresholds.
    what : {"turns", "messages"}
        One row per turn, or per message.

    Yields
    ------
    pyarrow.RecordBatch
        Schema ``TURNS`` or ``MESSAGE_LABELS``, categories as plain strings.
    """
    schema = plain(LABELS[what])
    dyads = _Dyads()
    ordered = map(dyads.dated, _gathered(batches))
    for labels in label_stream(ordered, observed_until=observed_until, options=options, what=what):
        yield labels.cast(schema)


def _gathered(batches: Iterable[Any]) -> Iterator[Any]:
    """Join batches until they have so many rows as NumPy likes; empty ones go."""
    waiting: list[Any] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= _ROWS:
            yield pa.concat_batches(waiting)
            waiting = []
    if any(part.num_rows for part in waiting):
        yield pa.concat_batches(waiting)


def plain(schema: Any) -> Any:
    """Return a schema of labels as Spark takes it from Arrow: plain strings for categories.

    >>> plain(TURNS).field("timing").type, plain(TURNS).field("dyad").type
    (DataType(string), DataType(string))
    """
    types = [
        pa.string() if pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type) else field.type
        for field in schema
    ]
    return pa.schema(list(zip(schema.names, types, strict=True)))


class _Dyads:
    """Gives every message its dyad's date; remembers the dyad at the end of a batch for the beginning of the next."""

    def __init__(self) -> None:
        self.key: tuple[int, int] | None = None
        self.connected, self.by_day = NAT, False

    def dated(self, batch: Any) -> Any:
        """Return the messages of a batch as ``SORTED``, people as indices into their names."""
        k1, k2, kind, ids = (_numpy(batch.column(name)) for name in ("k1", "k2", "kind", "message_id"))
        opens = np.ones(batch.num_rows, dtype=bool)
        opens[1:] = (k1[1:] != k1[:-1]) | (k2[1:] != k2[:-1])
        first, dyad = np.flatnonzero(opens), np.cumsum(opens) - 1
        is_date = kind[first] == CONNECTION
        connected = np.where(is_date, ids[first] >> 1, NAT)
        by_day = is_date & (ids[first] & 1 == 1)
        if self.key == (int(k1[0]), int(k2[0])):
            connected[0], by_day[0] = self.connected, self.by_day
        self.key = (int(k1[-1]), int(k2[-1]))
        self.connected, self.by_day = int(connected[-1]), bool(by_day[-1])

        rows = np.flatnonzero(kind != CONNECTION)
        low, high = _people(batch.select(["low", "high"]).take(pa.array(first)))
        dyad = dyad[rows]
        messages = batch.take(pa.array(rows)) if len(rows) < batch.num_rows else batch
        columns = {
            "low": low.take(pa.array(dyad)),
            "high": high.take(pa.array(dyad)),
            "sent_at": messages.column("sent_at").cast(INSTANT_TYPE),
            "connected_at": from_microseconds(connected[dyad], INSTANT_TYPE),
            "by_day": pa.array(by_day[dyad]),
        }
        return pa.record_batch(
            [columns[name] if name in columns else messages.column(name) for name in SORTED.names], names=SORTED.names
        )


def _people(dyads: Any) -> tuple[Any, Any]:
    """Return the two people of some dyads as indices into one dictionary of their names."""
    people = pa.chunked_array([dyads.column(side).cast(pa.large_string()) for side in ("low", "high")])
    people = people.dictionary_encode().combine_chunks()
    return people.slice(0, dyads.num_rows), people.slice(dyads.num_rows)


def _numpy(array: Any) -> Any:
    return np.asarray(array.to_numpy(zero_copy_only=False))
