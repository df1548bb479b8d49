"""The report as a browser shows it: no request, no message, nothing cut off, and no fault that a machine can find.

Every check runs on the page as somebody opens it: from a file, in both languages, at two widths, and on paper.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from etiquette_analysis.pipeline import write_report
from etiquette_analysis.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

#: Name -> width in pixels, medium, and what the reader's system prefers.
SHOWN = {
    "wide": (1280, "screen", "light"),
    "narrow": (390, "screen", "light"),
    "dark": (1280, "screen", "dark"),
    "paper": (720, "print", "light"),
}


class Opened(NamedTuple):
    """A page that was opened, and everything that it asked for or complained of meanwhile."""

    page: Page
    requests: list[str]
    complaints: list[str]
    name: str


@pytest.fixture(scope="module", params=["en", "it"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = simulate("B", n=300, seed=5)
    out = tmp_path_factory.mktemp("browser") / "report"
    return write_report(dataset, out, language=request.param, levels=dataset.levels)


@pytest.fixture(params=SHOWN)
def opened(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Opened]:
    width, medium, scheme = SHOWN[request.param]
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda m: complaints.append(m.text))
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("requestfailed", lambda r: complaints.append(r.url))
    page.emulate_media(media=medium)
    page.goto(file.as_uri())
    yield Opened(page, requests, complaints, request.param)
    page.close()


def test_no_request_and_no_message(opened: Opened, file: Path) -> None:
    opened.page.wait_for_load_state("networkidle")
    assert [url for url in opened.requests if url != file.as_uri() and not url.startswith("data:")] == []
    assert opened.complaints == []


def test_axe_finds_no_fault(opened: Opened) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe: make browser-test installs it"
    )
    found = axe.Axe().run(opened.page).response["violations"]
    faults = [f"{v['impact']}: {v['id']} at {[node['target'] for node in v['nodes'][:3]]}" for v in found]
    assert faults == []


def test_nothing_is_wider_than_the_page(opened: Opened) -> None:
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= SHOWN[opened.name][0]
    shown = "[...document.querySelectorAll('p,h1,h2,h3,li,dd,figure')].filter(e => e.clientWidth > 0)"
    assert page.evaluate(f"{shown}.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)") == []
    scrolled = [e for e in page.query_selector_all(".scroll") if e.evaluate("e => e.scrollWidth > e.clientWidth + 1")]
    assert opened.name == "narrow" or not scrolled, "tables fit on a wide screen and on paper"


def test_each_figure_is_shown_once_legibly_and_described(opened: Opened) -> None:
    figures = opened.page.query_selector_all("figure")
    assert len(figures) >= 6
    for figure in figures:
        drawn = [svg for svg in figure.query_selector_all("svg") if svg.is_visible()]
        assert len(drawn) == 1
        scale = drawn[0].evaluate("s => s.clientWidth / s.viewBox.baseVal.width")
        assert 8.5 * scale >= 9, "letters of 8.5 units, the smallest there are, measure at least 9 pixels"
        assert re.search(r"\d", drawn[0].get_attribute("aria-label") or ""), "the description carries the numbers"
    assert opened.page.query_selector_all("img, canvas, svg:not([role=img])") == []


def test_letters_are_large_and_dark_enough(opened: Opened) -> None:
    sizes = opened.page.evaluate(
        "[...document.querySelectorAll('p,li,td,th,dd,dt,caption,figcaption,a')]"
        ".filter(e => e.clientHeight > 0).map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= (10.5 if opened.name == "paper" else 12)


def focused(page: Page) -> dict[str, Any]:
    """Return what has the focus, where it stands and how that is shown."""
    found: dict[str, Any] = page.evaluate(
        "(e => ({tag: e.tagName, name: e.className, href: e.getAttribute('href'), text: e.innerText,"
        " left: e.getBoundingClientRect().left, top: e.getBoundingClientRect().top + window.scrollY,"
        " outline: getComputedStyle(e).outlineStyle, width: parseFloat(getComputedStyle(e).outlineWidth)}))"
        "(document.activeElement)"
    )
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_follows_the_page(browser: Browser, file: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(file.as_uri())
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = focused(page)
        if stop["tag"] == "BODY":
            break
        assert stop["outline"] != "none", f"the focus on {stop['text']!r} cannot be seen"
        assert stop["width"] >= 2, f"the focus on {stop['text']!r} can hardly be seen"
        stops.append(stop)
    assert (stops[0]["name"], stops[0]["href"], stops[0]["left"] >= 0) == ("skip", "#main", True)
    order = page.evaluate(
        "[...document.querySelectorAll('a[href],.scroll')].map(e => e.getAttribute('href') || e.innerText)"
    )
    assert [s["href"] or s["text"] for s in stops] == order
    up = [a["text"] for a, b in itertools.pairwise(stops[1:]) if b["top"] < a["top"]]
    assert len(up) <= (1 if width > 620 else 0), "focus moves down; only from one column of the contents to the next up"
    page.close()


def test_the_first_link_leads_past_the_top(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.keyboard.press("Tab")
    assert focused(page)["href"] == "#counting", "the next stop lies inside what the link led to"
    page.close()


def test_the_answer_stands_on_the_first_screen(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    for part in ("h1", ".verdict", ".answer", "#figure-hundred", "#figure-hundred + p"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, f"{part} ends below the first screen"
    page.close()


def test_it_prints_on_a_few_pages(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert printed.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12
