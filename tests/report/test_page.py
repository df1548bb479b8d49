"""The page: one file, no network, readable by people and by screen readers, the same bytes every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from etiquette_analysis.report import sections
from etiquette_analysis.report.page import assemble

if TYPE_CHECKING:
    from etiquette_analysis.report.findings import Findings

VOID = {"meta", "link", "br", "hr", "img", "input", "use", "path"}


class Outline(HTMLParser):
    """Tags that do not close, headings in order, ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes.setdefault(tag, []).append(found)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module", params=["en", "it"])
def page(request: pytest.FixtureRequest, parts: dict[str, dict[str, str]]) -> str:
    return assemble([html for html in parts[request.param].values() if html], language=request.param, version="0")


def test_the_page_needs_nothing_beside_it(page: str) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names of namespaces, no links"
    assert not re.search(r"<script|<iframe|<object|@import|\bsrc=|\bon\w+=", page)
    assert "default-src 'none'" in page


def test_mark_up_is_well_formed_and_in_order(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.attributes["html"][0]["lang"] in ("en", "it")


def test_links_lead_somewhere_and_the_first_skips_to_the_answer(page: str) -> None:
    targets = re.findall(r'<a[^>]* href="#([\w-]+)"', page)
    assert targets[0] == "main"
    assert len(targets) > 10
    assert all(f'id="{target}"' in page for target in targets)


def test_every_figure_is_described_with_its_numbers(page: str) -> None:
    described = re.findall(r'<svg role="img" aria-label="([^"]*)"', page)
    assert len(described) == page.count("<svg")
    assert all(re.search(r"\d", text) for text in described)
    assert page.count("<figcaption>") == page.count("<figure")


def test_figures_are_drawn_the_same_twice(answered: Findings) -> None:
    once, again = ("".join(section(answered).html for section in sections.IN_ORDER) for _ in range(2))
    assert once == again
    assert not re.search(r"<dc:date|<metadata|Matplotlib v", once)


def test_the_first_screen_states_question_verdict_and_answer(answered: Findings) -> None:
    html = sections.opening(answered, language="it").html
    order = [html.index(mark) for mark in ("<h1>", 'class="verdict', 'class="answer"', "<svg")]
    assert order == sorted(order)
    assert "sostiene l'affermazione" in html


def test_late_pitches_carry_the_warning(parts: dict[str, dict[str, str]]) -> None:
    assert "late pitches" in parts["en"]["counting"]
    assert "proposte tardive" in parts["it"]["counting"]
