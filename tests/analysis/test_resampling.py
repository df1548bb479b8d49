"""Resamples: the same whatever the order of the rows and the names of people; whole senders where there are six."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from etiquette_analysis.analysis.gformula import bootstrap_policies, estimate_policies, estimate_usual
from etiquette_analysis.analysis.placebo import placebo
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import build_problem, reply_within_window
from etiquette_analysis.analysis.resampling import canonical_order, resamples
from etiquette_analysis.analysis.secondary import secondary
from etiquette_analysis.errors import SchemaError

PLAN = Plan()


def disguised(dyads, seed=0):
    """The same dyads in another order, and everybody under another number."""
    rng = np.random.default_rng(seed)
    mixed = dyads.sample(frac=1, random_state=seed).reset_index(drop=True)
    for side in ("sender", "contact"):
        mixed[side] = rng.permutation(int(mixed[side].max()) + 1)[mixed[side].to_numpy()] + 3
    return mixed


@pytest.mark.parametrize("world", ["D", "H"])
def test_draws_do_not_follow_the_order_of_rows(simulated_dyads, world):
    dyads = simulated_dyads(world, 600)
    values = [
        bootstrap_policies(build_problem(table, PLAN), n_draws=4, rng=np.random.default_rng(5))
        for table in (dyads, disguised(dyads))
    ]
    np.testing.assert_allclose(values[0], values[1], atol=1e-9)


def test_side_analyses_do_not_follow_the_order_of_rows(simulated_dyads):
    dyads = simulated_dyads("D", 900)
    tables = dyads, disguised(dyads)
    for analysis in (lambda d: secondary(d, PLAN, n_draws=5), lambda d: placebo(d, PLAN, n_permutations=3)):
        one, other = (analysis(table).frame[["estimate", "low", "high", "se"]] for table in tables)
        np.testing.assert_allclose(one.to_numpy(dtype=float), other.to_numpy(dtype=float), atol=1e-9)


def test_canonical_order_is_an_order(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 600), PLAN)
    assert sorted(canonical_order(problem).tolist()) == list(range(len(problem)))
    assert (np.diff(problem.pitch_day[canonical_order(problem)]) >= 0).all()


def test_six_senders_are_drawn_whole(simulated_dyads):
    problem = build_problem(simulated_dyads("H", 600), PLAN)
    assert problem.n_senders == 40
    for resample in resamples(problem, n_draws=3, rng=np.random.default_rng(1)):
        counts = {s: set(resample.weight[resample.sender == s]) for s in np.unique(resample.sender)}
        assert all(len(values) == 1 for values in counts.values())
        whole = np.bincount(problem.sender)
        assert all((resample.sender == s).sum() == whole[s] for s in counts)


def test_one_sender_gives_connections_one_by_one(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 600), PLAN)
    (resample,) = resamples(problem, n_draws=1, rng=np.random.default_rng(1))
    assert resample.weight.sum() == len(problem)
    assert 0.55 < len(resample) / len(problem) < 0.71


def test_the_usual_strategies_are_those_of_all(simulated_dyads):
    problem = build_problem(simulated_dyads("E", 600), PLAN)
    every, usual = estimate_policies(problem), estimate_usual(problem)
    assert (usual.now, usual.later) == (every.now, every.later)
    assert np.isnan(usual.gate)


@pytest.mark.parametrize(
    ("outcome", "column"), [("positive_reply", "reply_positive"), ("any_reply", "hours_to_any_reply")]
)
def test_an_outcome_that_was_not_recorded_is_named(simulated_dyads, outcome, column):
    dyads = simulated_dyads("D", 600).drop(columns=column)
    plan = dataclasses.replace(PLAN, outcome=outcome)
    with pytest.raises(SchemaError, match=f"no column '{column}', which outcome='{outcome}' needs; add it"):
        reply_within_window(dyads, plan)
