"""Standard errors: against statsmodels to 1e-10, by hand, and under separation."""

from __future__ import annotations

import time

import numpy as np
import pytest
import statsmodels.api as sm

from etiquette_analysis.analysis import inference as inf
from etiquette_analysis.errors import DesignError


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(11)
    n, g = 900, 40
    sender = rng.integers(0, g, n)
    week = rng.integers(0, 25, n)
    x = np.column_stack([np.ones(n), rng.random(n) < 0.4, rng.standard_normal(n)])
    eta = -1 + 0.5 * x[:, 1] + 0.3 * x[:, 2] + rng.standard_normal(g)[sender] * 0.6
    return x, (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float), sender, week


CASES = [("HC0", None), ("HC1", None), ("HC3", None), ("cluster", 0), ("cluster", 1), ("cluster", 2)]


@pytest.mark.parametrize(("kind", "way"), CASES)
def test_ols_equals_statsmodels(panel, kind, way):
    x, y, sender, week = panel
    groups = [sender, week, [sender, week]][way or 0]
    theirs = sm.OLS(y, x).fit(
        cov_type=kind,
        cov_kwds={"groups": np.column_stack(groups) if way == 2 else groups} if way is not None else None,
        use_t=False,
    )
    ours = inf.ols(x, y, cluster=groups if way is not None else None, robust=kind if way is None else None)
    np.testing.assert_allclose(ours.coef, theirs.params, atol=1e-10)
    np.testing.assert_allclose(ours.se, theirs.bse, atol=1e-10)


@pytest.mark.parametrize(("kind", "way"), [case for case in CASES if case[0] != "HC3"])
def test_logit_equals_statsmodels(panel, kind, way):
    # statsmodels applies no small-sample factor in HC1 of a Logit; ours is that of its OLS.
    x, y, sender, week = panel
    factor = np.sqrt(len(y) / (len(y) - x.shape[1])) if kind == "HC1" else 1.0
    groups = [sender, week, [sender, week]][way or 0]
    options = {} if way is None else {"cov_kwds": {"groups": np.column_stack(groups) if way == 2 else groups}}
    theirs = sm.Logit(y, x).fit(cov_type=kind, disp=0, tol=1e-14, **options)
    ours = inf.logit(x, y, cluster=groups if way is not None else None, robust=kind if way is None else None)
    np.testing.assert_allclose(ours.coef, theirs.params, atol=1e-10)
    np.testing.assert_allclose(ours.se, theirs.bse * factor, atol=1e-10)


def test_logit_hc3_divides_each_residual_by_one_minus_its_weighted_leverage(panel):
    # statsmodels' GLM takes the leverage of the unweighted design; the weighted one is that of R's sandwich package.
    x, y, _, _ = panel
    fit = inf.logit(x, y, robust="HC3")
    bread = inf.logit(x, y, robust=None).covariance
    meat = np.zeros((3, 3))
    for row, target, mu in zip(x, y, fit.fitted, strict=True):
        leverage = mu * (1 - mu) * row @ bread @ row
        score = row * (target - mu) / (1 - leverage)
        meat += np.outer(score, score)
    np.testing.assert_allclose(fit.covariance, bread @ meat @ bread, atol=1e-14)


def test_weighted_fits_equal_statsmodels(panel):
    x, y, _, _ = panel
    w = np.random.default_rng(1).uniform(0.2, 3, len(y))
    theirs = sm.WLS(y, x, weights=w).fit(cov_type="HC0")
    np.testing.assert_allclose(inf.ols(x, y, weights=w, robust="HC0").se, theirs.bse, atol=1e-10)
    glm = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14)
    ours = inf.logit(x, y, weights=w, robust=None)
    np.testing.assert_allclose(ours.coef, glm.params, atol=1e-10)
    np.testing.assert_allclose(ours.se, glm.bse, atol=1e-9)


def test_classical_errors_equal_statsmodels(panel):
    x, y, _, _ = panel
    np.testing.assert_allclose(inf.ols(x, y, robust=None).se, sm.OLS(y, x).fit().bse, atol=1e-12)
    np.testing.assert_allclose(inf.logit(x, y, robust=None).se, sm.Logit(y, x).fit(disp=0, tol=1e-14).bse, atol=1e-10)


def test_every_row_its_own_cluster_is_hc1_up_to_the_factor(panel):
    x, y, _, _ = panel
    n, p = x.shape
    ours = inf.ols(x, y, cluster=np.arange(n)).covariance
    np.testing.assert_allclose(
        ours, inf.ols(x, y, robust="HC1").covariance * (n - p) / n * n / (n - 1) * (n - 1) / (n - p)
    )


