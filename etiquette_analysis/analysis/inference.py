"""Standard errors that admit what the data are: unequal variances, clusters, small samples, separation.

Two pitches of one sender, or in one week's campaign, tell less than two independent ones, and a model fitted to few
replies looks surer than it is. A *sandwich* puts the empirical spread of each row's (or cluster's) score around the
curvature of the model; HC3 divides each residual by one minus its leverage, which keeps small samples honest; two-way
clustering serves pitches that share a sender with some and a recipient with others. A *cluster bootstrap* redraws whole
clusters, as weights: all its draws are one matrix product. Firth's penalty gives a finite answer where a group has no
reply at all.

Small-sample factors are those of statsmodels (and Stata): HC1 n/(n-k); clusters G/(G-1) * (n-1)/(n-k).

References
----------
Cameron, Gelbach and Miller 2011, J Bus Econ Stat 29:238-249.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Robust = Literal["HC0", "HC1", "HC3"]

#: Rows of a Newton step taken at a time, and the size from which looking for repeated rows pays.
BLOCK: Final = 4096
COLLAPSE_ABOVE: Final = 500
#: A column with more distinct values than this does not make cells.
MOST_VALUES: Final = 64
#: Bootstrap weights made at a time: they stay in the processor's cache.
MOST_WEIGHTS: Final = 65_536


@dataclass(frozen=True)
class Fit:
    """A fitted linear or logistic model with a sandwich covariance.

    Attributes
    ----------
    coef : array (p,)
        Coefficients.
    covariance : array (p, p)
        Their sandwich covariance.
    fitted : array (n,)
        Fitted values, on the scale of the outcome.
    """

    coef: Floats
    covariance: Floats
    fitted: Floats

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))


def ols(
    X: ArrayLike,
    y: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[ArrayLike] | None = None,
    robust: Robust | None = "HC1",
) -> Fit:
    """Fit least squares, weighted where asked, with robust or clustered standard errors.

    Parameters
    ----------
    X, y : array_like
        Design of shape (n, p), intercept included, and outcome.
    weights : array_like, optional
        Non-negative weights of the rows.
    cluster : array_like or sequence of two, optional
        Cluster of each row; a list of two gives two-way clustering. Overrides ``robust``.
    robust : {"HC0", "HC1", "HC3"} or None
        None gives the classical covariance (equal variances).

    Examples
    --------
    >>> fit = ols([[1, 0], [1, 0], [1, 1], [1, 1]], [0, 1, 1, 1])
    >>> fit.coef.round(2), fit.se.round(2)
    (array([0.5, 0.5]), array([0.5, 0.5]))
    """
    x, target = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=np.float64)
    wx = x * w[:, None]
    bread = np.asarray(np.linalg.inv(wx.T @ x))
    coef = bread @ (wx.T @ target)
    fitted = x @ coef
    residual = target - fitted
    if cluster is None and robust is None:
        scale = float(np.sum(w * residual**2)) / (len(target) - x.shape[1])
        return Fit(coef, bread * scale, fitted)
    return Fit(coef, sandwich(x, residual, bread, weights=w, curvature=w, cluster=cluster, robust=robust), fitted)


def logit(
    X: ArrayLike,
    y: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[ArrayLike] | None = None,
    robust: Robust | None = "HC0",
) -> Fit:
    """Fit a logistic regression by Newton's method, with model-based, robust or clustered standard errors.

    Parameters are those of :func:`ols`; ``robust=None`` gives the inverse of the information.

    Raises
    ------
    DesignError
        Where no finite estimate exists (a group all of whose members did, or did not, reply): use :func:`firth.firth`.

    Examples
    --------
    >>> fit = logit([[1, 0]] * 4 + [[1, 1]] * 4, [0, 0, 0, 1, 0, 1, 1, 1])
    >>> fit.coef.round(4)
    array([-1.0986,  2.1972])
    """
    x, target = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w = None if weights is None else np.asarray(weights, dtype=np.float64)
    code, cells = _cells(x) if len(x) > COLLAPSE_ABOVE else (None, x)
    if code is None:
        coef, fitted, bread = _newton(x, np.ones(len(x)) if w is None else w, target if w is None else target * w)
    else:
        # Rows that agree in every column are one cell: its row and reply counts say all there is to know.
        n_cells = len(cells)
        coef, cell_fitted, bread = _newton(
            cells,
            np.bincount(code, weights=w, minlength=n_cells).astype(np.float64),
            np.bincount(code, weights=target if w is None else target * w, minlength=n_cells).astype(np.float64),
        )
        fitted = cell_fitted[code]
    if cluster is None and robust is None:
        return Fit(coef, bread, fitted)
    residual = target - fitted
    if code is not None and cluster is not None and not _is_several(cluster):
        return Fit(coef, _clustered_cells(cells, code, residual if w is None else residual * w, bread, cluster), fitted)
    curvature = fitted * (1 - fitted)
    curvature = curvature if w is None else curvature * w
    return Fit(
        coef, sandwich(x, residual, bread, weights=w, curvature=curvature, cluster=cluster, robust=robust), fitted
    )


def _newton(x: Floats, count: Floats, replies: Floats) -> tuple[Floats, Floats, Floats]:
    """Maximise the likelihood of ``replies`` out of ``count`` in each row; return coefficients, chances, bread.

    The rows are taken in blocks that stay in the processor's cache, as columns of a transposed copy.
    """
    n, p = x.shape
    xt = np.ascontiguousarray(x.T)
    coef = np.zeros(p)
    share = float(replies.sum() / count.sum())
    if 0 < share < 1 and np.all(xt[0] == 1.0):
        coef[0] = np.log(share / (1 - share))
    mu = np.empty(n)
    settled = False
    for _ in range(40):
        gradient, information = np.zeros(p), np.zeros((p, p))
        for start in range(0, n, BLOCK):
            block = slice(start, start + BLOCK)
            part = 1.0 / (1.0 + np.exp(-(coef @ xt[:, block])))
            mu[block] = part
            expected = count[block] * part
            gradient += xt[:, block] @ (replies[block] - expected)
            information += (xt[:, block] * (expected * (1.0 - part))) @ xt[:, block].T
        try:
            bread = np.asarray(np.linalg.inv(information))
        except np.linalg.LinAlgError:
            break
        step = bread @ gradient
        coef = coef + step
        if settled:
            return coef, mu, bread
        # Newton converges quadratically: after a step below 1e-6 one more evaluation is exact to rounding.
        settled = float(np.max(np.abs(step))) < 1e-6
        if not float(np.max(np.abs(coef))) < 50:
            break
    msg = (
        f"the logistic regression of {int(count.sum())} rows on {p} columns has no finite estimate: some combination "
        "of columns separates replies from silence. Use firth.firth(), or drop a column."
    )
    raise DesignError(msg)


def _cells(x: Floats) -> tuple[NDArray[np.int64] | None, Floats]:
    """Return the cell of each row and the cells, where every column has few values; else None and the rows."""
    whole = _small_integers(x)
    if whole is not None:
        low, high = (_over_rows(whole, f).astype(np.int64) for f in (np.minimum, np.maximum))
        n_values = high - low + 1
        if float(np.prod(n_values.astype(np.float64))) > len(x) // 4:
            return None, x
        size = int(np.prod(n_values))
        strides = np.concatenate([np.cumprod(n_values[:0:-1])[::-1], [1]])
        code = (x @ strides.astype(np.float64)).astype(np.int64) - int(low @ strides)
    else:
        code, size = np.zeros(len(x), dtype=np.int64), 1
        for column in x.T:
            values = np.unique(column[:512])
            size *= len(values)
            if len(values) > MOST_VALUES or size > len(x) // 4:
                return None, x
            place = np.minimum(np.searchsorted(values, column), len(values) - 1)
            if not np.array_equal(values[place], column):
                return None, x
            code = code * len(values) + place
    present = np.flatnonzero(np.bincount(code, minlength=size))
    rank = np.zeros(size, dtype=np.int64)
    rank[present] = np.arange(len(present))
    code = rank[code]
    first = np.empty(len(present), dtype=np.int64)
    first[code[::-1]] = np.arange(len(x))[::-1]
    return code, x[first]


def _small_integers(x: Floats) -> NDArray[np.int8] | None:
    """Return ``x`` as bytes where that loses nothing; a look at the first rows spares the rest most of the work."""
    for rows in (x[:64], x):
        with np.errstate(invalid="ignore"):
            whole = rows.astype(np.int8)  # what does not fit, or is not finite, comes back as something else
        if not np.array_equal(whole, rows):
            return None
    return whole


def _over_rows(whole: NDArray[np.int8], reduce: np.ufunc) -> NDArray[np.int8]:
    """Reduce over the rows, 64 at a time: long inner loops are what NumPy is fast at."""
    n, p = whole.shape
    even = n - n % 64
    parts = [whole[even:]]
    if even:
        parts.append(reduce.reduce(whole[:even].reshape(-1, 64 * p), axis=0).reshape(64, p))
    return np.asarray(reduce.reduce(np.concatenate(parts), axis=0))


def _clustered_cells(
    cells: Floats, code: NDArray[np.int64], residual: Floats, bread: Floats, cluster: ArrayLike | Sequence[ArrayLike]
) -> Floats:
    """Return the one-way clustered sandwich from the residual sum of each (cluster, cell)."""
    n, n_cells = len(code), len(cells)
    group, n_groups = cluster_codes(cluster, n)
    if n_groups * n_cells > 4 * n:
        return _one_way(cells[code] * residual[:, None], bread, group, n_groups)
    sums = np.bincount(group * n_cells + code, weights=residual, minlength=n_groups * n_cells)
    return _spread(sums.reshape(n_groups, n_cells) @ cells, bread, n)


def sandwich(
    X: Floats,
    residual: Floats,
    bread: Floats,
    *,
    weights: Floats | None = None,
    curvature: Floats | None = None,
    cluster: ArrayLike | Sequence[ArrayLike] | None = None,
    robust: Robust | None = "HC0",
) -> Floats:
    """Return the sandwich covariance of a model whose row scores are ``weights * residual * X``.

    Parameters
    ----------
    X, residual, bread : array
        Design (n, p), raw residuals (n,), inverse information (p, p).
    weights : array, optional
        Weights of the rows in the score.
    curvature : array, optional
        Weights of the rows in the information, needed for the leverages of HC3; 1 where not given.
    cluster : array_like or sequence of two, optional
        One label per row, or a list of two such for two-way clustering.
    robust : {"HC0", "HC1", "HC3"}
        Ignored with clusters.
    """
    n, p = X.shape
    score = X * (residual if weights is None else residual * weights)[:, None]
    if cluster is not None:
        return _clustered(score, bread, cluster)
    if robust == "HC3":
        c = np.ones(n) if curvature is None else curvature
        leverage = c * np.einsum("ij,jk,ik->i", X, bread, X)
        score = score / (1 - leverage)[:, None]
    factor = n / (n - p) if robust == "HC1" else 1.0
    return np.asarray(factor * bread @ (score.T @ score) @ bread)


def _clustered(score: Floats, bread: Floats, cluster: ArrayLike | Sequence[ArrayLike]) -> Floats:
    ways = [np.asarray(c) for c in cluster] if _is_several(cluster) else [np.asarray(cluster)]  # type: ignore[union-attr]
    if len(ways) > 2:
        msg = f"{len(ways)} sets of clusters given; expected one, or a list of two for two-way clustering"
        raise DesignError(msg)
    codes = [cluster_codes(c, len(score)) for c in ways]
    if len(codes) == 1:
        return _one_way(score, bread, *codes[0])
    (first, n_first), (second, n_second) = codes
    both = cluster_codes(first * n_second + second, len(score))
    return (
        _one_way(score, bread, first, n_first)
        + _one_way(score, bread, second, n_second)
        - _one_way(score, bread, *both)
    )


def _is_several(cluster: ArrayLike | Sequence[ArrayLike]) -> bool:
    return isinstance(cluster, (list, tuple)) and len(cluster) > 0 and np.ndim(cluster[0]) > 0


def _one_way(score: Floats, bread: Floats, code: NDArray[np.int64], n_clusters: int) -> Floats:
    n = len(score)
    return _spread(score if n_clusters == n else cluster_sums(score, code, n_clusters), bread, n)


def _spread(sums: Floats, bread: Floats, n: int) -> Floats:
    n_clusters, p = sums.shape
    if n_clusters < 2:
        msg = f"{n_clusters} cluster: a clustered standard error needs at least two"
        raise DesignError(msg)
    factor = n_clusters / (n_clusters - 1) * (n - 1) / (n - p)
    return np.asarray(factor * bread @ (sums.T @ sums) @ bread)


def cluster_codes(cluster: ArrayLike | Sequence[ArrayLike], n: int) -> tuple[NDArray[np.int64], int]:
    """Return each row's cluster as 0, 1, ... and the number of clusters.

    Raises
    ------
    DesignError
        Where there is not one label per row.

    Examples
    --------
    >>> cluster_codes(["b", "a", "b"], 3)
    (array([1, 0, 1]), 2)
    """
    labels = np.asarray(cluster)
    if labels.shape != (n,):
        msg = f"cluster labels of shape {labels.shape} for {n} rows; expected one label per row"
        raise DesignError(msg)
    if labels.dtype.kind in "iu" and n and labels.min() >= 0 and labels.max() < 8 * n:
        present = np.bincount(labels) > 0  # counting beats sorting where labels are small integers
        return (np.cumsum(present) - 1)[labels], int(present.sum())
    values, code = np.unique(labels, return_inverse=True)
    return code.astype(np.int64), len(values)


def cluster_sums(values: Floats, code: NDArray[np.int64], n_clusters: int) -> Floats:
    """Return the sum of ``values`` (n, k) within each cluster, shape (n_clusters, k)."""
    return np.column_stack([np.bincount(code, weights=column, minlength=n_clusters) for column in values.T])


def multinomial_weights(n_clusters: int, n_draws: int, *, rng: np.random.Generator) -> Floats:
    """Return how often each cluster is drawn in each bootstrap sample, shape (n_draws, n_clusters).

    Examples
    --------
    >>> multinomial_weights(5, 3, rng=np.random.default_rng(1)).sum(axis=1)
    array([5., 5., 5.])
    """
    drawn = rng.integers(0, n_clusters, (n_draws, n_clusters))
    drawn += np.arange(n_draws)[:, None] * n_clusters
    counts = np.bincount(drawn.ravel(), minlength=n_draws * n_clusters)
    return counts.reshape(n_draws, n_clusters).astype(np.float64)


def cluster_bootstrap(
    numerator: ArrayLike, denominator: ArrayLike, cluster: ArrayLike, *, n_draws: int = 1000, rng: np.random.Generator
) -> Floats:
    """Redraw whole clusters and return the bootstrap draws of sum(numerator) / sum(denominator).

    Parameters
    ----------
    numerator, denominator : array_like
        Shape (n,) or (n, k), k ratios at once: replies and pitches by arm, say.
    cluster : array_like
        Cluster of each row.
    n_draws : int
        Number of bootstrap samples.
    rng : Generator
        Source of randomness.

    Returns
    -------
    array
        Shape (n_draws, k); NaN where a draw has nothing to divide by.

    Examples
    --------
    >>> draws = cluster_bootstrap([1, 0, 1, 0], [1, 1, 1, 1], [1, 1, 2, 2], n_draws=100, rng=np.random.default_rng(1))
    >>> draws.shape, float(draws.std())
    ((100, 1), 0.0)
    """
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    top, bottom = (v[:, None] if v.ndim == 1 else v for v in (top, bottom))
    code, n_clusters = cluster_codes(cluster, len(top))
    sums = cluster_sums(np.hstack([top, bottom]), code, n_clusters)
    step = max(1, MOST_WEIGHTS // max(n_clusters, 1))
    parts = [min(step, n_draws - start) for start in range(0, n_draws, step)]
    drawn = np.vstack([multinomial_weights(n_clusters, part, rng=rng) @ sums for part in parts])
    k = top.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(drawn[:, :k] / drawn[:, k:])
