"""Telegram's JSON: exact events, nothing lost uncounted, and memory that does not grow with what is left out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import check_audit
from etiquette_analysis.sources import json_stream, read, read_telegram
from etiquette_analysis.sources.json_stream import JsonStream

STAGE = "result.json"


def message(number: int, sender: int, text: Any = "Hi", *, seconds: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date_unixtime": str(1_709_582_770 + number if seconds is None else seconds),
        "from": f"Person {sender}",
        "from_id": f"user{sender}",
        "text": text,
    } | more


def account(*chats: dict[str, Any], owner: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "about": "x",
        "personal_information": {"user_id": owner},
        "chats": {"about": "", "list": list(chats)},
    } | more


def chat(*messages: Any, contact: int = 2, kind: str = "personal_chat") -> dict[str, Any]:
    return {"name": "n", "type": kind, "id": contact, "messages": list(messages)}


def write(folder: Path, content: Any, name: str = "result.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
    return file


def left_out(dataset: Any) -> dict[str, int]:
    rows = dataset.audit[dataset.audit["stage"] == STAGE]
    return dict(zip(rows["reason"], rows["n"], strict=True))


@pytest.fixture(scope="module")
def own(shared_data: Path) -> Path:
    return shared_data / "telegram" / "own"


@pytest.mark.parametrize("file", ["full_account_result.json", "single_chat_result.json"])
def test_both_exports_give_the_expected_events(own: Path, file: str) -> None:
    expected = json.loads((own / "EXPECTED.json").read_text("utf-8"))
    dataset = read(own / file)
    messages = dataset.messages
    assert len(messages) == expected["personal_chat_messages"]
    assert messages["sent_at"].dt.strftime("%Y-%m-%dT%H:%M:%S").tolist() == [
        "2024-03-04T20:06:10",
        "2024-03-04T20:07:00",
        "2024-03-05T07:30:59",
        "2024-03-05T11:00:01",
    ]
    me, marco, deleted = "user100000001", "user100000002", "user100000009"
    assert messages["sender"].tolist() == [marco, me, marco, deleted]
    assert messages["recipient"].tolist() == [me, marco, me, me]
    assert messages["text"].iloc[1] == expected["text_of_id_3"]
    assert messages["text"].isna().tolist() == [False, False, True, False]
    assert set(messages["kind"]) == {"message"}
    assert (dataset.ego, dataset.source, dataset.has_connection_dates) == (me, "telegram", False)
    assert dataset.connections.empty
    reasons = set(left_out(dataset)) - {"read", "kept"}
    assert all(any(word in reason for word in expected["exclude"]) for reason in reasons)
    check_audit(dataset.audit)


def test_each_left_out_chat_is_counted_by_its_type(own: Path) -> None:
    assert left_out(read(own / "full_account_result.json")) == {
        "read": 6,
        "not a personal chat: public_channel": 1,
        "not a personal chat: saved_messages": 1,
        "kept": 4,
    }
    assert left_out(read(own / "single_chat_result.json")) == {"read": 5, "service row": 1, "kept": 4}


@pytest.mark.parametrize("file", ["test_batch_export.json", "test_single_export.json"])
def test_a_minimal_file_of_another_project_is_read_by_names(shared_data: Path, file: str) -> None:
    folder = shared_data / "telegram" / "chat_miner"
    target = json.loads((folder / "target.json").read_text("utf-8"))
    dataset = read_telegram(folder / file, owner="author 1")
    assert dataset.messages["sender"].tolist() == [event["author"] for event in target]
    assert dataset.messages["sent_at"].dt.strftime("%Y-%m-%dT%H:%M:%S").tolist() == [e["timestamp"] for e in target]
    assert dataset.messages["text"].tolist() == ["Minimal Message", "Link:https://telegram.org/"]
    assert dataset.ego == "Author 1"
    assert read(folder / file).ego is None


def test_every_row_that_is_left_out_has_its_reason(tmp_path: Path) -> None:
    everything = account(
        chat(
            message(1, 2),
            message(2, 1) | {"type": "service"},
            message(3, 1, seconds=99_999_999_999),
            {k: v for k, v in message(4, 1).items() if k != "date_unixtime"},
            {k: v for k, v in message(5, 1).items() if not k.startswith("from")},
            "odd",
        ),
        chat(message(6, 777000), contact=777000),
        chat(message(7, 1), contact=1),
        chat(message(8, 3), kind="bot_chat", contact=3),
        left_chats={"list": [chat(message(9, 5, seconds=1_800_000_000), kind="private_group")]},
    )
    dataset = read_telegram(write(tmp_path, everything))
    assert left_out(dataset) == {
        "read": 10,
        "service row": 1,
        "unreadable date": 1,
        "no date_unixtime": 1,
        "no sender": 1,
        "not a message": 1,
        "notices of Telegram itself": 1,
        "not a personal chat: bot_chat": 1,
        "not a personal chat: private_group": 1,
        "message to oneself": 1,
        "kept": 1,
    }
    assert dataset.observed_until == pd.Timestamp(1_800_000_000, unit="s", tz="UTC")


def test_a_type_that_is_no_word_of_the_format_stays_out_of_the_audit(tmp_path: Path) -> None:
    full = account(chat(message(1, 2)), chat(message(2, 3), kind="Ada King, 555 0199", contact=3))
    assert left_out(read_telegram(write(tmp_path, full)))["not a personal chat: unknown"] == 1


def test_a_type_that_stands_after_the_messages_still_counts(tmp_path: Path) -> None:
    late = {"messages": [message(1, 2), message(2, 1)], "id": 9, "type": "private_group"}
    dataset = read_telegram(write(tmp_path, account(late, chat(message(3, 2)))))
    assert left_out(dataset)["not a personal chat: private_group"] == 2
    assert len(dataset.messages) == 1


def test_old_numbers_without_prefix_and_a_lone_sender_have_recipients(tmp_path: Path) -> None:
    dataset = read_telegram(write(tmp_path, account(chat(message(1, 1, from_id=1), contact=4_815_162_342))))
    assert dataset.messages[["sender", "recipient"]].to_numpy().tolist() == [["user1", "user4815162342"]]


def test_a_single_chat_that_does_not_tell_its_owner_says_so(tmp_path: Path) -> None:
    file = write(tmp_path, chat(message(1, 2)))
    dataset = read_telegram(file)
    assert dataset.ego is None
    assert dataset.audit["reason"].str.startswith("owner: nothing tells").any()
    with pytest.raises(
        SourceError, match=r"owner='Zoë' takes part in no conversation; expected a name or one of user2"
    ):
        read_telegram(file, owner="Zoë")


def test_parts_of_one_account_are_not_counted_twice(tmp_path: Path) -> None:
    one = chat(message(1, 2), message(2, 1))
    parts = [write(tmp_path, account(one)), write(tmp_path, one, "single.json")]
    dataset = read(parts)
    assert len(dataset.messages) == 2
    assert left_out(dataset)["message that an earlier file holds as well"] == 2


def test_a_zip_reads_as_the_file(tmp_path: Path) -> None:
    content = json.dumps(account(chat(message(1, 2), message(2, 1))))
    with zipfile.ZipFile(tmp_path / "telegram.zip", "w") as archive:
        archive.writestr("ChatExport/result.json", content)
        archive.writestr("ChatExport/photos/1.jpg", b"x")
    assert len(read(tmp_path / "telegram.zip").messages) == 2


def test_the_html_export_is_refused_with_what_to_do(tmp_path: Path) -> None:
    page = write(tmp_path, "<!DOCTYPE html><html><title>Exported Data</title></html>", "messages.html")
    for path in (page, tmp_path):
        with pytest.raises(
            SourceError, match=r'HTML export, .*format "Machine-readable JSON" and pass the result.json'
        ):
            read(path)
        with pytest.raises(SourceError, match=r"HTML export"):
            read_telegram(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            json.dumps(account(chat(message(1, 2))))[:-60],
            r"result.json: the file ends inside its JSON, so it was cut short",
        ),
        ('{"chats": {"list": [{"type": "personal_chat" "id": 2}]}}', r"character 46: not valid JSON \(expected ','\)"),
        ('{"chats": {"list": [{"id": 2, "messages": [{"id": x}]}]}}' + " " * 99, r"character 51: not valid JSON"),
        ("[1]", r"character 1: not valid JSON \(expected '\{'\)"),
        ('{"chats": {"list": []}}', r"no message between two people: it holds no row at all; export personal chats"),
        (json.dumps(account(chat(message(1, 2), kind="public_channel"))), r"of its 1 rows none is \(1 not a personal"),
        ('{"name": ' + "[" * 100_000, r"not valid JSON \(nested too deeply\)"),
    ],
)
def test_bad_files_say_what_is_wrong_and_what_to_do(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read_telegram(write(tmp_path, content))


def test_local_times_alone_are_refused(tmp_path: Path) -> None:
    old = {k: v for k, v in message(1, 2).items() if k != "date_unixtime"} | {"date": "2018-03-04T21:06:10"}
    with pytest.raises(SourceError, match=r"no date_unixtime, only local times without a zone; export again"):
        read_telegram(write(tmp_path, account(chat(old))))


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes(b'{"chats": {"list": [{"name": "\xe8"}]}}')
    with pytest.raises(SourceError, match=r"result.json: not UTF-8, so another program has saved this file again"):
        read_telegram(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(JSON, max_size=6), ascii_only=st.booleans(), chunk=st.integers(1, 9))
def test_the_window_may_be_cut_anywhere(
    monkeypatch: pytest.MonkeyPatch, values: list[Any], ascii_only: bool, chunk: int
) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    text = json.dumps({"skipped": values, "list": values}, ensure_ascii=ascii_only)
    stream = JsonStream(io.StringIO(text), "x.json")
    found = []
    for key in stream.entries():
        if key == "skipped":
            stream.skip()
        else:
            found = [stream.value() for _ in stream.items()]
    assert found == values


EVENTS = st.lists(
    st.tuples(
        st.integers(2, 5),
        st.booleans(),
        st.integers(0, 10**8),
        st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(["None", "NA", '"', "a\r\nb", "\u2028"]),
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, indent=st.sampled_from([None, 1]), as_parts=st.booleans())
def test_any_story_reads_back_the_same(tmp_path: Path, events: list, indent: int | None, as_parts: bool) -> None:
    events = sorted(events, key=lambda event: event[2])
    chats: dict[int, list[dict[str, Any]]] = {}
    for number, (contact, outgoing, second, text) in enumerate(events):
        parts = [text[:3], {"type": "bold", "text": text[3:]}] if as_parts else text
        sent = message(number, 1 if outgoing else contact, parts, seconds=1_600_000_000 + second)
        chats.setdefault(contact, []).append(sent)
    full = account(*(chat(*sent, contact=contact) for contact, sent in chats.items()))
    dataset = read_telegram(write(tmp_path, json.dumps(full, indent=indent)))
    expected = sorted(
        (1_600_000_000 + second, *((1, contact) if outgoing else (contact, 1)), text)
        for contact, outgoing, second, text in events
    )
    messages = dataset.messages
    assert messages["sent_at"].is_monotonic_increasing
    found = zip(
        (int(at.timestamp()) for at in messages["sent_at"]),
        (int(person.removeprefix("user")) for person in messages["sender"]),
        (int(person.removeprefix("user")) for person in messages["recipient"]),
        messages["text"].fillna(""),
        strict=True,
    )
    assert sorted(found) == expected
    assert dataset.ego == "user1"
    check_audit(dataset.audit)


MEASURE = """
import resource, sys
from etiquette_analysis.sources import read_telegram
read_telegram(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dataset = read_telegram(sys.argv[2])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(dataset.messages), (after - before) // (1 if sys.platform != "darwin" else 1024))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    text = "Ciao, come va il progetto di cui parlavamo? " * 3
    large = tmp_path / "result.json"
    with large.open("w", encoding="utf-8") as out:
        out.write('{"personal_information": {"user_id": 1}, "chats": {"list": [')
        for number in range(10):
            kind = "personal_chat" if number % 2 else "private_supergroup"
            out.write(f'{"," if number else ""}{{"type": "{kind}", "id": {number + 10}, "messages": [')
            entity = [{"type": "plain", "text": text}]
            rows = (message(i, number + 10 if i % 3 else 1, text, text_entities=entity) for i in range(7_500))
            out.write(",\n".join(map(json.dumps, rows)))
            out.write("]}")
        out.write("]}}")
    assert large.stat().st_size > 30e6
    small = write(tmp_path, account(chat(message(1, 2))), "small.json")
    run = [sys.executable, "-c", MEASURE, str(small), str(large)]
    n, kibibytes = map(int, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split())
    assert n == 37_500
    assert kibibytes < 100 * 1024
