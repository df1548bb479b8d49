"""What a message is within its dyad: the turn it opens, the rapport before it, the reply after it.

This module holds the meaning of the structural labels (CODEBOOK, "Time since connection", "Turn", "Rapport",
"Response") and nothing else: NumPy functions over arrays sorted by (dyad, time, message id). A turn is a segment,
the counts before it are prefix sums, the reply is the start of the next segment of the other side. Every engine
sorts, and then calls :func:`find_turns`.

Instants and durations are int64 microseconds since 1970 (UTC); ``NAT`` marks a missing one. Kinds, timings, rapports,
levels and reply statuses are positions in the tuples of ``schema``; -1 marks a missing one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import PITCH_LEVELS, RAPPORTS, REPLY_STATUSES, TIMINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Codes = NDArray[np.int8]
    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

NAT: Final = int(np.iinfo(np.int64).min)
HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
_FOREVER: Final = 2**62

_BEFORE, _IMMEDIATE = np.int8(TIMINGS.index("before")), np.int8(TIMINGS.index("immediate"))
_NO_RAPPORT, _ACKNOWLEDGED, _EXCHANGE = (np.int8(i) for i in range(len(RAPPORTS)))
_REPLIED, _NO_REPLY, _CENSORED = (np.int8(i) for i in range(len(REPLY_STATUSES)))


@dataclass(frozen=True)
class LabelOptions:
    """The four thresholds of the structural labels.

    Attributes
    ----------
    window_days : float
        A reply counts as one when it comes within so many days of the turn's first message (inclusive).
    follow_up_gap_hours : float
        A message sent more than so many hours after the sender's last one opens a new turn.
    immediate_hours : float
        Up to so many hours after connecting a message is ``immediate``; where only the day is known, up to
        ``ceil(immediate_hours / 24)`` calendar days.
    pitch_level : str
        The weakest level that makes a turn a pitch: ``none``, ``soft``, ``moderate`` or ``hard``.

    Examples
    --------
    >>> LabelOptions(window_days=7).pitch_level
    'moderate'
    >>> LabelOptions(window_days=-1)
    Traceback (most recent call last):
    etiquette_analysis.errors.DesignError: window_days is -1; expected a number of days that is 0 or more
    """

    window_days: float = 14
    follow_up_gap_hours: float = 24
    immediate_hours: float = 24
    pitch_level: str = "moderate"

    def __post_init__(self) -> None:
        for name, unit in (("window_days", "days"), ("follow_up_gap_hours", "hours"), ("immediate_hours", "hours")):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value >= 0:
                msg = f"{name} is {value!r}; expected a number of {unit} that is 0 or more"
                raise DesignError(msg)
        if self.pitch_level not in PITCH_LEVELS:
            msg = f"pitch_level is {self.pitch_level!r}; expected one of {', '.join(PITCH_LEVELS)}"
            raise DesignError(msg)

    @property
    def window(self) -> int:
        """The reply window in microseconds."""
        return _microseconds(self.window_days, DAY)

    @property
    def follow_up_gap(self) -> int:
        """The follow-up gap in microseconds."""
        return _microseconds(self.follow_up_gap_hours, HOUR)

    @property
    def immediate(self) -> int:
        """The bound of ``immediate`` in microseconds, where the second of the connection is known."""
        return _microseconds(self.immediate_hours, HOUR)

    @property
    def immediate_by_day(self) -> int:
        """The bound of ``immediate`` in microseconds of whole days, where only the day is known."""
        return _FOREVER if math.isinf(self.immediate_hours) else math.ceil(self.immediate_hours / 24) * DAY

    @property
    def threshold(self) -> int:
        """The position of ``pitch_level`` in ``PITCH_LEVELS``."""
        return PITCH_LEVELS.index(self.pitch_level)


def _microseconds(value: float, unit: int) -> int:
    return _FOREVER if math.isinf(value) else min(round(value * unit), _FOREVER)


@dataclass(frozen=True)
class TurnArrays:
    """Labels of turns, one element per turn; ``start`` and ``end`` are rows of the messages they were found in.

    ``start`` is the row of the turn's first message, ``end`` the row after its last. ``score`` is NaN and ``level``
    -1 where unknown; ``hours_to_reply`` is NaN where no reply came.
    """

    start: Ints
    end: Ints
    score: Floats
    level: Codes
    sent_before: Ints
    received_before: Ints
    rapport: Codes
    reply_status: Codes
    hours_to_reply: Floats
    is_approach: Bools
    is_first_pitch: Bools
    immediate_pitch: Bools


def find_turns(
    new_dyad: Bools,
    side: Bools,
    sent: Ints,
    timing: Codes,
    score: Floats,
    level: Codes,
    *,
    observed_until: int,
    options: LabelOptions,
) -> TurnArrays:
    """Find the turns among messages sorted by (dyad, time, message id), and label them.

    Parameters
    ----------
    new_dyad : bool array
        True at the first message of each dyad.
    side : bool array
        Which of the two people wrote it.
    sent : int64 array
        Instants, never ``NAT``.
    timing, level : int8 array
        Codes; -1 where unknown.
    score : float64 array
        Pitch score; NaN where unknown.
    observed_until : int
        The instant at which observation ended.
    options : LabelOptions
        Reply window, follow-up gap and pitch level.

    Returns
    -------
    TurnArrays
        In the order of the messages.

    Examples
    --------
    Two people; the first writes, is answered an hour later, and writes once more three days after that.

    >>> import numpy as np
    >>> turns = find_turns(
    ...     np.array([True, False, False]), np.array([False, True, False]), np.array([0, 1, 73]) * HOUR,
    ...     np.array([1, 1, 2], "i1"), np.full(3, np.nan), np.array([0, 0, 3], "i1"),
    ...     observed_until=74 * HOUR, options=LabelOptions(),
    ... )
    >>> turns.hours_to_reply.tolist(), [REPLY_STATUSES[i] for i in turns.reply_status]
    ([1.0, 72.0, nan], ['replied', 'replied', 'censored'])
    >>> turns.is_first_pitch.tolist(), turns.immediate_pitch.tolist()
    ([False, False, True], [False, False, False])
    """
    start, end = _turn_borders(new_dyad, side, sent, timing, options.follow_up_gap)
    by, at, when = side[start], sent[start], timing[start]
    first = _first_of_dyad(new_dyad[start])
    turn_level: Codes = np.maximum.reduceat(level, start)

    earlier = np.arange(len(start)) - first
    earlier_by_1 = _count_before(by, first)
    sent_before = np.where(by, earlier_by_1, earlier - earlier_by_1)
    received_before = earlier - sent_before
    rapport = np.where(received_before == 0, _NO_RAPPORT, _ACKNOWLEDGED)
    rapport[(received_before >= 2) & (sent_before >= 1)] = _EXCHANGE

    wait = _wait_for_other_side(first, by, at)
    status = np.where(at > observed_until - options.window, _CENSORED, _NO_REPLY)
    status[(wait != NAT) & (wait <= options.window)] = _REPLIED

    is_known_after = when > _BEFORE
    is_approach = _is_first_of_side(is_known_after, by, first)
    is_first_pitch = _is_first_of_side(is_known_after & (turn_level >= options.threshold), by, first)
    return TurnArrays(
        start=start,
        end=end,
        score=np.fmax.reduceat(score, start),
        level=turn_level,
        sent_before=sent_before,
        received_before=received_before,
        rapport=rapport,
        reply_status=status,
        hours_to_reply=np.where(wait == NAT, np.nan, wait / HOUR),
        is_approach=is_approach,
        is_first_pitch=is_first_pitch,
        immediate_pitch=is_first_pitch & (when == _IMMEDIATE) & (rapport == _NO_RAPPORT),
    )


def _turn_borders(new_dyad: Bools, side: Bools, sent: Ints, timing: Codes, gap: int) -> tuple[Ints, Ints]:
    """Return the first row of each turn and the row after its last."""
    opens = new_dyad.copy()
    before = timing == _BEFORE
    opens[1:] |= (side[1:] != side[:-1]) | (sent[1:] - sent[:-1] > gap) | (before[:-1] & ~before[1:])
    start = np.flatnonzero(opens)
    return start, np.append(start, len(opens))[1:]


def _first_of_dyad(new_dyad: Bools) -> Ints:
    """Return, per turn, the row of its dyad's first turn."""
    return np.maximum.accumulate(np.where(new_dyad, np.arange(len(new_dyad)), 0))


def _count_before(flag: Bools, first: Ints) -> Ints:
    """Return, per turn, how many earlier turns of its dyad have the flag."""
    before = np.cumsum(flag, dtype=np.int64) - flag
    return np.asarray(before - before[first])


def _is_first_of_side(flag: Bools, side: Bools, first: Ints) -> Bools:
    """Mark the first flagged turn of each side of each dyad."""
    earlier = np.where(side, _count_before(flag & side, first), _count_before(flag & ~side, first))
    return np.asarray(flag & (earlier == 0))


def _wait_for_other_side(first: Ints, side: Bools, at: Ints) -> Ints:
    """Return the time from each turn to the next one of the other side in its dyad; ``NAT`` where none came."""
    n = len(side)
    opens_run = np.ones(n, dtype=bool)
    opens_run[1:] = (side[1:] != side[:-1]) | (first[1:] != first[:-1])
    run_start = np.flatnonzero(opens_run)
    reply = np.append(run_start[1:], n)[np.cumsum(opens_run) - 1]
    reply_row = np.minimum(reply, n - 1)
    came = (reply < n) & (first[reply_row] == first)
    return np.where(came, at[reply_row] - at, NAT)
