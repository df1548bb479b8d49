"""How long after connecting a message was sent.

The question of the study is whether an early pitch costs replies, so each message needs its distance from the moment
at which two people became connected. Exports often give only the day of it: the distance is then an interval, and
``timing`` compares calendar days (CODEBOOK, "Time since connection").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.labels.dyads import (
    category_codes,
    code_people,
    connection_columns,
    earliest_connections,
    instants,
)
from etiquette_analysis.labels.structure import DAY, NAT, LabelOptions
from etiquette_analysis.schema import KINDS, TIMING_DTYPE, TIMINGS, require_columns

if TYPE_CHECKING:
    from etiquette_analysis.labels.structure import Bools, Codes, Ints


_MESSAGE: Final = KINDS.index("message")
_INVITATION: Final = KINDS.index("invitation")
_BEFORE, _IMMEDIATE, _FIRST_WEEK, _FIRST_MONTH, _LATER = (np.int8(i) for i in range(len(TIMINGS)))


def time_since_connection(
    sent: Ints, kind: Codes, connected: Ints, by_day: Bools, options: LabelOptions
) -> tuple[Ints, Ints, Codes]:
    """Return the interval of time since connection and the timing, per message.

    Parameters
    ----------
    sent, connected : int64 array
        Instants; ``NAT`` where unknown. ``connected`` is a midnight where ``by_day``.
    kind : int8 array
        Positions in ``KINDS``.
    by_day : bool array
        True where only the day of the connection is known.
    options : LabelOptions
        ``immediate_hours`` is used.

    Returns
    -------
    since_min, since_max : int64 array
        Equal where the second is known; one day apart where only the day is, except that a ``message`` sent on that
        day or later starts at 0 at the least. ``NAT`` where unknown.
    timing : int8 array
        Position in ``TIMINGS``; -1 where the connection is unknown, but every invitation is ``before``.

    Examples
    --------
    Connected some time on day 10, written at noon of day 11: between 12 and 36 hours, so ``immediate``.

    >>> sent, connected = np.array([11 * DAY + DAY // 2]), np.array([10 * DAY])
    >>> kind, by_day = np.array([0], dtype=np.int8), np.array([True])
    >>> low, high, timing = time_since_connection(sent, kind, connected, by_day, LabelOptions())
    >>> int(low[0]) / DAY, int(high[0]) / DAY, TIMINGS[timing[0]]
    (0.5, 1.5, 'immediate')
    """
    known = (connected != NAT) & (sent != NAT)
    since_max = np.where(known, sent - connected, 0)
    since_min = np.where(by_day, since_max - DAY, since_max)
    # Only connected people can write a plain message, so it cannot precede the moment within the day.
    floor_at_zero = by_day & (kind == _MESSAGE) & (since_max >= 0)
    since_min = np.where(floor_at_zero, np.maximum(since_min, 0), since_min)

    lag = np.where(by_day, since_max // DAY * DAY, since_max)
    immediate = np.where(by_day, options.immediate_by_day, options.immediate)
    timing = np.full(len(lag), _LATER, dtype=np.int8)
    timing[lag <= 30 * DAY] = _FIRST_MONTH
    timing[lag <= 7 * DAY] = _FIRST_WEEK
    timing[lag <= immediate] = _IMMEDIATE
    timing[lag < 0] = _BEFORE
    timing[~known] = -1
    timing[kind == _INVITATION] = _BEFORE
    return np.where(known, since_min, NAT), np.where(known, since_max, NAT), timing


def label_timing(
    messages: pd.DataFrame, connections: pd.DataFrame | None, *, immediate_hours: float = 24
) -> pd.DataFrame:
    """Label each message with its time since connection.

    Parameters
    ----------
    messages : DataFrame
        Columns ``sender``, ``recipient``, ``sent_at``, and ``kind`` (``message`` where the column is absent). Kinds
        that never enter a turn are labelled like all others.
    connections : DataFrame or None
        Columns ``person_a``, ``person_b``, ``connected_at``, ``resolution``, in any order of the two people. Of several
        dates of one pair the earliest counts. None: no date is known.
    immediate_hours : float
        Bound of ``immediate``, inclusive; ``ceil(immediate_hours / 24)`` calendar days where only the day is known.

    Returns
    -------
    DataFrame
        ``since_connection_min`` and ``since_connection_max`` (Timedelta; null where the connection is unknown) and
        ``timing`` (ordered ``before < immediate < first_week < first_month < later``; null where the connection is
        unknown, but an invitation is always ``before``), on the index of ``messages``.

    Raises
    ------
    SchemaError
        Where a column is missing or of the wrong type.
    DesignError
        Where ``immediate_hours`` is negative.

    Examples
    --------
    Two people became connected some time on 5 March; one wrote that evening, and again eight days later.

    >>> messages = pd.DataFrame({
    ...     "sender": "ann", "recipient": "bob", "kind": "message",
    ...     "sent_at": pd.to_datetime(["2024-03-05 18:00", "2024-03-13 09:00"], utc=True),
    ... })
    >>> connections = pd.DataFrame({
    ...     "person_a": ["bob"], "person_b": ["ann"], "resolution": ["day"],
    ...     "connected_at": pd.to_datetime(["2024-03-05"], utc=True),
    ... })
    >>> label_timing(messages, connections)
      since_connection_min since_connection_max       timing
    0      0 days 00:00:00      0 days 18:00:00    immediate
    1      7 days 09:00:00      8 days 09:00:00  first_month
    """
    options = LabelOptions(immediate_hours=immediate_hours)
    require_columns(messages, ["sender", "recipient", "sent_at"], table_name="messages")
    person_a, person_b, connected_at, by_day = connection_columns(connections)
    people, (sender, recipient, a, b) = code_people(messages["sender"], messages["recipient"], person_a, person_b)
    dates = earliest_connections(people.dyad(a, b), connected_at, by_day)
    connected, is_day = dates.of(people.dyad(sender, recipient))
    since_min, since_max, timing = time_since_connection(
        instants(messages["sent_at"], name="sent_at"), message_kinds(messages), connected, is_day, options
    )
    return pd.DataFrame(
        {
            "since_connection_min": since_min.view("timedelta64[us]"),
            "since_connection_max": since_max.view("timedelta64[us]"),
            "timing": pd.Categorical.from_codes(timing.tolist(), dtype=TIMING_DTYPE),
        },
        index=messages.index,
    )


def message_kinds(messages: pd.DataFrame) -> Codes:
    """Return the position of each message's kind in ``KINDS``; where nothing is said it is a ``message``."""
    if "kind" not in messages.columns:
        return np.full(len(messages), _MESSAGE, dtype=np.int8)
    kind = category_codes(messages["kind"], KINDS, name="kind")
    return np.where(kind < 0, np.int8(_MESSAGE), kind)
