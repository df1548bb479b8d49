"""``etiquette label`` on tables of any size: what it reads, what it writes, and what it says meanwhile."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis import pipeline
from etiquette_analysis.cli import main
from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.privacy import load_key, pseudonym


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    sample = ea.load_sample()
    (tmp_path / "in").mkdir()
    for number, rows in enumerate((slice(0, 500), slice(500, None))):
        sample.messages.iloc[rows].to_parquet(tmp_path / "in" / f"{number}.parquet", index=False)
    sample.connections.to_csv(tmp_path / "connections.csv", index=False)
    return tmp_path


def label(folder: Path, out: str, *options: str, messages: str = "in") -> Path:
    given = [str(folder / messages), "--connections", str(folder / "connections.csv"), "--out", str(folder / out)]
    assert main(["label", *given, "--quiet", *options]) == 0
    return folder / out


def test_a_folder_of_parts_holds_the_rows_of_label_turns(tables: Path) -> None:
    out = label(tables, "labelled", "--identify", "--threads", "1")
    about = json.loads((out / "_labels.json").read_text())
    turns = ea.label_turns(ea.load_sample(), observed_until=about["observed_until"])
    found = pd.read_parquet(out)
    assert about["n_rows"] == len(found) == len(turns)
    for name in ("dyad", "sender", "first_message_id", "n_messages", "hours_to_reply", "immediate_pitch"):
        pd.testing.assert_series_equal(found[name], turns[name], check_dtype=False)
    assert (tables / "labelled.audit.csv").is_file()


@pytest.mark.parametrize("rows", ["turns", "messages"])
@pytest.mark.parametrize("messages", ["in", "in/*.parquet"])
def test_names_are_pseudonyms_unless_asked_for(rows: str, messages: str, tables: Path) -> None:
    plain = pd.read_parquet(label(tables, "plain.parquet", "--rows", rows, "--identify", messages=messages))
    found = pd.read_parquet(label(tables, "out.parquet", "--rows", rows, messages=messages))
    assert found["sender"].str.fullmatch("p-[0-9a-f]{16}").all()
    key = load_key()
    for side in ("sender", "recipient"):
        plain[side] = plain[side].map(lambda name: pseudonym(name, key=key), na_action="ignore")
    plain["dyad"] = plain[["sender", "recipient"]].apply(lambda row: "\t".join(sorted(row)), axis=1)
    # Rows stand in the order of the pseudonyms: that of the names would tell them.
    expected = plain.sort_values("dyad", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_an_export_gets_the_same_pseudonyms(tables: Path) -> None:
    sample = ea.load_sample()
    sample.messages.assign(connected_at=pd.Timestamp("2024-01-01")).to_csv(tables / "one.csv", index=False)
    assert main(["label", str(tables / "one.csv"), "--out", str(tables / "out.csv"), "--quiet"]) == 0
    shown = (tables / "out.csv").read_text()
    assert not any(name in shown for name in sample.messages["sender"].unique()[:50])
    files = pd.read_parquet(label(tables, "out.parquet"))
    assert set(pd.read_csv(tables / "out.csv")["sender"]) == set(files["sender"])


def test_rows_may_be_dyads(tables: Path) -> None:
    sample = ea.load_sample()
    owner = sample.ego if isinstance(sample.ego, str) else sample.ego[0]
    until = f"{sample.observed_until:%Y-%m-%d %H:%M:%S}"
    given = "--rows", "dyads", "--owner", owner, "--observed-until", until
    expected = ea.build_dyads(sample).drop(columns="template")  # which is found in memory only
    named = pd.read_parquet(label(tables, "named.parquet", *given, "--identify"))
    pd.testing.assert_frame_equal(named.drop(columns="template"), expected)

    found = pd.read_parquet(label(tables, "dyads.parquet", *given))
    assert not found.equals(named), "rows and numbers follow the pseudonyms, not the names"
    expected = ea.build_dyads(sample, identify=False).drop(columns="template")
    pd.testing.assert_frame_equal(found.drop(columns="template"), expected)


def test_dyads_of_an_export_do_not_follow_the_names_either(tables: Path) -> None:
    sample = ea.load_sample()
    sample.messages.assign(connected_at=pd.Timestamp("2024-01-01")).to_csv(tables / "one.csv", index=False)
    given = ["label", str(tables / "one.csv"), "--rows", "dyads", "--quiet"]
    columns = ["contact", "time_zero", "pitch_day", "hours_to_reply"]
    order = {}
    for name, more in (("named", ["--identify"]), ("hidden", [])):
        assert main([*given, *more, "--out", str(tables / f"{name}.parquet")]) == 0
        order[name] = pd.read_parquet(tables / f"{name}.parquet")[columns]
    assert not order["hidden"].equals(order["named"])
    assert len(order["hidden"]) == len(order["named"])


def test_the_report_takes_the_dyads(
    tables: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = label(tables, "dyads.parquet", "--rows", "dyads", "--window-days", "7")
    written = {}

    def write_report(dyads: pd.DataFrame, folder: Path, **keywords: object) -> Path:
        written.update(keywords, dyads=dyads)
        return folder

    monkeypatch.setattr(pipeline, "write_report", write_report)
    assert main(["report", str(out), "--out", str(tables / "report")]) == 0
    assert "messages" in capsys.readouterr().err, "what became of the rows"
    assert written["plan"] == ea.Plan(window_days=7)
    assert len(written["dyads"]) == len(pd.read_parquet(out))
    assert main(["report", str(out), "--window-days", "10", "--quiet"]) == 0
    assert written["plan"] == ea.Plan(window_days=10)
    assert main(["report", str(out), "--owner", "someone"]) == 2
    assert "--owner: not for a file of dyads, where it is settled" in capsys.readouterr().err
    written["dyads"].to_csv(tables / "dyads.csv", index=False)
    assert main(["report", str(tables / "dyads.csv")]) == 2
    assert "dyads.csv: holds a row per connection, but does not say with which plan" in capsys.readouterr().err


def test_stopped_by_hand_it_says_how_to_go_on(
    tables: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    arguments = ["label", str(tables / "in"), "--connections", str(tables / "connections.csv")]
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "advance", interrupt)
        assert main([*arguments, "--out", str(tables / "out")]) == 130
    assert "stopped; the same command goes on from here" in capsys.readouterr().err
    assert not (tables / "out").exists()
    assert main([*arguments, "--out", str(tables / "out")]) == 0
    assert "going on with the unfinished out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.csv", "b.csv", "--out", "o.csv"], "several files are labelled together only into Parquet"),
        (["a.csv", "b.zip", "--out", "o.parquet"], "only where all are .csv or .parquet"),
        (["a.zip", "--out", "labelled"], "a folder of parts needs tables: give --connections"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--timezone", "UTC"], "--timezone: not for tables of any"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--on-bad-row", "drop"], "--on-bad-row drop: not for"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--date-order", "dmy"], "--date-order: not for tables"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--encoding", "cp1252"], "--encoding: not for tables"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--owner", "ada"], "--owner with --rows turns: not for"),
        (["a.csv", "--connections", "c.csv", "--out", "o", "--rows", "dyads"], "dyads are one file; expected a name"),
    ],
)
def test_what_does_not_go_together(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", *arguments]) == 2
    assert message in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run_progress(stream: io.StringIO, seconds: list[float]) -> str:
    times = iter(seconds)
    progress = Progress(quiet=False, stream=stream, clock=lambda: next(times))
    for done in (400, 500, 700, 1000):
        progress.advance("labelling", done, 1000, "messages")
    progress.step("done")
    return stream.getvalue()


def test_progress_is_one_line_on_a_terminal_and_few_elsewhere() -> None:
    seconds = [0.0, 0.0, 1.0, 10.0, 20.0, 21.0]
    line = "labelling: 700 of 1,000 messages (70%), 30 a second, 0:10 left"
    shown = run_progress(Terminal(), seconds)
    assert shown.count("\n") == 1
    assert shown.split("\r\x1b[K")[2] == line
    plain = run_progress(io.StringIO(), seconds)
    assert plain.splitlines()[0] == line
    assert plain.splitlines()[-1] == "[ 21.0 s] done"
    assert "\r" not in plain


def test_progress_says_nothing_when_quiet_or_done_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Progress(quiet=True)
    quiet.advance("reading", 1, 2, "bytes")
    quiet.step("nothing")
    at_once = Progress(quiet=False)
    at_once.bytes_read(1, 2)
    at_once.bytes_read(2, 2)
    assert capsys.readouterr() == ("", "")
