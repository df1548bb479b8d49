"""One row per connection: when it began, when it was pitched, what had happened before, and how it was answered.

The unit of the study is the dyad, the sender and one new contact, followed from the day of connecting. Here labelled,
text-free messages are reduced to that row (STATISTICS, section 2): day 0 is the UTC calendar day of connecting, T the
day of the first pitching message, and within a day messages count in time order. Nothing is dropped silently: a dyad
that cannot be judged keeps its row and the reason. From here on no name is needed, so people become numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.pairing import DAY, HOUR, HUMAN_KINDS, NAT, NONE, find_pairs, find_turns, microseconds
from etiquette_analysis.analysis.traits import column_at, tabulate_traits
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import INSTANT, PITCH_LEVEL_DTYPE, PITCH_LEVELS, require_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from etiquette_analysis.analysis.pairing import Pairs, Rows, Whole
    from etiquette_analysis.analysis.plan import Plan

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Why a dyad is not judged, in order of precedence. The last depends on the plan's windows only, so another plan may
#: lift it; that is why it comes last.
EXCLUSIONS: Final = (
    "no_date",
    "message_before_connection",
    "pitch_in_invitation",
    "before_history",
    "text_missing",
    "too_recent",
)
LABELLED: Final = ("message_id", "sender", "recipient", "sent_at", "kind", "pitch_level", "has_text")
NEEDED: Final = (
    "sender",
    "contact",
    "time_zero",
    "pitch_day",
    "hours_to_reply",
    "opener_day",
    "answered_day",
    "followup_days",
)


def tabulate_dyads(
    messages: pd.DataFrame,
    connections: pd.DataFrame,
    *,
    observed_until: pd.Timestamp,
    ego: str | tuple[str, ...] | None,
    plan: Plan,
    whole: Whole | None = None,
    rename: Callable[[pd.Index], pd.Index] | None = None,
) -> pd.DataFrame:
    """Reduce labelled messages and connections to one row per dyad.

    Parameters
    ----------
    messages : DataFrame
        Labelled, without text: ``message_id``, ``sender``, ``recipient``, ``sent_at``, ``kind`` (automatic replies
        already of kind ``auto_reply``), ``pitch_level``, ``has_text``; where known ``reply_positive``, ``template``,
        ``language``.
    connections : DataFrame
        As in the schema; columns named ``x_*`` become covariates. The earliest date of a pair counts.
    observed_until : Timestamp
        End of observation.
    ego : str, tuple of str or None
        The sender's side; None: of each pair the one with more distinct partners, then the inviter, then byte order.
    plan : Plan
        Pitch level, turns, follow-up and history.
    whole : Whole, optional
        Where the tables hold some pairs only (all that there is of them): what is to be known of all. Then people keep
        their identifiers, since whoever puts the parts together must number them.
    rename : callable, optional
        Gives people other names, by which rows are ordered and people numbered: the order of their own would tell them
        to whoever has a list of contacts.

    Returns
    -------
    DataFrame
        One row per dyad, excluded ones included (``exclusion`` says why); ordered by time zero, then both people.

    Raises
    ------
    SchemaError
        Where a column is missing.

    Examples
    --------
    Connected on 1 May, pitched at noon of the next day, answered two hours later.

    >>> from etiquette_analysis.analysis.plan import Plan
    >>> at = pd.to_datetime(["2024-05-02 12:00", "2024-05-02 14:00"], utc=True)
    >>> messages = pd.DataFrame({"message_id": [0, 1], "sender": ["me", "you"], "recipient": ["you", "me"],
    ...     "sent_at": at, "kind": "message", "pitch_level": ["hard", "none"], "has_text": True})
    >>> connections = pd.DataFrame({"person_a": ["me"], "person_b": ["you"],
    ...     "connected_at": pd.to_datetime(["2024-05-01"], utc=True), "resolution": "day"})
    >>> dyads = tabulate_dyads(messages, connections, observed_until=pd.Timestamp("2024-08-01", tz="UTC"), ego="me",
    ...     plan=Plan(history_days=0))
    >>> dyads[["pitch_day", "pitch_level", "hours_to_reply"]].to_csv(index=False).split()
    ['pitch_day,pitch_level,hours_to_reply', '1,hard,2.0']
    """
    require_columns(messages, LABELLED, table_name="labelled messages")
    require_columns(connections, ("person_a", "person_b", "connected_at"), table_name="connections")
    pairs, rows = find_pairs(messages, connections, ego, whole)
    followup = _followup_days(pairs, observed_until)
    table = pd.DataFrame(
        {
            "sender": pairs.sender,
            "contact": pairs.contact,
            "time_zero": _instants(pairs.time_zero),
            "time_zero_source": _source(pairs, connections),
            "exclusion": _exclusions(messages, pairs, rows, plan, followup, whole),
            **_events(messages, rows, len(pairs), plan),
            "followup_days": followup,
            **_calendar(pairs.time_zero),
            **tabulate_traits(messages, connections, pairs, rows),
        }
    )
    names = pairs.names if rename is None else rename(pairs.names)
    table = table.take(pairs.listing_order(names)).reset_index(drop=True)
    if whole is not None:
        return table.assign(**{side: names.take(table[side].to_numpy()) for side in ("sender", "contact")})
    return _number_people(table)


def _followup_days(pairs: Pairs, observed_until: pd.Timestamp) -> NDArray[np.float64]:
    """Return the days from connecting to the end of observation."""
    observed = int(microseconds(pd.Series([observed_until]), "observed_until")[0])
    if observed == NAT:
        msg = "observed_until is missing; expected the instant at which observation ended, e.g. the export's date"
        raise SchemaError(msg)
    is_known = pairs.time_zero != NAT
    return np.where(is_known, (observed - np.where(is_known, pairs.time_zero, 0)) / DAY, np.nan)


def _events(messages: pd.DataFrame, rows: Rows, n: int, plan: Plan) -> dict[str, pd.Series]:
    """Return what happened in each dyad: pitch, opener, answer and reply."""
    place = np.arange(len(rows.row))
    human = np.isin(rows.kind, HUMAN_KINDS)
    incoming, after = human & ~rows.own, human & (rows.day >= 0)
    pitch = rows.first(after & rows.own & (rows.level >= PITCH_LEVELS.index(plan.pitch_level)), n)
    turn_start, turn_level = find_turns(rows, gap=round(plan.follow_up_gap_hours * HOUR))
    clock = _positions(turn_start, pitch)
    is_early = place < pitch[rows.dyad]
    reply = rows.first(incoming & (place > pitch[rows.dyad]), n)
    automatic = (rows.kind == "auto_reply") & ~rows.own
    any_reply = rows.first((incoming | automatic) & (place > clock[rows.dyad]), n)
    level = np.full(n, -1)
    level[pitch < NONE] = turn_level[pitch[pitch < NONE]]
    return {
        "pitch_day": _days(rows, pitch),
        "pitch_level": pd.Series(pd.Categorical.from_codes(level, dtype=PITCH_LEVEL_DTYPE)),
        "hours_to_reply": _hours(rows, clock, reply),
        "hours_to_any_reply": _hours(rows, clock, any_reply),
        "reply_positive": column_at(messages, "reply_positive", rows, reply, "boolean"),
        "opener_day": _days(rows, rows.first(after & rows.own & is_early, n)),
        "answered_day": _days(rows, rows.first(after & ~rows.own & is_early, n)),
        "first_own_day": _days(rows, rows.first(after & rows.own, n)),
        "template": column_at(messages, "template", rows, pitch, "str"),
    }


def _exclusions(
    messages: pd.DataFrame,
    pairs: Pairs,
    rows: Rows,
    plan: Plan,
    followup: NDArray[np.float64],
    whole: Whole | None,
) -> pd.Series:
    """Return the first reason that applies, in the order of ``EXCLUSIONS``; null where none does."""
    n = len(pairs)
    human = np.isin(rows.kind, HUMAN_KINDS)
    is_pitch = rows.level >= PITCH_LEVELS.index(plan.pitch_level)
    first_own = rows.first(human & rows.own & (rows.day >= 0), n)
    is_unreadable = ~messages["has_text"].to_numpy(dtype=bool)[rows.row] & (rows.level < 0)
    is_known = pairs.time_zero != NAT
    first = int(rows.sent[human].min(initial=NONE)) if whole is None else whole.first_message
    history = NAT if first in (NAT, NONE) else first // DAY * DAY + plan.history_days * DAY
    reasons = {
        "no_date": ~is_known,
        "message_before_connection": rows.first(human & (rows.day < 0), n) < NONE,
        "pitch_in_invitation": rows.first(rows.own & (rows.kind == "invitation") & is_pitch, n) < NONE,
        "before_history": is_known & (pairs.time_zero < history),
        "text_missing": np.append(is_unreadable, False)[np.minimum(first_own, len(rows.row))],
        "too_recent": followup < plan.follow_up_days,
    }
    choice = np.select([reasons[name] for name in EXCLUSIONS], list(range(len(EXCLUSIONS))), default=-1)
    return pd.Series(pd.array([*EXCLUSIONS, None], dtype="str").take(choice))


def _instants(microseconds: Ints) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")).astype(INSTANT)


def _source(pairs: Pairs, connections: pd.DataFrame) -> pd.Series:
    is_dated = np.append(connections["connected_at"].notna().to_numpy(), False)[pairs.connection]
    code = np.where(pairs.time_zero == NAT, -1, np.where(is_dated, 0, 1))
    return pd.Series(pd.array(["connection", "first_evidence", None], dtype="str").take(code))


def _positions(values: Ints, where: Ints) -> Ints:
    """Return the values at some positions, ``NONE`` where the position is ``NONE``."""
    out = np.full(len(where), NONE)
    out[where < NONE] = values[where[where < NONE]]
    return out


def _days(rows: Rows, where: Ints) -> pd.Series:
    day = _positions(rows.day, where)
    return pd.Series(pd.arrays.IntegerArray(np.where(day < NONE, day, 0), day == NONE))


def _hours(rows: Rows, start: Ints, end: Ints) -> pd.Series:
    both = (start < NONE) & (end < NONE)
    out = np.full(len(start), np.nan)
    out[both] = (rows.sent[end[both]] - rows.sent[start[both]]) / HOUR
    return pd.Series(out)


def _calendar(time_zero: Ints) -> dict[str, pd.Series]:
    """Return the month ("2024-03") and the ISO week ("2024-W09") of each day; null where it is unknown."""
    days, code = np.unique(time_zero, return_inverse=True)
    dates = [None if day == NAT else pd.Timestamp(int(day), unit="us") for day in days]
    month = pd.array([None if d is None else f"{d:%Y-%m}" for d in dates], dtype="str")
    week = pd.array([None if d is None else f"{d:%G-W%V}" for d in dates], dtype="str")
    return {"month": pd.Series(month.take(code)), "week": pd.Series(week.take(code))}


def _number_people(table: pd.DataFrame) -> pd.DataFrame:
    """Replace people by numbers in order of appearance, so that nothing tells who they are."""
    for side in ("sender", "contact"):
        table[side] = pd.factorize(table[side])[0].astype(np.int64)
    return table


def flow(dyads: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how many dyads there are, why some are not judged, and where the others went (STROBE).

    Returns
    -------
    DataFrame
        ``stage`` (dyads, excluded, eligible, pitched), ``reason``, ``n``, and of these ``n_now``, ``n_later``: first
        pitched within the immediate and the deferred window (by the day of the first own message where it has no
        text). The ``pitched`` rows add up to ``eligible``; ``eligible`` and ``excluded`` add up to ``dyads``.
    """
    first = pd.to_numeric(dyads["pitch_day"]).to_numpy(dtype=np.float64, na_value=np.nan)
    exclusion = exclusions_under(dyads, plan)
    if "first_own_day" in dyads.columns:
        own = dyads["first_own_day"].to_numpy(dtype=np.float64, na_value=np.nan)
        first = np.where(np.isnan(first) & (exclusion == "text_missing").to_numpy(dtype=bool), own, first)
    arms = [(first >= a) & (first <= b) for a, b in (plan.immediate, plan.deferred)]
    source = dyads["time_zero_source"] if "time_zero_source" in dyads.columns else pd.Series("connection", dyads.index)
    is_eligible = exclusion.isna().to_numpy(dtype=bool)
    is_orphan = (source == "first_evidence").fillna(False).to_numpy(dtype=bool)
    between = (first > plan.immediate[1]) & (first < plan.deferred[0])
    beyond = (first > plan.deferred[1]) | (first < plan.immediate[0])
    stages: list[tuple[str, str, Bools]] = [
        ("dyads", "listed connections", ~is_orphan),
        ("dyads", "no longer listed, kept from their messages", is_orphan),
        *(("excluded", reason, (exclusion == reason).to_numpy(dtype=bool)) for reason in EXCLUSIONS),
        ("eligible", "listed connections", is_eligible & ~is_orphan),
        ("eligible", "no longer listed, kept from their messages", is_eligible & is_orphan),
        ("pitched", "immediate", is_eligible & arms[0]),
        ("pitched", "between", is_eligible & between),
        ("pitched", "deferred", is_eligible & arms[1]),
        ("pitched", "outside both windows", is_eligible & beyond),
        ("pitched", "never", is_eligible & np.isnan(first)),
    ]
    rows = [
        (stage, reason, int(m.sum()), int((m & arms[0]).sum()), int((m & arms[1]).sum())) for stage, reason, m in stages
    ]
    return pd.DataFrame(rows, columns=["stage", "reason", "n", "n_now", "n_later"])


