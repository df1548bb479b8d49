"""Intervals for reply rates and for differences between them.

A rate from thirty pitches is not known to the percent, and the textbook interval (rate plus or minus two standard
errors) misleads exactly where such data live: small groups and rates near zero. Wilson's interval for one rate and
Newcombe's for a difference hold their promise there. MOVER builds the interval of a difference from the intervals of
its two parts, and so extends Newcombe's to weighted rates, whose precision is stated as an effective number of pitches.

Every function takes scalars or arrays of the same shape and works element by element; no pitches at all give NaN.

References
----------
Brown, Cai and DasGupta 2001, Statistical Science 16:101-133; Newcombe 1998, Statistics in Medicine 17:857-890;
Zou and Donner 2008, Statistics in Medicine 27:1693-1702.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special, stats

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper limit, of the shape of what went in."""

    low: Floats
    high: Floats


def critical_value(conf_level: float = 0.95, *, df: ArrayLike | None = None) -> Floats:
    """Return the two-sided quantile: of the normal, or of Student's t with ``df`` degrees of freedom.

    Raises
    ------
    DesignError
        Where ``conf_level`` is not strictly between 0 and 1.

    Examples
    --------
    >>> critical_value().round(3), critical_value(df=10).round(3)
    (np.float64(1.96), np.float64(2.228))
    """
    if not 0.0 < conf_level < 1.0:
        msg = f"conf_level={conf_level!r}: expected a number between 0 and 1, such as 0.95"
        raise DesignError(msg)
    tail = 0.5 + conf_level / 2
    if df is None:
        return np.float64(stats.norm.ppf(tail))  # type: ignore[return-value]
    return np.asarray(stats.t.ppf(tail, np.asarray(df, dtype=np.float64)))[()]


