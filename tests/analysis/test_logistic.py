"""The Newton logistic against statsmodels, and the sender blocks against the same model with columns."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from etiquette_analysis.analysis.logistic import fit_logistic, leverage


def _data(n=400, p=4, seed=3):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.standard_normal((n, p - 1))])
    y = (rng.random(n) < 1 / (1 + np.exp(-(X @ np.linspace(-1, 1, p))))).astype(float)
    return X, y, rng


def test_equals_statsmodels_logit():
    X, y, _ = _data()
    fit, reference = fit_logistic(X, y), sm.Logit(y, X).fit(disp=0, tol=1e-14)
    np.testing.assert_allclose(fit.coef, reference.params, atol=1e-10)
    np.testing.assert_allclose(fit.fitted, reference.predict(), atol=1e-10)
    np.testing.assert_allclose(np.linalg.inv(fit.hessian), reference.cov_params(), atol=1e-10)
    assert fit.converged


def test_weights_equal_statsmodels_glm():
    X, y, rng = _data()
    weights = rng.integers(1, 6, len(y)).astype(float)
    reference = sm.GLM(y, X, family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14)
    np.testing.assert_allclose(fit_logistic(X, y, weights=weights).coef, reference.params, atol=1e-10)


def test_fractional_outcomes_equal_statsmodels_glm():
    X, _, rng = _data()
    y = rng.random(len(X))
    reference = sm.GLM(y, X, family=sm.families.Binomial()).fit(tol=1e-14)
    np.testing.assert_allclose(fit_logistic(X, y).coef, reference.params, atol=1e-10)


def test_leverage_equals_statsmodels_hat_matrix_diagonal():
    X, y, _ = _data()
    reference = sm.GLM(y, X, family=sm.families.Binomial()).fit(tol=1e-14).get_hat_matrix_diag()
    np.testing.assert_allclose(leverage(X, fit_logistic(X, y)), reference, atol=1e-8)


def test_ridge_score_is_zero_at_the_solution():
    X, y, _ = _data()
    penalty = np.array([0.0, 2.0, 0.5, 3.0])
    fit = fit_logistic(X, y, ridge=penalty)
    np.testing.assert_allclose(X.T @ (y - fit.fitted) - penalty * fit.coef, 0, atol=1e-8)


def test_group_intercepts_equal_penalised_columns():
    X, y, rng = _data(n=600)
    groups, weights = rng.integers(0, 7, len(y)), rng.random(len(y)) + 0.5
    fit = fit_logistic(X, y, weights=weights, ridge=0.3, groups=groups, n_groups=7, group_ridge=1.5)
    wide = np.column_stack([X, np.eye(7)[groups]])
    penalty = np.array([0.0, 0.3, 0.3, 0.3, *[1.5] * 7])
    reference = fit_logistic(wide, y, weights=weights, ridge=penalty)
    np.testing.assert_allclose(np.append(fit.coef, fit.group_coef), reference.coef, atol=1e-9)
    np.testing.assert_allclose(
        leverage(X, fit, weights=weights, groups=groups, group_ridge=1.5),
        leverage(wide, reference, weights=weights),
        atol=1e-9,
    )
    np.testing.assert_allclose(fit.predict(X, groups), fit.fitted, atol=1e-12)


def test_separation_without_ridge_is_reported_and_with_ridge_is_finite():
    X = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    y = np.repeat([0.0, 1.0], 4)
    assert np.abs(fit_logistic(X, y).coef).max() > 10
    guarded = fit_logistic(X, y, ridge=0.05)
    assert guarded.converged
    assert np.abs(guarded.coef).max() < 10


def test_collinear_columns_still_predict():
    X, y, _ = _data()
    twice = np.column_stack([X, X[:, 1]])
    np.testing.assert_allclose(fit_logistic(twice, y, ridge=1e-8).fitted, fit_logistic(X, y).fitted, atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_constant_outcome_goes_to_the_border(constant):
    X, y, _ = _data()
    fit = fit_logistic(X, np.full(len(y), constant), ridge=2.0)
    assert np.abs(fit.fitted - constant).max() < 1e-3
