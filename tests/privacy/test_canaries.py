"""Salt an export with canaries, run everything that writes, and look for them: none may turn up unless asked for."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis.cli import main
from tests.privacy import canary


@dataclass
class Run:
    """Where everything was written, and all that was said on the way."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return canary.write_salted_export(tmp_path_factory.mktemp("salted"))


@pytest.fixture(scope="module")
def tables(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the export as tables, as the engine for files of any size takes them."""
    folder = tmp_path_factory.mktemp("tables")
    dataset = ea.read(export)
    dataset.messages.to_parquet(folder / "messages.parquet", index=False)
    dataset.connections.to_parquet(folder / "connections.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return a WhatsApp chat and its options; such a file is named after the contact."""
    who, me = canary.CONTACT[0], canary.OWNER[0]
    lines = [f"{day:02d}/03/24, 09:{day:02d} - {me if day % 2 else who}: {canary.SALT}" for day in range(1, 29)]
    file = tmp_path_factory.mktemp("chat") / f"WhatsApp Chat with {who}.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [str(file), "--owner", me, "--timezone", "UTC", "--date-order", "dmy", "--quiet"]


@pytest.fixture(scope="module")
def run(export: Path, tables: Path, chat: list[str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run every command that writes, as a user would."""
    out = tmp_path_factory.mktemp("written")
    files = [str(tables / "messages.parquet"), "--connections", str(tables / "connections.parquet")]
    commands = [
        ["report", str(export), "--out", str(out / "report-en")],
        ["report", *chat, "--out", str(out / "report-it"), "--language", "it"],
        ["label", *chat, "--out", str(out / "chat.csv")],
        ["pseudonymise", chat[0], str(out / "shareable-chat"), *chat[1:]],
        ["label", str(export), "--out", str(out / "turns.csv")],
        ["label", str(export), "--out", str(out / "turns.parquet")],
        ["label", str(export), "--out", str(out / "messages.csv"), "--rows", "messages"],
        ["label", *files, "--out", str(out / "big.parquet")],
        ["label", *files, "--out", str(out / "big-messages.parquet"), "--rows", "messages"],
        ["label", *files, "--out", str(out / "parts")],
        ["label", *files, "--out", str(out / "dyads.parquet"), "--rows", "dyads"],
        ["pseudonymise", str(export), str(out / "shareable")],
        ["pseudonymise", str(export), str(out / "shareable-week"), "--coarse-dates", "week"],
    ]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("keys")))
        patch.setattr("sys.stdout", said)
        patch.setattr("sys.stderr", said)
        for command in commands:
            assert main(command) == 0, said.getvalue()
        patch.setattr("sys.stdin", io.StringIO("0\n1\n2\nx\nq\n"))
        before = said.tell()
        assert main(["code", str(export), "--out", str(out / "codes.csv"), "--n", "5"]) == 0
        said.truncate(before)  # hand-coding shows the messages: that is what was asked for
    return Run(out, said.getvalue())


def test_the_export_is_salted(export: Path) -> None:
    found = canary.search_files(export.parent)
    for what in canary.CANARIES:
        if what != "phone without spaces":
            assert any(what in line for line in found), what


def test_every_file_that_should_be_there_is_searched(run: Run) -> None:
    written = {file.name for file in run.folder.rglob("*") if file.is_file()}
    assert {"index.html", "report.ipynb", "results.json", "provenance.json", "audit.csv", "turns.csv"} <= written
    assert {"turns.parquet", "big.parquet", "messages.csv", "connections.csv", "etiquette.json", "codes.csv"} <= written


def test_no_canary_in_any_file(run: Run) -> None:
    assert canary.search_files(run.folder) == []


def test_no_canary_on_the_terminal(run: Run) -> None:
    assert len(run.said) > 200, "the commands said nothing, so nothing was searched"
    assert canary.search(run.said, "terminal") == []


def test_pseudonyms_are_there_and_the_key_is_not(run: Run) -> None:
    turns = pd.read_csv(run.folder / "turns.csv")
    assert turns["sender"].str.fullmatch(r"p-[0-9a-f]{16}").all()
    assert not list(run.folder.rglob("*.key"))
    big = pd.read_parquet(run.folder / "big.parquet")
    assert big["sender"].str.fullmatch(r"p-[0-9a-f]{16}").all()


@pytest.mark.parametrize("name", ["turns.csv", "turns.parquet", "messages.csv", "big.parquet", "report-en/turns.csv"])
def test_the_order_of_rows_does_not_tell_the_order_of_names(run: Run, name: str) -> None:
    file = run.folder / name
    table = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    dyads = table["dyad"].dropna().drop_duplicates()
    assert dyads.is_monotonic_increasing


def test_the_search_can_fail(export: Path, tables: Path, tmp_path: Path) -> None:
    files = [str(tables / "messages.parquet"), "--connections", str(tables / "connections.parquet")]
    assert main(["label", str(export), "--out", str(tmp_path / "turns.csv"), "--identify", "--quiet"]) == 0
    assert main(["label", *files, "--out", str(tmp_path / "turns.parquet"), "--identify", "--quiet"]) == 0
    found = canary.search_files(tmp_path)
    assert any(line.startswith("turns.csv") and "profile address" in line for line in found)
    assert any(line.startswith("turns.parquet (cells)") and "profile address" in line for line in found)


@pytest.mark.parametrize("form", ["plain", "percent-encoded", "HTML", "JSON", "base64, 1", "composed otherwise"])
def test_the_search_sees_through_forms(form: str) -> None:
    for what, text in canary.CANARIES.items():
        hidden = canary.forms(text).get(form)
        if hidden:
            assert any(what in line for line in canary.search(f"<b>{hidden}</b>", "x")), (what, form)


def test_redacted_texts_hold_no_contact_detail(export: Path, tmp_path: Path) -> None:
    assert main(["pseudonymise", str(export), str(tmp_path / "s"), "--text", "redacted", "--quiet"]) == 0
    found = [line for line in canary.search_files(tmp_path) if ": phrase" not in line]
    assert found == [], "a phrase is nobody's detail and stays; all else must go"
    assert "[mail]" in (tmp_path / "s" / "messages.csv").read_text(encoding="utf-8")


BAD_ROWS = {
    "text where the date should be": canary.SALT,
    "another date": "31/02/2024",
}


@pytest.mark.parametrize("cell", BAD_ROWS.values(), ids=BAD_ROWS)
@pytest.mark.parametrize("on_bad_row", ["error", "drop"])
def test_a_bad_row_is_not_quoted(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], cell: str, on_bad_row: str
) -> None:
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(export) as good, zipfile.ZipFile(spoilt, "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            if name == "messages.csv":
                head, row = data.decode().splitlines()[:2]
                columns = head.split(",")
                fields = ["x"] * len(columns)
                fields[columns.index("DATE")] = f'"{cell}"'
                fields[columns.index("CONTENT")] = f'"{canary.SALT}"'
                data = "\n".join([head, row, ",".join(fields), *data.decode().splitlines()[2:]]).encode() + b"\n"
            bad.writestr(name, data)
    code = main(["label", str(spoilt), "--out", str(tmp_path / "out.csv"), "--on-bad-row", on_bad_row])
    assert code == (2 if on_bad_row == "error" else 0)
    shown = capsys.readouterr()
    assert canary.search(shown.out + shown.err, "terminal") == []
    spoilt.unlink()
    assert canary.search_files(tmp_path) == []
