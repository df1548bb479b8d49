"""How far errors of the labels could carry the answer: the rows R11 of the robustness battery.

Three views: the counted difference corrected by the matrix of confusions that hand-coding shows (Barron 1977, a quick
check only), the primary corrected by predict-then-debias, and the primary with another threshold for what is a pitch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etiquette_analysis.analysis.debias import debias, match_coded
from etiquette_analysis.analysis.problem import build_problem
from etiquette_analysis.analysis.variants import Row, empty_row, primary_row
from etiquette_analysis.schema import PITCH_LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Beyond this condition number the matrix of confusions says too little to be inverted.
WORST_CONDITION = 50.0


def label_rows(
    dyads: pd.DataFrame,
    plan: Plan,
    *,
    coded: pd.DataFrame | None,
    at_other_levels: dict[str, pd.DataFrame] | None,
) -> Iterator[Row]:
    """Yield R11, with refusals for what was not supplied."""
    problem = build_problem(dyads, plan)
    names = ("R11 matrix method, counted", "R11 predict-then-debias")
    if coded is None:
        for estimand, method in zip(("D any_later", "P"), names, strict=True):
            yield empty_row(problem, estimand=estimand, method=method, reason="no hand-coded dyads were given")
    else:
        yield _matrix_row(dyads, coded, plan)
        frame = debias(dyads, coded, plan).frame
        row = frame[(frame["estimand"] == "P") & (frame["method"] == "predict-then-debias")].iloc[0].to_dict()
        yield {str(k): v for k, v in row.items()} | {"method": names[1]}
    others = at_other_levels or {}
    for level in PITCH_LEVELS[1:]:
        if level == plan.pitch_level:
            continue
        method = f"R11 pitch means {level} or above"
        if level in others:
            yield primary_row(build_problem(others[level], replace(plan, pitch_level=level)), method=method)
        else:
            reason = f"no dyads built with pitch_level={level!r} were given"
            yield empty_row(problem, estimand="P", method=method, reason=reason)


def arm_and_reply(dyads: pd.DataFrame, plan: Plan) -> Ints:
    """Return 0 in neither arm, 1 now unanswered, 2 now answered, 3 any later unanswered, 4 any later answered."""
    problem = build_problem(dyads, plan)
    now = problem.in_window(plan.immediate)
    later = problem.in_window((plan.immediate[1] + 1, plan.deferred[1]))
    out = np.zeros(len(dyads), dtype=np.int64)
    out[problem.rows] = np.where(now, 1, np.where(later, 3, 0)) + ((now | later) & (problem.outcome > 0))
    return out


def matrix_method(predicted: Floats, confusion: Floats) -> Floats | None:
    """Return true shares of classes from predicted ones, by the matrix P(predicted j | true k); None where degenerate.

    Examples
    --------
    A labeller that misses 20 % and invents none, and so finds 24 % where 30 % are pitches:

    >>> matrix_method(np.array([0.76, 0.24]), np.array([[1.0, 0.2], [0.0, 0.8]])).round(3)
    array([0.7, 0.3])
    """
    if not np.isfinite(confusion).all() or np.linalg.cond(confusion) > WORST_CONDITION:
        return None
    return np.asarray(np.linalg.solve(confusion, predicted))


def _matrix_row(dyads: pd.DataFrame, coded: pd.DataFrame, plan: Plan) -> Row:
    place, chance = match_coded(dyads, coded)
    predicted = arm_and_reply(dyads, plan)
    gold = arm_and_reply(coded.drop(columns="inclusion_probability", errors="ignore"), plan)
    counts = np.zeros((5, 5))
    np.add.at(counts, (predicted[place], gold), 1 / chance)
    with np.errstate(invalid="ignore"):
        confusion = counts / counts.sum(axis=0)
    shares = matrix_method(np.bincount(predicted, minlength=5) / len(predicted), confusion)
    row = empty_row(build_problem(dyads, plan), estimand="D any_later", method="R11 matrix method, counted")
    if shares is None or min(shares[1:]) < 0:
        return row | {"reason": "the confusions seen in the coded dyads cannot be inverted"}
    value = shares[2] / (shares[1] + shares[2]) - shares[4] / (shares[3] + shares[4])
    return row | {"estimate": float(value), "level": 2}
