"""The gate: every rule on its own, blindness to the replies, and words in both languages."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis.design import between_senders_only, check_design, is_low, judge
from etiquette_analysis.analysis.experiment import randomise
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.texts import REASONS
from etiquette_analysis.errors import DesignError

PLAN = Plan()


def table(pitch_day, *, answered_day=None, hours=None, sender=0):
    """Build bare dyads: only when each was pitched, answered and replied to."""
    n = len(pitch_day)
    pitched = np.array([day is not None for day in pitch_day], dtype=bool)
    replied = np.where(pitched & (np.arange(n) % 3 == 0), 5.0, np.nan) if hours is None else hours
    return pd.DataFrame(
        {
            "sender": sender,
            "contact": np.arange(n),
            "time_zero": pd.Timestamp("2024-05-01", tz="UTC") + pd.to_timedelta(np.arange(n) % 90, unit="D"),
            "pitch_day": pd.array(pitch_day, dtype="Int64"),
            "opener_day": pd.array([None] * n, dtype="Int64"),
            "answered_day": pd.array([None] * n if answered_day is None else answered_day, dtype="Int64"),
            "hours_to_reply": replied,
            "followup_days": 100.0,
        }
    )


def days(now, later, never):
    return [k % 2 for k in range(now)] + [7 + k % 24 for k in range(later)] + [None] * never


def test_plenty_of_both_timings_is_level_2():
    design = check_design(table(days(80, 80, 80)), PLAN)
    assert (design.level, design.reasons) == (2, ())
    assert design.counts["n"].tolist() == [80, 80]


@pytest.mark.parametrize("sesoi", [0.05, 0.1])
def test_the_advice_names_the_size_that_the_experiment_is_planned_with(sesoi):
    design = check_design(table(days(9, 9, 60)), Plan(sesoi=sesoi))
    n = randomise(["a", "b"], seed=1, sesoi=sesoi).n_per_arm
    assert f"It takes 2 x {n} contacts" in design.text("en")
    assert f"Servono 2 x {n} contatti" in design.text("it")


@pytest.mark.parametrize(("now", "later", "level"), [(9, 50, 0), (50, 9, 0), (10, 50, 1), (29, 50, 1)])
def test_small_arms(now, later, level):
    design = check_design(table(days(now, later, 60)), PLAN)
    assert design.level == level
    assert design.reasons[0] in ("too_few_pitches", "small_arm")


def test_fewer_than_ten_replies_in_all_is_level_0():
    hours = np.full(240, np.nan)
    hours[:9] = 4.0
    assert check_design(table(days(80, 80, 80), hours=hours), PLAN).reasons == ("too_few_replies",)
    hours[100] = 4.0
    assert check_design(table(days(80, 80, 80), hours=hours), PLAN).level == 2


def test_later_pitches_to_people_who_wrote_only_are_strict_gating():
    answered = [None] * 80 + [3] * 80 + [None] * 80
    design = check_design(table(days(80, 80, 80), answered_day=answered), PLAN)
    assert design.level == 1
    assert design.reasons[0] == "strict_gating"


def test_no_warm_later_pitches_while_many_wrote():
    answered = [None] * 160 + [3] * 80
    design = check_design(table(days(80, 80, 80), answered_day=answered), PLAN)
    assert "few_warm_later" in design.reasons


def test_always_at_once_is_told_first():
    design = check_design(table(days(90, 5, 5)), PLAN)
    assert design.level == 0
    assert design.reasons[0] == "always_at_once"
    assert design.text("en").startswith("You pitched 90% of your contacts within a day")


def test_an_arm_that_never_reaches_some_contacts_has_no_overlap():
    dyads = table(days(80, 80, 80)).assign(x_kind=0.0)
    never_later = dyads.iloc[[*range(40), *range(160, 240)]].assign(x_kind=1.0, contact=lambda d: d["contact"] + 1000)
    design = check_design(pd.concat([dyads, never_later], ignore_index=True), PLAN)
    assert design.level == 1
    assert "no_overlap" in design.reasons


def test_low_chance_is_one_percent_or_a_twentieth_of_the_mean():
    chance = np.array([0.009, 0.011, 0.5, 0.5])
    assert is_low(chance, np.ones(4, dtype=bool)).tolist() == [True, True, False, False]
    assert is_low(np.array([0.009, 0.011, 0.02]), np.ones(3, dtype=bool)).tolist() == [True, False, False]


def test_few_senders_who_never_mix_both_timings():
    half = days(80, 0, 20) + days(0, 80, 20)
    dyads = table(half, sender=np.repeat([0, 1], 100))
    design = check_design(dyads, PLAN)
    assert "few_senders" in design.reasons
    assert "2 senders: differences between people cannot be separated from timing." in design.text("en")
    mixed = table(half, sender=np.arange(200) % 2)
    assert not between_senders_only(build_problem(mixed, PLAN))


def test_many_messages_without_text():
    dyads = table(days(80, 80, 80)).assign(first_own_day=0, exclusion=pd.array([None] * 240, dtype="str"))
    dyads.loc[:59, "exclusion"] = "text_missing"
    design = check_design(dyads, PLAN)
    assert "unlabelled" in design.reasons
    assert "25% of first messages carry no text" in design.text("en")


def test_no_eligible_dyad_at_all_is_level_0_not_an_error():
    design = check_design(table(days(3, 3, 3)).assign(followup_days=10.0), PLAN)
    assert design.level == 0
    assert check_design(table([]), PLAN).level == 0


def test_replies_move_nothing_but_the_pooled_count(simulated_dyads):
    dyads = simulated_dyads("D", 600, 3)
    shuffled = dyads.assign(
        hours_to_reply=np.where(
            dyads["pitch_day"].notna(), np.random.default_rng(0).permutation(600 + 48) / 2.0, np.nan
        )
    )
    a, b = check_design(dyads, PLAN), check_design(shuffled, PLAN)
    assert (a.level, a.reasons) == (b.level, b.reasons)
    for frame in ("counts", "balance", "overlap"):
        pd.testing.assert_frame_equal(getattr(a, frame), getattr(b, frame))
    told = [dict(design.values) for design in (a, b)]
    assert told[0].pop("n_replies") != told[1].pop("n_replies")
    assert told[0] == told[1]
    np.testing.assert_array_equal(a.hazards.survival, b.hazards.survival)


def test_weighting_brings_balance(simulated_dyads):
    balance = check_design(simulated_dyads("C", 1500, 5), PLAN).balance.set_index("covariate")
    assert balance.loc["seniority=executive", "smd_before"] < -0.2
    assert balance["smd_after"].abs().max() < 0.1


def test_a_problem_can_be_judged_with_another_exposure(simulated_dyads):
    problem = build_problem(simulated_dyads("A", 600, 3), PLAN)
    nobody = dataclasses.replace(problem, pitch_day=np.full(len(problem), NEVER))
    assert judge(nobody).level == 0


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_reason_has_words_without_gaps(language):
    design = check_design(table(days(5, 5, 20)), PLAN)
    for code in REASONS[language]:
        words = dataclasses.replace(design, reasons=(code,)).text(language)
        assert "{" not in words
        assert len(words) > 80


def test_words_of_a_refusal(simulated_dyads):
    design = check_design(table(days(5, 6, 20)), PLAN)
    assert design.text("en").startswith(
        "You have 6 pitches sent after a wait and 5 sent at once. Any comparison would be"
    )
    assert "Hai 6 proposte inviate dopo un'attesa e 5 inviate subito." in design.text("it")
    gated = check_design(simulated_dyads("J", 600, 1), PLAN).text("it", policy="scegliere costa 5 risposte su 100.")
    assert "Ecco ciò che si può dire: scegliere costa 5 risposte su 100." in gated
    with pytest.raises(DesignError, match="expected 'en' or 'it'"):
        design.text("fr")


@pytest.mark.parametrize("seed", range(4))
def test_strict_gating_is_always_refused(simulated_dyads, seed):
    assert check_design(simulated_dyads("J", 600, seed), PLAN).level <= 1
