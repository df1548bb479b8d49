"""The g-formula: against paths counted by hand, and against the truth of worlds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis.gformula import age_class, bootstrap_policies, estimate_policies
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import build_problem
from etiquette_analysis.simulation import true_values

PLAN = Plan()


def test_age_classes():
    assert age_class(np.array([0, 1, 3, 4, 6, 7, 13, 14, 30])).tolist() == [1, 2, 4, 5, 5, 6, 6, 7, 7]


def _bare(pitch_day, replied):
    n = len(pitch_day)
    return pd.DataFrame(
        {
            "sender": 0,
            "contact": range(n),
            "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
            "pitch_day": pd.array(pitch_day, dtype="Int64"),
            "opener_day": pd.array([None] * n, dtype="Int64"),
            "answered_day": pd.array([None] * n, dtype="Int64"),
            "hours_to_reply": np.where(replied, 2.0, np.nan),
            "followup_days": 90.0,
        }
    )


def test_without_messages_before_the_pitch_it_is_the_plain_rate():
    # 40 pitched on day 0, 10 of whom replied; 20 on day 10, 8 of whom replied; 40 never.
    dyads = _bare([0] * 40 + [10] * 20 + [None] * 40, [True] * 10 + [False] * 30 + [True] * 8 + [False] * 52)
    values = estimate_policies(build_problem(dyads, PLAN))
    assert values.now == pytest.approx(10 / 40, abs=1e-9)
    assert values.later == values.later_no_opener == pytest.approx(8 / 20, abs=1e-9)
    assert values.gate == 0
    assert values.rd == pytest.approx(-0.15, abs=1e-9)


def test_an_arm_without_pitches_is_nan():
    values = estimate_policies(build_problem(_bare([0] * 5 + [None] * 5, [True] * 5 + [False] * 5), PLAN))
    assert np.isnan(values.later)
    assert np.isnan(values.rd)


@pytest.mark.parametrize("world", ["E", "P"])
def test_truth_is_recovered(simulated_dyads, world):
    truth = true_values(world, n=60_000)
    values = estimate_policies(build_problem(simulated_dyads(world, 12_000, 8), PLAN))
    for name in ("rd", "s3"):
        assert getattr(values, name) == pytest.approx(truth[name], abs=0.035)
    for name in ("s1", "s2"):
        assert getattr(values, name) == pytest.approx(truth[name], abs=0.05)


def test_the_policy_is_identified_even_under_strict_gating(simulated_dyads):
    values = estimate_policies(build_problem(simulated_dyads("J", 12_000, 8), PLAN))
    assert values.s3 == pytest.approx(true_values("J", n=60_000)["s3"], abs=0.025)


def test_observation_weights_equal_repeated_rows(simulated_dyads):
    dyads = simulated_dyads("D", 400, 8)
    eligible = dyads[dyads["exclusion"].isna()].reset_index(drop=True)
    problem = build_problem(eligible, PLAN)
    twice = pd.concat([eligible, eligible.assign(contact=eligible["contact"] + 10_000)], ignore_index=True)
    weighted = estimate_policies(dataclasses.replace(problem, weight=np.full(400, 2.0)))
    repeated = estimate_policies(build_problem(twice, PLAN))
    for name in ("now", "later", "gate", "later_opener", "later_no_opener"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), abs=1e-8)


def test_bootstrap_is_seeded_and_has_the_right_spread(simulated_dyads):
    problem = build_problem(simulated_dyads("A", 800, 8), PLAN)
    draws = bootstrap_policies(problem, n_draws=15, rng=np.random.default_rng(3))
    again = bootstrap_policies(problem, n_draws=15, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(draws, again)
    # A rate of 15 % among 210 pitched at once has a standard error of about 2.5 points.
    assert 0.012 < draws[:, 0].std() < 0.045
