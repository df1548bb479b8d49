"""Logistic regression by Newton's method: the one fitting routine that every estimator here shares.

The plan needs thousands of small fits (daily hazards, outcome regressions, resamples), with weights, with
fractional outcomes (a mean of predictions is regressed again), and with a ridge as a guard against separation or
as a random intercept per sender. statsmodels fits the same model and the tests hold this one to it; the reason for
having our own is speed and the sender blocks, which are eliminated instead of being expanded into columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MAX_ITER = 60
_MAX_HALVINGS = 12


@dataclass(frozen=True)
class LogisticFit:
    """A fitted logistic regression.

    Attributes
    ----------
    coef : float64 array (p,)
        Coefficients on the logit scale, intercept first.
    fitted : float64 array (n,)
        Fitted probabilities.
    hessian : float64 array (p, p)
        Minus the second derivative of the penalised log likelihood: ``X'WX + diag(ridge)``, the groups eliminated.
    converged : bool
        False where the last step was still larger than ``tol`` (separation without ridge, say).
    n_iter : int
        Newton steps taken.
    group_coef : float64 array (G,)
        Intercept shifts of the groups; empty where there are none.
    """

    coef: Floats
    fitted: Floats
    hessian: Floats
    converged: bool
    n_iter: int
    group_coef: Floats

    def predict(self, X: Floats, groups: Ints | None = None) -> Floats:
        """Return the probability for new rows (and their groups, where the fit had groups)."""
        eta = X @ self.coef
        if groups is not None and len(self.group_coef):
            eta = eta + self.group_coef[groups]
        return np.asarray(expit(eta))


def fit_logistic(
    X: Floats,
    y: Floats,
    *,
    weights: Floats | None = None,
    ridge: float | Floats = 0.0,
    tol: float = 1e-10,
    groups: Ints | None = None,
    n_groups: int = 0,
    group_ridge: float = 1.0,
) -> LogisticFit:
    """Fit a logistic regression by penalised, weighted maximum likelihood.

    Parameters
    ----------
    X : float64 array (n, p)
        Regressors; column 0 is the intercept.
    y : float64 array (n,)
        Outcome in [0, 1]; fractions are allowed.
    weights : float64 array (n,), optional
        Nonnegative weights or counts; 1 where not given.
    ridge : float or float64 array (p,)
        ``ridge/2 * coef**2`` is subtracted from the log likelihood; a number leaves the intercept free.
    tol : float
        Stop when no coefficient moves by more than ``tol`` times (1 + the largest).
    groups : int64 array (n,), optional
        Group of each row, 0 to ``n_groups`` - 1: each gets an intercept shift with ridge ``group_ridge``, which is a
        random intercept with variance ``1 / group_ridge``.

    Returns
    -------
    LogisticFit
        ``converged`` is False, and nothing is raised, where the likelihood has no maximum.

    Examples
    --------
    Two of eight said yes without, four of six with: the coefficient is the log odds ratio, log 6.

    >>> import numpy as np
    >>> X, y = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([2 / 8, 4 / 6])
    >>> fit = fit_logistic(X, y, weights=np.array([8.0, 6.0]))
    >>> round(float(np.exp(fit.coef[1])), 6), fit.converged
    (6.0, True)
    """
    model = _Model(X, y, weights, ridge, groups, n_groups, group_ridge)
    at = model.start()
    hessian, converged, n_iter = np.eye(X.shape[1]), False, 0
    while not converged and n_iter < _MAX_ITER:
        n_iter += 1
        hessian, step, shift_step = model.newton_step(at)
        size = max(float(np.abs(step).max()), float(np.abs(shift_step).max(initial=0.0)))
        converged = size <= tol * (1.0 + float(np.abs(at.coef).max()))
        at = model.move(at, step, shift_step)
    return LogisticFit(at.coef, at.fitted, hessian, converged, n_iter, at.shift)


@dataclass(frozen=True)
class _Point:
    """Coefficients, group shifts, fitted values and the penalised loss there."""

    coef: Floats
    shift: Floats
    fitted: Floats
    loss: float


class _Model:
    """The penalised likelihood of one regression."""

    def __init__(
        self,
        X: Floats,
        y: Floats,
        weights: Floats | None,
        ridge: float | Floats,
        groups: Ints | None,
        n_groups: int,
        group_ridge: float,
    ) -> None:
        self.X, self.y, self.groups, self.n_groups = X, y, groups, n_groups
        self.weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        penalty = ridge if isinstance(ridge, np.ndarray) else np.append(0.0, np.full(X.shape[1] - 1, ridge))
        self.penalty = np.asarray(penalty, dtype=np.float64)
        self.shift_penalty = np.full(n_groups, float(group_ridge))

    def start(self) -> _Point:
        """Return the intercept-only fit."""
        coef, total = np.zeros(self.X.shape[1]), float(self.weight.sum())
        mean = float(self.weight @ self.y) / total if total > 0 else 0.5
        coef[0] = float(np.log(mean / (1 - mean))) if 0 < mean < 1 else 0.0
        return self.at(coef, np.zeros(self.n_groups))

    def at(self, coef: Floats, shift: Floats) -> _Point:
        """Evaluate fitted values and loss."""
        eta = self.X @ coef if self.groups is None else self.X @ coef + shift[self.groups]
        # One exponential serves the probability and the loss, log(1 + exp(eta)) - y eta, without overflow.
        small = np.exp(-np.abs(eta))
        fitted = np.where(eta >= 0, 1.0, small) / (1.0 + small)
        loss = np.log1p(small) + np.maximum(eta, 0.0) - self.y * eta
        penalty = float(self.penalty @ coef**2 + self.shift_penalty @ shift**2)
        return _Point(coef, shift, fitted, float(self.weight @ loss) + 0.5 * penalty)

    def newton_step(self, at: _Point) -> tuple[Floats, Floats, Floats]:
        """Return the Hessian with the groups eliminated, and the step in coefficients and shifts."""
        X, groups, p = self.X, self.groups, self.X.shape[1]
        variance, score = self.weight * at.fitted * (1 - at.fitted), self.weight * (self.y - at.fitted)
        root = np.sqrt(variance)[:, None] * X
        hessian = root.T @ root
        hessian.flat[:: p + 1] += self.penalty
        gradient = X.T @ score - self.penalty * at.coef
        if groups is None:
            return hessian, _solve(hessian, gradient), np.zeros(0)
        cross, diagonal = _group_blocks(X, variance, groups, self.shift_penalty)
        shift_gradient = np.bincount(groups, score, self.n_groups) - self.shift_penalty * at.shift
        hessian = hessian - cross.T @ (cross / diagonal[:, None])
        step = _solve(hessian, gradient - cross.T @ (shift_gradient / diagonal))
        return hessian, step, (shift_gradient - cross @ step) / diagonal

    def move(self, at: _Point, step: Floats, shift_step: Floats) -> _Point:
        """Take the step, halved until the loss no longer rises."""
        for _ in range(_MAX_HALVINGS):
            new = self.at(at.coef + step, at.shift + shift_step)
            if new.loss <= at.loss + 1e-9 * (1 + abs(at.loss)):
                break
            step, shift_step = step / 2, shift_step / 2
        return new


def _group_blocks(X: Floats, variance: Floats, groups: Ints, penalty: Floats) -> tuple[Floats, Floats]:
    """Return the Hessian blocks groups x columns and (diagonal) groups x groups."""
    n_groups = len(penalty)
    cross = np.column_stack([np.bincount(groups, variance * X[:, j], n_groups) for j in range(X.shape[1])])
    return cross.astype(np.float64), np.bincount(groups, variance, n_groups).astype(np.float64) + penalty


def _solve(hessian: Floats, gradient: Floats) -> Floats:
    """Solve one Newton step; by least squares where columns are collinear."""
    try:
        return np.asarray(np.linalg.solve(hessian, gradient))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0])


def leverage(
    X: Floats,
    fit: LogisticFit,
    *,
    weights: Floats | None = None,
    groups: Ints | None = None,
    group_ridge: float = 1.0,
) -> Floats:
    """Return each row's leverage: the share of its own weight in its fitted value (0 to 1, ridge included).

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.ones((4, 1)), np.array([0.0, 1.0, 1.0, 1.0])
    >>> leverage(X, fit_logistic(X, y)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    weight = np.ones(len(X)) if weights is None else weights
    variance = weight * fit.fitted * (1 - fit.fitted)
    if groups is None:
        inverse = np.linalg.pinv(fit.hessian, hermitian=True)
        return np.asarray(variance * np.einsum("ij,jk,ik->i", X, inverse, X, optimize=True))
    cross, diagonal = _group_blocks(X, variance, groups, np.full(len(fit.group_coef), float(group_ridge)))
    centred = X - (cross / diagonal[:, None])[groups]
    inverse = np.linalg.pinv(fit.hessian, hermitian=True)
    own = np.einsum("ij,jk,ik->i", centred, inverse, centred, optimize=True) + 1.0 / diagonal[groups]
    return np.asarray(variance * own)
