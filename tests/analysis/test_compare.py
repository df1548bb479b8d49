"""The headline estimate: invariances, independent implementations, recovery of the truth, and the words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.proportion import confint_proportions_2indep

from etiquette_analysis.analysis.comparison import compare, count
from etiquette_analysis.analysis.hazards import HAZARD_RIDGE, fit_hazards, phases
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.results import RESULT_COLUMNS
from etiquette_analysis.analysis.uncertainty import Uncertainty, assess, find_limits
from etiquette_analysis.analysis.variants import ipw_arm
from etiquette_analysis.analysis.wsr import ArmEstimate, Estimate, arm_weights, estimate
from etiquette_analysis.simulation import true_values

PLAN = Plan()
NUMBERS = ("rd", "low", "high", "se", "rate_now", "rate_later", "ratio", "ratio_low", "ratio_high")


def numbers(result):
    return np.array([getattr(result, name) for name in NUMBERS])


def test_permuting_rows_changes_nothing(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    shuffled = dyads.sample(frac=1, random_state=1)
    np.testing.assert_allclose(numbers(compare(dyads, PLAN)), numbers(compare(shuffled, PLAN)), atol=1e-12)


@pytest.mark.parametrize("world", ["H", "D"])
def test_relabelling_people_changes_nothing(simulated_dyads, world):
    dyads = simulated_dyads(world, 1200, 5)
    rng = np.random.default_rng(0)
    renamed = dyads.assign(
        sender=rng.permutation(dyads["sender"].max() + 1)[dyads["sender"]] + 17,
        contact=rng.permutation(dyads["contact"].max() + 1)[dyads["contact"]] + 5,
    )
    np.testing.assert_allclose(numbers(compare(dyads, PLAN)), numbers(compare(renamed, PLAN)), atol=1e-10)


def test_shifting_all_dates_changes_nothing(simulated_dyads):
    dyads = simulated_dyads("E", 900, 5)
    shifted = dyads.assign(time_zero=dyads["time_zero"] + pd.Timedelta(days=11))
    np.testing.assert_allclose(numbers(compare(dyads, PLAN)), numbers(compare(shifted, PLAN)), atol=1e-12)


def test_replies_never_change_the_weights(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    replied = dyads.assign(hours_to_reply=dyads["hours_to_reply"].where(dyads["pitch_day"].isna(), 3.0))
    for window in (PLAN.immediate, PLAN.deferred):
        weights = []
        for table in (dyads, replied):
            problem = build_problem(table, PLAN)
            weights.append(arm_weights(problem, fit_hazards(problem), window))
        np.testing.assert_array_equal(*weights)


def test_swapping_the_meaning_of_a_reply_mirrors_the_difference(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 900, 5), PLAN)
    found = estimate(problem)
    mirrored = estimate(dataclasses.replace(problem, outcome=1 - problem.outcome))
    assert mirrored.rd == pytest.approx(-found.rd, abs=1e-9)
    assert assess(problem, mirrored).se == pytest.approx(assess(problem, found).se, abs=1e-9)


def test_doubling_every_connection_as_weight_equals_writing_it_twice(simulated_dyads):
    dyads = simulated_dyads("D", 700, 5)
    twice = pd.concat([dyads, dyads.assign(contact=dyads["contact"] + 10_000)], ignore_index=True)
    problem = build_problem(twice, PLAN)
    weighted = dataclasses.replace(build_problem(dyads, PLAN), weight=np.full(700, 2.0))
    for window in (PLAN.immediate, PLAN.deferred):
        one = arm_weights(weighted, fit_hazards(weighted), window)
        two = arm_weights(problem, fit_hazards(problem), window)[:700]
        np.testing.assert_allclose(one, two, rtol=1e-7)


def test_bootstrap_counts_equal_the_resampled_table(simulated_dyads):
    dyads = simulated_dyads("E", 500, 5)
    eligible = dyads[dyads["exclusion"].isna()].reset_index(drop=True)
    problem = build_problem(eligible, PLAN)
    counts = np.bincount(np.random.default_rng(1).integers(0, 500, 500), minlength=500)
    rows = np.repeat(np.arange(500), counts)
    long = dataclasses.replace(
        problem,
        **{
            name: getattr(problem, name)[rows]
            for name in (
                "rows",
                "pitch_day",
                "opener_day",
                "answered_day",
                "outcome",
                "weight",
                "cell",
                "sender",
                "contact",
                "week",
            )
        },
    )
    short = dataclasses.replace(problem, weight=counts.astype(float))
    assert estimate(short).rd == pytest.approx(estimate(long).rd, abs=1e-6)


def person_days(problem):
    """Expand to one row per connection and day at risk, the slow way."""
    parts = []
    for day in range(problem.plan.deferred[1] + 1):
        at_risk = np.flatnonzero(problem.pitch_day >= day)
        answered = problem.answered_day[at_risk] <= day
        parts.append(
            pd.DataFrame(
                {
                    "person": at_risk,
                    "day": day,
                    "answered": answered,
                    "opened": ~answered & (problem.opener_day[at_risk] <= day),
                    "recent": answered & (day - problem.answered_day[at_risk] <= 3),
                    "pitched": problem.pitch_day[at_risk] == day,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_weights_equal_pandas_person_days_and_scikit_learn(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 1500, 9), PLAN)
    rows = person_days(problem)
    rows["hazard"] = np.nan
    for first, last in phases(problem):
        here = rows["day"].between(first, last)
        part = rows[here]
        period = part["day"].where(part["day"] < 7, 100 + part["day"] // 7).astype("category")
        X = np.column_stack(
            [
                problem.X[problem.cell[part["person"]]],
                part[["answered", "opened"] + ["recent"] * (first > 1)].to_numpy(dtype=float),
                pd.get_dummies(period).drop(columns=period.mode()[0]).to_numpy(dtype=float),
            ]
        )
        model = LogisticRegression(C=1 / HAZARD_RIDGE, tol=1e-10, max_iter=20_000).fit(X, part["pitched"])
        rows.loc[here, "hazard"] = model.predict_proba(X)[:, 1]
    rows["unpitched"] = (1 - rows["hazard"]).groupby(rows["person"]).cumprod() / (1 - rows["hazard"])
    values = []
    for first, last in (PLAN.immediate, PLAN.deferred):
        chosen = rows[rows["pitched"] & rows["day"].between(first, last)]
        share = chosen["day"].map(chosen["day"].value_counts(normalize=True))
        weight = share / (chosen["hazard"] * chosen["unpitched"])
        values.append(np.average(problem.outcome[chosen["person"]], weights=weight))
    hazards = fit_hazards(problem)
    windows = (PLAN.immediate, PLAN.deferred)
    ours = [ipw_arm(problem, arm_weights(problem, hazards, window)).value for window in windows]
    assert ours[0] - ours[1] == pytest.approx(values[0] - values[1], abs=2e-4)
    np.testing.assert_allclose(ours, values, atol=2e-4)


@pytest.mark.parametrize(("x1", "n1", "x2", "n2"), [(15, 148, 40, 120), (3, 60, 12, 45), (30, 31, 2, 40)])
def test_interval_is_newcombes_when_weights_are_equal(x1, n1, x2, n2):
    n = n1 + n2 + 50
    outcome = np.zeros(n)
    outcome[:x1], outcome[n1 : n1 + x2] = 1, 1
    arms = []
    for rows, rate in ((slice(0, n1), x1 / n1), (slice(n1, n1 + n2), x2 / n2)):
        weights = np.zeros(n)
        weights[rows] = 1.0
        arms.append(
            ArmEstimate(rate, weights / weights.mean() * (outcome - rate), weights, int(weights.sum()), weights.sum())
        )
    found = Estimate(*arms)
    D = np.column_stack([found.now.influence, found.later.influence])
    limits = find_limits(found, Uncertainty(D.T @ D / n**2, np.inf, "connection"), conf_level=0.95)
    expected = confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff")
    np.testing.assert_allclose(limits.rd, expected, atol=1e-9)


def test_zero_replies_in_an_arm_still_gives_a_finite_interval(simulated_dyads):
    dyads = simulated_dyads("A", 900, 5)
    at_once = dyads["pitch_day"] <= 1
    result = compare(dyads.assign(hours_to_reply=dyads["hours_to_reply"].mask(at_once.fillna(False))), PLAN)
    assert result.rate_now == 0
    assert result.verdict == "supports"
    assert -1 < result.low < result.high < 0
    rate = result.frame.query("estimand == 'P' and scale == 'rate_now'").iloc[0]
    # Wilson's upper limit of 0 out of the effective number of pitches.
    assert 3.5 / rate["ess_now"] < rate["high"] < 4.5 / rate["ess_now"]


def test_truth_is_recovered_where_counting_fails(simulated_dyads):
    truth = true_values("E", n=100_000)["rd"]
    result = compare(simulated_dyads("E", 15_000, 4), PLAN)
    assert abs(result.rd - truth) < 3 * result.se
    assert result.se < 0.03
    assert result.counted.rd < truth - 0.05


def test_calibration_in_small():
    """Bars widened for few sets; the full run is benchmarks/calibration/run.py."""
    from etiquette_analysis.analysis.dyads import tabulate_dyads
    from etiquette_analysis.simulation import simulate

    n_sets = 16
    for world in ("A", "D"):
        truth, rows = 0.0, []
        for seed in range(900, 900 + n_sets):
            data = simulate(world, n=1000, seed=seed)
            labelled = data.messages.assign(pitch_level=data.levels.to_numpy(), has_text=True)
            dyads = tabulate_dyads(
                labelled, data.connections, observed_until=data.observed_until, ego=data.ego, plan=PLAN
            )
            problem = build_problem(dyads, PLAN)
            found = estimate(problem)
            uncertainty = assess(problem, found)
            rows.append((found.rd, uncertainty.se, *find_limits(found, uncertainty, conf_level=0.95).rd))
        rd, se, low, high = np.array(rows).T
        assert abs(rd.mean() - truth) < 3 * rd.std(ddof=1) / n_sets**0.5 + 0.003
        assert ((low <= truth) & (high >= truth)).sum() >= n_sets - 3
        assert 0.6 < se.mean() / rd.std(ddof=1) < 1.7


def test_several_senders_are_clustered_and_adjusted_for(simulated_dyads):
    dyads = simulated_dyads("H", 2400, 6)
    result = compare(dyads, PLAN)
    assert result.uncertainty.clustered_by == "sender"
    assert result.uncertainty.df <= 39
    alone = compare(dyads.assign(sender=0), PLAN)
    # Skilled senders wait, so leaving the senders out makes pitching at once look worse than it is.
    assert alone.rd < result.rd - 0.005


def test_more_than_200_senders_are_described_by_habits(simulated_dyads):
    dyads = simulated_dyads("H", 2400, 6)
    split = dyads.assign(sender=dyads["sender"] * 10 + dyads["contact"] % 10)
    problem = build_problem(split, PLAN)
    assert problem.n_intercepts == 0
    assert sum(name.startswith("habit") for name in problem.names) == 3
    assert np.isfinite(estimate(problem).rd)


def test_recipients_who_repeat_are_clustered_two_ways(simulated_dyads):
    dyads = simulated_dyads("H", 2400, 6)
    shared = dyads.assign(contact=dyads.groupby("sender").cumcount() % 70)
    problem = build_problem(shared.drop_duplicates(["sender", "contact"]), PLAN)
    found = estimate(problem)
    assert assess(problem, found).clustered_by in ("sender and recipient", "sender", "recipient")
    assert assess(problem, found).se > 0


def test_week_of_connecting_counts_where_campaigns_move_together(simulated_dyads):
    dyads = simulated_dyads("A", 1500, 6).copy()
    problem = build_problem(dyads, PLAN)
    lucky = np.random.default_rng(2).random(problem.week.max() + 1) < 0.3
    # A campaign: in some weeks all immediate pitches were answered, in the others none.
    answered = (lucky[problem.week] & (problem.pitch_day <= 1)) | (problem.outcome * (problem.pitch_day > 1) > 0)
    together = dataclasses.replace(problem, outcome=answered.astype(float))
    assert assess(together, estimate(together)).clustered_by == "week"


def test_orphans_are_not_adjusted_for_having_left(simulated_dyads):
    dyads = simulated_dyads("S", 1500, 6)
    problem = build_problem(dyads, PLAN)
    assert not any("unknown" in name for name in problem.names)
    assert compare(dyads, PLAN).n_orphans > 30


def test_a_trait_read_off_messages_is_not_adjusted_for(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    spoken = np.where(dyads["contact"] % 2 == 0, "it", "en")
    known = dyads.assign(language=pd.Series(spoken, dtype="str"))
    assert "language=it" in build_problem(known, PLAN).names or "language=en" in build_problem(known, PLAN).names
    from_messages = known.assign(language=known["language"].where(known["first_own_day"].notna()))
    assert not any(name.startswith("language") for name in build_problem(from_messages, PLAN).names)


def test_unknown_values_have_an_indicator_and_rare_categories_are_merged(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    odd = dyads.assign(
        seniority=dyads["seniority"].mask(dyads["contact"] % 5 == 0).where(dyads["contact"] != 1, "archduke"),
        x_constant=1.0,
    )
    names = build_problem(odd, PLAN).names
    assert "seniority unknown" in names
    assert "seniority=archduke" not in names
    assert "x_constant" not in names


def test_covariates_of_the_plan_are_the_ones_used(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    assert build_problem(dyads, Plan(covariates=("calendar", "has_note"))).names == ("calendar", "has_note")
    assert build_problem(dyads, Plan(covariates=())).names == ()
    assert np.isfinite(compare(dyads, Plan(covariates=())).rd)


def test_cells_are_exact(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 900, 5), PLAN)
    apart = dataclasses.replace(
        problem,
        X=problem.X[problem.cell],
        cell=np.arange(len(problem)),
        cell_sender=problem.cell_sender[problem.cell],
    )
    assert estimate(apart).rd == pytest.approx(estimate(problem).rd, abs=1e-9)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(immediate=(0, 0)),
        Plan(immediate=(0, 6)),
        Plan(deferred=(2, 30)),
        Plan(deferred=(7, 60)),
        Plan(immediate=(7, 13), deferred=(14, 30)),
        Plan(window_days=7, recency=False),
    ],
)
def test_other_windows_are_the_same_code(simulated_dyads, plan):
    problem = build_problem(simulated_dyads("A", 3000, 5), plan)
    found = estimate(problem)
    assert abs(found.rd) < 4 * assess(problem, found).se
    assert found.now.weights.mean() == pytest.approx(1, abs=0.1)
    assert found.later.weights.mean() == pytest.approx(1, abs=0.1)


def test_outcomes_of_the_plan():
    day = pd.Timestamp("2024-05-01", tz="UTC")
    dyads = pd.DataFrame(
        {
            "sender": 0,
            "contact": range(4),
            "time_zero": day,
            "pitch_day": [0, 0, 0, 0],
            "opener_day": None,
            "answered_day": None,
            "hours_to_reply": [1.0, 14 * 24.0, 14 * 24 + 0.01, np.nan],
            "hours_to_any_reply": [0.5, 2.0, 3.0, 4.0],
            "reply_positive": pd.array([False, True, True, None], dtype="boolean"),
            "followup_days": 90.0,
        }
    )
    outcomes = {
        o: build_problem(dyads, Plan(outcome=o)).outcome.tolist() for o in ("reply", "positive_reply", "any_reply")
    }
    assert outcomes == {"reply": [1, 1, 0, 0], "positive_reply": [0, 1, 0, 0], "any_reply": [1, 1, 1, 1]}


def test_counting_is_counting(simulated_dyads):
    dyads = simulated_dyads("D", 900, 5)
    e = dyads[dyads["exclusion"].isna()]
    replied = e["hours_to_reply"] <= 14 * 24
    counted = count(build_problem(dyads, PLAN))
    now, later = e["pitch_day"] <= 1, e["pitch_day"].between(2, 30)
    now, later = (m.fillna(False).astype(bool) for m in (now, later))
    assert counted.rd == pytest.approx(replied[now].mean() - replied[later].mean())
    assert (counted.n_now, counted.n_later) == (now.sum(), later.sum())


def test_frame_has_the_one_schema_and_refusals_are_rows(simulated_dyads):
    for world in ("D", "J"):
        result = compare(simulated_dyads(world, 900, 5), PLAN)
        assert list(result.frame.columns) == list(RESULT_COLUMNS)
        assert {str(t) for t in result.frame.dtypes} <= {"str", "float64", "Int64"}
        assert result.frame["plan"].unique().tolist() == [PLAN.hash[:12]]
    primary = result.frame[result.frame["estimand"] == "P"]
    assert primary["estimate"].isna().all()
    assert primary["reason"].str.startswith("strict_gating").all()
    assert np.isnan(result.rd)
    assert result.verdict == "not answerable"
    assert result.frame.query("estimand == 'D' and scale == 'rd'")["estimate"].notna().all()


def test_level_0_shows_no_comparison(simulated_dyads):
    result = compare(simulated_dyads("D", 60, 5), PLAN)
    assert result.level == 0
    assert result.frame.query("scale == 'rd'")["estimate"].isna().all()
    assert result.frame.query("estimand == 'D' and scale == 'rate_now'")["estimate"].notna().all()
    assert "not answerable" in result.text("en")
    assert f"of {result.counted.n_now} immediate pitches were answered" in result.text("en")
    assert f"proposte immediate su {result.counted.n_now} (" in result.text("it")


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ("Of 100 new contacts, ", "would reply to an immediate pitch and", "Counting alone shows", "Verdict:")),
        ("it", ("Su 100 nuovi contatti, ", "a una proposta immediata e", "Il solo conteggio mostra", "Verdetto:")),
    ],
)
def test_words_carry_the_numbers(simulated_dyads, language, parts):
    result = compare(simulated_dyads("E", 1500, 1), PLAN)
    words = result.text(language, sensitivity=0.95, specificity=0.98, tipping=1.5)
    for part in (*parts, "95%/98%"):
        assert part in words
    shown = f"{100 * result.rd:.1f}"
    assert (shown.replace(".", ",") if language == "it" else shown) in words
    assert ("1,50 volte" if language == "it" else "1.50 times") in words
    assert "{" not in words
    assert "<table" in result._repr_html_()
    assert repr(result) == result.text("en")


def test_problem_has_no_text_and_no_names(simulated_dyads):
    problem = build_problem(simulated_dyads("D", 300, 5), PLAN)
    for field in dataclasses.fields(problem):
        value = getattr(problem, field.name)
        assert not isinstance(value, np.ndarray) or value.dtype.kind in "if"
    assert problem.pitch_day.max() <= NEVER
