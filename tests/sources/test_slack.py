"""Slack's export: direct messages of two people, everything else counted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import Dataset, check_audit
from etiquette_analysis.sources import read, read_slack

USERS = [
    {"id": "U1", "name": "ada", "profile": {"real_name": "Ada King", "email": "ada@example.com"}},
    {"id": "U2", "name": "ben", "real_name": "Ben Low"},
    {"id": "U3", "name": "ben", "real_name": "Cleo"},
    {"id": "B1", "name": "promo", "is_bot": True},
]
DMS = [{"id": "D1", "members": ["U1", "U2"]}]


def said(user: str | None, ts: Any, text: str = "Hi", **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": ts, "text": text} | ({"user": user} if user else {}) | more


def write(folder: Path, files: dict[str, Any], users: Any = USERS, dms: Any = DMS) -> Path:
    for name, content in {"users.json": users, "dms.json": dms, **files}.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def reasons(dataset: Dataset) -> dict[str, int]:
    rows = dataset.audit[dataset.audit["stage"] == "conversations"]
    return dict(zip(rows["reason"], rows["n"], strict=True))


@pytest.mark.parametrize("form", ["own_export", "own_slack_export.zip"])
def test_folder_and_zip_give_the_expected_events(shared_data: Path, form: str) -> None:
    folder = shared_data / "slack"
    expected = json.loads((folder / "own_export" / "EXPECTED.json").read_text("utf-8"))
    dataset = read(folder / form, owner="Giulia Serra")
    messages = dataset.messages
    assert messages[["sender", "recipient", "text", "conversation_id"]].to_numpy().tolist() == [
        ["U01", "U02", "Ciao Marco, ti propongo il nostro corso a 99 euro", "D01"],
        ["U02", "U01", "No grazie", "D01"],
    ]
    assert messages["sent_at"].iloc[0] == pd.Timestamp("2024-03-04 19:55:00.000100", tz="UTC")
    hours = (messages["sent_at"].iloc[1] - messages["sent_at"].iloc[0]).total_seconds() / 3600
    assert hours == pytest.approx(expected["dm_pitch_then_reply_hours"], abs=1e-4)
    found = reasons(dataset)
    assert found.pop("channel, not a direct message") == expected["channel_human_messages"]
    assert found == {"read": 6, "kept": 2} | {f"subtype {subtype}": 1 for subtype in expected["drop"]}
    assert (dataset.ego, dataset.source, dataset.has_connection_dates) == ("U01", "slack", False)
    assert dataset.connections.empty
    check_audit(dataset.audit)


def test_every_row_that_is_left_out_has_its_reason(tmp_path: Path) -> None:
    dms = [
        *DMS,
        {"id": "D2", "members": ["U1", "U1"]},
        {"id": "D3", "members": ["U1", "B1"]},
        {"id": "D4", "members": ["U2", "U3"]},
        {"id": "D5"},
    ]
    rows = [
        said("U1", "1709582100.000100"),
        said("U1", "1709582100.000100"),
        said("U2", "1709582101", bot_id="B9"),
        said("U3", "1709582102.5"),
        said(None, "1709582103.5"),
        said("U2", "yesterday"),
        said("U2", None),
        {"type": "event"},
    ]
    files = {
        "D1/2024-03-04.json": rows,
        "D2/2024-03-04.json": [said("U1", "1709582104.5")],
        "D3/2024-03-04.json": [said("U1", "1709582105.5")],
        "D4/2024-03-04.json": [said("U2", "1709582106.5")],
        "D5/2024-03-04.json": [said("U2", "1709582106.5")],
        "mpdm-x/2024-03-04.json": [said("U1", "1709999999.5")],
        "mpims.json": [{"id": "G1", "name": "mpdm-x"}],
        "who-knows/2024-03-04.json": [said("U1", "1709582107.5")],
        "D1/canvas.json": [{"ignored": True}],
    }
    dataset = read_slack(write(tmp_path, files, dms=dms), owner="ada@example.com")
    assert reasons(dataset) == {
        "read": 14,
        "repeated row": 1,
        "bot": 1,
        "sender is neither of the two": 1,
        "no sender": 1,
        "unreadable date": 1,
        "no date": 1,
        "not a message": 1,
        "message to oneself": 1,
        "direct conversation with a bot": 1,
        "direct message between others than the owner": 1,
        "not two people": 1,
        "group conversation, not a direct message": 1,
        "conversation that no list names": 1,
        "kept": 1,
    }
    assert dataset.observed_until == pd.Timestamp("2024-03-09 15:59:59.5", tz="UTC")


def test_the_file_of_a_day_does_not_decide_the_time(tmp_path: Path) -> None:
    days = {"D1/2024-03-04.json": [said("U1", "1709600000.1")], "D1/2024-03-03.json": [said("U2", "1709500000.1")]}
    dataset = read_slack(write(tmp_path, days), owner="U1")
    assert dataset.messages["sender"].tolist() == ["U2", "U1"]


def test_owner_by_presence_by_name_or_unknown(tmp_path: Path) -> None:
    day = {"D1/2024-03-04.json": [said("U1", "1709582100.1")]}
    folder = write(tmp_path, day)
    assert read_slack(folder).ego is None
    with pytest.raises(SourceError, match=r"dms.json: owner='Zoë' takes part in no conversation; .* one of U1, U2"):
        read_slack(folder, owner="Zoë")
    write(tmp_path, day, dms=[*DMS, {"id": "D2", "members": ["U3", "U1"]}])
    found = read_slack(folder)
    assert (found.ego, found.evidence) == ("U1", "the one person in all of 2 direct conversations")
    with pytest.raises(SourceError, match=r"owner='ben' is the name of 2 people; pass one of U[23], U[23]"):
        read_slack(folder, owner="ben")


def test_a_folder_around_the_export_does_not_matter(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "slack.zip", "w") as archive:
        archive.writestr("team export/users.json", json.dumps(USERS))
        archive.writestr("team export/dms.json", json.dumps(DMS))
        archive.writestr("team export/D1/2024-03-04.json", json.dumps([said("U1", "1709582100.1", "")]))
    dataset = read(tmp_path / "slack.zip", owner="ada")
    assert dataset.messages["text"].isna().all()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"dms.json": None, "channels.json": []},
            r"no dms.json, so the export has no direct messages; a standard export",
        ),
        ({"users.json": None}, r"no users.json of Slack; pass the export's zip or its folder, unchanged"),
        (
            {"D1/2024-03-04.json": "[{"},
            r"2024-03-04.json \(D1/2024-03-04.json\): not JSON .* download the export",
        ),
        ({"dms.json": "{}"}, r"dms.json \(dms.json\): holds no list, so it is no file of a Slack export"),
        ({"D1/2024-03-04.json": []}, r"no message between two people: it holds no row at all"),
    ],
)
def test_bad_exports_say_what_is_wrong(tmp_path: Path, files: dict[str, Any], says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read_slack(write(tmp_path, files))
