"""The same difference at equal traits: still an association, because it concerns only those who were pitched.

A logistic regression of the reply on timing and on what was known at connection, with standard errors clustered by
sender
(by week of connecting where there are few senders), and the difference in predicted reply averaged over the pitched.
It removes what the traits explain. It does not remove that later pitches go to people who have answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etiquette_analysis.analysis import inference
from etiquette_analysis.analysis.firth import firth
from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.analysis.uncertainty import MIN_CLUSTERS
from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.problem import Problem

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]


def associate(problem: Problem, now: Bools, later: Bools, *, withheld: bool = False) -> list[dict[str, Any]]:
    """Compare the replies of two groups of pitched connections at equal traits.

    Parameters
    ----------
    problem : Problem
        Outcome, covariates, senders.
    now, later : bool array (n,)
        The two groups.
    withheld : bool
        True returns the rows without numbers.

    Returns
    -------
    list of dict
        Rows of the result schema, estimand ``A any_later``: the log odds ratio (``log_or``) and the difference in
        predicted reply averaged over both groups (``rd``).
    """
    base = {"estimand": "A any_later", "n_now": int(now.sum()), "n_later": int(later.sum())}
    if withheld:
        return [{**base, "method": "logit", "scale": scale} for scale in ("log_or", "rd")]
    rows = np.flatnonzero(now | later)
    is_now = now[rows].astype(np.float64)
    X = np.column_stack([np.ones(len(rows)), is_now, problem.X[problem.cell[rows]]])
    X = X[:, [0, 1, *(j for j in range(2, X.shape[1]) if np.ptp(X[:, j]) > 0)]]
    by_sender = problem.n_senders >= MIN_CLUSTERS
    cluster = problem.sender[rows] if by_sender else problem.week[rows]
    found = adjusted_difference(
        X,
        problem.outcome[rows],
        cluster=cluster,
        unit="sender" if by_sender else "week",
        conf_level=problem.plan.conf_level,
    )
    return [base | row for row in found]


def adjusted_difference(
    X: Floats, y: Floats, *, cluster: NDArray[Any] | None = None, unit: str = "cluster", conf_level: float = 0.95
) -> list[dict[str, Any]]:
    """Return what column 1 of a design is worth at equal values of the others.

    Parameters
    ----------
    X, y : array
        Design (n, p): intercept, 1 for the group in question, traits; and the outcome, 0 or 1. Where the columns are
        collinear the traits are dropped.
    cluster : array (n,), optional
        One label per row, for the standard errors; robust ones where there is none or only one cluster.
    unit : str
        What a cluster is, for the name of the method.
    conf_level : float
        Of the intervals.

    Returns
    -------
    list of dict
        Two rows of the result schema: ``log_or``, and ``rd`` averaged over all rows. Firth's estimate, with its own
        standard errors, where the plain one is infinite.
    """
    if np.linalg.matrix_rank(X) < X.shape[1]:
        X = X[:, :2]
    is_clustered = cluster is not None and len(np.unique(cluster)) > 1
    method = f"logit, by {unit}" if cluster is not None else "logit"
    try:
        fit = inference.logit(X, y, cluster=cluster if is_clustered else None)
        coef, covariance = fit.coef, fit.covariance
    except DesignError:
        penalised = firth(X, y)
        coef, covariance, method = penalised.coef, penalised.covariance, "firth"
    z = float(critical_value(conf_level))
    se = float(np.sqrt(covariance[1, 1]))
    rd, rd_se = _standardised(X, coef, covariance)
    limits = {"low": coef[1] - z * se, "high": coef[1] + z * se}
    rd_limits = {"low": rd - z * rd_se, "high": rd + z * rd_se}
    return [
        {"method": method, "scale": "log_or", "estimate": coef[1], "se": se, **limits},
        {"method": f"{method}, standardised", "scale": "rd", "estimate": rd, "se": rd_se, **rd_limits},
    ]


def _standardised(X: Floats, coef: Floats, covariance: Floats) -> tuple[float, float]:
    """Return the mean difference in predicted reply, column 1 set to 1 and to 0, with its delta-method error."""
    one, zero = X.copy(), X.copy()
    one[:, 1], zero[:, 1] = 1.0, 0.0
    p1, p0 = (1 / (1 + np.exp(-(v @ coef))) for v in (one, zero))
    gradient = (one * (p1 * (1 - p1))[:, None] - zero * (p0 * (1 - p0))[:, None]).mean(axis=0)
    return float((p1 - p0).mean()), float(np.sqrt(gradient @ covariance @ gradient))
