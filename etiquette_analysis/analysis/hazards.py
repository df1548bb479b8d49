"""When the sender pitches: the daily chance of a first pitch, given what has happened so far.

Whoever waits with a pitch does so partly because of the answers that have come in. The daily hazard, the chance that a
connection not yet pitched is pitched today, is modelled on what the sender could see that morning: the covariates,
whether the contact has written (and lately), whether an opener waits unanswered. Its inverse weights the connections
that followed a strategy so that they stand for all. The fit uses counts by (cell, state, days), which is exact and
needs no person-period table (STATISTICS, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

from etiquette_analysis.analysis.logistic import fit_logistic
from etiquette_analysis.analysis.problem import ANSWERED, OPENED, RECENT, RECENT_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Ridge on standardised covariates, states and days: a guard against separation, next to nothing elsewhere.
HAZARD_RIDGE: Final = 0.05
#: Ridge on sender intercepts; 1 makes them random intercepts with variance 1.
SENDER_RIDGE: Final = 1.0
N_STATES: Final = 4


@dataclass(frozen=True)
class Hazards:
    """Daily chances of a first pitch, by day, covariate cell and state, and the chance of being unpitched.

    Attributes
    ----------
    table : float64 array (days, cells, 4)
        The hazard on each day for each cell and state.
    survival : float64 array (days + 1, n)
        Chance that connection i is unpitched on the morning of day t, along its own history.
    at_pitch : float64 array (n,)
        The hazard on the day of the connection's own pitch; NaN where it was not pitched within ``days``.
    """

    table: Floats
    survival: Floats
    at_pitch: Floats

    @property
    def n_days(self) -> int:
        """Number of days modelled."""
        return len(self.table)


def phases(problem: Problem) -> list[tuple[int, int]]:
    """Return first and last day of each stretch of days that has a model of its own.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> phases(SimpleNamespace(plan=Plan())), phases(SimpleNamespace(plan=Plan(immediate=(0, 1), deferred=(2, 30))))
    ([(0, 1), (2, 6), (7, 30)], [(0, 1), (2, 30)])
    """
    plan = problem.plan
    edges = sorted({0, plan.immediate[0], plan.immediate[1] + 1, plan.deferred[0], plan.deferred[1] + 1})
    return [(a, b - 1) for a, b in pairwise(edges)]


def day_bins(first: int, last: int) -> list[range]:
    """Return the days of a phase in bins that share a coefficient: single days in the first week, then weeks.

    Examples
    --------
    >>> [len(b) for b in day_bins(2, 6)], [(b[0], b[-1]) for b in day_bins(7, 30)]
    ([1, 1, 1, 1, 1], [(7, 13), (14, 20), (21, 27), (28, 30)])
    """
    bins, day = [], first
    while day <= last:
        end = day + 1 if day < 7 else min((day // 7 + 1) * 7, last + 1)
        bins.append(range(day, end))
        day = end
    return bins


def fit_hazards(problem: Problem, *, states: bool = True) -> Hazards:
    """Fit the daily hazards of every phase.

    Parameters
    ----------
    problem : Problem
        Who was pitched when.
    states : bool
        False leaves what has happened so far out of the model (to show what that costs; never for an answer).
    """
    n_days, n_cells = problem.plan.deferred[1] + 1, len(problem.X)
    table = np.zeros((n_days, n_cells, N_STATES))
    for first, last in phases(problem):
        bins = day_bins(first, last)
        eta, shifts = _fit_phase(problem, bins, states=states)
        for days, shift in zip(bins, shifts, strict=True):
            table[days.start : days.stop] = expit(eta + shift)
    survival = np.empty((n_days + 1, len(problem)))
    survival[0] = 1.0
    at_pitch = np.full(len(problem), np.nan)
    for day in range(n_days):
        hazard = table[day][problem.cell, problem.state(day)]
        survival[day + 1] = survival[day] * (1 - hazard)
        today = problem.pitch_day == day
        at_pitch[today] = hazard[today]
    return Hazards(table, survival, at_pitch)


def _fit_phase(problem: Problem, bins: list[range], *, states: bool) -> tuple[Floats, list[float]]:
    """Return the logit of the hazard by (cell, state) in the first bin, and the shift of every bin."""
    n_cells = len(problem.X)
    size = n_cells * N_STATES
    at_risk, events = np.zeros((len(bins), size)), np.zeros((len(bins), size))
    for k, days in enumerate(bins):
        for day in days:
            key = problem.cell * N_STATES + problem.state(day)
            risk = np.where(problem.pitch_day >= day, problem.weight, 0.0)
            at_risk[k] += np.bincount(key, risk, size)
            events[k] += np.bincount(key, np.where(problem.pitch_day == day, risk, 0.0), size)
    if not events.sum() > 0:
        return np.full((n_cells, N_STATES), -np.inf), [0.0] * len(bins)
    place, slot = np.nonzero(at_risk)
    cell, state = slot // N_STATES, slot % N_STATES
    n_risk = at_risk[place, slot]
    history = _history(np.arange(N_STATES), recency=problem.plan.recency and bins[-1][-1] > RECENT_DAYS)
    if not states:
        history = history[:, :0]
    first_bin = int(np.bincount(place, n_risk).argmax())
    others = [k for k in range(len(bins)) if k != first_bin]
    X = np.column_stack(
        [np.ones(len(place)), problem.X[cell], history[state], place[:, None] == np.array(others, dtype=int)]
    )
    fit = fit_logistic(
        X,
        events[place, slot] / n_risk,
        weights=n_risk,
        ridge=HAZARD_RIDGE,
        groups=problem.cell_sender[cell] if problem.n_intercepts else None,
        n_groups=problem.n_intercepts,
        group_ridge=SENDER_RIDGE,
    )
    p = problem.X.shape[1]
    by_cell = fit.coef[0] + problem.X @ fit.coef[1 : p + 1]
    if problem.n_intercepts:
        by_cell = by_cell + fit.group_coef[problem.cell_sender]
    by_state = history @ fit.coef[p + 1 : p + 1 + history.shape[1]]
    shifts = np.zeros(len(bins))
    shifts[others] = fit.coef[p + 1 + history.shape[1] :]
    return by_cell[:, None] + by_state[None, :], shifts.tolist()


def _history(state: Ints, *, recency: bool) -> Floats:
    """Return the columns "they wrote", "opener unanswered" and, where asked for, "they wrote lately"."""
    columns = [state >= ANSWERED, state == OPENED, state == RECENT]
    return np.column_stack(columns[: 3 if recency else 2]).astype(np.float64)
