"""Timing at equal intensity: what if the late pitches had pressed as hard as the early ones.

Whoever pitches at once may also press harder, and then timing takes the blame for pressing. The pitched are weighted
once more, by the inverse chance of the intensity they got given their arm, their traits and whether they had written,
so that hard and mild pitches each stand for all connections in both windows (STATISTICS, section 6, S4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.analysis.hazards import HAZARD_RIDGE, SENDER_RIDGE
from etiquette_analysis.analysis.logistic import fit_logistic
from etiquette_analysis.analysis.problem import NEVER
from etiquette_analysis.analysis.wsr import estimate_arm

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.hazards import Hazards
    from etiquette_analysis.analysis.problem import Problem
    from etiquette_analysis.analysis.wsr import ArmEstimate

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: Fewest pitches of an intensity in a window that may stand for all connections.
FEWEST_OF_KIND: Final = 10


@dataclass(frozen=True)
class IntensityArms:
    """Reply rates of all connections under each timing and intensity; mild is every level below ``hard``."""

    now_mild: ArmEstimate
    now_hard: ArmEstimate
    later_mild: ArmEstimate
    later_hard: ArmEstimate


def estimate_by_intensity(problem: Problem, hazards: Hazards, dyads: pd.DataFrame) -> IntensityArms | None:
    """Estimate the four strategies; None where an intensity is rarer than 10 pitches in a window, or unknown."""
    if "pitch_level" not in dyads.columns:
        return None
    level = dyads["pitch_level"].astype("str").to_numpy()[problem.rows]
    is_hard = np.asarray(level == "hard")
    arms = []
    for window in (problem.plan.immediate, problem.plan.deferred):
        inside = problem.in_window(window)
        if min(int((inside & is_hard).sum()), int((inside & ~is_hard).sum())) < FEWEST_OF_KIND:
            return None
        chance = _chance_of_hard(problem, inside, is_hard)
        for kind, p in ((~is_hard, 1 - chance), (is_hard, chance)):
            factor = np.where(inside & kind, 1 / np.where(inside, p, 1.0), 0.0)
            arms.append(estimate_arm(problem, hazards, window, factor=factor))
    return IntensityArms(*arms)


def _chance_of_hard(problem: Problem, inside: Bools, is_hard: Bools) -> Floats:
    """Return the chance of a hard pitch given traits and whether the contact had written, fitted within one window."""
    answered = (problem.answered_day < NEVER).astype(np.float64)
    columns = [np.ones(len(problem)), problem.X[problem.cell]]
    if 0 < answered[inside].mean() < 1:
        columns.append(answered)
    X = np.column_stack(columns)
    groups = problem.cell_sender[problem.cell] if problem.n_intercepts else None
    fit = fit_logistic(
        X[inside],
        is_hard[inside].astype(np.float64),
        weights=problem.weight[inside],
        ridge=HAZARD_RIDGE,
        groups=None if groups is None else groups[inside],
        n_groups=problem.n_intercepts,
        group_ridge=SENDER_RIDGE,
    )
    return fit.predict(X, groups)
