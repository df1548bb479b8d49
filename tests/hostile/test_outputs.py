"""What is written from hostile data is harmless, and appears whole or not at all, whatever happens on the way."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from etiquette_analysis import pipeline
from etiquette_analysis.cli import main
from etiquette_analysis.report import folder as report_folder
from etiquette_analysis.schema import Dataset

MARKUP = "<script>canary()</script><canary-tag onload=canary()>"
NAMES = [
    "=cmd|' /C calc'!A0",
    "+1 (555) 0100",
    "-1+1",
    "@SUM(1)",
    "＝1+1",
    "\t=1+1",
    "\r=1+1",
    MARKUP,
    "$\\alpha$ \\href{javascript:canary()}{x} [x](javascript:canary()) ![x](https://canary.example/x.png)",
    "</title></style></svg>]]>--><img src=x onerror=canary()>",
    "\u202egnp.exe\u200e",
    "nul\0 and bell\x07 and \x1b[2J",
    "{{canary}} ${canary} %(canary)s",
    'quote " and, comma; and\nline',
]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def hostile_dataset() -> Dataset:
    """The sample, every contact renamed, every text replaced, and markup wherever a format lets a word through."""
    sample = pipeline.load_sample()
    people = sorted(
        set(sample.connections["person_b"]) | set(sample.messages["sender"]) | set(sample.messages["recipient"])
    )
    names = {person: f"{NAMES[n % len(NAMES)]} {n}" for n, person in enumerate(people) if person != sample.ego}
    messages, connections = sample.messages.copy(), sample.connections.copy()
    for table, columns in ((messages, ("sender", "recipient")), (connections, ("person_a", "person_b", "invited_by"))):
        for column in columns:
            table[column] = table[column].map(lambda person: names.get(person, person)).astype("str")
    messages["text"] = messages["text"] + " " + MARKUP
    messages["channel"] = MARKUP
    connections = connections.assign(position=MARKUP, campaign=MARKUP, **{f"x_{MARKUP}": range(len(connections))})
    audit = pd.concat(
        [sample.audit, sample.audit.assign(stage=MARKUP, reason=sample.audit["reason"])], ignore_index=True
    )
    lost = pd.DataFrame(
        {"stage": [MARKUP, MARKUP], "reason": ["read", f"no date {MARKUP}"], "n": [3, 3], "example": [1, 2]}
    )
    return replace(
        sample,
        messages=messages,
        connections=connections.drop(columns="company", errors="ignore"),
        audit=pd.concat([audit, lost], ignore_index=True).astype(sample.audit.dtypes.to_dict()),
        source=MARKUP,
        evidence=MARKUP,
    )


class Page(HTMLParser):
    """Collects what a browser could run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"<{tag}>"] if tag in {"script", "iframe", "object", "embed", "base"} or "-" in tag else []
        self.found += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        self.found += [
            f"{tag} {name}={value}"
            for name, value in attrs
            if name in {"src", "href", "action", "xlink:href"} and not (value or "").startswith(("#", "data:,"))
        ]


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [cell for row in csv.reader(stream) for cell in row]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "a <b>'folder\"\n& more"
    pipeline.write_report(hostile_dataset(), out, identify=True)
    return out


def test_a_report_on_markup_runs_nothing(report: Path) -> None:
    page = Page()
    page.feed((report / "index.html").read_text(encoding="utf-8"))
    assert page.found == []
    assert "<canary" not in (report / "index.html").read_text(encoding="utf-8")


def test_the_notebook_of_a_report_holds_no_markup_either(report: Path) -> None:
    notebook = nbformat.read(report / "report.ipynb", as_version=4)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    for kind in ("text/html", "text/markdown", "text/latex", "image/svg+xml"):
        joined = ["".join(output.get("data", {}).get(kind, "")) for output in shown]
        assert not any("<canary" in html or "<script" in html for html in joined), kind
    assert not {"application/javascript", "text/latex"} & {kind for output in shown for kind in output.get("data", {})}


def test_no_cell_of_a_report_is_a_formula(report: Path) -> None:
    for name in ("turns.csv", "audit.csv"):
        number = re.compile(r"[+-]?[\d.]+(?:e[+-]?\d+)?|-\d+ days( [+-][\d:.]+)?")
        texts = [cell for cell in cells(report / name) if not number.fullmatch(cell)]
        assert [cell for cell in texts if cell.startswith(FORMULA)] == []
    assert any(cell.startswith("'=cmd|' /C calc'!A0") for cell in cells(report / "turns.csv"))


def test_every_table_that_commands_write_is_harmless(tmp_path: Path) -> None:
    source = tmp_path / "-a\n'\"<b>.csv"
    rows = [[name, "ben", f"2024-03-{n + 1:02}T10:00:00Z", name] for n, name in enumerate(NAMES)]
    answers = [["ben", name, f"2024-03-{n + 1:02}T12:00:00Z", name] for n, name in enumerate(NAMES)]
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["sender", "recipient", "sent_at", "text"], *rows, *answers])
    assert main(["label", "--identify", "--quiet", "--out", str(tmp_path / "turns.csv"), "--", str(source)]) == 0
    shared = tmp_path / "shared"
    assert main(["pseudonymise", "--text", "redacted", "--quiet", "--", str(source), str(shared)]) == 0
    written = [tmp_path / "turns.csv", tmp_path / "turns.audit.csv", *shared.rglob("*.csv")]
    assert len(written) >= 4
    for path in written:
        assert [cell for cell in cells(path) if cell.startswith(FORMULA)] == [], path.name


