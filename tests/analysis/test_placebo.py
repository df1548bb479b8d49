"""Placebos: silent where nothing is hidden, speaking where something is; groups only where they are large enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis import placebo as pl
from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.heterogeneity import heterogeneity
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.results import RESULT_COLUMNS

PLAN = Plan()


def rejections(make, world, seeds):
    return np.mean([pl.latency_rows(make(world, seed=s), PLAN)[1]["now"] <= 0.05 for s in seeds])


def test_latency_is_silent_without_and_speaks_with_a_hidden_trait(simulated_dyads):
    seeds = range(100, 116)
    assert rejections(simulated_dyads, "D", seeds) <= 0.25
    assert rejections(simulated_dyads, "G", seeds) >= 0.6


@pytest.fixture(scope="module")
def found(simulated_dyads):
    return pl.placebo(simulated_dyads("D", seed=4), PLAN, n_permutations=6)


def test_rows_and_words(found):
    assert found.frame["estimand"].tolist() == ["N1", "N1", "N2", "N2", "N3", "N4"]
    assert list(found.frame.columns) == list(RESULT_COLUMNS)
    assert "compatible with none" in found.text("en")
    first_messages = next(line for line in found.text("en").splitlines() if line.startswith("First messages"))
    assert "Not a test" in first_messages
    assert "non prova che non ci sia nulla di nascosto" in found.text("it")


def test_what_is_left_for_the_pitch_is_the_difference(found, simulated_dyads):
    rows = found.frame.set_index(["estimand", "method"])["estimate"]
    primary = compare(simulated_dyads("D", seed=4), PLAN).rd
    first, rest = rows["N2", "first messages"], rows["N2", "pitch minus placebo"]
    assert rest == pytest.approx(primary - first)


def test_shuffled_days_have_no_effect(simulated_dyads):
    row = pl.placebo(simulated_dyads("B"), PLAN, n_permutations=12).frame.query("estimand == 'N4'").iloc[0]
    assert abs(row["estimate"]) < 0.03
    assert row["low"] < 0 < row["high"]


def test_unknown_latency_is_refused(simulated_dyads):
    d = simulated_dyads("D").assign(acceptance_days=np.nan)
    frame = pl.placebo(d, PLAN, n_permutations=0).frame
    assert frame.loc[frame["estimand"] == "N1", "reason"].str.contains("known for 0 connections; 60 are needed").all()
    assert frame.loc[frame["estimand"] == "N4", "reason"].iloc[0] == "no permutations were asked for"


def test_immediate_window_that_reaches_the_placebo_window(simulated_dyads):
    plan = Plan(immediate=(0, 7), deferred=(8, 30))
    frame = pl.placebo(simulated_dyads("A"), plan, n_permutations=0).frame
    assert frame.loc[frame["estimand"] == "N3", "reason"].iloc[0] == "the immediate window reaches day 7"


def test_the_table_given_is_not_changed(simulated_dyads):
    d = simulated_dyads("D", n=600)
    before = d.copy(deep=True)
    pl.placebo(d, PLAN, n_permutations=1)
    pd.testing.assert_frame_equal(d, before)


def test_groups_and_their_difference(simulated_dyads):
    frame = heterogeneity(simulated_dyads("A"), PLAN)
    rows = frame.set_index(["estimand", "method"])
    a, b = rows.loc[("P", "invited_by_sender = True")], rows.loc[("P", "invited_by_sender = False")]
    d = rows.loc[("P difference", "invited_by_sender = False minus invited_by_sender = True")]
    assert d["estimate"] == pytest.approx(b["estimate"] - a["estimate"])
    assert d["se"] == pytest.approx(np.hypot(a["se"], b["se"]))
    hard = rows.loc[("P difference", "pitches = hard minus pitches = below hard")]
    kinds = [rows.loc[("P", m), "estimate"] for m in ("pitches = hard", "pitches = below hard")]
    assert hard["estimate"] == pytest.approx(kinds[0] - kinds[1])


def test_small_groups_show_counts_only(simulated_dyads):
    frame = heterogeneity(simulated_dyads("A", n=300), PLAN)
    assert frame["estimate"].isna().all()
    assert frame["reason"].str.contains("30 and 10 are needed in each arm").any()
    assert (frame["n_now"] > 0).all()


def test_refused_designs_have_no_groups(simulated_dyads):
    frame = heterogeneity(simulated_dyads("J"), PLAN)
    assert frame["estimate"].isna().all()
    assert frame["reason"].str.contains("strict_gating").all()
