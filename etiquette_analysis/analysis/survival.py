"""Time to reply, where the end of observation cuts some waits short.

A pitch sent last week and not yet answered is not a refusal: its wait is *censored*. Kaplan-Meier counts it for as long
as it was watched and no longer; Aalen-Johansen does the same where a wait can end in two ways (yes, no thanks), for
which one minus Kaplan-Meier would overstate both. The log-rank test compares whole curves. All assume that whether a
wait was cut short has nothing to do with how it would have ended.

Times are bare numbers in any one unit (``hours`` here); events at the same time come before censorings.

References
----------
Kaplan and Meier 1958, JASA 53:457-481; Aalen and Johansen 1978, Scand J Stat 5:141-150; Mantel 1966, Cancer Chemother
Rep 50:163-170.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats

from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def kaplan_meier(
    hours: ArrayLike,
    event_observed: ArrayLike,
    *,
    conf_level: float = 0.95,
    interval: Literal["log-log", "plain"] = "log-log",
) -> pd.DataFrame:
    """Estimate the probability of still waiting after each time.

    Parameters
    ----------
    hours : array_like
        Length of each wait, to the event or to the end of its observation.
    event_observed : array_like of bool
        True where the wait ended in the event, False where it was censored.
    conf_level : float
        Of the pointwise interval.
    interval : {"log-log", "plain"}
        On the complementary log-log scale (stays in [0, 1]), or Greenwood's standard error either side.

    Returns
    -------
    DataFrame
        One row per distinct time: ``hours``, ``n_at_risk`` (just before), ``n_events``, ``n_censored``,
        ``survival_probability``, ``se`` (Greenwood), ``low``, ``high``.

    Examples
    --------
    Three replies after 1, 3 and 3 hours; one wait was watched for two hours only:

    >>> table = kaplan_meier([1, 3, 3, 2], [True, True, True, False])
    >>> table[["n_at_risk", "n_events", "survival_probability"]].to_numpy().tolist()
    [[4.0, 1.0, 0.75], [3.0, 0.0, 0.75], [2.0, 2.0, 0.0]]
    """
    time, event = _waits(hours, event_observed)
    observed = event > 0
    at, n_at_risk, n_events, n_censored = _life_table(time, observed)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - n_events / n_at_risk)
        variance = np.cumsum(n_events / (n_at_risk * (n_at_risk - n_events)))
        se = np.where(survival > 0, survival * np.sqrt(variance), 0.0)
        z = critical_value(conf_level)
        if interval == "plain":
            low, high = np.clip(survival - z * se, 0, 1), np.clip(survival + z * se, 0, 1)
        else:
            spread = np.exp(z * np.sqrt(variance) / np.log(survival))
            low, high = survival ** (1 / spread), survival**spread
            flat = (survival == 1) | (survival == 0)
            low, high = np.where(flat, survival, low), np.where(flat, survival, high)
    return pd.DataFrame(
        {
            "hours": at,
            "n_at_risk": n_at_risk.astype(np.int64),
            "n_events": n_events.astype(np.int64),
            "n_censored": n_censored.astype(np.int64),
            "survival_probability": survival,
            "se": se,
            "low": low,
            "high": high,
        }
    )


def aalen_johansen(hours: ArrayLike, event: ArrayLike, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Estimate the probability that each kind of event has come first by each time.

    Parameters
    ----------
    hours : array_like
        Length of each wait.
    event : array_like of int
        0 where censored, else the kind of event: 1, 2, ... (1 a yes, 2 a no, say).
    conf_level : float
        Of the pointwise interval, on the complementary log-log scale.

    Returns
    -------
    DataFrame
        One row per distinct time and kind: ``hours``, ``event``, ``n_at_risk``, ``n_events``,
        ``cumulative_incidence``, ``se`` (delta method), ``low``, ``high``.

    Examples
    --------
    >>> table = aalen_johansen([1, 2, 3, 4], [1, 2, 0, 1])
    >>> table.loc[table["hours"] == 4, ["event", "cumulative_incidence"]].to_numpy().tolist()
    [[1.0, 0.75], [2.0, 0.25]]
    """
    time, kind = _waits(hours, event)
    at, n_at_risk, n_any, _ = _life_table(time, kind > 0)
    survival = np.cumprod(1 - n_any / n_at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    position = np.searchsorted(at, time)
    frames = []
    for k in np.unique(kind[kind > 0]):
        n_events = np.bincount(position[kind == k], minlength=len(at)).astype(np.float64)
        incidence = np.cumsum(before * n_events / n_at_risk)
        se = np.sqrt(_incidence_variance(incidence, before, n_at_risk, n_any, n_events))
        low, high = _log_log(incidence, se, conf_level)
        frames.append(
            pd.DataFrame(
                {
                    "hours": at,
                    "event": int(k),
                    "n_at_risk": n_at_risk.astype(np.int64),
                    "n_events": n_events.astype(np.int64),
                    "cumulative_incidence": incidence,
                    "se": se,
                    "low": low,
                    "high": high,
                }
            )
        )
    columns = ["hours", "event", "n_at_risk", "n_events", "cumulative_incidence", "se", "low", "high"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


@dataclass(frozen=True)
class LogRank:
    """Log-rank test: ``statistic`` is chi-squared with ``df`` degrees of freedom under equal curves."""

    statistic: float
    df: int
    p_value: float


def logrank(hours: ArrayLike, event_observed: ArrayLike, group: ArrayLike) -> LogRank:
    """Test whether the waits of two or more groups follow one curve.

    Raises
    ------
    DesignError
        Where there are fewer than two groups.

    Examples
    --------
    >>> test = logrank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 0, 1], ["a", "a", "a", "b", "b", "b"])
    >>> round(test.statistic, 3), test.df
    (5.052, 1)
    """
    time, event = _waits(hours, event_observed)
    names, code = np.unique(np.asarray(group), return_inverse=True)
    k = len(names)
    if k < 2 or len(code) != len(time):
        msg = f"a log-rank test of {k} group(s), {len(code)} labels for {len(time)} waits; expected two groups or more"
        raise DesignError(msg)
    at = np.unique(time[event > 0])
    per_group = [np.sort(time[code == j]) for j in range(k)]
    risk = np.column_stack([len(t) - np.searchsorted(t, at) for t in per_group]).astype(np.float64)
    deaths = np.column_stack(
        [np.bincount(np.searchsorted(at, time[(event > 0) & (code == j)]), minlength=len(at)) for j in range(k)]
    )
    n, d = risk.sum(axis=1), deaths.sum(axis=1)
    share = risk / n[:, None]
    excess = (deaths - share * d[:, None]).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(n > 1, d * (n - d) / (n - 1), 0.0)
    covariance = np.diag(share.T @ scale) - (share * scale[:, None]).T @ share
    statistic = float(excess[1:] @ np.linalg.pinv(covariance[1:, 1:]) @ excess[1:])
    return LogRank(statistic, k - 1, float(stats.chi2.sf(statistic, k - 1)))


def at_time(table: pd.DataFrame, hours: float, *, column: str = "survival_probability") -> float:
    """Read a step function of one group (and one kind of event) at ``hours``; before the first time 1, or 0.

    Examples
    --------
    >>> at_time(kaplan_meier([1, 3, 3, 2], [True, True, True, False]), 2.5)
    0.75
    """
    row = int(np.searchsorted(table["hours"].to_numpy(), hours, side="right")) - 1
    if row < 0:
        return 1.0 if column == "survival_probability" else 0.0
    return float(table[column].to_numpy()[row])


def median_time(table: pd.DataFrame) -> float:
    """Return the first time at which no more than half still wait; NaN where more than half always do.

    Examples
    --------
    >>> median_time(kaplan_meier([1, 3, 3, 2], [True, True, True, False]))
    3.0
    """
    reached = table["survival_probability"].to_numpy() <= 0.5 + 1e-12
    return float(table["hours"].to_numpy()[np.argmax(reached)]) if reached.any() else float("nan")


def _waits(hours: ArrayLike, event: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    time = np.asarray(hours, dtype=np.float64)
    kind = np.asarray(event)
    if time.ndim != 1 or kind.shape != time.shape:
        msg = f"{kind.shape} events for {time.shape} waits; expected one event flag per wait"
        raise DesignError(msg)
    if np.isnan(time).any() or (time < 0).any():
        msg = f"{int((np.isnan(time) | (time < 0)).sum())} waits are missing or negative; give the time watched instead"
        raise DesignError(msg)
    return time, kind.astype(np.int64)


def _life_table(time: Floats, observed: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats, Floats]:
    at, position = np.unique(time, return_inverse=True)
    n_all = np.bincount(position, minlength=len(at)).astype(np.float64)
    n_events = np.bincount(position, weights=observed, minlength=len(at)).astype(np.float64)
    n_at_risk = np.asarray(n_all[::-1].cumsum()[::-1])
    return at, n_at_risk, n_events, n_all - n_events


def _incidence_variance(
    incidence: Floats, before: Floats, n_at_risk: Floats, n_any: Floats, n_events: Floats
) -> Floats:
    """Return the delta-method variance of the cumulative incidence, by running sums instead of a double loop.

    The variance at time t sums over event times s <= t: (F(t)-F(s))^2 d/(n(n-d)) + S^2 d_k(n-d_k)/n^3
    - 2 (F(t)-F(s)) S d_k/n^2, which opens into sums that do not depend on t.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(n_any < n_at_risk, n_any / (n_at_risk * (n_at_risk - n_any)), 0.0)
    b = before * n_events / n_at_risk**2
    c = before**2 * n_events * (n_at_risk - n_events) / n_at_risk**3
    f = incidence
    square = f**2 * np.cumsum(a) - 2 * f * np.cumsum(a * f) + np.cumsum(a * f**2)
    cross = f * np.cumsum(b) - np.cumsum(b * f)
    return np.asarray(np.maximum(square + np.cumsum(c) - 2 * cross, 0.0))


def _log_log(probability: Floats, se: Floats, conf_level: float) -> tuple[Floats, Floats]:
    z = critical_value(conf_level)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.exp(z * se / (probability * np.log(probability)))
        low, high = probability ** (1 / spread), probability**spread
    flat = (probability <= 0) | (probability >= 1)
    return np.where(flat, probability, low), np.where(flat, probability, high)
