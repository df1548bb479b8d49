"""Firth's logistic regression: a finite answer where a group has no reply at all.

With thirty late pitches it happens that nobody in some group replied; the plain logistic regression then runs off to
infinity. Firth's penalty (Jeffreys' prior) keeps the estimate finite and takes out its first-order bias. Its fitted
probabilities would be pulled towards one half, so FLIC re-estimates the intercept until their mean is the observed
rate.

References
----------
Firth 1993, Biometrika 80:27-38; Heinze and Schemper 2002, Stat Med 21:2409-2419; Puhr et al. 2017, Stat Med
36:2302-2317.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FirthFit:
    """Firth's penalised logistic regression.

    Attributes
    ----------
    coef, covariance : array
        Estimates, finite even under separation, and the inverse information.
    fitted : array
        Probabilities with FLIC: the intercept is re-estimated so that their mean is the observed rate.
    flic_intercept : float
        That intercept; ``coef[0]`` is the one before correction.
    penalised_loglik : float
        Maximum of the penalised log likelihood, for profile tests.
    """

    coef: Floats
    covariance: Floats
    fitted: Floats
    flic_intercept: float
    penalised_loglik: float

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))


def firth(X: ArrayLike, y: ArrayLike, *, tol: float = 1e-10, max_iter: int = 200) -> FirthFit:
    """Fit a logistic regression with Firth's penalty and FLIC predictions; column 0 of ``X`` is the intercept.

    Raises
    ------
    DesignError
        Where the iteration does not settle.

    Examples
    --------
    Nobody in the first group replied; the plain estimate would be infinite:

    >>> fit = firth([[1, 0]] * 5 + [[1, 1]] * 5, [0] * 5 + [0, 0, 1, 1, 1])
    >>> fit.coef.round(4), float(fit.fitted.mean().round(6))
    (array([-2.3979,  2.7344]), 0.3)
    """
    x, target = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    coef = np.zeros(x.shape[1])
    loglik, mu, information = _penalised(x, target, coef)
    for _ in range(max_iter):
        bread = np.linalg.inv(information)
        leverage = mu * (1 - mu) * np.einsum("ij,jk,ik->i", x, bread, x)
        step = bread @ (x.T @ (target - mu + leverage * (0.5 - mu)))
        step *= min(1.0, 5.0 / max(float(np.max(np.abs(step))), 1e-300))
        for _half in range(30):
            trial = _penalised(x, target, coef + step)
            if trial[0] >= loglik - 1e-12:
                break
            step = step / 2
        coef = coef + step
        loglik, mu, information = trial
        if float(np.max(np.abs(step))) < tol:
            intercept = _flic(x[:, 1:] @ coef[1:], float(target.mean()), start=float(coef[0]))
            fitted = 1 / (1 + np.exp(-(intercept + x[:, 1:] @ coef[1:])))
            covariance = np.asarray(np.linalg.inv(information))
            return FirthFit(coef, covariance, fitted, intercept, float(loglik))
    msg = f"Firth's logistic regression of {len(target)} rows did not settle in {max_iter} steps; drop a column"
    raise DesignError(msg)


def _penalised(x: Floats, y: Floats, coef: Floats) -> tuple[float, Floats, Floats]:
    eta = x @ coef
    mu = 1 / (1 + np.exp(-eta))
    information = (x * (mu * (1 - mu))[:, None]).T @ x
    return float(y @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(information)[1]), mu, information


def _flic(offset: Floats, mean: float, *, start: float) -> float:
    """Return the intercept at which the mean probability equals ``mean``."""
    if not 0 < mean < 1:
        return start
    a = start
    for _ in range(100):
        mu = 1 / (1 + np.exp(-(a + offset)))
        step = float((mean - mu.mean()) / (mu * (1 - mu)).mean())
        a += max(-2.0, min(2.0, step))
        if abs(step) < 1e-12:
            break
    return a
