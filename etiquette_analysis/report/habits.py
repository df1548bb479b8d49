"""What people do, counted: how soon they pitch, how hard, to whom, and what comes back.

Counts of behaviour, not effects of it. Turns whose reply window had not closed when observation ended are left out of a
rate, never counted as silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.problem import NEVER
from etiquette_analysis.report.tallies import SMALLEST_CELL, cell, hide, tally
from etiquette_analysis.schema import PITCH_LEVELS, RAPPORTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.analysis.problem import Problem
    from etiquette_analysis.report.tallies import Suppress

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

#: Traits known at connection that "to whom" is broken down by.
TRAITS: Final = ("invited_by_sender", "has_note", "seniority", "language")


def own_habits(problem: Problem, dyads: pd.DataFrame, plan: Plan, suppress: Suppress) -> dict[str, Any]:
    """Return how soon and how hard the first pitch came, and to whom, among eligible connections."""
    n, day = len(problem), problem.pitch_day
    pitched = day < NEVER
    n_pitched = int(pitched.sum())
    table = dyads.iloc[problem.rows].reset_index(drop=True)
    level = table["pitch_level"].astype("str").to_numpy() if "pitch_level" in table else np.full(n, "none")
    everybody = np.ones(n, dtype=bool)
    return {
        "n": n,
        "n_pitched": cell(n_pitched),
        "share_pitched": _share(pitched, everybody),
        "share_now": _share(problem.in_window(plan.immediate), pitched),
        "median_day": float(np.median(day[pitched])) if n_pitched >= SMALLEST_CELL else None,
        "share_hard": _share(level == PITCH_LEVELS[-1], pitched),
        "share_opened": _share(problem.opener_day < NEVER, everybody),
        "share_answered": _share(problem.answered_day < NEVER, everybody),
        "when": _when(day, plan, suppress),
        "whom": _whom(table, problem.in_window(plan.immediate), pitched, suppress),
    }


def _share(flag: Bools, among: Bools) -> float | None:
    n = int(among.sum())
    return float((flag & among).sum() / n) if n >= SMALLEST_CELL else None


def count_arms(day: Ints, plan: Plan, suppress: Suppress) -> dict[str, int | None]:
    """Count contacts by the day of their first pitch: at once, in between, later, or not (yet) by the last day."""
    sizes = {"now": _n_within(day, plan.immediate), "later": _n_within(day, plan.deferred)}
    sizes["between"] = _n_within(day, (plan.immediate[1] + 1, plan.deferred[0] - 1))
    sizes["none"] = len(day) - sum(sizes.values())
    return hide(sizes, suppress)


def _n_within(day: Ints, window: tuple[int, int]) -> int:
    return int(((day >= window[0]) & (day <= window[1])).sum())


def _when(day: Ints, plan: Plan, suppress: Suppress) -> list[dict[str, Any]]:
    """Count first pitches by span of days, the plan's windows kept apart, and those who were never pitched.

    What is hidden is judged within each window, since the sizes of the windows are told elsewhere.
    """
    edges = [*plan.immediate, plan.deferred[0] - 1, (plan.deferred[0] + plan.deferred[1]) // 2 - 4, plan.deferred[1]]
    spans: list[tuple[str, int | None, int | None, int]] = []
    first = 0
    for last in sorted({e for e in edges if e >= 0}):
        spans.append((_arm(first, last, plan), first, last, _n_within(day, (first, last))))
        first = last + 1
    spans.append(("after", first, None, _n_within(day, (first, NEVER - 1))))
    spans.append(("never", None, None, int((day >= NEVER).sum())))
    rows = [{"arm": arm, "first": first, "last": last} for arm, first, last, _ in spans]
    arms = count_arms(day, plan, suppress)
    for arm in arms:
        parts = {str(k): n for k, (name, *_, n) in enumerate(spans) if _OUTSIDE.get(name, name) == arm}
        for k, n in hide(parts, suppress).items():
            rows[int(k)]["n"] = None if arms[arm] is None else n
    return rows


#: Spans that count as "none" where the windows are compared.
_OUTSIDE: Final = {"after": "none", "never": "none"}


def _arm(first: int, last: int, plan: Plan) -> str:
    for arm, window in (("now", plan.immediate), ("later", plan.deferred)):
        if window[0] <= first and last <= window[1]:
            return arm
    return "between"


def _whom(table: pd.DataFrame, now: Bools, pitched: Bools, suppress: Suppress) -> list[dict[str, Any]]:
    """Return, by trait, how many contacts there were and which share was pitched at once, and at all."""
    rows: list[dict[str, Any]] = []
    fate = np.where(now, "now", np.where(pitched, "other", "none"))
    for trait in TRAITS:
        if trait not in table or table[trait].nunique() < 2:
            continue
        counts = pd.crosstab(table[trait].astype("str").str.lower(), fate)
        counts = counts.reindex(columns=["now", "other", "none"], fill_value=0)
        shown = suppress(counts)
        if shown.loc[counts.index, ["now", "none"]].isna().all(axis=None):
            continue
        for value in counts.index:
            n, n_now, n_none = (shown.loc[value, name] for name in ("total", "now", "none"))
            if pd.isna(n):
                continue
            share_now = None if pd.isna(n_now) else float(n_now / n)
            share_pitched = None if pd.isna(n_none) else float(1 - n_none / n)
            row = {"trait": trait, "value": str(value), "n": int(n)}
            rows.append({**row, "share_now": share_now, "share_pitched": share_pitched})
    return rows


def first_pitches(turns: pd.DataFrame, plan: Plan, *, is_own: bool) -> dict[str, Any] | None:
    """Return how soon and how hard one side's first pitches came, and how often and how fast they were answered.

    All pitches in the source count, also those to people whom the comparison leaves out.

    Parameters
    ----------
    turns : DataFrame
        As in ``ReportInputs``.
    plan : Plan
        What "at once" means, and how sure intervals are.
    is_own : bool
        Of the owner, or of others to the owner. Where the source has no owner every pitch is a sender's own, and there
        are none to the owner: null.
    """
    if not is_own and turns["is_own"].isna().all():
        return None
    first = turns[turns["is_first_pitch"] & (turns["is_own"].fillna(True).astype(bool) == is_own)]
    dated = first[first["day"].notna()]
    now = dated["day"].between(*plan.immediate)
    judged = first[first["reply_status"] != "censored"]
    replied = judged["reply_status"] == "replied"
    is_shown, is_dated = len(first) >= SMALLEST_CELL, len(dated) >= SMALLEST_CELL
    hours = judged.loc[replied, "hours_to_reply"]
    return {
        "n": cell(len(first)),
        "share_now": float(now.mean()) if is_dated else None,
        "median_day": float(dated["day"].median()) if is_dated else None,
        "share_hard": float((first["pitch_level"] == PITCH_LEVELS[-1]).mean()) if is_shown else None,
        "answers": _answered(replied, plan),
        **_answered_by_timing(replied, now, plan),
        "median_hours": float(hours.median()) if len(hours) >= SMALLEST_CELL else None,
    }


def _answered(replied: pd.Series[bool], plan: Plan) -> dict[str, Any]:
    return tally(len(replied), int(replied.sum()), conf_level=plan.conf_level)


def _answered_by_timing(replied: pd.Series[bool], now: pd.Series[bool], plan: Plan) -> dict[str, Any]:
    """Return answers to pitches at once and later; neither where one is too small, since the other would tell it."""
    is_now = now.reindex(replied.index)
    parts = [replied[is_now == True], replied[is_now == False]]  # noqa: E712  (null where the day is unknown)
    if any(0 < len(part) < SMALLEST_CELL for part in parts):
        parts = [replied.iloc[:0]] * 2
    return {name: _answered(part, plan) for name, part in zip(("answers_now", "answers_later"), parts, strict=True)}


def by_rapport(turns: pd.DataFrame, suppress: Suppress, *, conf_level: float) -> list[dict[str, Any]]:
    """Return reply rates of the owner's first pitches by how much the other person had written before."""
    own = turns["is_own"].fillna(True).astype(bool)
    first = turns[turns["is_first_pitch"] & own & (turns["reply_status"] != "censored")]
    replied = {name: first.loc[first["rapport"] == name, "reply_status"] == "replied" for name in RAPPORTS}
    shown = hide({name: len(those) for name, those in replied.items()}, suppress)
    return [
        {"rapport": name, **tally(shown[name] or 0, int(those.sum()), conf_level=conf_level)}
        for name, those in replied.items()
    ]
