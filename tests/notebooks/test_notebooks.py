"""Notebooks are tidy, define nothing, type no result, and run from a clean kernel to their last assertion."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from etiquette_analysis.report.kernel import run_notebook
from etiquette_analysis.report.notebooks import tidy_text

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
MOST_LINES = 13


def name_of(path: Path) -> str:
    return path.stem


def sources(path: Path, kind: str) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_is_tidy(path: Path) -> None:
    is_tidy = path.read_text(encoding="utf-8") == tidy_text(path)
    assert is_tidy, f"run: python -m etiquette_analysis.report.notebooks notebooks/{path.name}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_code_cells_are_short_and_define_nothing(path: Path) -> None:
    for source in sources(path, "code"):
        assert len(source.splitlines()) <= MOST_LINES, f"split this cell, or move it into the package:\n{source}"
        nodes = list(ast.walk(ast.parse(source)))
        defined = [
            n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        ]
        assert not defined, "functions and classes live in the package"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_prose_types_no_result(path: Path) -> None:
    for source in sources(path, "markdown"):
        typed = re.findall(r"\d+(?:[.,]\d+)?\s?%|\d+[.,]\d+|\bp\s*[=<>]", source)
        assert not typed, f"print {typed} from code instead of typing it"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_ids_are_unique_and_the_last_cell_asserts(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert len({cell.id for cell in cells}) == len(cells)
    assert cells[-1].cell_type == "code"
    assert cells[-1].source.count("assert ") >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_the_users_export_is_one_variable(path: Path) -> None:
    code = "\n".join(sources(path, "code"))
    if path.stem != "04_timing_and_rapport":
        assert len(re.findall(r"^export = None\b", code, flags=re.MULTILINE)) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_runs_from_a_clean_kernel(path: Path) -> None:
    cells = [cell for cell in run_notebook(path).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"], "no warnings"
    drawn = [cell.outputs for cell in cells if "\n    figure, axes = plt.subplots(" in cell.source]
    assert all("image/png" in outputs[-1].data for outputs in drawn), "every figure is shown"


def test_public_data_where_they_are_present(tmp_path: Path, shared_data: Path) -> None:
    source = next(path for path in NOTEBOOKS if path.stem == "07_public_data").read_text(encoding="utf-8")
    here = tmp_path / "07_public_data.ipynb"
    here.write_text(source.replace("export = None", f"export = {str(shared_data)!r}"), encoding="utf-8")
    executed = run_notebook(here)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    shown = [output.get("data", {}) for output in outputs]
    text = "\n".join(data["text/markdown"] for data in shown if "text/markdown" in data)
    assert "All three were found." in text
    assert text.count("Difference ") == 3
    assert sum("image/png" in data for data in shown) == 1
    assert not [output for output in outputs if output.get("name") == "stderr"]
