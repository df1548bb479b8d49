"""The truth of each world, from the same contacts under two strategies."""

from __future__ import annotations

import numpy as np
import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.simulation import WORLDS, true_values
from etiquette_analysis.simulation.worlds import NEVER, Contacts, draw_contacts, expit, get_world, logit, run

N = 20_000


def contacts_of(letter: str, n: int = 5_000, seed: int = 3) -> Contacts:
    return draw_contacts(WORLDS[letter], n, np.random.default_rng(seed))


@pytest.mark.parametrize("letter", ["A", "C", "D"])
def test_null_worlds_have_a_difference_of_exactly_zero(letter):
    # Common random numbers: where timing does nothing, every single contact replies alike under both strategies.
    assert true_values(letter, n=N)["rd"] == 0.0


@pytest.mark.parametrize(("letter", "sign"), [("B", -1), ("E", -1), ("M", -1), ("F", 1)])
def test_sign_of_the_truth(letter, sign):
    assert np.sign(true_values(letter, n=N)["rd"]) == sign


def test_counting_misleads_in_the_trap_and_not_where_timing_is_unrelated():
    assert abs(true_values("A", n=N)["counted_any"]) < 0.02
    assert true_values("D", n=N)["counted_any"] < -0.04


def test_truth_is_the_same_for_the_same_seed():
    assert true_values("E", n=2_000) == true_values("E", n=2_000)


def test_common_random_numbers_make_worlds_comparable():
    null, harm = contacts_of("A"), contacts_of("B")
    assert (null.reply_draw == harm.reply_draw).all()
    day = np.zeros(len(null), dtype=np.int64)
    # World B only lowers the chance of a reply to an immediate pitch, so nobody replies there who does not in A.
    assert not (run(harm, pitch_day=day).reply & ~run(null, pitch_day=day).reply).any()


def test_running_twice_changes_nothing():
    contacts = contacts_of("E")
    first, second = run(contacts), run(contacts)
    assert all((getattr(first, f) == getattr(second, f)).all() for f in ("pitch_day", "answered_day", "reply"))


def test_strategy_pitches_on_its_day():
    contacts = contacts_of("D")
    course = run(contacts, pitch_day=np.full(len(contacts), 9))
    assert (course.pitch_day == 9).all()


def test_gate_pitches_only_after_an_answer():
    contacts = contacts_of("D")
    course = run(contacts, pitch_day=np.full(len(contacts), 7), opener="day_0", gate_until=30)
    pitched = course.pitch_day < NEVER
    assert 0 < pitched.sum() < len(contacts)
    assert (course.answered_day[pitched] <= course.pitch_day[pitched]).all()


def test_natural_course_with_strict_gating():
    course = run(contacts_of("J"))
    late = (course.pitch_day > 1) & (course.pitch_day < NEVER)
    assert late.any()
    assert (course.answered_day[late] <= course.pitch_day[late]).all()


def test_nobody_replies_without_a_pitch():
    course = run(contacts_of("E"))
    assert not course.reply[course.pitch_day == NEVER].any()


def test_unknown_world_names_those_there_are():
    with pytest.raises(DesignError, match=r"no world 'Q'; there are A \(null, timing unrelated"):
        get_world("Q")


def test_world_itself_passes_through():
    assert get_world(WORLDS["E"]) is WORLDS["E"]


def test_expit_undoes_logit():
    p = np.array([0.01, 0.5, 0.9])
    np.testing.assert_allclose(expit(np.array([logit(float(x)) for x in p])), p)
