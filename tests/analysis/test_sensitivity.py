"""Hidden information: extremes against brute force, E-values, and the tipping factor."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from etiquette_analysis.analysis import sensitivity as se
from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import DesignError

PLAN = Plan()


@pytest.mark.parametrize("factor", [1.0, 1.3, 2.5])
def test_extremes_are_those_of_all_corners(factor):
    rng = np.random.default_rng(3)
    w, y = rng.uniform(0.2, 4, 9), np.round(rng.random(9), 1)
    means = [np.average(y, weights=w * np.array(c)) for c in product((1 / factor, factor), repeat=9)]
    low, high = se.weighted_extremes(w, y, factor)
    np.testing.assert_allclose([low, high], [min(means), max(means)], atol=1e-12)


def test_extremes_equal_a_linear_programme():
    rng = np.random.default_rng(4)
    w, y, factor = rng.uniform(0.2, 4, 60), (rng.random(60) < 0.2).astype(float), 1.7
    # Charnes and Cooper: z = t * multiplier, sum w z = 1, t / factor <= z <= t * factor
    bounds = np.vstack(
        [np.column_stack([np.eye(60), -factor * np.ones(60)]), np.column_stack([-np.eye(60), np.ones(60) / factor])]
    )
    equal = np.append(w, 0)[None, :]
    best = linprog(np.append(-w * y, 0), A_ub=bounds, b_ub=np.zeros(120), A_eq=equal, b_eq=[1])
    assert se.weighted_extremes(w, y, factor).high == pytest.approx(-best.fun, abs=1e-9)


def test_order_and_scale_of_weights_do_not_matter():
    rng = np.random.default_rng(5)
    w, y = rng.uniform(0.2, 4, 50), rng.random(50)
    order = rng.permutation(50)
    np.testing.assert_allclose(se.weighted_extremes(w, y, 1.5), se.weighted_extremes(7 * w[order], y[order], 1.5))
    np.testing.assert_allclose(se.weighted_extremes(w, y, 1.0), [np.average(y, weights=w)] * 2)
    assert np.isnan(se.weighted_extremes([], [], 2.0).low)


def test_tipping_factor_brings_zero_exactly_to_the_edge(simulated_dyads):
    result = compare(simulated_dyads("B"), PLAN)
    s = se.sensitivity(result)
    assert result.high < 0
    assert 1 < s.tipping_factor < s.tipping_factor_estimate
    shift = se._arms(result).shifts(s.tipping_factor)
    assert result.high + shift.high == pytest.approx(0, abs=1e-9)
    assert s.e_value == pytest.approx(float(se.e_value(result.ratio)))
    assert s.e_value_limit == pytest.approx(se.e_value_of_limit(result.ratio_low, result.ratio_high))
    assert "would erase this" in s.text("en")
    assert "annullerebbe" in s.text("it")


def test_rows_widen_with_the_factor_and_begin_at_the_primary(simulated_dyads):
    result = compare(simulated_dyads("E"), PLAN)
    rows = se.sensitivity(result).frame.query("scale == 'rd'")
    assert rows["estimate"].iloc[0] == pytest.approx(result.rd)
    assert [rows["low"].iloc[0], rows["high"].iloc[0]] == pytest.approx([result.low, result.high])
    assert (np.diff(rows["high"] - rows["low"]) > 0).all()


def test_bounds_in_a_world_with_a_hidden_trait_hold_the_truth(simulated_dyads):
    seen = [compare(simulated_dyads("G", seed=s), PLAN) for s in range(6)]
    rows = [se.sensitivity(r).frame.query("method == 'odds factor 1.25'").iloc[0] for r in seen if r.level == 2]
    assert len(rows) >= 1
    assert all(r["low"] <= 0 <= r["high"] for r in rows)


def test_an_interval_with_zero_needs_no_hidden_trait(simulated_dyads):
    result = next(r for r in (compare(simulated_dyads("D", seed=s), PLAN) for s in range(5)) if r.low <= 0 <= r.high)
    s = se.sensitivity(result)
    assert s.tipping_factor == 1.0
    assert s.e_value_limit == 1.0
    assert "contains zero already" in s.text()
    assert "contiene già lo zero" in s.text("it")


def test_a_refusal_has_nothing_to_erase(simulated_dyads):
    s = se.sensitivity(compare(simulated_dyads("J"), PLAN))
    assert np.isnan(s.tipping_factor)
    assert "strict_gating" in s.frame["reason"].iloc[0]
    assert "nothing that hidden information could erase" in s.text()


def test_infinite_where_no_trait_is_strong_enough():
    arms = se.WeightedArms(np.ones(5), np.zeros(5), np.ones(5), np.ones(5))
    assert np.isinf(se.tipping_factor(arms, -1.0, -1.0, -1.0))
    assert np.isnan(se.tipping_factor(arms, np.nan, np.nan, np.nan))


def test_e_value_of_nothing_and_of_everything():
    assert se.e_value(1.0) == 1.0
    assert np.isinf(se.e_value(0.0))
    np.testing.assert_allclose(se.e_value(2.0), se.e_value(0.5))


def test_errors_say_what_was_found():
    with pytest.raises(DesignError, match=r"a risk ratio of -0\.5: expected 0 or more"):
        se.e_value(-0.5)
    with pytest.raises(DesignError, match=r"from 2 to 1 of a risk ratio; expected low <= high"):
        se.e_value_of_limit(2, 1)
    with pytest.raises(DesignError, match=r"factor=0\.5: expected 1 \(nothing hidden\) or more"):
        se.weighted_extremes([1], [1], 0.5)
