"""How far an estimate may be off, from its influence values.

The influence value of a connection is how much it pulls the estimate; their spread is the standard error, without a
bootstrap. Connections that share a sender, a recipient or (for one sender) a week of connecting may err together, so
their values are summed before they are squared. Intervals use Student's t and, for rates, Wilson's shape at the
effective number of pitches, joined by MOVER (STATISTICS, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.analysis.intervals import critical_value, effective_wilson, mover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.problem import Problem
    from etiquette_analysis.analysis.wsr import Estimate

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: From so many senders on, standard errors are clustered by sender.
MIN_CLUSTERS: Final = 6
#: For one sender, clustering by week of connecting counts where it raises the standard error by more than 10 %.
WEEK_FACTOR: Final = 1.10
#: Regressions that an effective sample size has to pay for, in degrees of freedom.
SPENT_DF: Final = 6


@dataclass(frozen=True)
class Uncertainty:
    """Covariance of (V(now), V(later)), degrees of freedom, and what was clustered.

    Attributes
    ----------
    covariance : float64 array (2, 2)
        Of the two rates.
    df : float
        Degrees of freedom of Student's t.
    clustered_by : str
        ``connection``, ``week``, ``sender`` or ``sender and recipient``.
    """

    covariance: Floats
    df: float
    clustered_by: str

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        c = self.covariance
        return float(np.sqrt(max(c[0, 0] + c[1, 1] - 2 * c[0, 1], 0.0)))

    @property
    def se_rates(self) -> tuple[float, float]:
        """Standard errors of the two rates."""
        return float(np.sqrt(self.covariance[0, 0])), float(np.sqrt(self.covariance[1, 1]))

    @property
    def correlation(self) -> float:
        """Correlation of the two rates."""
        a, b = self.se_rates
        return float(self.covariance[0, 1] / (a * b)) if a * b > 0 else 0.0


@dataclass(frozen=True)
class Limits:
    """Two-sided limits of both rates, their difference (now - later) and their ratio (now / later)."""

    rate_now: tuple[float, float]
    rate_later: tuple[float, float]
    rd: tuple[float, float]
    ratio: tuple[float, float]


def assess(problem: Problem, estimate: Estimate) -> Uncertainty:
    """Return the uncertainty of an estimate, clustered as the plan and the data ask.

    Six or more senders (or ``cluster="sender"``): by sender, with G - 1 degrees of freedom at most, and two-way where
    recipients repeat (Cameron, Gelbach and Miller 2011). One sender: by week of connecting where that is more than
    10 % larger. Two to five senders: the larger of both.
    """
    D = np.column_stack([estimate.now.influence, estimate.later.influence])
    n = len(D)
    df = max(min(estimate.now.ess, estimate.later.ess) - SPENT_DF, 1.0)
    plain = Uncertainty(D.T @ D / n**2, df, "connection")
    if problem.n_senders == 1 and problem.plan.cluster is None:
        week = _clustered(D, problem.week, df, "week")
        return week if week.se > WEEK_FACTOR * plain.se else plain
    by_sender = _clustered(D, problem.sender, df, "sender")
    if problem.n_senders < MIN_CLUSTERS and problem.plan.cluster is None:
        return Uncertainty(by_sender.covariance, df, "sender") if by_sender.se > plain.se else plain
    if len(np.unique(problem.contact)) == n:
        return by_sender
    by_contact = _clustered(D, problem.contact, df, "recipient")
    both = by_sender.covariance + by_contact.covariance - plain.covariance
    two_way = Uncertainty(both, min(by_sender.df, by_contact.df), "sender and recipient")
    is_proper = bool(np.linalg.eigvalsh(both).min() > 0) and two_way.se >= plain.se
    return two_way if is_proper else max(by_sender, by_contact, key=lambda u: u.se)


def _clustered(D: Floats, code: Ints, df: float, name: str) -> Uncertainty:
    n_clusters = int(code.max()) + 1
    if n_clusters < 2:
        return Uncertainty(np.zeros((2, 2)), df, name)
    sums = np.column_stack([np.bincount(code, D[:, k], n_clusters) for k in range(2)])
    covariance = sums.T @ sums / len(D) ** 2 * n_clusters / (n_clusters - 1)
    return Uncertainty(covariance, max(min(df, n_clusters - 1.0), 1.0), name)


def find_limits(estimate: Estimate, uncertainty: Uncertainty, *, conf_level: float) -> Limits:
    """Return the intervals of an estimate: Wilson at the effective n for rates, MOVER for the difference.

    With equal weights, no covariates and the normal quantile the interval of the difference is Newcombe's.
    """
    now, later = estimate.now, estimate.later
    v = float(np.clip(now.value, 0, 1)), float(np.clip(later.value, 0, 1))
    se = uncertainty.se_rates
    rates = [
        effective_wilson(v[k], se[k], conf_level=conf_level, df=uncertainty.df, fallback=(now.ess, later.ess)[k])
        for k in range(2)
    ]
    rd = mover(v[0], rates[0], v[1], rates[1], correlation=uncertainty.correlation)
    pairs = [(float(i.low), float(i.high)) for i in (*rates, rd)]
    return Limits(pairs[0], pairs[1], pairs[2], _ratio_limits(v, uncertainty, conf_level))


def _ratio_limits(v: tuple[float, float], uncertainty: Uncertainty, conf_level: float) -> tuple[float, float]:
    """Return the interval of the ratio on the log scale; NaN where a rate is 0."""
    if min(v) <= 0:
        return float("nan"), float("nan")
    gradient = np.array([1 / v[0], -1 / v[1]])
    half = float(critical_value(conf_level, df=uncertainty.df)) * float(
        np.sqrt(max(gradient @ uncertainty.covariance @ gradient, 0.0))
    )
    ratio = v[0] / v[1]
    return float(ratio * np.exp(-half)), float(ratio * np.exp(half))
