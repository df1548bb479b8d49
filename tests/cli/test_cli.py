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
    assert "expected a folder, or a name ending in .parquet or .csv" in capsys.readouterr().err


def test_label_overwrites_its_own_results_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "crm.csv", tmp_path / "turns.csv"
    source.write_text("sender,recipient,sent_at\nada,ben,2024-03-01T09:00:00Z\n")
    before = source.read_text()
    assert main(["label", str(source), "--out", str(source), "--quiet"]) == 2
    assert "crm.csv: is a file that this command did not write" in capsys.readouterr().err
    assert source.read_text() == before
    for _ in range(2):
        assert main(["label", str(source), "--out", str(out), "--quiet"]) == 0


@pytest.mark.parametrize("command", ["report", "pseudonymise"])
def test_a_place_that_cannot_be_written_is_found_before_reading(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "diary.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    places = {"foreign": "holds 'diary.txt'", "file": "is a file", "file/below": "cannot be written (file: is not a"}
    for place, said in places.items():
        out = [str(tmp_path / place)] if command == "pseudonymise" else ["--out", str(tmp_path / place)]
        assert main([command, str(tmp_path / "no-such-source.zip"), *out]) != 0
        assert said in capsys.readouterr().err
    assert main(["pseudonymise", str(tmp_path / "no-such-source.zip"), str(tmp_path / "new")]) != 0
    assert not (tmp_path / "data").exists(), "no key where nothing was written"


def test_the_end_of_observation_lies_behind_the_first_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.csv").write_text("sender,recipient,sent_at\nada,ben,2024-03-04T09:00:00Z\n")
    (tmp_path / "c.csv").write_text("person_a,person_b,connected_at\nada,ben,2024-03-01\n")
    given = ["--connections", str(tmp_path / "c.csv"), "--observed-until", "2024-03-01"]
    assert main(["label", str(tmp_path / "m.csv"), *given, "--out", str(tmp_path / "turns.csv"), "--identify"]) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert "observed_until 2024-03-01 lies before every message (the first is of 2024-03-04)" in said
    assert not (tmp_path / "turns.csv").exists()


def test_a_table_without_a_usable_message_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "crm.csv"
    for rows, said in (("", "can be used; expected"), ("ada,ben,3/4/26\n", "1 row was left out (unreadable date)")):
        source.write_text(f"sender,recipient,sent_at\n{rows}")
        options = ["--on-bad-row", "drop", "--quiet", "--out", str(tmp_path / "out.csv")]
        assert main(["label", str(source), *options]) == 2
        assert f"crm.csv: holds no message that {said}" in capsys.readouterr().err.replace("can be used: ", "")
    assert not (tmp_path / "out.csv").exists()


def test_simulate_prints_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "A", "--n", "60", "--out", str(tmp_path / "world")]) == 0
    assert "true difference +0.0 points" in capsys.readouterr().out
    assert (tmp_path / "world" / "messages.csv").is_file()


@pytest.mark.parametrize("name", ["export", "export.zip"])
def test_simulate_overwrites_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / name
    mine = out if out.suffix else out / "messages.csv"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    assert main(["simulate", "A", "--n", "30", "--out", str(out)]) == 2
    assert f"{name}: is there already, perhaps a real export" in capsys.readouterr().err
    assert mine.read_text() == "mine"


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


def write_messages(path: Path, rows: int = 3) -> Path:
    """Write a table with headers of its own, in which the last date is missing."""
    ends = ["2024-03-01T10:00:00Z", "2024-03-01T12:00:00Z", ""]
    lines = [f'"{n} hello","ada","ben, the {n}th",{ends[n % 3]}' for n in range(rows)]
    path.write_text("\n".join(["Messaggio,Mittente,Prospect,Quando", *lines]) + "\n", encoding="utf-8")
    return path


def test_the_printed_mapping_can_be_saved_filled_in_and_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_messages(tmp_path / "crm.csv")
    assert main(["report", str(source), "--out", str(tmp_path / "out")]) == 2
    sentence, *template = capsys.readouterr().err.splitlines()[1:]
    assert sentence.endswith("pass --mapping mapping.toml (in Python mapping={our_name: their_name}).")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text("\n".join(template), encoding="utf-8")
    labelled = tmp_path / "turns.csv"
    again = ["label", str(source), "--mapping", str(mapping), "--out", str(labelled), "--identify"]
    assert main(again) == 2
    assert "mapping.toml: sent_at is still empty; write the name of your column" in capsys.readouterr().err
    assert 'text = "Messaggio"  # a guess: check it' in template
    mapping.write_text("\n".join(template).replace('sent_at = ""', 'sent_at = "Quando"'), encoding="utf-8")
    assert main(again) == 0
    assert pd.read_csv(labelled)["recipient"].tolist() == ["ben, the 0th", "ben, the 1th"]


def as_table(audit: pd.DataFrame) -> list[tuple[str, str, int]]:
    counted = audit[audit["stage"] != "note"]
    return list(counted[["stage", "reason", "n"]].itertuples(index=False, name=None))


