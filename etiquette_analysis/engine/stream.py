"""The one generator that labels: sorted record batches in, label batches out.

Whoever sorts (NumPy, DuckDB, Spark) hands batches of messages in (dyad, time, message id) order to
:func:`label_stream`. A dyad may span batches, so the unfinished one is carried over; memory is a batch plus the
largest dyad. No text comes this way: messages are scored before they are sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.engine.tables import (
    DURATION_TYPE,
    INSTANT_TYPE,
    KIND,
    MESSAGE_LABELS,
    PITCH_LEVEL,
    RAPPORT,
    REPLY_STATUS,
    TIMING,
    TURNS,
    from_codes,
    from_microseconds,
)
from etiquette_analysis.engine.workers import ordered_map
from etiquette_analysis.labels.dyads import SEPARATOR
from etiquette_analysis.labels.structure import NAT, TurnArrays, find_turns
from etiquette_analysis.labels.timing import time_since_connection
from etiquette_analysis.schema import TURN_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from etiquette_analysis.labels.structure import Bools, Ints, LabelOptions

What = Literal["turns", "messages"]


def label_stream(
    batches: Iterable[Any], *, observed_until: int, options: LabelOptions, what: What = "turns", threads: int = 1
) -> Iterator[Any]:
    """Label messages that arrive sorted, in batches of any size.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Columns as in ``engine.tables.SORTED`` (further ones are ignored), sorted as said there, over all batches.
    observed_until : int
        The instant at which observation ended, in microseconds since 1970 UTC.
    options : LabelOptions
        The thresholds.
    what : {"turns", "messages"}
        One row per turn (schema ``TURNS``), or one per message (``MESSAGE_LABELS``), in the order of arrival.
    threads : int
        So many batches are labelled side by side.

    Yields
    ------
    pyarrow.RecordBatch
        Labels of whole dyads. Concatenated they do not depend on how the input was cut.
    """
    label = _label_turns if what == "turns" else _label_messages
    return ordered_map(
        lambda whole: label(*_joined(whole), observed_until, options), _whole_dyads(batches), threads=threads
    )


def _whole_dyads(batches: Iterable[Any]) -> Iterator[list[tuple[Any, Bools]]]:
    """Yield pieces of batches that together hold whole dyads, with the first row of each dyad marked."""
    unfinished: list[tuple[Any, Bools]] = []
    last = None
    for batch in batches:
        if not batch.num_rows:
            continue
        opens = _opens_dyad(batch, last)
        last = _people_of(batch, batch.num_rows - 1)
        borders = np.flatnonzero(opens)
        if not len(borders):
            unfinished.append((batch, opens))
            continue
        border = int(borders[-1])
        finished = [*unfinished, (batch.slice(0, border), opens[:border])] if border else unfinished
        if finished:
            yield finished
        unfinished = [(batch.slice(border), opens[border:])]
    if unfinished:
        yield unfinished


def _joined(pieces: list[tuple[Any, Bools]]) -> tuple[Any, Bools]:
    if len(pieces) == 1:
        return pieces[0]
    return pa.concat_batches([batch for batch, _ in pieces]), np.concatenate([opens for _, opens in pieces])


def _people_of(batch: Any, row: int) -> tuple[str | None, str | None]:
    return batch.column("low")[row].as_py(), batch.column("high")[row].as_py()


def _opens_dyad(batch: Any, last: tuple[str | None, str | None] | None) -> Bools:
    """Mark the first row of each dyad; ``last`` are the people of the row before the batch."""
    opens = np.empty(batch.num_rows, dtype=bool)
    opens[0] = _people_of(batch, 0) != last
    opens[1:] = _changes(batch.column("low"))
    opens[1:] |= _changes(batch.column("high"))
    return opens


def _changes(names: Any) -> Bools:
    names = pc.fill_null(names.indices, -1) if pa.types.is_dictionary(names.type) else pc.fill_null(names, "")
    return _numpy(pc.not_equal(names.slice(1), names.slice(0, len(names) - 1)))


class _Rows:
    """The columns of a sorted batch as NumPy arrays, with each message's own timing."""

    def __init__(self, batch: Any, options: LabelOptions) -> None:
        self.batch = batch
        self.side = _numpy(batch.column("from_high"))
        self.sent = _numpy(pc.fill_null(batch.column("sent_at").cast(pa.int64()), NAT))
        self.kind = _numpy(batch.column("kind"))
        self.score = _numpy(pc.fill_null(batch.column("pitch_score"), np.nan))
        self.level = _numpy(batch.column("pitch_level"))
        connected = _numpy(pc.fill_null(batch.column("connected_at").cast(pa.int64()), NAT))
        by_day = _numpy(pc.fill_null(batch.column("by_day"), False))
        self.since_min, self.since_max, self.timing = time_since_connection(
            self.sent, self.kind, connected, by_day, options
        )

    def enter_turns(self) -> Bools:
        """Mark the messages of a kind that enters turns, dated, from one known person to another."""
        low, high = self.batch.column("low"), self.batch.column("high")
        if pa.types.is_dictionary(low.type):
            low, high = low.indices, high.indices
        two_people = _numpy(pc.fill_null(pc.not_equal(low, high), False))
        return np.asarray(two_people & (self.kind >= 0) & (self.kind < len(TURN_KINDS)) & (self.sent != NAT))

    def find_turns(self, opens: Bools, rows: Ints, observed_until: int, options: LabelOptions) -> TurnArrays:
        """Find the turns among some rows; ``opens`` marks the first of all rows of each dyad."""
        dyad = np.cumsum(opens)[rows]
        new_dyad = np.ones(len(rows), dtype=bool)
        new_dyad[1:] = dyad[1:] != dyad[:-1]
        return find_turns(
            new_dyad,
            self.side[rows],
            self.sent[rows],
            self.timing[rows],
            self.score[rows],
            self.level[rows],
            observed_until=observed_until,
            options=options,
        )