def wilson(successes: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Interval:
    """Return Wilson's score interval of a rate.

    Examples
    --------
    Nobody of 20 replied; the rate may still be 16 %:

    >>> wilson(0, 20).high.round(4)
    np.float64(0.1611)
    """
    x, size = _counts(successes, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _score_interval(x / size, size, critical_value(conf_level))


def clopper_pearson(successes: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Interval:
    """Return the exact interval of a rate, which covers at least as often as it says.

    Examples
    --------
    >>> clopper_pearson(0, 20).high.round(4)
    np.float64(0.1684)
    """
    x, size = _counts(successes, n)
    tail = (1 - conf_level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(x == 0, 0.0, special.betaincinv(x, size - x + 1, tail))
        high = np.where(x == size, 1.0, special.betaincinv(x + 1, size - x, 1 - tail))
    return _mask(low, high, size > 0)


def jeffreys(successes: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Interval:
    """Return Jeffreys' interval: the equal tails of the Beta(1/2, 1/2) posterior, closed at 0 and n successes.

    Examples
    --------
    >>> jeffreys(1, 29).low.round(4)
    np.float64(0.0037)
    """
    x, size = _counts(successes, n)
    tail = (1 - conf_level) / 2
    low = np.where(x == 0, 0.0, special.betaincinv(x + 0.5, size - x + 0.5, tail))
    high = np.where(x == size, 1.0, special.betaincinv(x + 0.5, size - x + 0.5, 1 - tail))
    return _mask(low, high, size > 0)


def newcombe(
    successes_1: ArrayLike, n_1: ArrayLike, successes_2: ArrayLike, n_2: ArrayLike, *, conf_level: float = 0.95
) -> Interval:
    """Return Newcombe's interval (his method 10) of rate 1 minus rate 2, two independent groups.

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> low.round(4), high.round(4)
    (np.float64(0.0524), np.float64(0.3339))
    """
    x_1, size_1 = _counts(successes_1, n_1)
    x_2, size_2 = _counts(successes_2, n_2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return mover(
            x_1 / size_1,
            wilson(x_1, size_1, conf_level=conf_level),
            x_2 / size_2,
            wilson(x_2, size_2, conf_level=conf_level),
        )


def mover(
    estimate_1: ArrayLike,
    interval_1: tuple[ArrayLike, ArrayLike],
    estimate_2: ArrayLike,
    interval_2: tuple[ArrayLike, ArrayLike],
    *,
    correlation: ArrayLike = 0.0,
) -> Interval:
    """Return the interval of estimate 1 minus estimate 2 from the interval of each ("method of variance recovery").

    Parameters
    ----------
    estimate_1, estimate_2 : array_like
        The two estimates.
    interval_1, interval_2 : pair of array_like
        Their lower and upper limits, at the level wanted for the difference.
    correlation : array_like
        Correlation of the two estimates, in [-1, 1]: their covariance divided by both standard errors.

    Examples
    --------
    Two rates on the same people move together, which narrows the interval of their difference:

    >>> apart = mover(0.3, (0.2, 0.4), 0.2, (0.1, 0.3))
    >>> paired = mover(0.3, (0.2, 0.4), 0.2, (0.1, 0.3), correlation=0.5)
    >>> round(float(apart.high - apart.low), 4), round(float(paired.high - paired.low), 4)
    (0.2828, 0.2)
    """
    e1, e2 = np.asarray(estimate_1, dtype=np.float64), np.asarray(estimate_2, dtype=np.float64)
    l1, u1 = (np.asarray(v, dtype=np.float64) for v in interval_1)
    l2, u2 = (np.asarray(v, dtype=np.float64) for v in interval_2)
    r = np.clip(np.asarray(correlation, dtype=np.float64), -1.0, 1.0)
    below = (e1 - l1) ** 2 + (u2 - e2) ** 2 - 2 * r * (e1 - l1) * (u2 - e2)
    above = (u1 - e1) ** 2 + (e2 - l2) ** 2 - 2 * r * (u1 - e1) * (e2 - l2)
    difference = e1 - e2
    return Interval(difference - np.sqrt(np.maximum(below, 0.0)), difference + np.sqrt(np.maximum(above, 0.0)))


def effective_n(rate: ArrayLike, se: ArrayLike, *, fallback: ArrayLike = np.nan) -> Floats:
    """Return the number of plain coin flips that would know ``rate`` as well as its standard error says.

    ``fallback`` (the effective sample size of the weights, say) stands in where the rate is 0 or 1 or the standard
    error is 0, since such an estimate only looks certain.

    Examples
    --------
    >>> effective_n(0.2, 0.04).round(6)
    np.float64(100.0)
    """
    p, s = np.asarray(rate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    degenerate = (p <= 0) | (p >= 1) | (s <= 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(degenerate, np.asarray(fallback, dtype=np.float64), p * (1 - p) / s**2)[()]


def effective_wilson(
    rate: ArrayLike,
    se: ArrayLike,
    *,
    conf_level: float = 0.95,
    df: ArrayLike | None = None,
    fallback: ArrayLike = np.nan,
) -> Interval:
    """Return Wilson's interval of a weighted rate, at its effective number of pitches and with Student's quantile.

    Parameters
    ----------
    rate, se : array_like
        The rate (clipped to [0, 1]) and its standard error.
    conf_level : float
        Two-sided level.
    df : array_like, optional
        Degrees of freedom; the normal quantile where not given.
    fallback : array_like
        Effective number of pitches where the rate is 0 or 1; see :func:`effective_n`.

    Examples
    --------
    With the standard error of a plain proportion it is Wilson's own interval:

    >>> plain = effective_wilson(15 / 148, (15 / 148 * 133 / 148 / 148) ** 0.5)
    >>> bool(np.isclose(plain.low, wilson(15, 148).low))
    True
    """
    p = np.clip(np.asarray(rate, dtype=np.float64), 0.0, 1.0)
    return _score_interval(p, effective_n(p, se, fallback=fallback), critical_value(conf_level, df=df))


def _score_interval(p: Floats, n: Floats, z: Floats) -> Interval:
    with np.errstate(invalid="ignore", divide="ignore"):
        shrink = 1 + z**2 / n
        centre = (p + z**2 / (2 * n)) / shrink
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / shrink
    low = np.where(p == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(p == 1, 1.0, np.minimum(centre + half, 1.0))
    return _mask(low, high, n > 0)


def _mask(low: Floats, high: Floats, known: NDArray[np.bool_]) -> Interval:
    return Interval(np.where(known, low, np.nan)[()], np.where(known, high, np.nan)[()])


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    x, size = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if np.any((x < 0) | (x > size)):
        msg = "a number of replies is negative or larger than its number of pitches; expected 0 <= successes <= n"
        raise DesignError(msg)
    return x, size
