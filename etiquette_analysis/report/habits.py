"""What people do, counted: how soon they pitch, how hard, to whom, and what comes back.

Counts of behaviour, not effects of it. Reply rates come with Wilson's interval; turns whose reply window had not
closed when observation ended are left out of a rate, never counted as silence. Groups below five are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.intervals import wilson
from etiquette_analysis.analysis.problem import NEVER
from etiquette_analysis.schema import PITCH_LEVELS, RAPPORTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.analysis.problem import Problem

    Bools = NDArray[np.bool_]

#: Smaller groups are not shown: in so few people somebody may be recognised, and a rate would mean nothing.
SMALLEST_CELL: Final = 5
#: Traits known at connection that "to whom" is broken down by.
TRAITS: Final = ("invited_by_sender", "has_note", "seniority", "language")


def tally(n: int, n_replies: int, *, conf_level: float) -> dict[str, Any]:
    """Return a group's size, replies, rate and limits; all null below ``SMALLEST_CELL``.

    >>> tally(4, 2, conf_level=0.95)["rate"] is None, tally(10, 2, conf_level=0.95)["rate"]
    (True, 0.2)
    """
    if n < SMALLEST_CELL:
        return {"n": None, "n_replies": None, "rate": None, "low": None, "high": None}
    low, high = wilson(n_replies, n, conf_level=conf_level)
    return {"n": n, "n_replies": n_replies, "rate": n_replies / n, "low": float(low), "high": float(high)}


def cell(n: int) -> int | None:
    """Return a count of people, null where it is above 0 and below ``SMALLEST_CELL``."""
    return None if 0 < n < SMALLEST_CELL else int(n)


def own_habits(problem: Problem, dyads: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """Return how soon and how hard the first pitch came, and to whom, among eligible connections."""
    n, day = len(problem), problem.pitch_day
    pitched = day < NEVER
    n_pitched = int(pitched.sum())
    table = dyads.iloc[problem.rows].reset_index(drop=True)
    level = table["pitch_level"].astype("str").to_numpy() if "pitch_level" in table else np.full(n, "none")
    opened = problem.opener_day < NEVER
    return {
        "n": n,
        "n_pitched": cell(n_pitched),
        "share_pitched": n_pitched / n if n >= SMALLEST_CELL else None,
        "share_now": _share(problem.in_window(plan.immediate), pitched),
        "median_day": float(np.median(day[pitched])) if n_pitched >= SMALLEST_CELL else None,
        "share_hard": _share(level == PITCH_LEVELS[-1], pitched),
        "share_opened": _share(opened, np.ones(n, dtype=bool)),
        "share_answered": _share(problem.answered_day < NEVER, np.ones(n, dtype=bool)),
        "when": _when(day, plan),
        "whom": _whom(table, problem.in_window(plan.immediate), pitched),
    }


def _share(flag: Bools, among: Bools) -> float | None:
    n = int(among.sum())
    return float((flag & among).sum() / n) if n >= SMALLEST_CELL else None


def _when(day: NDArray[np.int64], plan: Plan) -> list[dict[str, Any]]:
    """Count first pitches by span of days, the plan's windows kept apart, and those who were never pitched."""
    edges = [*plan.immediate, plan.deferred[0] - 1, (plan.deferred[0] + plan.deferred[1]) // 2 - 4, plan.deferred[1]]
    edges = sorted({e for e in edges if e >= 0})
    rows, first = [], 0
    for last in edges:
        inside = (day >= first) & (day <= last)
        rows.append({"first": first, "last": last, "n": cell(int(inside.sum())), "arm": _arm(first, last, plan)})
        first = last + 1
    after = (day >= first) & (day < NEVER)
    rows.append({"first": first, "last": None, "n": cell(int(after.sum())), "arm": "after"})
    return [*rows, {"first": None, "last": None, "n": cell(int((day >= NEVER).sum())), "arm": "never"}]


def _arm(first: int, last: int, plan: Plan) -> str:
    for arm, window in (("now", plan.immediate), ("later", plan.deferred)):
        if window[0] <= first and last <= window[1]:
            return arm
    return "between"


def _whom(table: pd.DataFrame, now: Bools, pitched: Bools) -> list[dict[str, Any]]:
    """Return, by trait, how many contacts there were and which share was pitched at once, and at all."""
    rows: list[dict[str, Any]] = []
    for trait in TRAITS:
        if trait not in table or table[trait].nunique() < 2:
            continue
        values = table[trait].astype("str").str.lower()
        for value in sorted(values.dropna().unique()):
            group = (values == value).to_numpy(dtype=bool, na_value=False)
            n = int(group.sum())
            if n >= SMALLEST_CELL:
                shares = {"share_now": float(now[group].mean()), "share_pitched": float(pitched[group].mean())}
                rows.append({"trait": trait, "value": value, "n": n, **shares})
    return rows


def pitches_received(turns: pd.DataFrame, *, conf_level: float) -> dict[str, Any] | None:
    """Return how soon others pitch the owner and how often the owner answers; null where there is no owner."""
    if turns["is_own"].isna().all():
        return None
    first = turns[turns["is_first_pitch"] & (turns["is_own"] == False)]  # noqa: E712  (nullable boolean)
    n = len(first)
    judged = first[first["reply_status"] != "censored"]
    answered = judged["reply_status"] == "replied"
    out: dict[str, Any] = {"n": cell(n), "share_now": None, "share_hard": None, "median_day": None}
    if n >= SMALLEST_CELL:
        out["share_now"] = float((first["timing"] == "immediate").mean())
        out["share_hard"] = float((first["pitch_level"] == PITCH_LEVELS[-1]).mean())
        out["median_day"] = float(first["day"].median())
    hours = judged.loc[answered, "hours_to_reply"]
    out["answers"] = tally(len(judged), int(answered.sum()), conf_level=conf_level)
    out["median_hours"] = float(hours.median()) if len(hours) >= SMALLEST_CELL else None
    return out


def by_rapport(turns: pd.DataFrame, *, conf_level: float) -> list[dict[str, Any]]:
    """Return reply rates of the owner's first pitches by how much the other person had written before."""
    own = turns["is_own"].fillna(True).astype(bool)
    first = turns[turns["is_first_pitch"] & own & (turns["reply_status"] != "censored")]
    rows = []
    for rapport in RAPPORTS:
        group = first[first["rapport"] == rapport]
        replied = int((group["reply_status"] == "replied").sum())
        rows.append({"rapport": rapport, **tally(len(group), replied, conf_level=conf_level)})
    return rows
