"""The report as a browser shows it: no request, no console message, nothing cut off, keyboard order as the eye reads.

Needs Chromium; skipped with a reason where there is none.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from etiquette_analysis.pipeline import write_report
from etiquette_analysis.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)
OPTIONS = "--headless=new --no-sandbox --disable-gpu --no-first-run --remote-debugging-port=0 --remote-allow-origins=*"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, e.g. apt-get install chromium")


class Page:
    """One page of a headless browser, spoken to over its DevTools socket."""

    def __init__(self, address: str) -> None:
        websocket = pytest.importorskip("websocket", reason="needs websocket-client, which comes with JupyterLab")
        self.socket = websocket.create_connection(address, timeout=30)
        self.number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command, keep the events that come meanwhile, return the answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer: dict[str, Any] = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self.events.append(answer)


@pytest.fixture(scope="module", params=["en", "it"])
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dataset = simulate("B", n=300, seed=5)
    out = tmp_path_factory.mktemp("browser") / "report"
    return write_report(dataset, out, language=request.param, levels=dataset.levels)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    profile = tmp_path_factory.mktemp("profile")
    command = [str(CHROMIUM), *OPTIONS.split(), f"--user-data-dir={profile}"]
    with (profile / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        port = profile / "DevToolsActivePort"
        deadline = time.monotonic() + 30
        while not (port.exists() and port.read_text().count("\n")) and time.monotonic() < deadline:
            time.sleep(0.1)
        number, path = port.read_text().split()
        page = Page(f"ws://127.0.0.1:{number}{path}")
        yield page
        page.socket.close()
        process.terminate()


def open_page(browser: Page, file: Path, width: int) -> str:
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = str(browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
    browser.events.clear()
    for domain in ("Network", "Log", "Runtime", "Page"):
        browser.call(f"{domain}.enable", session)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.call("Emulation.setDeviceMetricsOverride", session, **size)
    browser.call("Page.navigate", session, url=file.as_uri())
    while not value(browser, session, "document.readyState === 'complete' && location.protocol === 'file:'"):
        time.sleep(0.05)
    return session


def value(browser: Page, session: str, expression: str) -> Any:
    return browser.call("Runtime.evaluate", session, expression=expression, returnByValue=True)["result"].get("value")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_request_and_no_console_message(browser: Page, page_file: Path, width: int) -> None:
    open_page(browser, page_file, width)
    asked = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert [e for e in browser.events if e["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_screen(browser: Page, page_file: Path, width: int) -> None:
    session = open_page(browser, page_file, width)
    assert value(browser, session, "document.documentElement.scrollWidth") <= width
    shown = "[...document.querySelectorAll('p,h1,h2,h3,li,dd,figure')]"
    assert value(browser, session, f"{shown}.filter(e => e.scrollWidth > e.clientWidth + 1).length") == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_each_figure_is_shown_once_and_legibly(browser: Page, page_file: Path, width: int) -> None:
    session = open_page(browser, page_file, width)
    figures, visible = "[...document.querySelectorAll('figure')]", "filter(s => s.clientWidth > 0)"
    counts = value(browser, session, f"{figures}.map(f => [...f.querySelectorAll('svg')].{visible}.length)")
    assert len(counts) >= 5
    assert set(counts) == {1}
    drawings = f"[...document.querySelectorAll('svg')].{visible}"
    scale = value(browser, session, f"Math.min(...{drawings}.map(s => s.clientWidth / s.viewBox.baseVal.width))")
    assert 8.5 * scale >= 9, "letters of 8.5 units, the usual small ones, measure at least 9 pixels"


def test_the_keyboard_goes_down_the_page(browser: Page, page_file: Path) -> None:
    session = open_page(browser, page_file, 1280)
    places = []
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    now = "document.activeElement"
    for _ in range(16):
        browser.call("Input.dispatchKeyEvent", session, type="keyDown", **key)
        browser.call("Input.dispatchKeyEvent", session, type="keyUp", **key)
        where = f"{now}.getBoundingClientRect().top + window.scrollY"
        places.append(value(browser, session, f"[{now}.className, {where}, {now}.tagName]"))
    assert places[0][0] == "skip"
    tops = [top for _, top, tag in places[1:] if tag != "BODY"]
    columns = [a - b for a, b in itertools.pairwise(tops) if b < a]
    assert len(columns) <= 1, "the contents stand in two columns; otherwise focus only moves down"


def test_it_prints(browser: Page, page_file: Path) -> None:
    session = open_page(browser, page_file, 1280)
    printed = browser.call("Page.printToPDF", session, preferCSSPageSize=True)["data"]
    assert len(printed) > 50_000