def exclusions_under(dyads: pd.DataFrame, plan: Plan) -> pd.Series:
    """Return why each dyad is not judged under ``plan``, null where it is: "too recent" is decided by its windows."""
    is_short = dyads["followup_days"].to_numpy(dtype=np.float64) < plan.follow_up_days
    lasting = (
        dyads["exclusion"].where(dyads["exclusion"] != "too_recent")
        if "exclusion" in dyads.columns
        else pd.Series(None, index=dyads.index, dtype="str")
    )
    return lasting.where(lasting.notna() | ~is_short, "too_recent")


def check_dyads(dyads: pd.DataFrame) -> None:
    """Raise ``SchemaError`` where a dyads table contradicts itself.

    Needed columns: ``sender``, ``contact``, ``time_zero``, ``pitch_day``, ``hours_to_reply``, ``opener_day``,
    ``answered_day``, ``followup_days``; the others where known. One row per sender and contact, days not negative, no
    opener or answer counted after the pitch, no reply without a pitch.

    Examples
    --------
    >>> day = pd.to_datetime(["2024-05-01"], utc=True)
    >>> check_dyads(pd.DataFrame({"sender": [0], "contact": [0], "time_zero": day, "pitch_day": [3], "opener_day": [5],
    ...     "answered_day": [None], "hours_to_reply": [2.0], "followup_days": [90.0]}))
    Traceback (most recent call last):
    etiquette_analysis.errors.SchemaError: dyads, row 0: opener_day is after pitch_day; expected the state before ...
    """
    require_columns(dyads, NEEDED, table_name="dyads")
    pitch = dyads["pitch_day"].to_numpy(dtype=np.float64, na_value=np.nan)
    problems: dict[str, Bools] = {
        "sender and contact occur in an earlier row; expected one row per pair": dyads.duplicated(
            ["sender", "contact"]
        ).to_numpy(),
        "hours_to_reply without a pitch; expected null": (
            dyads["hours_to_reply"].notna() & dyads["pitch_day"].isna()
        ).to_numpy(dtype=bool),
        "hours_to_reply is negative; expected hours after the pitch": dyads["hours_to_reply"].to_numpy(np.float64) < 0,
        "pitch_day is negative; expected days since connecting": pitch < 0,
    }
    for column in ("opener_day", "answered_day"):
        day = dyads[column].to_numpy(dtype=np.float64, na_value=np.nan)
        problems[f"{column} is negative; expected days since connecting"] = day < 0
        problems[f"{column} is after pitch_day; expected the state before the pitch"] = day > pitch
    if "exclusion" in dyads.columns:
        strange = dyads["exclusion"].notna() & ~dyads["exclusion"].isin(EXCLUSIONS)
        problems[f"unknown exclusion; expected one of {', '.join(EXCLUSIONS)} or null"] = strange.to_numpy(dtype=bool)
    for what, bad in problems.items():
        if bad.any():
            msg = f"dyads, row {int(np.flatnonzero(bad)[0])}: {what}"
            raise SchemaError(msg)
