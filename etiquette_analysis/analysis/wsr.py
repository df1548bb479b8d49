"""Weighted sequential regression: what share of all connections would reply under a strategy of when to pitch.

Connections that were pitched within a strategy's window are weighted by ``q(T) / (h_T S_T)``: the chance of that day
under the strategy, over the chance that this sender pitched this connection just then. Three nested regressions then
carry the reply probability back to the day of connecting, where all connections are alike in both strategies; they
buy precision, and the value is consistent where the daily hazards are right (STATISTICS, section 5; Bang and Robins
2005). The days of a window are drawn from the days on which first pitches in it were sent, whatever had happened (a
stochastic grace period: Wanis et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.analysis.hazards import SENDER_RIDGE, Hazards, fit_hazards
from etiquette_analysis.analysis.logistic import LogisticFit, fit_logistic, leverage
from etiquette_analysis.analysis.problem import ANSWERED, OPENED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Ridge on the standardised regressors of the outcome regressions; the intercept is free: weighted residuals sum to 0.
OUTCOME_RIDGE: Final = 2.0
#: States without recency, as the outcome regressions see them: nothing, opener unanswered, they wrote.
N_RAPPORT: Final = 3


@dataclass(frozen=True)
class ArmEstimate:
    """The reply rate of all connections under one strategy.

    Attributes
    ----------
    value : float
        V: expected share of replies; NaN where nobody was pitched in the window.
    influence : float64 array (n,)
        Influence values (mean 0 but for leverage); their mean square over n is the squared standard error.
    weights : float64 array (n,)
        ``q(T) / (h_T S_T)`` for those pitched in the window, else 0.
    n : int
        First pitches in the window.
    ess : float
        Kish's effective sample size of the weights.
    """

    value: float
    influence: Floats
    weights: Floats
    n: int
    ess: float


@dataclass(frozen=True)
class Estimate:
    """Both strategies on the same connections."""

    now: ArmEstimate
    later: ArmEstimate

    @property
    def rd(self) -> float:
        """V(now) - V(later)."""
        return self.now.value - self.later.value


def estimate(
    problem: Problem, hazards: Hazards | None = None, *, factor: Floats | None = None, states: bool = True
) -> Estimate:
    """Estimate both strategies of the plan.

    Parameters
    ----------
    problem : Problem
        Connections, outcome, observation weights.
    hazards : Hazards, optional
        Fitted here where not given.
    factor : float64 array (n,), optional
        Further weight factors, as 1 / P(intensity | ...) for timing at equal intensity.
    states : bool
        False leaves the history out of the outcome regressions.
    """
    hazards = fit_hazards(problem) if hazards is None else hazards
    plan = problem.plan
    return Estimate(
        now=estimate_arm(problem, hazards, plan.immediate, factor=factor, states=states),
        later=estimate_arm(problem, hazards, plan.deferred, factor=factor, states=states),
    )


def day_shares(problem: Problem, window: tuple[int, int]) -> Floats:
    """Return q: of the first pitches in the window, the share sent on each of its days."""
    first, last = window
    chosen = problem.in_window(window)
    counts = np.bincount(problem.pitch_day[chosen] - first, problem.weight[chosen], last - first + 1)
    total = counts.sum()
    return np.asarray(counts / total if total > 0 else counts)


def arm_weights(problem: Problem, hazards: Hazards, window: tuple[int, int], *, factor: Floats | None = None) -> Floats:
    """Return ``q(T) / (h_T S_T)`` for connections pitched in the window, else 0."""
    chosen = np.flatnonzero(problem.in_window(window))
    day = problem.pitch_day[chosen]
    weights = np.zeros(len(problem))
    share = day_shares(problem, window)[day - window[0]]
    weights[chosen] = share / (hazards.at_pitch[chosen] * hazards.survival[day, chosen])
    return weights if factor is None else weights * factor


def effective_size(weights: Floats) -> float:
    """Return Kish's effective sample size, (sum w)^2 / sum w^2; 0 where all are 0."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def estimate_arm(
    problem: Problem,
    hazards: Hazards,
    window: tuple[int, int],
    *,
    factor: Floats | None = None,
    states: bool = True,
) -> ArmEstimate:
    """Estimate the reply rate if everybody were first pitched on a day of ``window``."""
    n, first = len(problem), window[0]
    weights = arm_weights(problem, hazards, window, factor=factor)
    chosen = np.flatnonzero(weights * problem.weight > 0)
    if not len(chosen):
        return ArmEstimate(float("nan"), np.full(n, np.nan), weights, 0, 0.0)
    own = weights * problem.weight
    replies = problem.outcome[chosen]
    if replies.min() == replies.max() and replies[0] in (0.0, 1.0):
        # Nobody, or everybody, replied: nothing to regress, and the interval falls back on the effective size.
        return ArmEstimate(float(replies[0]), np.zeros(n), weights, len(chosen), effective_size(own))
    model = _Regressions(problem, states=states)
    # 1. The reply probability among those pitched in the window, given history, day and covariates.
    fit_m, residual = model.fit_replies(chosen, own[chosen], window)
    # 2. Averaged over every at-risk day of the window, whether or not they were pitched on it.
    u_sum, um_sum = model.average_over_days(fit_m, hazards, window)
    at_start = problem.pitch_day >= first
    inverse = np.where(at_start, 1 / np.where(at_start, hazards.survival[first], 1.0), 0.0)
    rapport = _rapport(problem.state(first)) if states else np.zeros(n, dtype=np.int64)
    mean_m = np.divide(um_sum, u_sum, out=np.zeros(n), where=u_sum > 0)
    # 3. and 4. Carried back to the day of connecting, and averaged over all.
    if first == 0:
        q_start = model.regress(mean_m, u_sum, None)
        q_zero, carried = q_start, np.zeros(n)
    else:
        q_start = model.regress(mean_m, u_sum, rapport)
        q_zero = model.regress(q_start, inverse, None)
        carried = inverse / _mean(inverse, problem.weight) * (q_start - q_zero)
    value = _mean(q_zero, problem.weight)
    influence = q_zero - value + carried + (um_sum - u_sum * q_start) / _mean(u_sum, problem.weight)
    influence[chosen] += weights[chosen] / _mean(weights, problem.weight) * residual
    return ArmEstimate(value, influence, weights, len(chosen), effective_size(own))


