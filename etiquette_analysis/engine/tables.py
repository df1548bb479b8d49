"""The Arrow tables that go into and come out of the labelling stream, and how they become pandas tables.

All engines speak these three schemas, so that a label means the same wherever it was computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from etiquette_analysis.labels.structure import NAT
from etiquette_analysis.schema import (
    KINDS,
    PITCH_LEVEL_DTYPE,
    PITCH_LEVELS,
    RAPPORT_DTYPE,
    RAPPORTS,
    REPLY_STATUS_DTYPE,
    REPLY_STATUSES,
    TIMING_DTYPE,
    TIMINGS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from etiquette_analysis.labels.dyads import ConnectionDates, People
    from etiquette_analysis.labels.structure import Codes, Ints

INSTANT_TYPE: Final = pa.timestamp("us", tz="UTC")
DURATION_TYPE: Final = pa.duration("us")


def _category(values: tuple[str, ...], *, ordered: bool) -> Any:
    return pa.dictionary(pa.int8(), pa.string(), ordered=ordered), pa.array(values)


TIMING: Final = _category(TIMINGS, ordered=True)
RAPPORT: Final = _category(RAPPORTS, ordered=True)
PITCH_LEVEL: Final = _category(PITCH_LEVELS, ordered=True)
REPLY_STATUS: Final = _category(REPLY_STATUSES, ordered=False)
KIND: Final = _category(KINDS, ordered=False)

#: What a sorted batch holds. ``low`` and ``high`` are the two people in byte order, as strings or as indices into one
#: dictionary of all people; ``from_high`` says who wrote; a null sender or recipient leaves ``high`` null. ``kind`` and
#: ``pitch_level`` are positions in the schema's tuples, -1 for null. Order: low + tab, high, sent_at, message_id.
SORTED: Final = pa.schema(
    {
        "low": pa.large_string(),
        "high": pa.large_string(),
        "from_high": pa.bool_(),
        "sent_at": INSTANT_TYPE,
        "message_id": pa.int64(),
        "kind": pa.int8(),
        "connected_at": INSTANT_TYPE,
        "by_day": pa.bool_(),
        "pitch_score": pa.float64(),
        "pitch_level": pa.int8(),
    }
)

_LABELS: Final = {
    "since_connection_min": DURATION_TYPE,
    "since_connection_max": DURATION_TYPE,
    "timing": TIMING[0],
    "sent_before": pa.int64(),
    "received_before": pa.int64(),
    "rapport": RAPPORT[0],
    "pitch_score": pa.float64(),
    "pitch_level": PITCH_LEVEL[0],
    "reply_status": REPLY_STATUS[0],
    "hours_to_reply": pa.float64(),
    "is_approach": pa.bool_(),
    "is_first_pitch": pa.bool_(),
    "immediate_pitch": pa.bool_(),
}
_PEOPLE: Final = {"dyad": pa.large_string(), "sender": pa.large_string(), "recipient": pa.large_string()}

#: One row per turn (DESIGN, "Tables"), with the kind of its first message behind.
TURNS: Final = pa.schema(
    {
        **_PEOPLE,
        "started_at": INSTANT_TYPE,
        "ended_at": INSTANT_TYPE,
        "first_message_id": pa.int64(),
        "n_messages": pa.int64(),
        **_LABELS,
        "kind": pa.string(),
    }
)
#: One row per message. Those that enter no turn have their own timing and level, null for what belongs to a turn, and
#: false flags.
MESSAGE_LABELS: Final = pa.schema(
    {
        "message_id": pa.int64(),
        **_PEOPLE,
        "sent_at": INSTANT_TYPE,
        "kind": pa.string(),
        **_LABELS,
        "first_message_id": pa.int64(),
    }
)


def sorted_batch(
    people: People, dates: ConnectionDates, sender: Ints, recipient: Ints, messages: Mapping[str, NDArray[Any]]
) -> Any:
    """Return messages that are in order as a batch of ``SORTED``, people as indices into ``people.names``.

    ``messages`` holds ``sent_at`` (microseconds), ``message_id``, ``kind``, ``pitch_score`` and ``pitch_level``.
    """
    low, high = np.minimum(sender, recipient), np.maximum(sender, recipient)
    unknown = low < 0  # a null identifier has code -1; it goes behind the known one
    connected, by_day = dates.of(people.dyad(sender, recipient))
    columns = {
        "low": people.named(np.where(unknown, high, low)),
        "high": people.named(np.where(unknown, -1, high)),
        "from_high": pa.array(np.where(unknown, sender < 0, sender > recipient)),
        "sent_at": from_microseconds(messages["sent_at"], INSTANT_TYPE),
        "message_id": pa.array(messages["message_id"]),
        "kind": pa.array(messages["kind"]),
        "connected_at": from_microseconds(connected, INSTANT_TYPE),
        "by_day": pa.array(by_day),
        "pitch_score": pa.array(messages["pitch_score"], from_pandas=True),
        "pitch_level": pa.array(messages["pitch_level"]),
    }
    return pa.record_batch([columns[name] for name in SORTED.names], names=SORTED.names)


def from_microseconds(values: Ints, kind: Any) -> Any:
    """Return int64 microseconds as an Arrow array of instants or durations, ``NAT`` as null."""
    return pa.array(values, mask=values == NAT).cast(kind)


def from_codes(codes: Codes, category: tuple[Any, Any]) -> Any:
    """Return positions in a category (``TIMING``, ``KIND`` ...) as an Arrow dictionary array, -1 as null."""
    kind, values = category
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), values, ordered=kind.ordered)


_CATEGORICAL: Final = {
    "timing": TIMING_DTYPE,
    "rapport": RAPPORT_DTYPE,
    "pitch_level": PITCH_LEVEL_DTYPE,
    "reply_status": REPLY_STATUS_DTYPE,
}
_COUNTS: Final = ("sent_before", "received_before", "first_message_id")


def to_frame(batches: Iterable[Any], schema: Any) -> pd.DataFrame:
    """Return label batches as a pandas table with the dtypes of DESIGN, "Tables".

    Counts are int64 where every row has a turn, and nullable Int64 in the table of messages.
    """
    table = pa.Table.from_batches(batches, schema=schema)
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    dtypes: dict[str, Any] = {name: dtype for name, dtype in _CATEGORICAL.items() if name in schema.names}
    if schema is MESSAGE_LABELS:
        dtypes |= dict.fromkeys(_COUNTS, "Int64")
    return frame.astype(dtypes)
