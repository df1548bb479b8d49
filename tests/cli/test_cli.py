"""The command line as a user meets it: one plain sentence for every mistake, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.cli import main

HEADER = "FROM,TO,DATE,SUBJECT,CONTENT,FOLDER,CONVERSATION ID,CONVERSATION TITLE,SENDER PROFILE URL\n"
ROW = "Ann Alder,Bob Birch,{date},,hello there,INBOX,c1,,https://www.linkedin.com/in/fictional-ann\n"


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def bad_sources(folder: Path) -> dict[str, Path]:
    html = folder / "signin.zip"
    html.write_bytes(b"<!DOCTYPE html><html><title>Sign In</title></html>")
    good = (HEADER + ROW.format(date="2024-02-28 09:15:00 UTC")).encode()
    cut = write_zip(folder / "whole.zip", {"messages.csv": good * 50}).read_bytes()
    truncated = folder / "truncated.zip"
    truncated.write_bytes(cut[: len(cut) // 2])
    encoded = HEADER.encode() + ROW.format(date="2024-02-28 09:15:00 UTC").replace("hello", "perché").encode("latin-1")
    return {
        "empty": write_zip(folder / "empty.zip", {}),
        "html": html,
        "truncated": truncated,
        "no messages": write_zip(folder / "profile.zip", {"Profile.csv": b"First Name,Last Name\nAnn,Alder\n"}),
        "another tool": write_zip(folder / "other.zip", {"messages.csv": b"Lead,Step,Status\n1,2,3\n"}),
        "bad date": write_zip(folder / "date.zip", {"messages.csv": (HEADER + ROW.format(date="31/02/2024")).encode()}),
        "encoding": write_zip(folder / "latin.zip", {"messages.csv": encoded}),
        "unknown owner": write_zip(folder / "owner.zip", {"messages.csv": good}),
        "absent": folder / "nowhere.zip",
    }


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("empty", r"empty\.zip"),
        ("html", r"signin\.zip.*(HTML|web page|sign)"),
        ("truncated", r"truncated\.zip"),
        ("no messages", r"messages\.csv"),
        ("another tool", r"messages\.csv.*Lead"),
        ("bad date", r"31/02/2024"),
        ("encoding", r"messages\.csv.*UTF-8"),
        ("unknown owner", r"--owner|owner="),
        ("absent", r"nowhere\.zip"),
    ],
)
def test_a_bad_source_is_one_sentence_and_leaves_nothing(
    case: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = bad_sources(tmp_path)[case]
    out = tmp_path / "out"
    assert main(["report", str(source), "--out", str(out), "--quiet"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(expected, shown.err, re.DOTALL), shown.err
    assert "Traceback" not in shown.err
    assert not out.exists()
    assert not list(tmp_path.glob("*tmp*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert main(["report", "--out", str(locked / "report"), "--quiet"]) == 2
    assert "locked" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    assert main(["report", "--out", str(file / "report"), "--quiet"]) == 2
    assert "taken" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_score_says_level_and_cues(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "20% off until Friday, book your demo here", "👍"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("hard (score 0.")
    assert "no level: no words" in shown


def test_score_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert main(["score", "--json", "Congratulations on the new job!"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["level"] == "none"
    assert 0 <= found["score"] <= 1


def test_label_writes_turns_without_text(tmp_path: Path) -> None:
    messages = pd.DataFrame(
        {
            "sender": ["ann", "bob"],
            "recipient": ["bob", "ann"],
            "sent_at": ["2024-03-01 10:00:00", "2024-03-01 12:00:00"],
            "text": ["Book your demo here: 20% off until Friday", "No thanks"],
            "connected_at": "2024-03-01",
        }
    )
    messages.to_csv(tmp_path / "messages.csv", index=False)
    out = tmp_path / "turns.csv"
    assert main(["label", str(tmp_path / "messages.csv"), "--out", str(out), "--quiet"]) == 0
    turns = pd.read_csv(out)
    assert turns["timing"].tolist() == ["immediate", "immediate"]
    assert turns["pitch_level"].tolist()[0] == "hard"
    assert "Friday" not in out.read_text()


def test_label_wants_a_known_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "messages.csv", "--out", str(tmp_path / "turns.xls")]) == 2
    assert "expected a name ending in .parquet or .csv" in capsys.readouterr().err


def test_simulate_prints_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "A", "--n", "60", "--out", str(tmp_path / "world")]) == 0
    assert "true difference +0.0 points" in capsys.readouterr().out
    assert (tmp_path / "world" / "messages.csv").is_file()


def test_unknown_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "Q", "--out", str(tmp_path / "world")]) == 2
    assert "no world 'Q'; there are A (null" in capsys.readouterr().err


def test_lab_copies_and_keeps_what_is_there(tmp_path: Path) -> None:
    mine = tmp_path / "01_read_an_export.ipynb"
    mine.write_text("mine")
    assert main(["lab", "--folder", str(tmp_path), "--copy-only"]) == 0
    assert mine.read_text() == "mine"
    assert (tmp_path / "06_report.ipynb").is_file()


def test_module_and_help_are_the_same_program() -> None:
    shown = subprocess.run([sys.executable, "-m", "etiquette_analysis"], capture_output=True, text=True, check=True)
    assert "examples:" in shown.stdout
    assert "etiquette report Complete_LinkedInDataExport.zip" in shown.stdout
