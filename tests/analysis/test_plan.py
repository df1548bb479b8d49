"""The plan: what it refuses, and that its fingerprint changes with every choice and with nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import DesignError

CHANGES = {
    "immediate": (0, 2),
    "deferred": (14, 60),
    "window_days": 7,
    "pitch_level": "hard",
    "covariates": ("calendar",),
    "recency": False,
    "outcome": "positive_reply",
    "cluster": "sender",
    "sesoi": 0.03,
    "conf_level": 0.9,
    "follow_up_gap_hours": 48,
    "history_days": 0,
}


def test_every_choice_changes_the_hash():
    assert set(CHANGES) == {field.name for field in dataclasses.fields(Plan)}
    hashes = {Plan(**{name: value}).hash for name, value in CHANGES.items()} | {Plan().hash}
    assert len(hashes) == len(CHANGES) + 1


def test_equal_choices_have_equal_hashes():
    assert Plan(window_days=14.0, immediate=[0, 1]).hash == Plan().hash
    assert len(Plan().hash) == 64


def test_hash_of_the_default_plan_is_pinned():
    # A change here means that all earlier results answer another plan: say so in the changelog.
    assert Plan().hash[:12] == "af7f3f1459b8"


def test_a_plan_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        Plan().sesoi = 0.1


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"immediate": (0,)}, "immediate=.* expected two whole numbers"),
        ({"immediate": (1, 0)}, "expected two whole numbers"),
        ({"immediate": (0.5, 1)}, "expected two whole numbers"),
        ({"immediate": "01"}, "expected two whole numbers"),
        ({"deferred": (7, 400)}, "ends after 365 days"),
        ({"deferred": (1, 30)}, "begins before immediate"),
        ({"window_days": 0}, "window_days=0: expected a number above 0"),
        ({"window_days": True}, "window_days=True: expected a number above 0"),
        ({"follow_up_gap_hours": -1}, "follow_up_gap_hours=-1"),
        ({"sesoi": 5}, "sesoi=5: expected a number between 0 and 1, e.g. 0.05"),
        ({"conf_level": 95}, "conf_level=95: expected a number between 0 and 1, e.g. 0.95"),
        ({"pitch_level": "none"}, "pitch_level='none': expected one of 'soft', 'moderate', 'hard'"),
        ({"outcome": "click"}, "outcome='click': expected one of 'reply'"),
        ({"cluster": "week"}, "cluster='week': expected one of None, 'sender'"),
        ({"history_days": 1.5}, "history_days=1.5: expected a whole number"),
        ({"covariates": "calendar"}, "covariates='calendar': expected a tuple"),
        ({"covariates": ("hours_to_reply",)}, "'hours_to_reply' is not known at connection"),
        ({"covariates": ("calendar", "calendar")}, "a name is repeated"),
    ],
)
def test_refuses_what_makes_no_sense(choice, message):
    with pytest.raises(DesignError, match=message):
        Plan(**choice)


def test_repr_shows_what_differs():
    assert repr(Plan()) == "Plan(immediate=(0, 1), deferred=(7, 30), window_days=14)  # af7f3f1459b8"
    assert "outcome='positive_reply'" in repr(Plan(outcome="positive_reply"))


@pytest.mark.parametrize("language", ["en", "it"])
def test_words_hold_every_window_and_the_hash(language):
    plan = Plan(immediate=(0, 0), deferred=(14, 60), window_days=7, outcome="positive_reply")
    words = plan.text(language)
    for shown in ("14", "60", "7", "67", plan.hash):
        assert shown in words


def test_unknown_language_is_refused():
    with pytest.raises(DesignError, match="expected 'en' or 'it'"):
        Plan().text("de")
