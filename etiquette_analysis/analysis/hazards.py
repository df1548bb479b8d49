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
from scipy import sparse
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
    histories = _Histories.of(problem)
    for first, last in phases(problem):
        bins = day_bins(first, last)
        eta, shifts = _fit_phase(problem, bins, *histories.counts(bins), states=states)
        for days, shift in zip(bins, shifts, strict=True):
            table[days.start : days.stop] = expit(eta + shift)
    survival = np.empty((n_days + 1, len(problem)))
    survival[0] = 1.0
    at_pitch = np.full(len(problem), np.nan)
    slot = problem.cell * N_STATES
    for day in range(n_days):
        hazard = table[day].ravel()[slot + histories.state[day][histories.code]]
        np.multiply(survival[day], 1 - hazard, out=survival[day + 1])
        today = problem.pitch_day == day
        at_pitch[today] = hazard[today]
    return Hazards(table, survival, at_pitch)


@dataclass(frozen=True)
class _Histories:
    """Courses of events that occur (pitch, opener and answer days), and who in which cell had which of them.

    There are few: a million connections have some thousands of histories, so days are walked through by history, and
    a sparse product carries the counts over to the cells.

    Attributes
    ----------
    code : int64 array (n,)
        History of each connection.
    pitch_day : int64 array (histories,)
        Day of the pitch.
    state : int64 array (days, histories)
        State on each day.
    people : sparse array (cells, histories)
        Weight of the connections.
    """

    code: Ints
    pitch_day: Ints
    state: Ints
    people: sparse.csr_array

    @classmethod
    def of(cls, problem: Problem) -> _Histories:
        never = problem.plan.deferred[1] + 1
        pitch, opener, answered = (
            np.minimum(day, never) for day in (problem.pitch_day, problem.opener_day, problem.answered_day)
        )
        key = (pitch * (never + 1) + opener) * (never + 1) + answered
        present = np.bincount(key, minlength=1) > 0
        code = (np.cumsum(present) - 1)[key]
        first = np.empty(int(present.sum()), dtype=np.int64)
        first[code[::-1]] = np.arange(len(key))[::-1]
        state = np.array([problem.state(day, first) for day in range(never)]).reshape(never, len(first))
        shape = (len(problem.X), len(first))
        people = sparse.csr_array((problem.weight, (problem.cell, code)), shape=shape)
        return cls(code, pitch[first], state, people)

    def counts(self, bins: list[range]) -> tuple[Floats, Floats]:
        """Return person-days at risk and first pitches, (bins, cells x states)."""
        n = len(self.pitch_day)
        at_risk, events = (np.zeros((n, len(bins), N_STATES)) for _ in range(2))
        rows = np.arange(n)
        for k, days in enumerate(bins):
            for day in days:
                at_risk[rows, k, self.state[day]] += self.pitch_day >= day
                events[rows, k, self.state[day]] += self.pitch_day == day
        n_cells = self.people.shape[0]
        by_cell = [self.people @ c.reshape(n, len(bins) * N_STATES) for c in (at_risk, events)]
        shaped = [c.reshape(n_cells, len(bins), N_STATES).transpose(1, 0, 2) for c in by_cell]
        return shaped[0].reshape(len(bins), -1), shaped[1].reshape(len(bins), -1)


def _fit_phase(
    problem: Problem, bins: list[range], at_risk: Floats, events: Floats, *, states: bool
) -> tuple[Floats, list[float]]:
    """Return the logit of the hazard by (cell, state) in the first bin, and the shift of every bin."""
    n_cells = len(problem.X)
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
