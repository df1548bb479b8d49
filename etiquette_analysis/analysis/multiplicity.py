"""Several questions asked of the same data: p-values that count how many were asked.

Four secondary contrasts at 5 % each find "something" in nearly one null data set of five. Holm's step-down bounds the
chance of any false claim; Benjamini and Hochberg bound the expected share of false ones among those made. Both return
adjusted p-values in the order given, to be read against the usual level. A NaN (not answerable) was not asked: it stays
NaN and does not count.

References
----------
Holm 1979, Scandinavian Journal of Statistics 6:65-70; Benjamini and Hochberg 1995, JRSS B 57:289-300.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's adjusted p-values.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, float("nan")])
    array([0.03, 0.06, 0.06,  nan])
    """
    p, asked, order = _sorted(p_values)
    m = len(order)
    steps = p[order] * np.arange(m, 0, -1)
    return _back(p, order, np.minimum(np.maximum.accumulate(steps), 1.0), asked)


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return Benjamini and Hochberg's adjusted p-values.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """
    p, asked, order = _sorted(p_values)
    m = len(order)
    steps = p[order] * m / np.arange(1, m + 1)
    return _back(p, order, np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0), asked)


def _sorted(p_values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.intp]]:
    p = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    asked = ~np.isnan(p)
    if np.any((p[asked] < 0) | (p[asked] > 1)):
        msg = f"a p-value of {p[asked][(p[asked] < 0) | (p[asked] > 1)][0]} is outside [0, 1]"
        raise DesignError(msg)
    rows = np.flatnonzero(asked)
    return p, asked, rows[np.argsort(p[rows], kind="stable")]


def _back(
    p: NDArray[np.float64], order: NDArray[np.intp], adjusted: NDArray[np.float64], asked: NDArray[np.bool_]
) -> NDArray[np.float64]:
    out = np.where(asked, p, np.nan)
    out[order] = adjusted
    return out
