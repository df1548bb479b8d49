"""lemlist activities: the one source that tells the second of an acceptance."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import NOTE_STAGE, Dataset, check_audit
from etiquette_analysis.sources import read, read_lemlist

ME = "me@x.org"


def activity(kind: str, minute: int, **other: Any) -> dict[str, Any]:
    base = {"_id": f"act_{kind}_{minute}", "type": kind, "leadId": "lea_1", "campaignId": "cam_1"}
    return base | {"createdAt": f"2024-03-01T09:{minute:02}:07.250Z", "sendUserEmail": ME} | other


STORY = [
    activity("linkedinVisitDone", 0),
    activity("linkedinInviteDone", 1, text="May I connect?"),
    activity("linkedinInviteAccepted", 2, sendUserEmail=None),
    activity("linkedinSent", 3, text="Open to a quick chat?"),
    activity("linkedinReplied", 4, text="Yes"),
    activity("emailsSent", 5, leadEmail="Ben@Y.org", text="<p>See <b>this</b></p>"),
    activity("emailsReplied", 6, text="No.\n\nOn 2 Mar 2024, Me <me@x.org> wrote:\n> See this"),
    activity("emailsOpened", 7),
    activity("emailsBounced", 8),
]


def write(tmp_path: Path, value: object, name: str = "activities.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def left_out(dataset: Dataset) -> dict[str, int]:
    check_audit(dataset.audit)
    rows = dataset.audit[dataset.audit["stage"] != NOTE_STAGE]
    return {r: n for r, n in zip(rows["reason"], rows["n"], strict=True) if r not in ("read", "kept")}


def test_an_acceptance_is_a_connection_to_the_second(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, STORY))
    assert (dataset.source, dataset.ego, dataset.has_connection_dates) == ("lemlist", ME, True)
    (pair,) = dataset.connections.to_dict("records")
    assert (pair["person_a"], pair["person_b"], pair["invited_by"]) == (ME, "ben@y.org", ME)
    assert pair["resolution"] == "second"
    assert pair["connected_at"] == pd.Timestamp("2024-03-01T09:02:07.250Z")
    assert pair["invited_at"] == pd.Timestamp("2024-03-01T09:01:07.250Z")


def test_what_was_sent_and_answered_are_messages(tmp_path: Path) -> None:
    dataset = read_lemlist(write(tmp_path, STORY))
    messages = dataset.messages
    assert messages["sender"].tolist() == [ME, ME, "ben@y.org", ME, "ben@y.org"]
    assert messages["kind"].tolist() == ["invitation", "message", "message", "message", "message"]
    assert messages["channel"].tolist() == ["linkedin", "linkedin", "linkedin", "email", "email"]
    assert messages["text"].tolist()[3:] == ["See this", "No."]
    assert dataset.observed_until == pd.Timestamp("2024-03-01T09:08:07.250Z")
    assert left_out(dataset) == {
        "linkedinVisitDone, no message": 1,
        "emailsOpened, no message": 1,
        "emailsBounced, no message": 1,
    }
    assert dataset.audit.set_index("reason").loc["activities: acceptance, read as a connection", "n"] == 1


def test_a_type_that_is_no_word_of_the_format_stays_out_of_the_audit(tmp_path: Path) -> None:
    kinds = ["linkedinSent", "call Ben Low, 555 0199", *(f"t{n}" for n in range(99))]
    events = [activity(kind, 1) for kind in kinds]
    found = left_out(read_lemlist(write(tmp_path, [event | {"_id": n} for n, event in enumerate(events)])))
    assert found["unknown, no message"] == 1
    assert found["one of many other types, no message"] == 40
    assert sum(found.values()) == 100


def test_json_lines_csv_and_wrapped_lists_give_the_same(tmp_path: Path) -> None:
    expected = read(write(tmp_path, STORY))
    lines = write(tmp_path, "\n".join(map(json.dumps, STORY)), "activities.jsonl")
    wrapped = write(tmp_path, {"activities": STORY}, "wrapped.json")
    table = tmp_path / "activities.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for event in STORY for key in event)))
        writer.writeheader()
        writer.writerows(STORY)
    for path in (lines, wrapped, table):
        dataset = read(path)
        pd.testing.assert_frame_equal(dataset.messages, expected.messages)
        pd.testing.assert_frame_equal(dataset.connections, expected.connections)


def test_one_person_has_a_lead_number_in_each_campaign(tmp_path: Path) -> None:
    events = [
        activity("linkedinSent", 1),
        activity("linkedinSent", 2, leadId="lea_2", contactId="ctc_1", campaignId="cam_2"),
        activity("emailsSent", 3, contactId="ctc_1"),
        activity("linkedinSent", 4, leadId="lea_3", campaignId="cam_2"),
    ]
    assert read_lemlist(write(tmp_path, events)).messages["recipient"].tolist() == ["ctc_1"] * 3 + ["lea_3"]


def test_repeats_count_once_and_the_earliest_acceptance_counts(tmp_path: Path) -> None:
    events = [
        activity("linkedinInviteAccepted", 5),
        activity("linkedinInviteAccepted", 2),
        activity("linkedinSent", 6),
        activity("linkedinSent", 6),
        activity("linkedinSent", 7, createdAt=None),
        activity("linkedinSent", 8, leadId=None),
    ]
    dataset = read_lemlist(write(tmp_path, events))
    assert len(dataset.messages) == 1
    assert dataset.connections["connected_at"].tolist() == [pd.Timestamp("2024-03-01T09:02:07.250Z")]
    assert left_out(dataset) == {
        "repeats an _id": 1,
        "no date": 1,
        "no lead": 1,
        "another acceptance of the same pair; the earliest counts": 1,
    }


def test_a_team_has_several_senders(tmp_path: Path) -> None:
    events = [activity("linkedinSent", 1), activity("linkedinSent", 2, leadId="lea_2", sendUserEmail="you@x.org")]
    dataset = read_lemlist(write(tmp_path, events))
    assert dataset.ego == (ME, "you@x.org")
    assert not dataset.has_connection_dates


def test_the_sender_is_asked_for_where_nothing_names_one(tmp_path: Path) -> None:
    path = write(tmp_path, [activity("linkedinSent", 1, sendUserEmail=None)])
    assert read_lemlist(path, owner=ME).messages["sender"].tolist() == [ME]
    with pytest.raises(SourceError, match=r"activity 1: nothing tells who sent it \(no sendUserEmail\); pass owner="):
        read_lemlist(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"type": "linkedinSent", "createdAt": "x"}], r"activities.json: no 'leadId' among its fields; it has 'type'"),
        ([], r"activities.json: no 'type', 'createdAt', 'leadId' among its fields; it has nothing"),
        ({"error": "x"}, r"activities.json: a JSON dict, expected a list of activities"),
        ("[{]", r"activities.json: not JSON"),
        (
            [activity("linkedinSent", 1, createdAt="03/04/2024")],
            r'activities.json, activity 1: createdAt "03/04/2024" is ambiguous',
        ),
    ],
)
def test_bad_input_is_named(tmp_path: Path, value: object, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_lemlist(write(tmp_path, value))


def test_unreadable_dates_may_be_dropped(tmp_path: Path) -> None:
    path = write(tmp_path, [activity("linkedinSent", 1, createdAt="soon"), activity("linkedinSent", 2)])
    assert left_out(read_lemlist(path, on_bad_row="drop")) == {"unreadable date": 1}
