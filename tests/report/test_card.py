"""The picture of a report for other pages: from the numbers alone, the same every time, readable without seeing it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.report.card import draw_card, main
from etiquette_analysis.report.findings import dump
from tests.report.conftest import find_world

if TYPE_CHECKING:
    from pathlib import Path

    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings


@pytest.mark.parametrize(("language", "verdict"), [("en", "pitched at once, 9.0 would reply"), ("it", "9,0")])
def test_the_picture_says_its_numbers(answered: Findings, language: Language, verdict: str) -> None:
    results = {**answered.results, "answer": {**answered.results["answer"], "rate_now": 0.09}}
    svg = draw_card(results, language=language)
    assert verdict in ElementTree.fromstring(svg).attrib["aria-label"]
    assert svg == draw_card(results, language=language)


def test_it_is_drawn_from_the_file_of_results(answered: Findings, tmp_path: Path) -> None:
    source, target = tmp_path / "results.json", tmp_path / "answer.svg"
    source.write_text(dump(answered.results), encoding="utf-8")
    main([str(source), str(target)])
    assert target.read_text(encoding="utf-8") == draw_card(json.loads(dump(answered.results)))


def test_a_refusal_has_no_picture() -> None:
    with pytest.raises(DesignError, match="hold no answer, so there is no picture of it"):
        draw_card(find_world("too_small").results)


@pytest.mark.parametrize(("name", "said"), [("answer", "new contacts pitched"), ("answer.it", "nuovi contatti")])
def test_the_pictures_in_the_docs_are_ours(root: Path, name: str, said: str) -> None:
    svg = ElementTree.parse(root / "docs" / f"{name}.svg").getroot()
    assert said in svg.attrib["aria-label"]
