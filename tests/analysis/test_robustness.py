"""The battery and the curve: what each row changes, what it refuses, and that the tests keep their level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis import curve, missing, robustness
from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.design import check_design
from etiquette_analysis.analysis.labels_error import arm_and_reply, label_rows, matrix_method
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.results import RESULT_COLUMNS
from etiquette_analysis.analysis.survival import at_time, kaplan_meier

PLAN = Plan()


@pytest.fixture(scope="module")
def battery(simulated_dyads):
    dyads = simulated_dyads("E", n=800)
    before = dyads.copy(deep=True)
    found = robustness.robustness(dyads, PLAN, n_draws=10, n_permutations=4)
    pd.testing.assert_frame_equal(dyads, before)  # the table given is not changed
    return found


def test_every_check_has_its_row(battery):
    numbers = {m.split()[0] for m in battery.frame["method"]}
    assert numbers == {"primary", *(f"R{k}" for k in range(1, 13))}
    assert list(battery.frame.columns) == list(RESULT_COLUMNS)
    assert battery.frame["method"].is_unique
    refused = battery.frame["estimate"].isna()
    assert battery.frame.loc[refused, "reason"].notna().all()


def test_the_first_row_is_the_primary(battery, simulated_dyads):
    primary = compare(simulated_dyads("E", n=800), PLAN)
    row = battery.frame.iloc[0]
    assert [row["estimate"], row["low"], row["high"]] == pytest.approx([primary.rd, primary.low, primary.high])


def test_rows_are_the_primary_of_the_changed_plan(battery, simulated_dyads):
    rows = battery.frame.set_index("method")["estimate"]
    dyads = simulated_dyads("E", n=800)
    for method, change in (
        ("R3 immediate 0-2", {"immediate": (0, 2)}),
        ("R4 deferred 7-60", {"deferred": (7, 60)}),
        ("R5 replies within 30 days", {"window_days": 30}),
        ("R7 without recency", {"recency": False}),
    ):
        assert rows[method] == pytest.approx(compare(dyads, replace(PLAN, **change)).rd, nan_ok=True), method


def test_curve_has_81_cells_and_holds_the_primary(battery):
    c = battery.curve
    assert (c.n_cells, len(c.frame)) == (81, 81)
    own = c.frame[c.frame["plan"] == PLAN.hash[:12]]
    assert len(own) == 1
    assert own["estimate"].iloc[0] == pytest.approx(battery.frame["estimate"].iloc[0])
    assert c.low <= c.median <= c.high
    assert 0 <= c.share_same_sign <= 1
    assert c.p_value in {(k + 1) / 5 for k in range(5)}
    unknown = c.frame["method"].str.contains("positive_reply")
    assert (c.frame.loc[unknown, "reason"] == "positive_reply is not known").all()


def test_words(battery):
    assert "percentage points" in battery.text("en")
    assert "punti percentuali" in battery.text("it")
    assert "81 specifications" in battery.text("en")


def test_refused_data_are_not_varied(simulated_dyads):
    found = robustness.robustness(simulated_dyads("J"), PLAN)
    assert len(found.frame) == 1
    assert "nothing to vary" in found.text("en")
    assert "strict_gating" in found.text("it")
    assert found.curve.text("en").startswith("None of the specifications")


def test_permutation_keeps_strata_pitched_and_counts():
    rows = np.arange(60)
    strata = np.repeat([0, 1, 2], 20)
    moved = curve.shuffle_within(rows, strata, np.random.default_rng(1))
    assert sorted(moved) == rows.tolist()
    assert (strata[moved] == strata).all()
    assert (moved != rows).mean() > 0.7


def test_a_permuted_history_ends_at_its_pitch(simulated_dyads):
    p = build_problem(simulated_dyads("D", n=600), PLAN)
    q = curve.with_pitch_days(p, np.where(p.pitch_day < NEVER, 1, NEVER))
    assert (q.answered_day[q.pitch_day == 1][q.answered_day[q.pitch_day == 1] < NEVER] <= 1).all()
    assert (q.pitch_day < NEVER).sum() == (p.pitch_day < NEVER).sum()


def test_orphans_bound_the_answer(simulated_dyads):
    dyads = simulated_dyads("S")
    design = check_design(dyads, PLAN)
    rows = {r["method"]: r.get("estimate") for r in missing.missing_rows(dyads, design)}
    primary = compare(dyads, PLAN).rd
    assert (
        rows["R9 orphans worst case for pitching at once"]
        <= primary
        <= rows["R9 orphans best case for pitching at once"]
    )
    # dropping the annoyed who left flatters the immediate pitch (STATISTICS, section 2)
    assert rows["R9 orphans left out"] > primary


def test_textless_dyads_as_pitches_and_as_none(simulated_dyads):
    dyads = simulated_dyads("A").copy()
    eligible = dyads["exclusion"].isna().to_numpy()
    picked = np.flatnonzero(eligible & (dyads["first_own_day"] <= 1).fillna(False).to_numpy())[:60]
    dyads.loc[dyads.index[picked], "exclusion"] = "text_missing"
    design = check_design(dyads, PLAN)
    rows = {r["method"]: r for r in missing.missing_rows(dyads, design)}
    base = int(design.counts["n"].iloc[0])
    assert rows["R9 textless as no pitches"]["n_now"] == base
    assert rows["R9 textless as pitches"]["n_now"] == base + 60
    assert dyads["exclusion"].eq("text_missing").sum() == 60


def test_weighted_incidence_is_kaplan_meier_with_equal_weights():
    rng = np.random.default_rng(2)
    wait, replied = np.ceil(rng.exponential(200, 300)), rng.random(300) < 0.6
    ours = missing.weighted_incidence(wait, replied, np.full(300, 2.5), 336.0)
    assert ours == pytest.approx(1 - at_time(kaplan_meier(wait, replied), 336), abs=1e-12)
    assert np.isnan(missing.weighted_incidence(np.array([]), np.array([], dtype=bool), np.array([]), 1.0))


def test_unfinished_windows_enter(simulated_dyads):
    dyads = simulated_dyads("E", n=800)
    row = missing.unfinished_row(dyads, PLAN)
    assert row["n_now"] >= build_problem(dyads, PLAN).in_window(PLAN.immediate).sum()
    assert row["estimate"] == pytest.approx(compare(dyads, PLAN).rd, abs=0.04)


def test_matrix_method_inverts_a_known_confusion(simulated_dyads):
    truth = np.array([0.6, 0.2, 0.05, 0.1, 0.05])
    confusion = np.full((5, 5), 0.03) + 0.85 * np.eye(5)
    np.testing.assert_allclose(matrix_method(confusion @ truth, confusion), truth, atol=1e-12)
    assert matrix_method(truth, np.full((5, 5), 0.2)) is None
    dyads = simulated_dyads("B")
    classes = np.bincount(arm_and_reply(dyads, PLAN), minlength=5)
    counted = compare(dyads, PLAN).counted
    assert classes[1:].tolist() == [
        counted.n_now - counted.replies_now,
        counted.replies_now,
        counted.n_later - counted.replies_later,
        counted.replies_later,
    ]


def test_labels_that_are_right_are_left_alone(simulated_dyads):
    dyads = simulated_dyads("B")
    coded = dyads.sample(400, random_state=1)
    rows = {r["method"]: r for r in label_rows(dyads, PLAN, coded=coded, at_other_levels={"hard": dyads})}
    counted = compare(dyads, PLAN)
    assert rows["R11 matrix method, counted"]["estimate"] == pytest.approx(counted.counted.rd, abs=1e-9)
    assert rows["R11 predict-then-debias"]["estimate"] == pytest.approx(counted.rd, abs=0.03)
    assert rows["R11 pitch means hard or above"]["estimate"] == pytest.approx(counted.rd)
    assert "pitch_level='soft'" in rows["R11 pitch means soft or above"]["reason"]


def test_a_table_with_the_needed_columns_only(simulated_dyads):
    needed = [
        "sender",
        "contact",
        "time_zero",
        "pitch_day",
        "hours_to_reply",
        "opener_day",
        "answered_day",
        "followup_days",
    ]
    found = robustness.robustness(simulated_dyads("A", n=600)[needed], PLAN, n_draws=2, n_permutations=0)
    rows = found.frame.set_index("method")
    assert rows.loc["R6 outcome positive_reply", "reason"] == "the sign of replies is not known"
    assert rows.loc["R6 outcome any_reply", "reason"] == "automatic replies are not recorded"
    assert np.isfinite(rows.loc["primary", "estimate"])


def test_many_senders(simulated_dyads):
    found = robustness.robustness(simulated_dyads("H", n=900), PLAN, n_draws=2, n_permutations=0)
    assert found.frame["method"].str.startswith("R10 without sender").sum() == 40
    assert np.isnan(found.curve.p_value)
