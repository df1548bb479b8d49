"""Where a source does not say when people connected, time zero is the first contact: another question, said aloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from etiquette_analysis.pipeline import prepare_report
from etiquette_analysis.privacy import suppress_small
from etiquette_analysis.report import sections
from etiquette_analysis.report.findings import find
from etiquette_analysis.report.language import load_words
from etiquette_analysis.sources import read_telegram
from tests.report.conftest import find_world

if TYPE_CHECKING:
    from pathlib import Path

    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings

SAID_IN = {"opening": "opening.no_dates", "labels": "labels.timing_undated", "record": "record.no_dates"}


def assert_says_so(findings: Findings, language: Language) -> None:
    words = load_words(language)
    html = {section.__name__: section(findings, language=language).html for section in sections.IN_ORDER}
    for name, place in SAID_IN.items():
        part, _, sentence = place.partition(".")
        assert words[part][sentence] in html[name]
    assert f"<h1>{words['opening']['question_undated']}</h1>" in html["opening"]
    assert words["opening"]["question"] not in "".join(html.values())
    assert words["limits"]["items_undated"][0] in html["limits"]
    missing_from_a_list = re.escape(words["flow"]["orphans"].split("}", 1)[1][:40])
    assert not re.search(missing_from_a_list, html["flow"]), "nobody is missing from a list that does not exist"
    connections = {"en": "connection", "it": "collegament"}[language]
    kicker = html["opening"].split("</p>", 1)[0]
    assert connections not in kicker


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_table_without_connections(language: Language) -> None:
    assert_says_so(find_world("undated"), language)


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_chat(shared_data: Path, language: Language) -> None:
    dataset = read_telegram(shared_data / "telegram" / "own")
    findings = find(prepare_report(dataset)[0], suppress=suppress_small)
    assert_says_so(findings, language)
    assert "2" in sections.opening(findings, language=language).html.split("</p>", 1)[0], "people, not connections"


def test_habits_are_counted_from_the_first_contact() -> None:
    results = find_world("undated").results
    sent, arms = results["sent"], results["flow"]["arms"]
    assert sent["n"] >= results["habits"]["n_pitched"] > 100
    assert sent["share_now"] * sent["n"] == pytest.approx(arms["now"], rel=0.15), "a few more: all, not the eligible"
    assert sum(row["n"] or 0 for row in results["rapport"]) > 100


def test_a_source_with_dates_says_nothing_of_the_kind() -> None:
    findings = find_world("too_small")
    html = "".join(section(findings, language="en").html for section in sections.IN_ORDER)
    words = load_words("en")
    assert not [place for place in SAID_IN.values() if words[place.split(".")[0]][place.split(".")[1]] in html]
