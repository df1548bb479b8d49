"""A report takes its place whole or not at all, and never over anything else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.pipeline import write_table
from etiquette_analysis.report.folder import ReportFolder

PAGE = '<!doctype html><meta name="generator" content="etiquette-analysis 0.1.0">'


def test_a_new_folder_appears_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report"
    with ReportFolder(out) as folder:
        (folder.path / "index.html").write_text(PAGE)
        assert not out.exists()
    assert [p.name for p in out.iterdir()] == ["index.html"]
    assert [p.name for p in out.parent.iterdir()] == ["report"]


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="halfway"), ReportFolder(tmp_path / "report"):
        raise ValueError("halfway")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_report_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    (out / "index.html").write_text(PAGE)
    (out / "turns.csv").write_text("old")
    with ReportFolder(out) as folder:
        (folder.path / "index.html").write_text(PAGE + "new")
    assert [p.name for p in out.iterdir()] == ["index.html"]
    assert (out / "index.html").read_text().endswith("new")
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_the_folder_where_the_user_stands_is_filled_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "here"
    out.mkdir()
    monkeypatch.chdir(out)
    with ReportFolder(Path()) as folder:
        (folder.path / "index.html").write_text(PAGE)
    assert [p.name for p in Path().iterdir()] == ["index.html"]
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize("content", [{"thesis.docx": "years of work"}, {"index.html": "<html>my own page</html>"}])
def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    name = next(iter(content))
    with pytest.raises(DesignError, match=f"holds '{name}', which is not part of an earlier report"):
        ReportFolder(tmp_path).__enter__()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == content


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(DesignError, match="is a file; expected a folder to write the report to"):
        ReportFolder(tmp_path / "report").__enter__()


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DesignError, match=r"cannot be (written|read) .*; choose another folder with --out"):
        ReportFolder(tmp_path / "file" / "report").__enter__()


def test_formulas_are_made_harmless_in_csv(tmp_path: Path) -> None:
    table = pd.DataFrame({"who": ["=1+1", "Ann", None, "@x"], "n": [-1, 2, 3, 4]})
    write_table(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "who,n\n'=1+1,-1\nAnn,2\n,3\n'@x,4\n"
    assert table["who"].iloc[0] == "=1+1"


def test_a_table_needs_an_ending_that_tells_its_format(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"expected a name ending in \.csv or \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.xlsx")


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="cannot be written"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "no" / "t.parquet")
    assert list(tmp_path.iterdir()) == []
