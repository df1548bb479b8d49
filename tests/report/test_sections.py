"""What is said is what the data show: sentences that depend on a number follow it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from etiquette_analysis.analysis.secondary import is_small
from etiquette_analysis.pipeline import prepare_report
from etiquette_analysis.privacy import suppress_small
from etiquette_analysis.report import questions, sections
from etiquette_analysis.report.findings import find
from etiquette_analysis.report.habits import TRAITS
from etiquette_analysis.report.language import load_words
from etiquette_analysis.simulation import simulate
from tests.report.conftest import find_world

if TYPE_CHECKING:
    from etiquette_analysis.report.findings import Findings


def changed(findings: Findings, **places: Any) -> Findings:
    """Return findings with other numbers at some places, written ``section__name=value``."""
    results = copy.deepcopy(findings.results)
    for place, value in places.items():
        *path, last = place.split("__")
        part = results
        for name in path:
            part = part[name]
        part[last] = value
    return replace(findings, results=results)


@pytest.mark.parametrize(("low", "shows"), [(0.3, True), (0.1, False)])
def test_splitting_late_pitches_shows_only_what_it_shows(answered: Findings, low: float, shows: bool) -> None:
    cold, warm = {"n": 90, "rate": 0.2, "low": 0.1, "high": 0.3}, {"n": 60, "rate": 0.4, "low": low, "high": 0.5}
    said = sections.counting(changed(answered, counted__any_later_cold=cold, counted__any_later_warm=warm)).html
    assert ("and it shows: " in said) == shows
    assert ("do not show it clearly" in said) != shows


@pytest.mark.parametrize("verdict", ["supports", "contradicts", "practically equal", "inconclusive"])
def test_advice_and_verdict_follow_from_one_another(answered: Findings, verdict: str) -> None:
    findings = changed(answered, answer__verdict=verdict)
    for language in ("en", "it"):
        words = load_words(language)
        assert words["doubt"]["advice"][verdict] in sections.doubt(findings, language=language).html
        assert f"<strong>{words['verdicts'][verdict]}</strong>" in sections.opening(findings, language=language).html


def test_where_the_claim_is_false_the_first_screen_contradicts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "DRAWS", {10_000: 2})
    dataset = simulate("F", n=6000, seed=1)
    findings = find(prepare_report(dataset, levels=dataset.levels)[0], suppress=suppress_small)
    answer = findings.results["answer"]
    assert answer["low"] < 0.04 < answer["high"], "the true difference of world F"
    assert findings.results["counted"]["rd_any_later"]["estimate"] < 0, "counting says the opposite"
    assert "rifare decine di volte l'intero confronto" in sections.battery(findings, language="it").html, "too many"
    said = sections.opening(findings, language="it").html
    assert '<p class="verdict contradicts">' in said
    assert "contraddice l'affermazione" in said
    assert "aumenta le risposte" in said


def test_a_factor_of_nothing_is_the_slightest_trait_and_sizes_are_said_roundly(answered: Findings) -> None:
    places = {"doubt__tipping": 1.003, "doubt__n_needed": 4398, "doubt__n_more": 3498, "doubt__months_more": 1}
    said = changed(answered, **places)
    for language, slightest, size in (
        ("en", "even the slightest one", "about <data value"),
        ("it", "basterebbe anche la più piccola", "circa <data value"),
    ):
        html = sections.doubt(said, language=language).html
        assert slightest in html
        assert f'{size}="4398" data-key="doubt.n_needed">{"4,400" if language == "en" else "4.400"}</data>' in html
        assert "1.00" not in html
        assert "1,00" not in html
    assert "The slightest hidden trait" in sections.limits(said).html
    assert "1.01" in sections.doubt(changed(answered, doubt__tipping=1.012)).html


@pytest.mark.parametrize(("n", "shows"), [(1490, False), (1400, True)])
def test_nobody_is_sent_for_a_few_contacts_more(n: int, shows: bool) -> None:
    assert is_small(n) == shows


@pytest.mark.parametrize(("says", "words"), [("claimed", "as claimed"), ("against", "the opposite"), ("open", "open")])
def test_each_question_is_read_against_the_claim(answered: Findings, says: str, words: str) -> None:
    row = {**answered.results["secondary"]["S1"], "says": says, "p_holm": 0.0002}
    html = sections.questions(changed(answered, secondary__S1=row)).html
    first = html.split("<tbody>", 1)[1].split("</tr>", 1)[0]
    assert f"<td>{words}</td>" in first
    assert "below" in first
    assert ">0.001</data>" in first


def test_where_only_choosing_can_be_judged_the_other_rows_say_why_not() -> None:
    html = sections.questions(find_world("gated")).html
    assert html.count("these data cannot bear it") == 3
    assert html.count('data-key="secondary.S3.estimate"') == 1


def test_too_little_is_said_once(parts: dict[str, dict[str, str]]) -> None:
    for html in parts["en"].values():
        assert html.count("Any comparison would be noise") <= 1


def test_invented_data_are_called_so_and_real_ones_are_not(answered: Findings) -> None:
    words = load_words("it")["opening"]["invented"]
    assert words in sections.opening(answered, language="it").html
    assert words not in sections.opening(changed(answered, data__is_invented=False), language="it").html


def test_a_reason_without_a_word_keeps_its_language(answered: Findings) -> None:
    stage = {"stage": "x.csv", "read": 9, "kept": 2, "left_out": [{"reason": "eaten by <dog>", "n": 7}]}
    html = sections.flow(changed(answered, flow__stages=[stage]), language="it").html
    assert '<span lang="en">eaten by &lt;dog&gt;</span>' in html


def test_the_labeller_claims_no_human_gold_standard(answered: Findings) -> None:
    measured = changed(answered, labels__is_own_coding=False, labels__sensitivity=0.8, labels__specificity=0.9)
    html = sections.labels(measured, language="en").html
    assert "no person coded them" in html
    assert "human coders" not in html


def test_every_trait_that_is_broken_down_has_words() -> None:
    for language in ("en", "it"):
        assert set(load_words(language)["whom"]) == set(TRAITS)
