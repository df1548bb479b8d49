"""One contrast of two strategies as one row of the result schema, whatever was varied to get there.

Secondary questions, robustness checks and placebos change the outcome, the windows, the people or the weights, and then
ask the same thing of the same machinery. This module is that asking: it judges the varied design blind to the replies,
estimates where the data can bear it, and refuses with the reason where they cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etiquette_analysis.analysis.design import judge
from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.uncertainty import assess, find_limits
from etiquette_analysis.analysis.wsr import ArmEstimate, Estimate, arm_weights, effective_size, estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.hazards import Hazards
    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]

Row = dict[str, Any]


def empty_row(problem: Problem, *, estimand: str, method: str, reason: str | None = None, level: int = 1) -> Row:
    """Return a refusal: counts of first pitches, no estimate, and the reason."""
    return {
        "estimand": estimand,
        "method": method,
        "scale": "rd",
        "n_now": int(problem.in_window(problem.plan.immediate).sum()),
        "n_later": int(problem.in_window(problem.plan.deferred).sum()),
        "level": level,
        "reason": reason,
        "plan": problem.plan.hash[:12],
    }


def contrast_row(problem: Problem, first: ArmEstimate, second: ArmEstimate, *, estimand: str, method: str) -> Row:
    """Return first minus second with its interval; the two take the places of "now" and "later" in the columns."""
    both = Estimate(now=first, later=second)
    uncertainty = assess(problem, both)
    limits = find_limits(both, uncertainty, conf_level=problem.plan.conf_level)
    return {
        "estimand": estimand,
        "method": method,
        "scale": "rd",
        "estimate": both.rd,
        "low": limits.rd[0],
        "high": limits.rd[1],
        "se": uncertainty.se,
        "n_now": first.n,
        "n_later": second.n,
        "ess_now": first.ess,
        "ess_later": second.ess,
        "level": 2,
        "plan": problem.plan.hash[:12],
    }


def primary_row(
    problem: Problem,
    *,
    method: str,
    estimand: str = "P",
    hazards: Hazards | None = None,
    design: Design | None = None,
    trim: bool = False,
) -> Row:
    """Return the primary contrast of a (varied) problem by weighted sequential regression, or a refusal.

    Parameters
    ----------
    problem : Problem
        The varied problem.
    method, estimand : str
        Labels of the row.
    hazards : Hazards, optional
        Fitted here where not given.
    design : Design, optional
        Judged here where not given.
    trim : bool
        Cut the weights of each arm at their 99th percentile.
    """
    hazards = fit_hazards(problem) if hazards is None else hazards
    design = judge(problem, hazards=hazards) if design is None else design
    if design.level < 2:
        reason = "; ".join(design.reasons)
        return empty_row(problem, estimand=estimand, method=method, reason=reason, level=design.level)
    factor = trimming(problem, hazards) if trim else None
    found = estimate(problem, hazards, factor=factor)
    return contrast_row(problem, found.now, found.later, estimand=estimand, method=method)


def trimming(problem: Problem, hazards: Hazards, *, quantile: float = 0.99) -> Floats:
    """Return the factors that cut the weights of each arm at their 99th percentile."""
    factor = np.ones(len(problem))
    for window in (problem.plan.immediate, problem.plan.deferred):
        weights = arm_weights(problem, hazards, window)
        chosen = weights > 0
        if chosen.any():
            cut = float(np.quantile(weights[chosen], quantile))
            factor[chosen] = np.minimum(weights[chosen], cut) / weights[chosen]
    return factor


def ipw_arm(problem: Problem, weights: Floats, outcome: Floats | None = None) -> ArmEstimate:
    """Return a weighted mean outcome with its influence values, the weights taken as known."""
    y = problem.outcome if outcome is None else outcome
    own = weights * problem.weight
    total = float(own.sum())
    chosen = own > 0
    if not total > 0:
        return ArmEstimate(float("nan"), np.full(len(y), np.nan), weights, 0, 0.0)
    value = float(own[chosen] @ y[chosen]) / total
    influence = np.zeros(len(y))
    influence[chosen] = weights[chosen] * (y[chosen] - value) * float(problem.weight.sum()) / total
    return ArmEstimate(value, influence, weights, int(chosen.sum()), effective_size(own))


def average_arms(first: ArmEstimate, second: ArmEstimate, *, share: float = 0.5, sign: float = 1.0) -> ArmEstimate:
    """Return ``share * first + sign * (1 - share) * second`` as one arm, for means and differences of strategies."""
    a, b = share, sign * (1 - share)
    weights = a * first.weights + abs(b) * second.weights
    return ArmEstimate(
        a * first.value + b * second.value,
        a * first.influence + b * second.influence,
        weights,
        first.n + second.n,
        min(first.ess, second.ess),
    )