def test_one_audit_in_the_terminal_the_file_and_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    source = write_messages(tmp_path / "crm.csv", rows=300)
    mapping = tmp_path / "m.toml"
    mapping.write_text('sender = "Mittente"\nrecipient = "Prospect"\nsent_at = "Quando"\ntext = "Messaggio"\n')
    given = [str(source), "--mapping", str(mapping)]
    assert main(["label", *given, "--out", str(tmp_path / "turns.csv")]) == 0
    shown = capsys.readouterr().err
    assert re.search(
        r"^messages +300 +200 +100\n +100  no date, e\.g\. 4\nmessages for turns +200 +200 +0$", shown, re.MULTILINE
    )
    beside = pd.read_csv(tmp_path / "turns.audit.csv")
    expected = [("messages", "read", 300), ("messages", "no date", 100), ("messages", "kept", 200)]
    assert as_table(beside) == [*expected, ("messages for turns", "read", 200), ("messages for turns", "kept", 200)]
    out = tmp_path / "report"
    assert main(["report", *given, "--out", str(out)]) == 0
    assert shown.splitlines()[:4] == capsys.readouterr().err.splitlines()[1:5]
    assert as_table(pd.read_csv(out / "audit.csv")) == as_table(beside)
    found = json.loads((out / "results.json").read_text())["flow"]["stages"]
    told = [
        (stage["stage"], reason["reason"], reason["n"])
        for stage in found
        for reason in [
            {"reason": "read", "n": stage["read"]},
            *stage["left_out"],
            {"reason": "kept", "n": stage["kept"]},
        ]
    ]
    assert told == as_table(beside)


def test_strict_turns_any_loss_into_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "messages.csv"
    source.write_text("sender,recipient,sent_at\nada,ben,2024-03-01T10:00:00Z\nada,cleo,\n")
    outs = {
        "report": ["--out", "report"],
        "label": ["--out", "l.csv"],
        "code": ["--out", "c.csv"],
        "pseudonymise": ["p"],
    }
    for command, (*option, out) in outs.items():
        assert main([command, str(source), "--strict", *option, str(tmp_path / out)]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error == (
            "etiquette: 1 row was left out, and none may be: messages: 1 no date (e.g. row 3); correct the file, or "
            "read it without strict"
        )
        assert sorted(p.name for p in tmp_path.iterdir()) == ["messages.csv"]
    connections = tmp_path / "connections.csv"
    connections.write_text("person_a,person_b,connected_at\nada,ben,2024-03-01\n")
    given = ["label", str(source), "--connections", str(connections), "--out", str(tmp_path / "out.parquet")]
    assert main([*given, "--strict", "--quiet"]) == 2
    assert "1 row was left out, and none may be: messages: 1 no date" in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()
    source.write_text("sender,recipient,sent_at\nada,ben,2024-03-01T10:00:00Z\n")
    assert main([*given, "--strict", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert sorted(p.name for p in tmp_path.glob("out*")) == ["out.audit.csv", "out.parquet"]


def test_names_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b[2J\x07\x9b31m\u202eevil"
    source = tmp_path / f"{name}.csv"
    source.write_text(f'sender,recipient,sent_at\n"{name}",ben,"{name}"\n', encoding="utf-8")
    assert main(["report", str(source), "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr().err
    assert r'sent_at "\u001b[2J\u0007\u009b31m\u202eevil" is not a date' in shown
    assert not set("\x1b\x07\x9b\u202e") & set(shown)
    with pytest.raises(SystemExit):
        main(["report", "a.csv", f"--{name}"])
    assert not set("\x1b\x07\x9b\u202e") & set(capsys.readouterr().err)


def test_a_table_of_an_italian_spreadsheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "map.toml").write_text(
        'sender = "Mittente"\nrecipient = "Destinatario"\nsent_at = "Data invio"\ntext = "Testo"\n'
        'connected_at = "Collegato il"\n'
    )
    rows = [
        "Mittente;Destinatario;Data invio;Testo;Collegato il",
        "ada;ben;10/03/2025 14:05;così;01.03.25",
        "ben;ada;11/03/2025 09:00;sì;01.03.25",
    ]
    source, out = tmp_path / "crm.csv", tmp_path / "turns.csv"
    source.write_bytes("\n".join(rows).encode("cp1252"))
    command = ["label", str(source), "--mapping", str(tmp_path / "map.toml"), "--out", str(out), "--identify"]
    assert main(command) == 2
    assert "byte 0xEC is not UTF-8" in (shown := capsys.readouterr().err)
    assert "--encoding cp1252" in shown
    assert main([*command, "--encoding", "cp1252"]) == 2
    assert re.search(r'line 2: sent_at "10/03/2025 14:05" is ambiguous.*--date-order dmy', capsys.readouterr().err)
    assert main([*command, "--encoding", "cp1252", "--date-order", "dmy"]) == 0
    turns = pd.read_csv(out)
    assert turns["started_at"].tolist() == ["2025-03-10 14:05:00+00:00", "2025-03-11 09:00:00+00:00"]
    assert turns["hours_to_reply"].tolist()[0] == pytest.approx(18 + 55 / 60)
    assert pd.Timedelta(turns["since_connection_min"][0]) == pd.Timedelta(days=8, hours=14, minutes=5)
