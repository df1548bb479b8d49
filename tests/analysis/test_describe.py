"""Counting: by hand on a small table, at every level, in both languages, and always with its warning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from etiquette_analysis.analysis import survival as sv
from etiquette_analysis.analysis.association import associate
from etiquette_analysis.analysis.describe import describe, pitch_groups
from etiquette_analysis.analysis.intervals import newcombe, wilson
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import NEVER
from etiquette_analysis.analysis.results import RESULT_COLUMNS
from etiquette_analysis.errors import DesignError

PLAN = Plan()


def small_table():
    """Twelve pitched at once (4 replies), eleven later: six warm (5 replies), five cold (2 replies), one never."""
    pitch = [0] * 6 + [1] * 6 + [3, 8, 9, 10, 12, 20] + [7, 8, 15, 29, 30] + [None]
    answered = [None] * 12 + [2, 8, 1, 3, 12, 5] + [None] * 6
    replied = [True] * 4 + [False] * 8 + [True] * 5 + [False] + [True] * 2 + [False] * 3 + [False]
    n = len(pitch)
    return pd.DataFrame(
        {
            "sender": 0,
            "contact": np.arange(n),
            "time_zero": pd.date_range("2024-01-01", periods=n, tz="UTC"),
            "exclusion": None,
            "followup_days": 100.0,
            "pitch_day": pd.array(pitch, dtype="Int64"),
            "pitch_level": pd.Categorical(["hard"] * n, categories=["none", "soft", "moderate", "hard"], ordered=True),
            "opener_day": pd.array([None] * n, dtype="Int64"),
            "answered_day": pd.array(answered, dtype="Int64"),
            "hours_to_reply": np.where(replied, 24.0, np.nan),
            "reply_positive": pd.array([True if r else None for r in replied], dtype="boolean"),
        }
    )


def test_counts_by_hand():
    d = describe(small_table(), PLAN)
    t = {k: (v.n, v.n_replies) for k, v in d.tallies.items()}
    assert t["now"] == (12, 4)
    assert t["any_later"] == (11, 7)
    assert t["later"] == (10, 6)
    assert t["any_later_warm"] == (6, 5)
    assert t["any_later_cold"] == (5, 2)
    row = d.frame[(d.frame["estimand"] == "D any_later") & (d.frame["scale"] == "rd")].iloc[0]
    assert row["estimate"] == pytest.approx(4 / 12 - 7 / 11)
    np.testing.assert_allclose([row["low"], row["high"]], newcombe(4, 12, 7, 11))
    assert d.tallies["now"].low == pytest.approx(wilson(4, 12).low)
    assert list(d.frame.columns) == list(RESULT_COLUMNS)
    timing = d.tables["timing_by_intensity"].set_index(["timing", "pitch_level"])["n"]
    assert timing["now", "hard"] == 12
    assert timing["between", "hard"] == 1
    assert timing["later", "moderate"] == 0


def test_too_few_shows_rates_and_no_comparison():
    d = describe(small_table().iloc[:15], PLAN)
    assert d.design.level == 0
    differences = d.frame[d.frame["scale"].isin(["rd", "log_or"])]
    assert differences["estimate"].isna().all()
    assert differences["reason"].str.contains("too_few").all()
    assert "Too few" in d.text("en")
    assert "Troppo poche" in d.text("it")
    assert d.frame.loc[d.frame["scale"] == "rate_now", "estimate"].notna().all()


def test_text_warns_that_counting_is_not_the_effect_of_waiting(simulated_dyads):
    d = describe(simulated_dyads("D"), PLAN)
    assert "not what waiting would do" in d.text("en")
    assert "people who had already written" in d.text("en")
    assert "non ciò che produrrebbe l'attesa" in d.text("it")
    assert "," in d.text("it").split("%")[0]
    with pytest.raises(DesignError, match="language='fr': expected 'en' or 'it'"):
        d.text("fr")


def test_association_equals_statsmodels(simulated_dyads):
    d = describe(simulated_dyads("C"), PLAN)
    p = d.design.problem
    groups = pitch_groups(p.pitch_day, p.answered_day, PLAN)
    rows = np.flatnonzero(groups["now"] | groups["any_later"])
    x = np.column_stack([np.ones(len(rows)), groups["now"][rows], p.X[p.cell[rows]]]).astype(float)
    fit = sm.Logit(p.outcome[rows], x).fit(disp=0, tol=1e-14, cov_type="cluster", cov_kwds={"groups": p.week[rows]})
    row = d.frame[d.frame["scale"] == "log_or"].iloc[0]
    assert row["method"] == "logit, by week"
    assert row["estimate"] == pytest.approx(fit.params[1], abs=1e-9)
    assert row["se"] == pytest.approx(fit.bse[1], abs=1e-9)
    one, zero = x.copy(), x.copy()
    one[:, 1], zero[:, 1] = 1, 0
    standardised = d.frame[(d.frame["estimand"] == "A any_later") & (d.frame["scale"] == "rd")].iloc[0]
    assert standardised["estimate"] == pytest.approx((fit.predict(one) - fit.predict(zero)).mean(), abs=1e-9)


def test_association_survives_an_arm_without_replies(simulated_dyads):
    d = simulated_dyads("A").copy()
    d.loc[d["pitch_day"] <= 1, "hours_to_reply"] = np.nan
    p = describe(d, PLAN).design.problem
    groups = pitch_groups(p.pitch_day, p.answered_day, PLAN)
    row = associate(p, groups["now"], groups["any_later"])[0]
    assert row["method"] == "firth"
    assert np.isfinite(row["estimate"])


def test_several_senders_are_clustered_by_sender(simulated_dyads):
    d = describe(simulated_dyads("H", n=1200), PLAN)
    assert "logit, by sender" in set(d.frame["method"])


def test_waiting_times_respect_censoring():
    d = small_table()
    d.loc[[4, 5], "followup_days"] = 3.0  # pitched three days before the end, not answered yet
    d.loc[[4, 5], "exclusion"] = "too_recent"
    table = describe(d, PLAN).tables["time_to_reply"]
    now = table[table["group"] == "now"]
    assert now["n_at_risk"].iloc[0] == 12
    assert sv.at_time(now, 24) == pytest.approx(8 / 12)
    assert now["n_censored"].sum() == 8
    first = describe(d, PLAN).tables["first_reply"]
    assert first["event"].unique().tolist() == [1]


def test_groups_do_not_overlap():
    rng = np.random.default_rng(1)
    day = rng.integers(0, 60, 500)
    answered = np.where(rng.random(500) < 0.5, rng.integers(0, 60, 500), NEVER)
    g = pitch_groups(day, answered, PLAN)
    assert not (g["now"] & g["any_later"]).any()
    assert (g["later_warm"] | g["later_cold"]).tolist() == g["later"].tolist()


def test_the_table_given_is_not_changed(simulated_dyads):
    d = simulated_dyads("D")
    before = d.copy(deep=True)
    describe(d, PLAN)
    pd.testing.assert_frame_equal(d, before)