def test_labels_may_be_words_and_in_any_order(panel):
    x, y, sender, _ = panel
    words = np.array([f"s{k}" for k in sender])
    perm = np.random.default_rng(2).permutation(len(y))
    a = inf.logit(x, y, cluster=sender).se
    np.testing.assert_allclose(inf.logit(x, y, cluster=words).se, a, atol=1e-14)
    np.testing.assert_allclose(inf.logit(x[perm], y[perm], cluster=sender[perm]).se, a, atol=1e-13)


def test_counts_of_repeated_rows_give_the_same_fit():
    rng = np.random.default_rng(6)
    n = 3000
    x = np.column_stack([np.ones(n), rng.random(n) < 0.3, rng.integers(-1, 3, n)]).astype(float)
    y, sender, week = (rng.random(n) < 0.25).astype(float), rng.integers(0, 60, n), rng.integers(0, 9, n)
    w = rng.uniform(0.5, 2, n)
    for weights in (None, w):
        for cluster in (sender, week, [sender, week]):
            keyword = np.column_stack(cluster) if isinstance(cluster, list) else cluster
            glm = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=weights)
            ours = inf.logit(x, y, weights=weights, cluster=cluster)
            if weights is None:
                theirs = sm.Logit(y, x).fit(disp=0, tol=1e-14, cov_type="cluster", cov_kwds={"groups": keyword})
                np.testing.assert_allclose(ours.se, theirs.bse, atol=1e-10)
            np.testing.assert_allclose(ours.coef, glm.fit(tol=1e-14).params, atol=1e-9)
            apart = inf.logit(np.column_stack([x[:, 0], x[:, 1:] / 3]), y, weights=weights, cluster=cluster)
            np.testing.assert_allclose(ours.se[1:], apart.se[1:] / 3, atol=1e-11)
    with_noise = np.column_stack([x, rng.random(n)])
    assert inf._cells(x)[0] is not None
    assert inf._cells(x / 3)[0] is not None
    assert inf._cells(with_noise)[0] is None


def test_speed_against_statsmodels(panel):
    rng = np.random.default_rng(5)
    n = 20_000
    x = np.column_stack([np.ones(n), rng.random((n, 5))])
    y = (rng.random(n) < 0.2).astype(float)
    sender = rng.integers(0, 500, n)

    def clock(f):
        best = np.inf
        for _ in range(5):
            start = time.process_time()
            f()
            best = min(best, time.process_time() - start)
        return best

    ours = clock(lambda: inf.logit(x, y, cluster=sender))
    theirs = clock(lambda: sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": sender}))
    assert ours < 0.5 * theirs, f"{ours / theirs:.2f} of statsmodels' time"


def test_bootstrap_is_the_same_as_redrawing_rows_of_clusters():
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, 12, 200)
    reply, pitch = rng.random(200) < 0.3, np.ones(200)
    draws = inf.cluster_bootstrap(reply, pitch, cluster, n_draws=4, rng=np.random.default_rng(9))
    weights = inf.multinomial_weights(12, 4, rng=np.random.default_rng(9))
    for k in range(4):
        rows = np.concatenate([np.repeat(np.flatnonzero(cluster == c), int(weights[k, c])) for c in range(12)])
        np.testing.assert_allclose(draws[k, 0], reply[rows].mean(), atol=1e-14)


def test_bootstrap_spread_matches_the_clustered_error():
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(80), 25)
    y = (rng.random(2000) < np.repeat(rng.beta(2, 6, 80), 25)).astype(float)
    draws = inf.cluster_bootstrap(y, np.ones(2000), cluster, n_draws=2000, rng=rng)
    assert abs(draws.std() / inf.ols(np.ones((2000, 1)), y, cluster=cluster).se[0] - 1) < 0.06


def test_errors_say_what_to_do():
    x = np.column_stack([np.ones(8), np.repeat([0, 1], 4)])
    with pytest.raises(DesignError, match=r"8 rows on 2 columns has no finite estimate.*Use firth"):
        inf.logit(x, np.repeat([0, 1], 4))
    with pytest.raises(DesignError, match="1 cluster: a clustered standard error needs at least two"):
        inf.ols(x, np.arange(8), cluster=np.zeros(8))
    with pytest.raises(DesignError, match=r"shape \(3,\) for 8 rows; expected one label per row"):
        inf.ols(x, np.arange(8), cluster=[1, 2, 3])
    with pytest.raises(DesignError, match="3 sets of clusters given; expected one, or a list of two"):
        inf.ols(x, np.arange(8), cluster=[np.arange(8)] * 3)
