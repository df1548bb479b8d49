"""Intervals: against statsmodels, against Newcombe's tables, and by what must hold of any interval."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from etiquette_analysis.analysis import intervals as iv
from etiquette_analysis.errors import DesignError

CASES = [(0, 20), (20, 20), (1, 29), (15, 148), (81, 263), (3, 7), (500, 1000)]
PAIRS = [(56, 70, 48, 80), (0, 10, 3, 12), (10, 10, 0, 20), (9, 10, 3, 10), (5, 56, 0, 29), (450, 1500, 80, 350)]
METHODS = [(iv.wilson, "wilson"), (iv.clopper_pearson, "beta"), (iv.jeffreys, "jeffreys")]


@pytest.mark.parametrize(("ours", "theirs"), METHODS)
@pytest.mark.parametrize("conf_level", [0.8, 0.95, 0.99])
def test_equal_statsmodels(ours, theirs, conf_level):
    x, n = np.array(CASES).T
    expected = np.array([proportion_confint(a, b, alpha=1 - conf_level, method=theirs) for a, b in CASES]).T
    if theirs == "jeffreys":  # statsmodels leaves the open ends of the posterior; Brown, Cai and DasGupta close them
        expected[0][x == 0], expected[1][x == n] = 0.0, 1.0
    low, high = ours(x, n, conf_level=conf_level)
    np.testing.assert_allclose([low, high], expected, atol=1e-10)


def test_newcombe_equals_statsmodels():
    low, high = iv.newcombe(*np.array(PAIRS).T)
    expected = [confint_proportions_2indep(*p, method="newcomb", compare="diff") for p in PAIRS]
    np.testing.assert_allclose(np.column_stack([low, high]), expected, atol=1e-10)


def test_newcombe_swapping_groups_turns_the_interval_round():
    a = iv.newcombe(12, 90, 30, 110)
    b = iv.newcombe(30, 110, 12, 90)
    np.testing.assert_allclose([a.low, a.high], [-b.high, -b.low], atol=1e-15)


def test_effective_wilson_with_binomial_error_is_newcombe():
    x1, n1, x2, n2 = 61, 450, 95, 350
    p1, p2 = x1 / n1, x2 / n2
    parts = [iv.effective_wilson(p, np.sqrt(p * (1 - p) / n)) for p, n in ((p1, n1), (p2, n2))]
    ours = iv.mover(p1, parts[0], p2, parts[1])
    np.testing.assert_allclose(ours, iv.newcombe(x1, n1, x2, n2), atol=1e-12)


def test_no_reply_at_all_takes_the_fallback_not_certainty():
    low, high = iv.effective_wilson(0.0, 0.0, fallback=40.0)
    assert low == 0
    np.testing.assert_allclose(high, iv.wilson(0, 40).high, atol=1e-15)
    assert np.isnan(iv.effective_wilson(0.0, 0.0).high)


def test_student_interval_is_wider():
    z = iv.effective_wilson(0.2, 0.03)
    t = iv.effective_wilson(0.2, 0.03, df=12)
    assert t.low < z.low < z.high < t.high


def test_mover_at_full_correlation_of_equal_intervals_is_a_point():
    low, high = iv.mover(0.3, (0.2, 0.4), 0.3, (0.2, 0.4), correlation=1.0)
    assert abs(float(low)) < 1e-12
    assert abs(float(high)) < 1e-12


def test_no_pitches_gives_nan():
    for f in (iv.wilson, iv.clopper_pearson, iv.jeffreys):
        assert np.isnan(f(0, 0)).all()
    assert np.isnan(iv.newcombe(0, 0, 3, 10)).all()


@pytest.mark.parametrize("method", [iv.wilson, iv.clopper_pearson, iv.jeffreys])
def test_contains_the_rate_and_stays_in_range(method):
    n = np.repeat([1, 2, 5, 30, 400], 4)
    x = (n * np.tile([0, 0.25, 0.6, 1], 5)).astype(int)
    low, high = method(x, n)
    assert ((low >= 0) & (high <= 1) & (low <= x / n + 1e-12) & (high >= x / n - 1e-12)).all()


def test_wilson_covers_in_simulation():
    rng = np.random.default_rng(7)
    x = rng.binomial(40, 0.15, 20_000)
    low, high = iv.wilson(x, np.full_like(x, 40))
    assert 0.93 < np.mean((low <= 0.15) & (high >= 0.15)) < 0.975


def test_errors_say_what_was_wrong():
    with pytest.raises(DesignError, match=r"larger than its number of pitches; expected 0 <= successes <= n"):
        iv.wilson(5, 3)
    with pytest.raises(DesignError, match=r"conf_level=95: expected a number between 0 and 1"):
        iv.critical_value(95)
