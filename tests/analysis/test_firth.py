"""Firth's regression: against the penalised likelihood maximised by scipy, and by hand on a two-by-two table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from etiquette_analysis.analysis import firth as inf
from etiquette_analysis.errors import DesignError


def test_firth_equals_the_penalised_likelihood_maximised_by_scipy():
    x = np.column_stack([np.ones(24), np.repeat([0, 1], 12), np.tile([0.2, -1.0, 0.7], 8)])
    y = np.array([0] * 12 + [0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0], dtype=float)

    def minus(beta):
        eta = x @ beta
        mu = 1 / (1 + np.exp(-eta))
        information = (x.T * (mu * (1 - mu))) @ x
        return -(y @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(information)[1])

    best = minimize(minus, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000})
    fit = inf.firth(x, y)
    np.testing.assert_allclose(fit.coef, best.x, atol=1e-5)
    assert fit.penalised_loglik >= -best.fun - 1e-9


def test_firth_of_a_two_by_two_table_adds_half_to_each_cell():
    x = np.column_stack([np.ones(20), np.repeat([0, 1], 10)])
    y = np.array([0] * 10 + [1] * 4 + [0] * 6, dtype=float)
    fit = inf.firth(x, y)
    np.testing.assert_allclose(fit.coef[0], np.log(0.5 / 10.5), atol=1e-8)
    np.testing.assert_allclose(fit.coef[1], np.log(4.5 / 6.5) - np.log(0.5 / 10.5), atol=1e-8)
    np.testing.assert_allclose(fit.fitted.mean(), y.mean(), atol=1e-10)


def test_fractional_steps_settle_on_a_hard_case():
    x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [1e3, -1e3, 0, 0, 1, 2]])
    with pytest.raises(DesignError, match="of 6 rows did not settle in 1 steps; drop a column"):
        inf.firth(x, [0, 0, 0, 1, 1, 1], max_iter=1)
