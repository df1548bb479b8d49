"""Labelling tables that are in memory.

People become integers in byte order and a dyad one integer, which NumPy sorts sooner than the strings could be handed
to a database and back. The labels come from the one generator in ``stream``; files of any size go through ``files``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import (
    MESSAGE_LABELS,
    TURNS,
    sorted_batch,
    to_frame,
)
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.dyads import (
    category_codes,
    code_people,
    connection_columns,
    earliest_connections,
    instant,
    instants,
)
from etiquette_analysis.labels.structure import NAT, LabelOptions
from etiquette_analysis.labels.timing import message_kinds
from etiquette_analysis.schema import PITCH_LEVELS, TURN_KINDS, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etiquette_analysis.labels.structure import Codes, Floats, Ints

_DEFAULTS = LabelOptions()


def turns(
    messages: pd.DataFrame,
    connections: pd.DataFrame | None,
    *,
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    batch_rows: int = 1 << 18,
) -> pd.DataFrame:
    """Build the table of turns.

    Parameters
    ----------
    messages : DataFrame
        Columns ``message_id`` (unique), ``sender``, ``recipient``, ``sent_at``; ``kind`` (``message`` where absent),
        with automatic answers already flagged; ``pitch_score`` and ``pitch_level`` (null where absent). Any order;
        other columns are not looked at.
    connections : DataFrame or None
        Columns ``person_a``, ``person_b``, ``connected_at``, ``resolution``.
    observed_until : Timestamp, str or None
        The instant at which observation ended; naive is UTC. None: the latest ``sent_at``.
    options : LabelOptions
        The thresholds.
    batch_rows : int
        How many messages the kernel sees at a time; the labels do not depend on it.

    Returns
    -------
    DataFrame
        One row per turn, in (dyad, started_at, first_message_id) order; columns as in DESIGN, "Tables", then ``kind``.

    Raises
    ------
    SchemaError
        Where a column is missing or of the wrong type, or a message_id is null or repeated.

    Examples
    --------
    Ann pitches on the day she connects with Bob; Bob answers two hours later.

    >>> messages = pd.DataFrame({
    ...     "message_id": [1, 2], "sender": ["ann", "bob"], "recipient": ["bob", "ann"],
    ...     "sent_at": pd.to_datetime(["2024-03-05 18:00", "2024-03-05 20:00"], utc=True),
    ...     "pitch_level": ["hard", "none"],
    ... })
    >>> connections = pd.DataFrame({
    ...     "person_a": ["bob"], "person_b": ["ann"], "resolution": ["day"],
    ...     "connected_at": pd.to_datetime(["2024-03-05"], utc=True),
    ... })
    >>> table = turns(messages, connections)
    >>> table[["sender", "timing", "rapport", "reply_status", "hours_to_reply", "immediate_pitch"]]
      sender     timing       rapport reply_status  hours_to_reply  immediate_pitch
    0    ann  immediate          none      replied             2.0             True
    1    bob  immediate  acknowledged     censored             NaN            False
    """
    columns = _Columns(messages)
    rows = np.flatnonzero((columns.kind >= 0) & (columns.kind < len(TURN_KINDS)) & (columns.sent != NAT))
    _, batches = columns.sort(connections, rows, batch_rows)
    until = columns.end_of_observation(observed_until)
    return to_frame(label_stream(batches, observed_until=until, options=options), TURNS)


def message_labels(
    messages: pd.DataFrame,
    connections: pd.DataFrame | None,
    *,
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    batch_rows: int = 1 << 18,
) -> pd.DataFrame:
    """Label every message: its own timing and level, and the rapport, reply and flags of its turn.

    Parameters are those of :func:`turns`.

    Returns
    -------
    DataFrame
        The rows and the index of ``messages``; columns as in ``engine.tables.MESSAGE_LABELS``, no text. A message that
        enters no turn has its own timing and level, null for what belongs to a turn, and false flags.

    Examples
    --------
    >>> messages = pd.DataFrame({
    ...     "message_id": [2, 1], "sender": "ann", "recipient": "bob",
    ...     "sent_at": pd.to_datetime(["2024-03-05 19:00", "2024-03-05 18:00"], utc=True),
    ... })
    >>> message_labels(messages, None)[["message_id", "first_message_id", "rapport", "reply_status"]]
       message_id  first_message_id rapport reply_status
    0           2                 1    none     censored
    1           1                 1    none     censored
    """
    columns = _Columns(messages)
    order, batches = columns.sort(connections, np.arange(len(messages)), batch_rows)
    until = columns.end_of_observation(observed_until)
    labels = to_frame(label_stream(batches, observed_until=until, options=options, what="messages"), MESSAGE_LABELS)
    back = np.empty(len(messages), dtype=np.int64)
    back[order] = np.arange(len(messages))
    return labels.take(back).set_axis(messages.index)


class _Columns:
    """The columns of a message table as NumPy arrays."""

    def __init__(self, messages: pd.DataFrame) -> None:
        require_columns(messages, ["message_id", "sender", "recipient", "sent_at"], table_name="messages")
        self.sender, self.recipient = messages["sender"], messages["recipient"]
        self.id = _message_ids(messages["message_id"])
        self.sent = instants(messages["sent_at"], name="sent_at")
        self.kind = message_kinds(messages)
        self.score, self.level = _pitch(messages)

    def end_of_observation(self, given: pd.Timestamp | str | None) -> int:
        """Return the instant given, else that of the latest message of any kind, in microseconds."""
        if given is None or pd.isna(given):
            return int(self.sent.max(initial=NAT))
        return instant(given, name="observed_until")

    def sort(self, connections: pd.DataFrame | None, rows: Ints, batch_rows: int) -> tuple[Ints, Iterator[Any]]:
        """Sort some rows by (dyad, time, message id); return their order, and batches of ``SORTED`` in that order."""
        person_a, person_b, connected, by_day = connection_columns(connections)
        people, (sender, recipient, a, b) = code_people(self.sender, self.recipient, person_a, person_b)
        dates = earliest_connections(people.dyad(a, b), connected, by_day)
        dyad = people.dyad(sender, recipient)
        order = rows[np.lexsort((self.id[rows], self.sent[rows], dyad[rows]))]
        parts = (order[begin : begin + batch_rows] for begin in range(0, len(order), batch_rows))
        columns: dict[str, NDArray[Any]] = {
            "sent_at": self.sent,
            "message_id": self.id,
            "kind": self.kind,
            "pitch_score": self.score,
            "pitch_level": self.level,
        }
        return order, (
            sorted_batch(people, dates, sender[r], recipient[r], {name: column[r] for name, column in columns.items()})
            for r in parts
        )


def _message_ids(column: pd.Series) -> Ints:
    """Return the ids as int64; ``SchemaError`` unless they are unique whole numbers."""
    if not pd.api.types.is_integer_dtype(column.dtype) or column.isna().any():
        nulls = f" and {int(column.isna().sum())} nulls" if column.isna().any() else ""
        msg = f"column 'message_id' holds {column.dtype}{nulls}; expected a unique int64 per message"
        raise SchemaError(msg)
    ids: Ints = column.to_numpy(dtype=np.int64)
    ordered = np.sort(ids)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(repeated):
        msg = f"message_id {repeated[0]} occurs more than once ({len(repeated)} repeats); message_id must be unique"
        raise SchemaError(msg)
    return ids


def _pitch(messages: pd.DataFrame) -> tuple[Floats, Codes]:
    """Return the score (NaN where unknown) and the position of the level (-1 where unknown) of each message."""
    n = len(messages)
    score = np.full(n, np.nan)
    level = np.full(n, -1, dtype=np.int8)
    if "pitch_score" in messages.columns:
        score = messages["pitch_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    if "pitch_level" in messages.columns:
        level = category_codes(messages["pitch_level"], PITCH_LEVELS, name="pitch_level")
    return score, level