def _label_turns(batch: Any, opens: Bools, observed_until: int, options: LabelOptions) -> Any:
    messages = _Rows(batch, options)
    rows = np.flatnonzero(messages.enter_turns())
    turns = messages.find_turns(opens, rows, observed_until, options)
    first, last = rows[turns.start], rows[turns.end - 1]
    ids = _numpy(batch.column("message_id"))
    columns = {
        **_people(batch, messages.side, first),
        "started_at": from_microseconds(messages.sent[first], INSTANT_TYPE),
        "ended_at": from_microseconds(messages.sent[last], INSTANT_TYPE),
        "first_message_id": pa.array(ids[first]),
        "n_messages": pa.array(turns.end - turns.start),
        "since_connection_min": from_microseconds(messages.since_min[first], DURATION_TYPE),
        "since_connection_max": from_microseconds(messages.since_max[first], DURATION_TYPE),
        "timing": from_codes(messages.timing[first], TIMING),
        "pitch_score": pa.array(turns.score, from_pandas=True),
        "pitch_level": from_codes(turns.level, PITCH_LEVEL),
        **_of_turn(turns, np.arange(len(first))),
        "kind": from_codes(messages.kind[first], KIND).dictionary_decode(),
    }
    return pa.record_batch([columns[name] for name in TURNS.names], schema=TURNS)


def _label_messages(batch: Any, opens: Bools, observed_until: int, options: LabelOptions) -> Any:
    messages = _Rows(batch, options)
    rows = np.flatnonzero(messages.enter_turns())
    turns = messages.find_turns(opens, rows, observed_until, options)
    turn = np.full(batch.num_rows, -1)
    turn[rows] = np.repeat(np.arange(len(turns.start)), turns.end - turns.start)
    ids = _numpy(batch.column("message_id"))
    columns = {
        "message_id": batch.column("message_id"),
        **_people(batch, messages.side, np.arange(batch.num_rows)),
        "sent_at": batch.column("sent_at"),
        "kind": from_codes(messages.kind, KIND).dictionary_decode(),
        "since_connection_min": from_microseconds(messages.since_min, DURATION_TYPE),
        "since_connection_max": from_microseconds(messages.since_max, DURATION_TYPE),
        "timing": from_codes(messages.timing, TIMING),
        "pitch_score": batch.column("pitch_score"),
        "pitch_level": from_codes(messages.level, PITCH_LEVEL),
        **_of_turn(turns, turn),
        "first_message_id": _pick(ids[rows[turns.start]], turn),
    }
    return pa.record_batch([columns[name] for name in MESSAGE_LABELS.names], schema=MESSAGE_LABELS)


def _of_turn(turns: TurnArrays, turn: Ints) -> dict[str, Any]:
    """Return the labels that belong to a turn for each of ``turn``; -1 is a message outside all turns."""
    return {
        "sent_before": _pick(turns.sent_before, turn),
        "received_before": _pick(turns.received_before, turn),
        "rapport": from_codes(np.append(turns.rapport, np.int8(-1))[turn], RAPPORT),
        "reply_status": from_codes(np.append(turns.reply_status, np.int8(-1))[turn], REPLY_STATUS),
        "hours_to_reply": pa.array(np.append(turns.hours_to_reply, np.nan)[turn], from_pandas=True),
        "is_approach": pa.array(np.append(turns.is_approach, False)[turn]),
        "is_first_pitch": pa.array(np.append(turns.is_first_pitch, False)[turn]),
        "immediate_pitch": pa.array(np.append(turns.immediate_pitch, False)[turn]),
    }


def _pick(values: Ints, turn: Ints) -> Any:
    return pa.array(np.append(values, 0)[turn], mask=turn < 0)


def _people(batch: Any, side: Bools, rows: Ints) -> dict[str, Any]:
    """Return dyad, sender and recipient of some rows; a dyad takes two people."""
    low, high = (batch.column(name).take(pa.array(rows)) for name in ("low", "high"))
    if pa.types.is_dictionary(low.type):
        low, high = low.dictionary_decode(), high.dictionary_decode()
    from_high = pa.array(side[rows])
    two_people = pc.fill_null(pc.not_equal(low, high), False)
    dyad = pc.binary_join_element_wise(low, high, pa.scalar(SEPARATOR, pa.large_string()))
    return {
        "dyad": pc.if_else(two_people, dyad, None),
        "sender": pc.if_else(from_high, high, low),
        "recipient": pc.if_else(from_high, low, high),
    }


def _numpy(array: Any) -> NDArray[Any]:
    return np.asarray(array.to_numpy(zero_copy_only=False))
