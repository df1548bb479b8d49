"""S1 to S4: recovery of known truths, refusals, and the rule that per pitch is never shown alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis import secondary as sec
from etiquette_analysis.analysis.gformula import estimate_policies
from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.intensity import estimate_by_intensity
from etiquette_analysis.analysis.multiplicity import holm
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.resampling import reweighted, subset
from etiquette_analysis.analysis.results import RESULT_COLUMNS
from etiquette_analysis.analysis.variants import average_arms, contrast_row, ipw_arm
from etiquette_analysis.analysis.wsr import arm_weights, estimate
from etiquette_analysis.simulation import true_values

PLAN = Plan()


@pytest.fixture(scope="module")
def answers(simulated_dyads):
    return {w: sec.secondary(simulated_dyads(w, n=2000), PLAN, n_draws=30) for w in ("B", "J")}


def test_shape_and_family_of_tests(answers):
    found = answers["B"]
    assert list(found.frame.columns) == list(RESULT_COLUMNS)
    assert found.tests["estimand"].tolist() == ["S1", "S2", "S3", "S4"]
    np.testing.assert_allclose(found.tests["p_holm"], holm(found.tests["p_value"]))
    assert set(found.frame["plan"]) == {PLAN.hash[:12]}


def test_strict_gating_answers_the_policy_and_nothing_else(answers):
    found = answers["J"]
    rows = found.frame.set_index(["estimand", "method"])
    assert found.design.level == 1
    assert np.isfinite(rows.loc[("S3", "g-formula"), ["estimate", "low", "high"]].astype(float)).all()
    refused = rows.drop(index=[("S3", "g-formula")])
    assert refused["estimate"].isna().all()
    assert refused["reason"].str.contains("strict_gating").all()
    assert found.tests["p_holm"].notna().sum() == 1


def test_per_pitch_is_never_shown_without_per_connection(answers):
    for language, words in (("en", "Per connection is what counts"), ("it", "Conta il valore per collegamento")):
        text = answers["B"].text(language)
        assert words in text
        assert "not answerable" not in text
    assert "non si può rispondere (strict_gating" in answers["J"].text("it")


@pytest.mark.parametrize("world", ["B", "N"])
def test_recovery_in_one_large_world(simulated_dyads, world):
    truth = true_values(world, n=100_000)
    dyads = simulated_dyads(world, n=12_000, seed=5)
    problem = build_problem(dyads, PLAN)
    hazards = fit_hazards(problem)
    arms = sec.opener_arms(problem, hazards)
    policies = estimate_policies(problem)
    kinds = estimate_by_intensity(problem, hazards, dyads)
    now, later = average_arms(kinds.now_mild, kinds.now_hard), average_arms(kinds.later_mild, kinds.later_hard)
    assert arms.no_opener.value - arms.now.value == pytest.approx(truth["s1"], abs=0.025)
    assert arms.with_opener.value - arms.no_opener.value == pytest.approx(truth["s2"], abs=0.035)
    assert policies.s3 == pytest.approx(truth["s3"], abs=0.02)
    assert now.value - later.value == pytest.approx(truth["s4"], abs=0.02)


def test_intensity_takes_the_blame_where_intensity_differs(simulated_dyads):
    """World N: immediate pitches press harder, timing itself does nothing."""
    dyads = simulated_dyads("N", n=12_000, seed=5)
    problem = build_problem(dyads, PLAN)
    hazards = fit_hazards(problem)
    as_practised = estimate(problem, hazards).rd
    kinds = estimate_by_intensity(problem, hazards, dyads)
    equal = (kinds.now_mild.value + kinds.now_hard.value - kinds.later_mild.value - kinds.later_hard.value) / 2
    assert as_practised < -0.015
    assert abs(equal) < 0.015
    assert kinds.now_hard.value - kinds.now_mild.value < -0.04


def test_few_openers_refuse_s1_and_s2_only(simulated_dyads):
    dyads = simulated_dyads("A").copy()
    on_day_0 = (dyads["opener_day"] == 0).fillna(False)
    dyads.loc[on_day_0, "opener_day"] = pd.NA
    found = sec.secondary(dyads, PLAN, n_draws=3).frame.set_index(["estimand", "method"])
    assert "0 after one on day 0; 10 of each are needed" in found.loc[("S1", "ipw"), "reason"]
    assert "0 openers on day 0" in found.loc[("S3", "g-formula"), "reason"]
    assert np.isfinite(found.loc[("S4", "wsr"), "estimate"])


def test_unknown_intensity_refuses_s4(simulated_dyads):
    dyads = simulated_dyads("A").drop(columns="pitch_level")
    found = sec.secondary(dyads, PLAN, n_draws=3).frame.set_index(["estimand", "method"])
    assert found.loc[("S4", "wsr"), "reason"] == "the intensity of pitches is not known"


def test_weights_of_strategies_average_to_one(simulated_dyads):
    problem = build_problem(simulated_dyads("A", n=6_000, seed=5), PLAN)
    arms = sec.opener_arms(problem, fit_hazards(problem))
    for arm in (arms.now, arms.no_opener, arms.with_opener):
        assert arm.weights.mean() == pytest.approx(1, abs=0.1)


def test_same_data_same_result(simulated_dyads):
    d = simulated_dyads("A", n=600)
    a, b = (sec.secondary(d, PLAN, n_draws=4).frame for _ in range(2))
    pd.testing.assert_frame_equal(a, b)


# --- the shared rows ---


def test_weighted_mean_row_is_a_plain_difference_with_equal_weights(simulated_dyads):
    problem = build_problem(simulated_dyads("A"), PLAN)
    arms = [ipw_arm(problem, problem.in_window(w).astype(float)) for w in (PLAN.immediate, PLAN.deferred)]
    row = contrast_row(problem, *arms, estimand="x", method="y")
    rates = [problem.outcome[problem.in_window(w)].mean() for w in (PLAN.immediate, PLAN.deferred)]
    assert row["estimate"] == pytest.approx(rates[0] - rates[1])
    assert row["ess_now"] == pytest.approx(row["n_now"])


def test_leaving_connections_out_equals_counting_them_zero_times(simulated_dyads):
    problem = build_problem(simulated_dyads("D", n=600), PLAN)
    kept = np.random.default_rng(1).random(len(problem)) < 0.7
    by_weight = estimate(replace(problem, weight=kept.astype(float)))
    left = estimate(subset(problem, kept))
    assert left.rd == pytest.approx(by_weight.rd, abs=1e-6)
    counts = np.random.default_rng(2).integers(0, 3, len(problem)).astype(float)
    assert estimate(reweighted(problem, counts)).rd == pytest.approx(
        estimate(replace(problem, weight=counts)).rd, abs=1e-6
    )


def test_arms_average_and_subtract(simulated_dyads):
    problem = build_problem(simulated_dyads("A", n=600), PLAN)
    hazards = fit_hazards(problem)
    a, b = (ipw_arm(problem, arm_weights(problem, hazards, w)) for w in (PLAN.immediate, PLAN.deferred))
    assert average_arms(a, b).value == pytest.approx((a.value + b.value) / 2)
    assert average_arms(a, b, sign=-1).value == pytest.approx((a.value - b.value) / 2)
    assert (problem.answered_day < NEVER).any()
