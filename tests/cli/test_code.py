"""``etiquette code`` as a coder meets it: scripted keys, a second coder, a terminal."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis import coding
from etiquette_analysis.cli import main

TEXTS = ["Hello Zanzibar, nice to meet you", "Hi!", "Book your demo here: 20% off until Friday", "No\x1b[2J thanks"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Forty contacts with the same four messages, long enough ago to be judged."""
    rows = []
    for i in range(40):
        start = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(days=i)
        for hours, (text, own) in enumerate(zip(TEXTS, [True, False, True, False], strict=True)):
            sides = ("me", f"person-{i}") if own else (f"person-{i}", "me")
            rows.append((*sides, start + pd.Timedelta(hours=hours + 1), text, start))
    rows.append(("me", "person-0", pd.Timestamp("2024-09-01", tz="UTC"), "Bye", rows[0][4]))
    columns = ["sender", "recipient", "sent_at", "text", "connected_at"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "messages.csv", index=False)
    return tmp_path / "messages.csv"


def code(table: Path, keys: str, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))
    out = str(table.with_name("codes.csv"))
    return main(["code", str(table), "--out", out, "--quiet", *options])


def test_a_file_of_codes_keeps_its_sample_and_says_so(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("qqqq"))
    out = table.with_name("codes.csv")
    said = "codes.csv: this file's own sample goes on; --seed and --n are ignored"
    for options, is_said in ((["--n", "3"], False), ([], False), (["--n", "5"], True), (["--seed", "1"], True)):
        assert main(["code", str(table), "--out", str(out), *options]) == 0
        assert (said in " ".join(capsys.readouterr().err.split())) == is_said
        assert len(coding.read_codes(out)) == 3


def test_an_undefined_kappa_is_said_to_be_so(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(table, "0000" * 3, monkeypatch, "--n", "3") == 0
    shown = capsys.readouterr().out
    assert re.search(r"weighted kappa +- \(one of the two used a single level\), n = \d", shown)
    assert re.search(r"sensitivity +- \(no pitches\), n = 0", shown)
    assert "0.00 (0.00 .. 0.00)" not in shown


def test_codes_stops_goes_on_and_compares(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = table.with_name("codes.csv")
    assert code(table, "0\n0\n3\nq\n", monkeypatch, "--n", "3") == 0
    shown = capsys.readouterr().out
    assert ">> [you, day 0]" in shown
    assert "2  moderate" in shown
    assert "\x1b" not in shown
    assert "0 of 3 dyads done, 3 messages coded" in shown
    # The first dyad's pitch waits for its answer; then the two others.
    assert code(table, "0" + "0030" * 2, monkeypatch) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 dyads done, 12 messages coded" in shown
    assert "1 / labeller" in shown
    assert re.search(r"sensitivity +1\.00 \(0\.\d\d \.\. 1\.00\), n = 3", shown)
    assert code(table, "0030" * 3, monkeypatch, "--coder", "ann", "--language", "it") == 0
    shown = capsys.readouterr().out
    assert "3 coppie su 3, 12 messaggi codificati" in shown
    assert "1 / ann" in shown
    codes = coding.read_codes(out)
    assert codes["coder"].value_counts().to_dict() == {"1": 12, "ann": 12}
    assert len(codes) == 3 + 24
    assert not re.search("Zanzibar|person|demo", out.read_text())


def test_back_and_unknown_keys(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(table, "b37b1", monkeypatch) == 0
    assert "Keys: 0 1 2 3 x a b q" in capsys.readouterr().out
    codes = coding.read_codes(table.with_name("codes.csv"))
    assert codes["level"].dropna().tolist() == ["soft"]


def test_small_exports_are_coded_whole(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code(table, "", monkeypatch) == 0
    codes = coding.read_codes(table.with_name("codes.csv"))
    assert 0 < len(codes) <= 40
    assert (codes["inclusion_probability"] == 1).all()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--n", "5000"), "n=5000 dyads to code of"),
        (("--coder", "=x"), "is no name for a coder"),
        (("--out", "codes.xls"), "expected a name ending in .csv"),
    ],
)
def test_mistakes_are_one_sentence(
    options: tuple[str, ...],
    expected: str,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert code(table, "0", monkeypatch, *options) == 2
    assert expected in capsys.readouterr().err
    assert not table.with_name("codes.csv").exists()


def test_a_table_of_somebody_else_is_no_file_of_codes(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = table.with_name("codes.csv")
    for text, expected in (
        ("sender,dyad\nx,y\n", "codes.csv: has columns sender, dyad; expected sender, contact,"),
        (f"{','.join(coding.codes.CODES)}\nx,1,1,1,1,1,1\n", "codes.csv: not a readable file of codes; expected one"),
    ):
        out.write_text(text)
        assert code(table, "0", monkeypatch) == 2
        assert expected in (shown := capsys.readouterr().err)
        assert "literal" not in shown
        assert out.read_text() == text


def test_nothing_to_judge(table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pd.read_csv(table).head(4).to_csv(table, index=False)
    assert code(table, "0", monkeypatch) == 2
    assert "none of the 1 contacts can be judged" in capsys.readouterr().err


def test_a_folder_that_is_not_there(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = table.with_name("nowhere") / "codes.csv"
    assert main(["code", str(table), "--out", str(out), "--quiet"]) == 2
    assert re.search(r"codes\.csv: cannot be written", capsys.readouterr().err)


@pytest.mark.skipif(os.name == "nt", reason="a terminal of Unix")
def test_one_key_is_enough_in_a_terminal() -> None:
    import pty

    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"3")
    with os.fdopen(terminal) as stream:
        assert coding.read_key(stream) == "3"
        # "Delete" holds a 3, "up" an A: neither is an answer.
        os.write(keyboard, b"\x1b[3~")
        assert coding.read_key(stream) == "\x1b[3~"
    os.close(keyboard)
