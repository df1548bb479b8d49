"""A run that was stopped goes on where it was and gives the same bytes; nothing half-done stands for a result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from etiquette_analysis.engine import files, parts, scan
from etiquette_analysis.engine.files import label_files
from etiquette_analysis.errors import DesignError, SchemaError, SourceError

TEXTS = np.array(["buy now", "thanks!", "hello there", "a demo on Friday?", None], dtype=object)
SMALL = {"part_rows": 60, "batch_rows": 17}


class Stopped(BaseException):
    """Stands for a kill."""


def score(texts):
    length = np.array([len(text or "") for text in texts.to_pylist()])
    return np.where(length, length / 20, np.nan), np.where(length, length % 4, -1).astype(np.int8)


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """400 messages among 12 people, read in parts of 64."""
    monkeypatch.setattr(scan, "_SCAN_ROWS", 16)
    monkeypatch.setattr(scan, "_BATCHES_A_PART", 4)
    rng = np.random.default_rng(3)
    n, people = 400, np.array([f"person {i}" for i in range(12)])
    messages = {
        "message_id": rng.permutation(n),
        "sender": people[rng.integers(0, 12, n)],
        "recipient": people[rng.integers(0, 12, n)],
        "sent_at": pd.to_datetime(1_704_067_200 + rng.integers(0, 10**7, n), unit="s", utc=True),
        "text": TEXTS[rng.integers(0, len(TEXTS), n)],
    }
    pairs = {"person_a": people[:6], "person_b": people[6:], "connected_at": pd.Timestamp("2024-02-01")}
    pd.DataFrame(messages).to_parquet(tmp_path / "messages.parquet")
    pd.DataFrame(pairs).to_parquet(tmp_path / "connections.parquet")
    return tmp_path / "messages.parquet", tmp_path / "connections.parquet"


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in ([out] if out.is_file() else sorted(out.iterdir()))}


def stopping_after(n):
    """Return a progress that stops the run when it has been called ``n`` times."""
    calls = 0

    def progress(*_):
        nonlocal calls
        calls += 1
        if calls > n:
            raise Stopped

    return progress


@pytest.mark.parametrize(
    ("what", "name"), [("turns", "labelled"), ("messages", "labelled"), ("turns", "labelled.parquet")]
)
def test_stopped_anywhere_and_taken_up_again_gives_the_same_bytes(tables, what, name, tmp_path):
    keywords = {"what": what, "score": score, **SMALL}
    whole = label_files(*tables, tmp_path / f"whole-{name}", threads=1, **keywords)
    expected = {n.replace("whole-", ""): content for n, content in contents(whole.path).items()}
    out = tmp_path / name
    for n in (0, 11, 30, 44, 80):
        stopped = False
        try:
            label_files(*tables, out, threads=1 + n % 3, progress=stopping_after(n), **keywords)
        except Stopped:
            stopped = True
            assert not out.exists()
            again = label_files(*tables, out, threads=2, **keywords)
            assert again.n_rows == whole.n_rows
            pd.testing.assert_frame_equal(again.audit, whole.audit)
        assert contents(out) == expected
        assert not (tmp_path / f".{name}.part").exists()
        out.rename(tmp_path / f"done-{n}-{name}")
        if not stopped:
            break
    else:
        pytest.fail("the run was never stopped in its last part")


def test_what_was_done_is_not_done_again(tables, tmp_path):
    seen, out = [], tmp_path / "labelled"

    def counting(texts):
        seen.append(len(texts))
        return score(texts)

    def run(**keywords):
        seen.clear()
        said = []
        label_files(*tables, out, score=counting, threads=1, say=said.append, **SMALL, **keywords)
        return said

    assert run() == []
    n_scored = sum(seen)
    with pytest.raises(Stopped):
        run(progress=stopping_after(9))  # in the third part of what is read
    assert run() == ["going on with the unfinished labelled"]
    assert n_scored - 140 < sum(seen) < n_scored - 80
    with pytest.raises(Stopped):
        run(progress=stopping_after(40))  # while labelling
    finished = sorted((tmp_path / ".labelled.part" / "parts").glob("*.parquet"))
    before = {path.name: path.stat().st_mtime_ns for path in finished}
    assert len(before) > 2
    run()
    assert not seen
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"options": files.LabelOptions(window_days=3)}, "options"),
        ({"what": "messages"}, "what"),
        ({"depends_on": {"key": "another"}}, "key"),
        ({"touch": 0}, "messages"),
        ({"touch": 1}, "connections"),
        ({"score": None}, "labels"),
    ],
)
def test_another_question_starts_anew_and_says_so(tables, change, reason, tmp_path):
    out, said = tmp_path / "labelled", []
    keywords = {"score": score, "depends_on": {"key": "one"}, **SMALL}
    with pytest.raises(Stopped):
        label_files(*tables, out, progress=stopping_after(12), **keywords)
    change = dict(change)
    if "touch" in change:
        os.utime(tables[change.pop("touch")], ns=(1, 1))
    again = label_files(*tables, out, say=said.append, **keywords | change)
    assert said == [f"starting labelled anew: since the unfinished run, {reason} changed"]
    fresh = label_files(*tables, tmp_path / "fresh", **keywords | change)
    assert contents(again.path) == contents(fresh.path)


def test_a_folder_holds_parts_in_order_that_end_where_a_dyad_does(tables, tmp_path):
    one = label_files(*tables, tmp_path / "one.parquet", score=score)
    many = label_files(*tables, tmp_path / "many", score=score, **SMALL)
    paths = sorted(many.path.glob("*.parquet"))
    parts = [pq.read_table(path) for path in paths]
    assert len(parts) > 3
    assert pq.read_table(many.path).equals(pq.read_table(one.path))
    dyads = [set(part.column("dyad").to_pylist()) for part in parts]
    assert sum(map(len, dyads)) == len(set.union(*dyads))
    about = json.loads((many.path / "_labels.json").read_text())
    assert (about["rows"], about["n_rows"]) == ("turns", one.n_rows)
    assert str(tmp_path) not in json.dumps(about)
    assert pd.DataFrame(about["audit"])["n"].tolist() == one.audit["n"].tolist()


def test_an_earlier_folder_is_replaced_and_another_one_is_not(tables, tmp_path):
    out = tmp_path / "labelled"
    label_files(*tables, out, **SMALL)
    n_parts = len(list(out.iterdir()))
    label_files(*tables, out, part_rows=1000)
    assert len(list(out.iterdir())) < n_parts
    with pytest.raises(Stopped):
        label_files(*tables, out, part_rows=70, progress=stopping_after(0))
    assert len(list(out.iterdir())) < n_parts
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(SourceError, match="holds something else"):
        label_files(*tables, tmp_path / "mine")


def test_data_that_must_be_put_right_leave_nothing_behind(tables, tmp_path):
    pd.read_parquet(tables[0]).assign(message_id=1).to_parquet(tables[0])
    with pytest.raises(SchemaError, match="message_id must be unique"):
        label_files(*tables, tmp_path / "labelled", score=score)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["connections.parquet", "messages.parquet"]


def test_a_mistake_in_the_call_does_not_cost_what_was_done(tables, tmp_path):
    out, said = tmp_path / "labelled", []
    with pytest.raises(Stopped):
        label_files(*tables, out, score=score, progress=stopping_after(12))
    with pytest.raises(DesignError, match="memory_limit is 'much'"):
        label_files(*tables, out, score=score, memory_limit="much")
    with pytest.raises(SourceError, match="could not be read"):
        label_files(tmp_path / "typo.parquet", tables[1], out, score=score)
    label_files(*tables, out, score=score, say=said.append)
    assert said == ["going on with the unfinished labelled"]


def test_a_full_disk_is_one_sentence_and_costs_nothing(tables, tmp_path, monkeypatch):
    out, said, written = tmp_path / "labelled", [], parts.write_part

    def full(batches, schema, path):
        if path.name == "part-00001.parquet" and path.parent.name == "parts":
            raise OSError(28, "No space left on device")
        return written(batches, schema, path)

    with monkeypatch.context() as patched:
        patched.setattr(parts, "write_part", full)
        with pytest.raises(SourceError, match=r"stopped \(.*No space left on device\); what is done is kept"):
            label_files(*tables, out, score=score, **SMALL)
    assert not out.exists()
    label_files(*tables, out, score=score, say=said.append, **SMALL)
    assert said == ["going on with the unfinished labelled"]


def test_two_runs_do_not_write_the_same(tables, tmp_path):
    def again(*_):
        label_files(*tables, tmp_path / "labelled")

    with pytest.raises(DesignError, match="labelled is being written by another run; wait for it"):
        label_files(*tables, tmp_path / "labelled", progress=again)


SLOWLY = """
import sys, time
import numpy as np
from etiquette_analysis.engine import scan
from etiquette_analysis.engine.files import label_files
scan._SCAN_ROWS, scan._BATCHES_A_PART = 16, 4

def score(texts):
    time.sleep(0.02)
    return np.ones(len(texts)), np.ones(len(texts), dtype=np.int8)

def progress(*_):
    sys.stdout.write("."); sys.stdout.flush(); time.sleep(0.02)

label_files(*sys.argv[1:4], score=score, part_rows=60, batch_rows=17, threads=2, progress=progress)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_killed_and_taken_up_again_gives_the_same_bytes(tables, tmp_path):
    command = [sys.executable, "-c", SLOWLY, *map(str, tables)]
    subprocess.run([*command, tmp_path / "whole"], check=True, stdout=subprocess.DEVNULL)
    out = tmp_path / "killed"
    for n in (6, 20):  # while reading, while labelling
        running = subprocess.Popen([*command, out], stdout=subprocess.PIPE)
        running.stdout.read(n)
        running.kill()
        running.wait()
        running.stdout.close()
        assert not out.exists()
    subprocess.run([*command, out], check=True, stdout=subprocess.DEVNULL)
    assert contents(out) == contents(tmp_path / "whole")
