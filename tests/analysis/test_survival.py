"""Waiting times: by hand, against statsmodels, and against lifelines' recorded answers."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff

from etiquette_analysis.analysis import survival as sv
from etiquette_analysis.errors import DesignError

REFERENCE = Path(__file__).parent / "reference" / "lifelines_reference.csv"


@pytest.fixture(scope="module")
def reference():
    return pd.read_csv(REFERENCE)


def random_waits(seed, n=300, tied=True):
    rng = np.random.default_rng(seed)
    hours = rng.exponential(100, n)
    event = rng.choice([0, 1, 2], n, p=[0.3, 0.4, 0.3])
    return (np.ceil(hours / 5) * 5 if tied else hours), event, rng.choice(["now", "later", "between"], n)


def test_by_hand():
    table = sv.kaplan_meier([6, 6, 6, 7, 10, 6], [1, 1, 1, 1, 0, 0])
    survival = [Fraction(3, 6), Fraction(3, 6) * Fraction(1, 2), Fraction(1, 4)]
    np.testing.assert_allclose(table["survival_probability"], [float(s) for s in survival])
    assert table["n_at_risk"].tolist() == [6, 2, 1]
    assert table["n_censored"].tolist() == [1, 0, 1]
    greenwood = Fraction(1, 4) ** 2 * (Fraction(3, 6 * 3) + Fraction(1, 2 * 1))
    assert table["se"].iloc[1] == pytest.approx(float(greenwood) ** 0.5, abs=1e-15)
    assert sv.at_time(table, 5.9) == 1
    assert sv.at_time(table, 7) == 0.25
    assert sv.median_time(table) == 6


@pytest.mark.parametrize("seed", range(3))
def test_kaplan_meier_equals_statsmodels(seed):
    hours, event, _ = random_waits(seed)
    ours = sv.kaplan_meier(hours, event > 0)
    ours = ours[ours["n_events"] > 0]
    theirs = SurvfuncRight(hours, event > 0)
    np.testing.assert_allclose(ours["hours"], theirs.surv_times)
    np.testing.assert_allclose(ours["survival_probability"], theirs.surv_prob, atol=1e-12)
    alive = ours["survival_probability"] > 1e-9
    np.testing.assert_allclose(ours["se"][alive], theirs.surv_prob_se[alive], atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_aalen_johansen_equals_statsmodels(seed):
    hours, event, _ = random_waits(seed)
    event[hours == hours.max()] = 0  # statsmodels' standard errors divide by zero where the last waits all end
    ours = sv.aalen_johansen(hours, event)
    theirs = CumIncidenceRight(hours, event)
    for k in (1, 2):
        one = ours[ours["event"] == k].set_index("hours")["cumulative_incidence"]
        np.testing.assert_allclose(one.loc[theirs.times], theirs.cinc[k - 1], atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_logrank_equals_statsmodels(seed):
    hours, event, group = random_waits(seed)
    ours = sv.logrank(hours, event > 0, group)
    statistic, p_value = survdiff(hours, (event > 0).astype(int), group)
    assert ours.df == 2
    assert ours.statistic == pytest.approx(statistic, abs=1e-10)
    assert ours.p_value == pytest.approx(p_value, abs=1e-10)


def test_kaplan_meier_equals_lifelines(reference):
    table = sv.kaplan_meier(reference["hours_tied"], reference["event"] > 0).set_index("hours")
    at = table.loc[reference["hours_tied"]]
    alive = at["survival_probability"].to_numpy() > 0
    for ours, theirs in (("survival_probability", "survival"), ("low", "survival_low"), ("high", "survival_high")):
        np.testing.assert_allclose(at[ours].to_numpy()[alive], reference[theirs][alive], atol=1e-9)


@pytest.mark.parametrize("kind", [1, 2])
def test_aalen_johansen_equals_lifelines(reference, kind):
    table = sv.aalen_johansen(reference["hours"], reference["event"])
    at = table[table["event"] == kind].set_index("hours").loc[reference["hours"]]
    started = at["cumulative_incidence"].to_numpy() > 0
    pairs = {"cumulative_incidence": "incidence", "low": "incidence_low", "high": "incidence_high"}
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(at[ours].to_numpy()[started], reference[f"{theirs}_{kind}"][started], atol=1e-9)
    finite = np.isfinite(reference[f"incidence_variance_{kind}"])
    np.testing.assert_allclose(
        at["se"].to_numpy()[finite] ** 2, reference[f"incidence_variance_{kind}"][finite], atol=1e-9
    )


def test_logrank_equals_lifelines(reference):
    ours = sv.logrank(reference["hours_tied"], reference["event"] > 0, reference["group"])
    assert ours.statistic == pytest.approx(reference["logrank_statistic"][0], abs=1e-9)
    assert ours.p_value == pytest.approx(reference["logrank_p_value"][0], abs=1e-9)


def test_reference_waits_can_be_made_again(reference):
    path = REFERENCE.with_suffix(".py")
    spec = importlib.util.spec_from_file_location("lifelines_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pd.testing.assert_frame_equal(module.waits(), reference[["hours", "event", "group"]])


def test_lifelines_itself_where_it_is_installed(reference):
    lifelines = pytest.importorskip("lifelines")
    fit = lifelines.KaplanMeierFitter().fit(reference["hours_tied"], reference["event"] > 0)
    ours = sv.kaplan_meier(reference["hours_tied"], reference["event"] > 0)
    np.testing.assert_allclose(ours["survival_probability"], fit.survival_function_.iloc[1:, 0], atol=1e-9)


def test_incidences_and_survival_add_to_one():
    hours, event, _ = random_waits(8)
    km = sv.kaplan_meier(hours, event > 0)["survival_probability"].to_numpy()
    aj = sv.aalen_johansen(hours, event).groupby("hours")["cumulative_incidence"].sum().to_numpy()
    np.testing.assert_allclose(km + aj, 1, atol=1e-12)


def test_without_censoring_it_is_the_share():
    hours = np.arange(1.0, 11)
    np.testing.assert_allclose(sv.kaplan_meier(hours, np.ones(10))["survival_probability"], 1 - hours / 10)


def test_plain_interval_is_greenwood():
    table = sv.kaplan_meier([1, 2, 3, 4, 5], [1, 0, 1, 1, 0], interval="plain")
    expected = table["survival_probability"] - 1.959963984540054 * table["se"]
    np.testing.assert_allclose(table["low"], expected.clip(0, 1), atol=1e-12)


def test_nobody_replied():
    table = sv.kaplan_meier([5, 9], [0, 0])
    assert table["survival_probability"].tolist() == [1, 1]
    assert table["high"].tolist() == [1, 1]
    assert np.isnan(sv.median_time(table))
    assert sv.aalen_johansen([5, 9], [0, 0]).empty
    assert sv.kaplan_meier([], []).empty


def test_errors_say_what_was_found():
    with pytest.raises(DesignError, match="2 waits are missing or negative; give the time watched instead"):
        sv.kaplan_meier([1, np.nan, -3], [1, 1, 0])
    with pytest.raises(DesignError, match=r"\(2,\) events for \(3,\) waits; expected one event flag per wait"):
        sv.kaplan_meier([1, 2, 3], [1, 0])
    with pytest.raises(DesignError, match=r"a log-rank test of 1 group.*expected two groups or more"):
        sv.logrank([1, 2], [1, 1], ["a", "a"])
