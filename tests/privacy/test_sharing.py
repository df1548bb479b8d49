"""The shareable folder: the same labels for whoever receives it, and nothing more exact than was promised."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis import privacy
from etiquette_analysis.cli import main
from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.pipeline.sharing import safe_audit, write_shareable
from etiquette_analysis.schema import AuditLog, Dataset

KEY = b"k" * 32
LABELS = [
    "started_at", "ended_at", "n_messages", "since_connection_min", "since_connection_max", "timing", "sent_before",
    "received_before", "rapport", "pitch_level", "reply_status", "hours_to_reply", "is_approach", "is_first_pitch",
    "immediate_pitch", "kind",
]  # fmt: skip


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return ea.load_sample()


@pytest.fixture(scope="module")
def shared(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shareable(dataset, tmp_path_factory.mktemp("shared") / "shareable", key=KEY)


def turns_of(dataset: Dataset) -> pd.DataFrame:
    turns = ea.label_turns(dataset)
    for side in ("sender", "recipient"):
        is_plain = not turns[side].str.match(r"p-[0-9a-f]{16}$").all()
        turns[side] = privacy.pseudonymise_column(turns[side], key=KEY) if is_plain else turns[side]
    return turns.sort_values(["sender", "recipient", "started_at"], ignore_index=True)


def test_the_receiver_gets_the_same_turns(dataset: Dataset, shared: Path) -> None:
    mine, theirs = turns_of(dataset), turns_of(ea.read(shared))
    assert len(mine) > 1000
    pd.testing.assert_frame_equal(mine[["sender", "recipient", *LABELS]], theirs[["sender", "recipient", *LABELS]])
    assert (mine["pitch_score"] - theirs["pitch_score"]).abs().max() <= 0.0051


def test_the_receiver_gets_the_same_answer(dataset: Dataset, shared: Path) -> None:
    plan = ea.Plan()
    mine, theirs = (ea.compare(ea.build_dyads(d, plan), plan) for d in (dataset, ea.read(shared)))
    assert mine.text("en").splitlines()[0] == theirs.text("en").splitlines()[0]


def test_a_zip_of_it_is_read_as_well(shared: Path, tmp_path: Path) -> None:
    packed = tmp_path / "sent.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in shared.iterdir():
            archive.write(file, f"shareable/{file.name}")
    assert len(ea.read(packed).messages) == len(ea.read(shared).messages)


def test_nothing_of_the_source_order_or_of_work_is_left(shared: Path, dataset: Dataset) -> None:
    connections = pd.read_csv(shared / "connections.csv")
    assert dataset.connections["position"].nunique() > 3
    assert set(connections["position"].dropna()) <= {"staff", "manager", "executive"}
    assert list(zip(connections["person_a"], connections["person_b"], strict=True)) == sorted(
        zip(connections["person_a"], connections["person_b"], strict=True)
    )
    messages = pd.read_csv(shared / "messages.csv")
    assert messages["message_id"].tolist() == list(range(len(messages)))
    assert messages["text"].isna().all()
    assert "example" not in pd.read_csv(shared / "audit.csv")
    assert KEY.hex() not in "".join(file.read_text(encoding="utf-8") for file in shared.iterdir())


@pytest.mark.parametrize(("to", "most"), [("day", 0.025), ("week", 0.025)])
def test_coarse_dates_keep_days_and_lose_what_is_said(dataset: Dataset, tmp_path: Path, to: str, most: float) -> None:
    coarse = ea.read(write_shareable(dataset, tmp_path / "s", key=KEY, coarse_dates=to))
    sent, connected = coarse.messages["sent_at"], coarse.connections["connected_at"]
    assert (sent == sent.dt.floor("D")).all()
    if to == "week":
        assert (connected.dt.day_of_week == 0).all()
    by_time = dataset.messages.sort_values(["sent_at", "message_id"]).index
    mine = ea.label_messages(dataset).loc[by_time].reset_index(drop=True)
    theirs = ea.label_messages(coarse)
    if to == "week":  # pairs were moved, so the order across pairs is another
        keys = ["sender", "recipient", "pitch_score"]
        for side in keys[:2]:
            mine[side] = privacy.pseudonymise_column(mine[side], key=KEY)
        mine["pitch_score"] = mine["pitch_score"].round(2)
        mine, theirs = (t.sort_values(["dyad_of", "message_id"]) for t in map(_with_pair, (mine, theirs)))
    for label in ("timing", "rapport", "reply_status", "is_approach", "is_first_pitch", "immediate_pitch"):
        a, b = (t[label].astype("object").fillna("none").to_numpy() for t in (mine, theirs))
        changed = (a != b).mean()
        assert changed <= (0 if label == "timing" else most), (label, changed)


def _with_pair(table: pd.DataFrame) -> pd.DataFrame:
    both = table[["sender", "recipient"]]
    return table.assign(dyad_of=both.min(axis=1) + both.max(axis=1))


def test_unknown_options_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="text='all': expected 'none' or 'redacted'"):
        write_shareable(dataset, tmp_path / "s", key=KEY, text="all")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="coarse_dates='year': expected 'day' or 'week'"):
        write_shareable(dataset, tmp_path / "s", key=KEY, coarse_dates="year")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_anything_else_in_the_folder_is_left_alone(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.docx").write_text("mine")
    with pytest.raises(DesignError, match=r"holds 'thesis.docx', which is not part of an earlier shareable folder"):
        write_shareable(dataset, tmp_path / "s", key=KEY)
    assert (tmp_path / "s" / "thesis.docx").read_text() == "mine"
    write_shareable(dataset, tmp_path / "t", key=KEY)
    write_shareable(dataset, tmp_path / "t", key=b"j" * 32)  # an earlier one is replaced


def test_a_changed_folder_is_one_sentence(shared: Path, tmp_path: Path) -> None:
    for name in ("etiquette.json", "messages.csv", "connections.csv"):
        (tmp_path / name).write_bytes((shared / name).read_bytes())
    about = json.loads((tmp_path / "etiquette.json").read_text())
    (tmp_path / "etiquette.json").write_text(json.dumps(about | {"format": "another, 9"}))
    with pytest.raises(SourceError, match="format 'another, 9', expected 'etiquette pseudonymise, 1'"):
        ea.read(tmp_path)
    (tmp_path / "etiquette.json").write_text("{")
    with pytest.raises(SourceError, match="not as `etiquette pseudonymise` wrote it"):
        ea.read(tmp_path)


def test_audit_counts_that_are_small_stay_hidden() -> None:
    log = AuditLog()
    for reason, n in {"read": 100, "no date": 1, "spam": 30, "group": 9, "kept": 60}.items():
        log.add("messages", reason, n, example=4)
    log.add("note", "messages: something", 3)
    safe = safe_audit(log.frame()).set_index("reason")["n"]
    assert safe.isna().to_dict() == {
        "read": False, "no date": True, "spam": False, "group": True, "kept": False, "messages: something": True,
    }  # fmt: skip


def test_values_borne_by_few_are_blank(dataset: Dataset, tmp_path: Path) -> None:
    from dataclasses import replace

    x = pd.Series([7.0] * 3 + [1.0] * (len(dataset.connections) - 3))
    salted = replace(dataset, connections=dataset.connections.assign(x_rank=x))
    written = pd.read_csv(write_shareable(salted, tmp_path / "s", key=KEY) / "connections.csv")
    assert written["x_rank"].dropna().unique().tolist() == [1.0]
    assert written["x_rank"].isna().sum() == 3


def test_projects_cannot_be_linked_and_runs_of_one_can(tmp_path: Path) -> None:
    world = tmp_path / "w.zip"
    assert main(["simulate", "A", "--n", "30", "--out", str(world)]) == 0
    for out, options in (("a", []), ("b", []), ("c", ["--project", "a"])):
        assert main(["pseudonymise", str(world), str(tmp_path / out), "--quiet", *options]) == 0
    people = {out: set(pd.read_csv(tmp_path / out / "messages.csv")["sender"]) for out in "abc"}
    assert people["a"] == people["c"]
    assert not people["a"] & people["b"]