class _Regressions:
    """The nested logistic regressions of one problem, on covariates and rapport by cell."""

    def __init__(self, problem: Problem, *, states: bool) -> None:
        self.problem = problem
        self.states = states

    def fit_replies(self, chosen: Ints, weights: Floats, window: tuple[int, int]) -> tuple[LogisticFit, Floats]:
        """Fit Y ~ history + day + X among the chosen; return the fit and the residuals, divided by 1 - leverage."""
        p = self.problem
        day = p.pitch_day[chosen]
        state = np.empty(len(chosen), dtype=np.int64)
        for t in np.unique(day):
            state[day == t] = _rapport(p.state(int(t))[chosen[day == t]])
        X = self._design(p.cell[chosen], state, self._day(day, window))
        scaled = weights * (p.weight[chosen].sum() / weights.sum())
        groups = p.cell_sender[p.cell[chosen]] if p.n_intercepts else None
        fit = self._fit(X, p.outcome[chosen], scaled, groups)
        own = leverage(X, fit, weights=scaled, groups=groups, group_ridge=SENDER_RIDGE)
        # HC3. With sender intercepts HC2: their leverage is shared by the whole cluster, and HC3 would count it twice
        # (148 sets of world I, 40 senders: standard errors 15 % above the spread with HC3, 4 % with HC2).
        share = np.maximum(1 - own, 0.05)
        return fit, (p.outcome[chosen] - fit.fitted) / (np.sqrt(share) if p.n_intercepts else share)

    def average_over_days(self, fit: LogisticFit, hazards: Hazards, window: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return, per connection, the sums over at-risk days of q/S and of q/S times the predicted reply."""
        p, shares = self.problem, day_shares(self.problem, window)
        u_sum, um_sum = np.zeros(len(p)), np.zeros(len(p))
        cells = np.repeat(np.arange(len(p.X)), N_RAPPORT)
        states = np.tile(np.arange(N_RAPPORT), len(p.X))
        for t in range(window[0], window[1] + 1):
            share = shares[t - window[0]]
            if share == 0:
                continue
            X = self._design(cells, states, self._day(np.full(len(cells), t), window))
            table = fit.predict(X, p.cell_sender[cells] if p.n_intercepts else None)
            at_risk = p.pitch_day >= t
            u = np.where(at_risk, share / np.where(at_risk, hazards.survival[t], 1.0), 0.0)
            u_sum += u
            um_sum += u * table[p.cell * N_RAPPORT + _rapport(p.state(t))]
        return u_sum, um_sum

    def regress(self, y: Floats, weights: Floats, rapport: Ints | None) -> Floats:
        """Regress y on X (and rapport) with weights; return the prediction for every connection."""
        p = self.problem
        width = 1 if rapport is None else N_RAPPORT
        key = p.cell * width + (0 if rapport is None else rapport)
        total = np.bincount(key, weights * p.weight, len(p.X) * width)
        rows = np.flatnonzero(total > 0)
        mean = np.bincount(key, weights * p.weight * y, len(total))[rows] / total[rows]
        n_rows = float(((weights > 0) * p.weight).sum())
        slots = np.arange(len(total))
        X = self._design(slots // width, None if rapport is None else slots % width, None)
        cell = slots // width
        groups = p.cell_sender[cell] if p.n_intercepts else None
        fit = self._fit(X[rows], mean, total[rows] * (n_rows / total.sum()), None if groups is None else groups[rows])
        return np.asarray(fit.predict(X, groups)[key])

    def _fit(self, X: Floats, y: Floats, weights: Floats, groups: Ints | None) -> LogisticFit:
        return fit_logistic(
            X,
            np.clip(y, 0.0, 1.0),
            weights=weights,
            ridge=OUTCOME_RIDGE,
            groups=groups,
            n_groups=self.problem.n_intercepts,
            group_ridge=SENDER_RIDGE,
        )

    def _design(self, cell: Ints, rapport: Ints | None, day: Floats | None) -> Floats:
        parts = [np.ones((len(cell), 1)), self.problem.X[cell]]
        if rapport is not None and self.states:
            parts += [(rapport == 2)[:, None] / _SD_RAPPORT, (rapport == 1)[:, None] / _SD_RAPPORT]
        if day is not None:
            parts.append(day[:, None])
        return np.column_stack(parts).astype(np.float64)

    @staticmethod
    def _day(day: Ints, window: tuple[int, int]) -> Floats:
        """Return the day within the window, centred, in units of the standard deviation of a uniform draw."""
        length = window[1] - window[0] + 1
        spread = max(np.sqrt((length**2 - 1) / 12), 0.5)
        return np.asarray((day - (window[0] + window[1]) / 2) / spread)


_SD_RAPPORT: Final = 0.5


def _rapport(state: Ints) -> Ints:
    return np.where(state >= ANSWERED, 2, np.where(state == OPENED, 1, 0))


def _mean(values: Floats, weights: Floats) -> float:
    return float(values @ weights / weights.sum())
