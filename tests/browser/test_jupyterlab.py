"""The notebooks as a researcher meets them: `etiquette lab` started, each opened in JupyterLab, all cells run there."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NOTEBOOKS = sorted(path.name for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
#: What JupyterLab would ask its server to fetch from elsewhere.
FROM_ELSEWHERE = ("/lab/api/news", "/lab/api/update")
MINUTES_3 = 180_000

IS_OPEN = """name => {
    const shown = window.jupyterapp.shell.currentWidget;
    return shown?.context?.path === name && shown.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN_ALL = """() => {
    window.ran = false;
    window.jupyterapp.commands.execute('runmenu:run-all').finally(() => { window.ran = true; });
}"""
CELLS = "window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(cell => cell.toJSON())"
#: What a reader would stumble over: tables cut off at the right, and figures drawn for two screens and both shown.
CUT = """[...document.querySelectorAll('.jp-OutputArea-output')]
    .filter(output => output.scrollWidth > output.clientWidth + 1).map(output => output.innerText.slice(0, 80))"""
TWICE = """[...document.querySelectorAll('.jp-OutputArea-output figure')]
    .filter(figure => [...figure.querySelectorAll('svg')].filter(svg => svg.clientWidth > 0).length > 1)
    .map(figure => figure.id)"""
CLOSE = """async () => {
    const shown = window.jupyterapp.shell.currentWidget;
    await shown.context.save();
    await shown.sessionContext.shutdown();
    shown.close();
}"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(port: int, token: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", f"/api/status?token={token}")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    pytest.fail(f"etiquette lab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Start `etiquette lab`, where there is a browser to look at it; its address, token and folder."""
    home = tmp_path_factory.mktemp("lab")
    settings = {"LabApp": {"expose_app_in_browser": True}, "ServerApp": {"allow_root": True}}
    (home / "jupyter_lab_config.json").write_text(json.dumps(settings))
    port, token, folder = free_port(), secrets.token_hex(16), home / "notebooks"
    places = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), str(home))
    given = os.environ | places | {"JUPYTER_PORT": str(port), "JUPYTER_TOKEN": token}
    command = [sys.executable, "-m", "etiquette_analysis", "lab", "--folder", str(folder), "--no-browser"]
    log = home / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=given, cwd=home, stdout=out, stderr=out, start_new_session=True) as process,
    ):
        try:
            wait_until_it_answers(port, token, process, log)
            yield f"http://127.0.0.1:{port}", token, folder
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def page(browser: Browser, lab: tuple[str, str, Path]) -> Iterator[tuple[Page, list[str]]]:
    """Open JupyterLab; the page, and every address it asks for."""
    address, token, _ = lab
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(f"{address}/lab?token={token}")
    opened.wait_for_function("window.jupyterapp?.shell")
    opened.evaluate("async () => { await window.jupyterapp.restored; }")
    yield opened, asked
    opened.close()


def run_all(page: Page, name: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Open a notebook and run it in the page; return its code cells with their outputs, and what looks wrong."""
    page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }", name)
    page.wait_for_function(IS_OPEN, arg=name, timeout=MINUTES_3)
    page.evaluate(RUN_ALL)
    page.wait_for_function("window.ran", timeout=MINUTES_3)
    cells = [cell for cell in page.evaluate(CELLS) if cell["cell_type"] == "code"]
    ugly = page.evaluate(CUT) + page.evaluate(TWICE)
    page.evaluate(CLOSE)
    return cells, ugly


def test_every_notebook_is_in_the_folder(lab: tuple[str, str, Path]) -> None:
    assert sorted(path.name for path in lab[2].glob("*.ipynb")) == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_runs_to_its_end_in_the_page(page: tuple[Page, list[str]], name: str) -> None:
    cells, ugly = run_all(page[0], name)
    outputs = [output for cell in cells for output in cell["outputs"]]
    errors = [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]
    assert errors == []
    assert all(cell["execution_count"] for cell in cells)
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == [], "no warnings"
    drawn = [cell["outputs"] for cell in cells if "\n    figure, axes = plt.subplots(" in cell["source"]]
    assert all("image/png" in shown[-1]["data"] for shown in drawn), "every figure is shown"
    assert ugly == []


def test_nothing_is_asked_of_another_machine(page: tuple[Page, list[str]], lab: tuple[str, str, Path]) -> None:
    asked, here = page[1], (lab[0], lab[0].replace("http:", "ws:"), "data:", "blob:")
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(here)] == []
    assert [url for url in asked if any(path in url for path in FROM_ELSEWHERE)] == []