def test_lab_copies_no_results_of_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="CANARY")], execution_count=1)
    made = tmp_path / "made"
    made.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), made / "x.ipynb")
    monkeypatch.setattr(pipeline, "bundled", lambda _: made)
    assert main(["lab", "--copy-only", "--folder", str(tmp_path / "copy")]) == 0
    assert "CANARY" not in (tmp_path / "copy" / "x.ipynb").read_text()


# half-way


def command(*arguments: str, before: str = "") -> list[str]:
    code = f"import sys\n{before}\nfrom etiquette_analysis.cli import main\nsys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, *arguments]


FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"


@pytest.mark.skipif(sys.platform == "win32", reason="limits need the resource module of Unix")
@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "--out", "out"),
        ("label", "sample", "--out", "out.csv"),
        ("label", "sample", "--out", "out.parquet"),
        ("pseudonymise", "sample", "out"),
        ("simulate", "A", "--n", "100", "--out", "out"),
        ("simulate", "A", "--n", "100", "--out", "out.zip"),
    ],
    ids=" ".join,
)
def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, root: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "sample").symlink_to(root / "data" / "sample")
    run = subprocess.run(command(*arguments, before=FULL), cwd=tmp_path, capture_output=True, text=True, timeout=300)
    said = run.stderr.splitlines()[-1]
    assert run.returncode == 2, run.stderr[-2000:]
    assert said.startswith("etiquette: ")
    assert "Traceback" not in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of Unix")
def test_a_run_that_is_killed_leaves_one_hidden_folder_and_the_next_run_clears_it(tmp_path: Path) -> None:
    out = tmp_path / "report"
    run = subprocess.Popen(command("report", "--out", str(out), "--quiet"), start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".report-*/.inputs-*")) and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    (left,) = tmp_path.iterdir()
    assert re.fullmatch(r"\.report-\w{8}", left.name)
    with report_folder.ReportFolder(out) as made:
        assert [path.name for path in tmp_path.iterdir()] == [made.path.name]
        with report_folder.ReportFolder(out) as other:
            assert made.path.is_dir()
            (other.path / "index.html").write_text('<meta content="etiquette-analysis">')
    assert not list(tmp_path.glob(".*"))


def test_an_earlier_report_that_a_killed_run_had_in_hand_is_put_back(tmp_path: Path) -> None:
    in_hand = tmp_path / ".report-old-abcd1234" / "report"
    in_hand.mkdir(parents=True)
    (in_hand / "index.html").write_text('<meta content="etiquette-analysis">')
    with pytest.raises(RuntimeError, match="stopped"), report_folder.ReportFolder(tmp_path / "report"):
        raise RuntimeError("stopped")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report" / "index.html").is_file()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_in_the_place_of_the_folder_is_written_through(tmp_path: Path, *, is_there: bool) -> None:
    real = tmp_path / "disk" / "real"
    real.parent.mkdir()
    if is_there:
        real.mkdir()
    (tmp_path / "out").symlink_to(real)
    with report_folder.ReportFolder(tmp_path / "out") as made:
        (made.path / "index.html").write_text("x")
    assert (real / "index.html").read_text() == "x"
    assert (tmp_path / "out").is_symlink()


def test_a_link_that_leads_to_itself_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "out")
    assert main(["report", "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert "out: is a link that leads to itself; choose another folder" in capsys.readouterr().err


# one dyad

MEASURE = """
import json, resource, sys, time
import numpy as np, pandas as pd
from etiquette_analysis.pipeline import label_turns
from etiquette_analysis.sources import read_table

def measure(n, n_dyads):
    # The same turns in both: a pair writes by turns, and its next turn comes three days later.
    turn = np.arange(n) // n_dyads
    pair = np.arange(n) % n_dyads
    names = np.array([f"contact {k}" for k in range(n_dyads)], dtype=object)[pair]
    at = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(turn * 60 + pair % 60, unit="s")
    out = turn % 2 == 0
    sides = {"sender": np.where(out, "me", names), "recipient": np.where(out, names, "me")}
    dataset = read_table(pd.DataFrame(sides | {"sent_at": at, "message_id": np.arange(n)}), owner="me")
    levels = pd.Series("none", index=np.arange(n))
    open("/proc/self/clear_refs", "w").write("5")
    before = resident()
    began = time.perf_counter()
    turns = label_turns(dataset, levels=levels)
    return time.perf_counter() - began, (resident() - before) / 1024, len(turns)

def resident():
    return int([line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1])

measure(1_000, 10)
print(json.dumps({"one": measure(1_000_000, 1), "many": measure(1_000_000, 10_000)}))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from Linux")
def test_one_dyad_of_a_million_messages_costs_no_more_than_a_million_messages() -> None:
    shown = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(shown.stdout)
    (seconds, mebibytes, n), (usual_seconds, usual_mebibytes, usual_n) = found["one"], found["many"]
    assert n == usual_n == 1_000_000
    assert seconds < 3 * usual_seconds
    assert mebibytes < 2 * usual_mebibytes
