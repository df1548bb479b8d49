"""Printing: a PDF with the answer in it where there is a browser, and a sentence that helps where there is none."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etiquette_analysis.errors import EtiquetteError
from etiquette_analysis.pipeline import write_report
from etiquette_analysis.report import sections
from etiquette_analysis.report.page import assemble
from etiquette_analysis.report.pdf import NAMES, find_chromium, print_pdf
from etiquette_analysis.simulation import simulate
from tests.report.conftest import find_world

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="needs Chromium: apt-get install chromium, or make browser-test"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    findings = find_world("answered")
    html = assemble([section(findings).html for section in sections.IN_ORDER], language="en", version="0")
    page = tmp_path_factory.mktemp("pdf") / "index.html"
    page.write_text(html, encoding="utf-8")
    return page


@needs_browser
def test_the_page_is_printed_with_its_answer(page: Path) -> None:
    out = page.with_name("report.pdf")
    print_pdf(page, out, chromium=find_chromium())
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 12
    assert sorted(p.name for p in page.parent.iterdir()) == ["index.html", "report.pdf"]
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(out), "-"], capture_output=True, text=True, check=True).stdout
        answer = find_world("answered").comparison.headline("en").replace(" -", " −")
        assert " ".join(answer.split()) in " ".join(text.split())


def test_a_machine_without_a_browser_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    with pytest.raises(EtiquetteError, match=r"neither Chromium nor Chrome nor Edge was found.*print it from any"):
        write_report(simulate("D", n=10, seed=1), tmp_path / "r", pdf=True)
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_prints_nothing_is_told_and_the_page_stays(page: Path) -> None:
    out = page.with_name("nothing.pdf")
    with pytest.raises(EtiquetteError, match=r"is written, but python\S* printed no PDF of it \(exit code \d\)"):
        print_pdf(page, out, chromium=sys.executable)
    assert page.exists()
    assert not out.exists()


def test_a_browser_that_cannot_start_is_told(page: Path) -> None:
    with pytest.raises(EtiquetteError, match="printed no PDF of it \\(FileNotFoundError\\)"):
        print_pdf(page, page.with_name("x.pdf"), chromium=str(page.parent / "no-such-browser"))
