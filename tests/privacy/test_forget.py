"""Forgetting removes what bears our mark, all of it, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from etiquette_analysis.cli import main
from etiquette_analysis.privacy import key_path, load_key

PAGE = '<!doctype html><html lang="en"><head><meta name="generator" content="etiquette-analysis 0.1.0"></head></html>'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world") / "w.zip"
    assert main(["simulate", "A", "--n", "30", "--out", str(out)]) == 0
    return out


def report(folder: Path) -> Path:
    folder.mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / "turns.csv").write_text("dyad\n")
    return folder


def forget(*arguments: object) -> int:
    return main(["forget", *map(str, arguments), "--yes"])


def test_a_report_and_a_shareable_folder_go(tmp_path: Path, world: Path) -> None:
    shareable = tmp_path / "shareable"
    assert main(["pseudonymise", str(world), str(shareable), "--quiet"]) == 0
    (shareable / ".DS_Store").write_text("litter")
    assert forget(report(tmp_path / "report"), shareable) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("<html>my page</html>")
    kept = report(tmp_path / "report")
    assert forget(kept, mine) == 2
    assert "bears no mark of this package" in capsys.readouterr().err
    assert (mine / "index.html").exists()
    assert (kept / "index.html").exists(), "nothing is removed where anything is refused"


def test_a_report_with_something_else_in_it_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = report(tmp_path / "report")
    (mixed / "thesis.docx").write_text("mine")
    assert forget(mixed) == 2
    assert "holds 'thesis.docx', which this package did not write" in capsys.readouterr().err
    assert (mixed / "turns.csv").exists()


def test_links_are_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to(report(tmp_path / "report"))
    assert forget(tmp_path / "link") == 2
    assert "is a link" in capsys.readouterr().err
    assert (tmp_path / "report" / "index.html").exists()


def test_labelled_tables_go_and_others_stay(tmp_path: Path, world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["turns.csv", "turns.parquet", "messages.csv", "messages.parquet"]
    for name in names:
        rows = ["--rows", "messages"] if name.startswith("messages") else []
        assert main(["label", str(world), "--out", str(tmp_path / name), "--quiet", *rows]) == 0
    assert forget(*sorted(tmp_path.iterdir())) == 0
    assert list(tmp_path.iterdir()) == []
    pd.DataFrame({"sender": ["a"]}).to_csv(tmp_path / "mine.csv", index=False)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    for name in ("mine.csv", "photo.jpg"):
        assert forget(tmp_path / name) == 2
        assert "was not written by this package, as its columns show" in capsys.readouterr().err
        assert (tmp_path / name).exists()


def test_folders_of_labels_and_tables_of_dyads_go(
    tmp_path: Path, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import etiquette_analysis as ea

    dataset = ea.read(world)
    (tmp_path / "in").mkdir()
    messages, connections = (str(tmp_path / "in" / name) for name in ("m.parquet", "c.parquet"))
    dataset.messages.to_parquet(messages, index=False)
    dataset.connections.to_parquet(connections, index=False)
    for out, rows in (("parts", "turns"), ("dyads.parquet", "dyads")):
        files = [messages, "--connections", connections, "--out", str(tmp_path / out), "--rows", rows]
        assert main(["label", *files, "--quiet"]) == 0
    (tmp_path / "parts" / "more.parquet").write_bytes(b"")
    assert forget(tmp_path / "parts") == 2
    assert "holds 'more.parquet', which this package did not write" in capsys.readouterr().err
    (tmp_path / "parts" / "more.parquet").unlink()
    assert forget(*(path for path in tmp_path.iterdir() if path.name != "in")) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert forget(messages) == 2, "a table of messages is the user's"


def test_what_a_killed_run_left_goes_too(tmp_path: Path) -> None:
    half = tmp_path / ".report-ab12cd_9"
    (half / ".inputs-ab12cd_9").mkdir(parents=True)
    (half / ".inputs-ab12cd_9" / "turns.parquet").write_bytes(b"")
    (half / "results.json").write_text("{}")
    stranger = tmp_path / ".report-zzzzzzzz"
    stranger.mkdir()
    (stranger / "diary.txt").write_text("mine")
    work = tmp_path / ".big.parquet.part"
    (work / "scanned").mkdir(parents=True)
    (work / "run.json").write_text("{}")
    named = tmp_path / ".dyads.parquet.part"
    (named / "spill").mkdir(parents=True)
    (named / "run.json.unfinished").write_text("{")
    theirs = tmp_path / ".letters.part"
    theirs.mkdir()
    (theirs / "diary.txt").write_text("mine")
    assert forget(theirs) == 2
    (theirs / "diary.txt").unlink()
    theirs.rmdir()
    assert forget(tmp_path / "report", tmp_path / "big.parquet", named) == 0
    assert [p.name for p in tmp_path.iterdir()] == [stranger.name]


def test_notebooks_lose_their_outputs_and_keep_their_words(tmp_path: Path) -> None:
    assert main(["lab", "--folder", str(tmp_path), "--copy-only"]) == 0
    file = tmp_path / "01_read_an_export.ipynb"
    notebook = nbformat.read(file, as_version=4)
    cell = next(c for c in notebook.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text="secret of a contact")]
    cell.source += "\n# my own remark"
    nbformat.write(notebook, file)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    copy = tmp_path / ".ipynb_checkpoints" / "01_read_an_export-checkpoint.ipynb"
    copy.write_text("secret of a contact")
    other = tmp_path / "my_notes.ipynb"
    other.write_text("secret of a contact, in my own notebook")
    assert forget(tmp_path) == 0
    assert "secret" not in file.read_text()
    assert "my own remark" in file.read_text()
    assert not copy.exists()
    assert other.exists(), "not ours"


def test_keys(capsys: pytest.CaptureFixture[str]) -> None:
    first = load_key("study")
    load_key()
    assert forget("--key", "study") == 0
    assert not key_path("study").exists()
    assert key_path().exists()
    assert load_key("study") != first
    assert forget("--key") == 0
    assert forget("--key") == 2
    assert "there is no key of the project 'default'; there are study" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "goes"), [("y\n", True), ("sì\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, goes: bool
) -> None:
    folder = report(tmp_path / "report")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["forget", str(folder)]) == (0 if goes else 1)
    assert folder.exists() != goes
    shown = capsys.readouterr().out
    assert f"remove {folder}" in shown
    assert "cannot be undone" in shown


def test_nothing_named_and_nothing_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forget"]) == 2
    assert "name what was written" in capsys.readouterr().err
    assert forget(tmp_path / "nowhere") == 2
    assert "is not there; nothing was removed" in capsys.readouterr().err
