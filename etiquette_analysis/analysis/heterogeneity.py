"""Does waiting help some contacts more than others: one difference per group, and what the groups differ by.

Groups are who invited whom, language and intensity of the pitch. Small groups breed differences by chance, so a group
is
estimated only where each of its two arms has 30 pitches and 10 replies, and two groups are compared by an interval for
the difference of their differences, never by "significant here, not there". Otherwise only counts are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.analysis.design import check_design
from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.intensity import estimate_by_intensity
from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.analysis.resampling import subset
from etiquette_analysis.analysis.results import result_frame
from etiquette_analysis.analysis.variants import Row, average_arms, contrast_row, empty_row
from etiquette_analysis.analysis.wsr import estimate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.analysis.problem import Problem

    Bools = NDArray[np.bool_]

#: Fewest pitches and replies in each arm of a group.
FEWEST_PITCHES: Final = 30
FEWEST_REPLIES: Final = 10
#: Groups of one kind, the largest first.
MOST_GROUPS: Final = 4


def heterogeneity(dyads: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the primary difference by group, and the differences between groups.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        The primary plan.

    Returns
    -------
    DataFrame
        The result schema. Estimand ``P``, methods ``invited_by_sender = True`` and so on; ``P difference`` compares
        each group with the largest of its kind. Refused groups have counts and a reason.
    """
    design = check_design(dyads, plan)
    problem = design.problem
    rows: list[Row] = []
    for kind in ("invited_by_sender", "language"):
        if kind in dyads.columns:
            values = dyads[kind].iloc[problem.rows].reset_index(drop=True)
            names = values.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable").index
            groups = {f"{kind} = {n}": (values == n).fillna(False).to_numpy(dtype=bool) for n in names[:MOST_GROUPS]}
            if len(groups) > 1:
                rows += _by_group(design, groups)
    rows += _by_intensity(design, dyads)
    return result_frame(rows)


def _by_group(design: Design, groups: dict[str, Bools]) -> list[Row]:
    rows: list[Row] = []
    for method, kept in groups.items():
        problem = subset(design.problem, kept)
        refusal = "; ".join(design.reasons) if design.level < 2 else _too_small(problem)
        if refusal:
            rows.append(empty_row(problem, estimand="P", method=method, reason=refusal))
            continue
        found = estimate(problem, fit_hazards(problem))
        rows.append(contrast_row(problem, found.now, found.later, estimand="P", method=method))
    return [*rows, *(_difference(design.problem, row, rows[0]) for row in rows[1:])]


def _too_small(problem: Problem) -> str | None:
    windows = (problem.plan.immediate, problem.plan.deferred)
    n = [int(problem.in_window(w).sum()) for w in windows]
    replies = [int(problem.outcome[problem.in_window(w)].sum()) for w in windows]
    if min(n) >= FEWEST_PITCHES and min(replies) >= FEWEST_REPLIES:
        return None
    return (
        f"{n[0]} and {n[1]} pitches with {replies[0]} and {replies[1]} replies; "
        f"{FEWEST_PITCHES} and {FEWEST_REPLIES} are needed in each arm"
    )


def _difference(problem: Problem, row: Row, reference: Row) -> Row:
    """Return the difference between the differences of two disjoint groups, which are independent."""
    method = f"{row['method']} minus {reference['method']}"
    if "estimate" not in row or "estimate" not in reference:
        reason = row.get("reason") or reference.get("reason")
        return empty_row(problem, estimand="P difference", method=method, reason=reason)
    difference, se = row["estimate"] - reference["estimate"], float(np.hypot(row["se"], reference["se"]))
    ess = min(r[k] for r in (row, reference) for k in ("ess_now", "ess_later"))
    half = float(critical_value(problem.plan.conf_level, df=max(ess - 6, 1))) * se
    limits = {"estimate": difference, "low": difference - half, "high": difference + half, "se": se, "level": 2}
    return empty_row(problem, estimand="P difference", method=method) | limits


def _by_intensity(design: Design, dyads: pd.DataFrame) -> list[Row]:
    """Return the difference for all connections if every pitch were hard, and if none were."""
    problem = design.problem
    names = ("pitches = hard", "pitches = below hard")
    refusal = "; ".join(design.reasons) if design.level < 2 else None
    if refusal is None and "pitch_level" in dyads.columns:
        level = dyads["pitch_level"].astype("str").to_numpy()[problem.rows]
        refusal = _too_small_by(problem, np.asarray(level == "hard")) or None
    arms = None if refusal else estimate_by_intensity(problem, design.hazards, dyads)
    if arms is None:
        reason = refusal or "the intensity of pitches is not known, or one is too rare"
        return [empty_row(problem, estimand="P", method=m, reason=reason) for m in names]
    rows = [
        contrast_row(problem, arms.now_hard, arms.later_hard, estimand="P", method=names[0]),
        contrast_row(problem, arms.now_mild, arms.later_mild, estimand="P", method=names[1]),
    ]
    first, second = average_arms(arms.now_hard, arms.later_mild), average_arms(arms.now_mild, arms.later_hard)
    method = f"{names[0]} minus {names[1]}"
    row = contrast_row(problem, first, second, estimand="P difference", method=method)
    return [*rows, row | {k: 2 * row[k] for k in ("estimate", "low", "high", "se")}]


def _too_small_by(problem: Problem, is_hard: Bools) -> str | None:
    return _too_small(subset(problem, is_hard)) or _too_small(subset(problem, ~is_hard))
