"""From a dataset to the folder: run in each language on one small world, and in one of them twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, EtiquetteError
from etiquette_analysis.pipeline import write_report
from etiquette_analysis.report.folder import FILES
from etiquette_analysis.report.kernel import run_notebook
from etiquette_analysis.simulation import simulate

if TYPE_CHECKING:
    from pathlib import Path

    from etiquette_analysis.schema import Dataset


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return simulate("B", n=300, seed=5)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def reports(dataset: Dataset, home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(name, str(home))
        pages = {
            name: write_report(
                dataset,
                folder / name,
                language="it" if name == "it" else "en",
                levels=dataset.levels,
                identify=name == "it",
            )
            for name in ("en", "it", "en again")
        }
    return {name: page.parent for name, page in pages.items()}


def test_the_folder_holds_the_page_and_its_companions(reports: dict[str, Path]) -> None:
    for folder in reports.values():
        assert sorted(p.name for p in folder.iterdir()) == [name for name in FILES if name != "report.pdf"]


def test_results_are_the_same_bytes_in_both_runs_and_languages(reports: dict[str, Path]) -> None:
    assert (reports["en"] / "results.json").read_bytes() == (reports["it"] / "results.json").read_bytes()


@pytest.mark.parametrize("name", ["results.json", "index.html", "audit.csv", "turns.csv"])
def test_the_same_data_give_the_same_bytes_twice(reports: dict[str, Path], name: str) -> None:
    once, again = (reports[run] / name for run in ("en", "en again"))
    assert once.read_bytes() == again.read_bytes(), "another process, another hash seed, the same page and figures"


def test_the_page_is_in_its_language(reports: dict[str, Path]) -> None:
    for name, folder in reports.items():
        assert f'<html lang="{name[:2]}">' in (folder / "index.html").read_text(encoding="utf-8")


def test_the_executed_notebook_keeps_code_and_outputs(reports: dict[str, Path]) -> None:
    notebook = json.loads((reports["en"] / "report.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    assert sum(bool(cell["outputs"]) for cell in code) > 10


def test_turns_are_pseudonymous_unless_asked(reports: dict[str, Path], dataset: Dataset) -> None:
    hidden, named = (pd.read_csv(reports[language] / "turns.csv") for language in ("en", "it"))
    assert hidden["sender"].str.fullmatch(r"p-[0-9a-f]{16}").all()
    assert set(named["sender"]) <= set(dataset.messages["sender"])
    assert hidden.groupby("dyad").ngroups == named.groupby("dyad").ngroups
    assert (
        hidden["dyad"]
        == hidden[["sender", "recipient"]].min(axis=1) + "\t" + hidden[["sender", "recipient"]].max(axis=1)
    ).all()
    for folder in reports.values():
        page = (folder / "index.html").read_text(encoding="utf-8") + (folder / "report.ipynb").read_text(
            encoding="utf-8"
        )
        assert "contact-0000" not in page


def test_no_text_leaves(reports: dict[str, Path]) -> None:
    for folder in reports.values():
        assert "text" not in pd.read_csv(folder / "turns.csv").columns


def test_provenance_names_versions_apart_from_results(reports: dict[str, Path]) -> None:
    provenance = json.loads((reports["en"] / "provenance.json").read_text(encoding="utf-8"))
    results = json.loads((reports["en"] / "results.json").read_text(encoding="utf-8"))
    assert provenance["packages"]["pandas"] == pd.__version__
    assert provenance["plan_hash"] == results["plan"]["hash"]
    assert provenance["data_fingerprint"] == results["data"]["fingerprint"]


def test_jupyter_writes_nothing_into_the_home(reports: dict[str, Path], home: Path) -> None:
    assert reports
    written = [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()]
    assert not [name for name in written if "jupyter" in name or "ipython" in name], written


def test_an_unknown_language_is_told_before_any_work(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="language='fr': expected 'en' or 'it'"):
        write_report(dataset, tmp_path / "r", language="fr")  # type: ignore[arg-type]


def test_a_failing_cell_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    source = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": "1 / 0"}
    notebook = {"cells": [source], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "bad.ipynb"
    path.write_text(json.dumps(notebook))
    with pytest.raises(EtiquetteError, match=r"bad\.ipynb: a cell failed with ZeroDivisionError: division by zero"):
        run_notebook(path)
