"""ConvoKit corpora: written and read again a dataset is the same, and others' corpora find their recipients."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import KINDS, NOTE_STAGE, Dataset, check_audit
from etiquette_analysis.sources import read, read_convokit, read_table, write_convokit

START = 1_700_000_000


def utterance(name: str, speaker: str, reply_to: str | None = None, **other: Any) -> dict[str, Any]:
    base = {"id": name, "conversation_id": "c", "speaker": speaker, "text": name, "meta": {}, "reply-to": reply_to}
    return base | {"timestamp": START} | other


def corpus(tmp_path: Path, *lines: Any) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir(exist_ok=True)
    rows = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "utterances.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "corpus.json").write_text("{}")
    return folder


def left_out(dataset: Dataset) -> dict[str, int]:
    check_audit(dataset.audit)
    rows = dataset.audit[dataset.audit["stage"] != NOTE_STAGE]
    return {r: n for r, n in zip(rows["reason"], rows["n"], strict=True) if r not in ("read", "kept")}


people = st.sampled_from(["ada", "ben", "cleo", "Zoë Łow; x", 'a"b'])
row = st.fixed_dictionaries(
    {
        "sender": people,
        "recipient": people,
        "sent_at": st.integers(-(10**14), 4 * 10**15),
        "text": st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        "channel": st.none() | st.sampled_from(["email", "linkedin"]),
        "kind": st.sampled_from(KINDS),
        "conversation_id": st.none() | st.sampled_from(["1", "two", "1754309823674501234"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(row, min_size=1, max_size=8),
    st.lists(st.integers(-(2**62), 2**62), min_size=8, max_size=8, unique=True),
    st.booleans(),
)
def test_what_was_written_is_read_again(rows: list[dict[str, Any]], ids: list[int], dated: bool) -> None:
    table = pd.DataFrame(rows).assign(message_id=ids[: len(rows)])
    table["sent_at"] = pd.to_datetime(table["sent_at"], unit="us", utc=True)
    pairs = pd.DataFrame(
        {
            "person_a": ["ada", "ada"],
            "person_b": ["ben", "cleo"],
            "connected_at": ["2023-01-02", "2023-01-03"],
            "invited_by": ["ada", None],
            "invited_at": [None, "2023-01-01T10:00:00.5Z"],
            "x_size": [1.5, None],
        }
    )
    ego = rows[0]["sender"]
    dataset = read_table(table, pairs if dated else None, owner=ego, observed_until="2030-01-01")
    with tempfile.TemporaryDirectory() as parent:
        folder = write_convokit(dataset, Path(parent, "corpus"))
        again = read_convokit(folder)
        assert read(folder).source == "convokit"
    check_audit(again.audit)
    order = ["sent_at", "message_id"]
    expected = dataset.messages.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(again.messages.sort_values(order, ignore_index=True), expected)
    pd.testing.assert_frame_equal(again.connections, dataset.connections)
    assert (again.ego, again.observed_until) == (dataset.ego, dataset.observed_until)
    assert again.has_connection_dates == dataset.has_connection_dates == dated


def test_the_five_files_are_as_convokit_dumps_them(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "sender": ["ada", "ben"],
            "recipient": ["ben", "ada"],
            "sent_at": ["2024-03-01T09:00:00Z", "2024-03-01T09:00:01.5Z"],
            "text": ["Hi", None],
        }
    )
    folder = write_convokit(read_table(table, owner="ada"), tmp_path / "new" / "corpus")
    lines = [json.loads(line) for line in (folder / "utterances.jsonl").read_text().splitlines()]
    assert list(lines[0]) == [
        *("id", "conversation_id", "text", "speaker", "meta", "reply-to", "timestamp", "vectors"),
    ]
    assert [line["reply-to"] for line in lines] == [None, "0"]
    assert [line["conversation_id"] for line in lines] == ["0", "0"]
    assert [line["timestamp"] for line in lines] == [1709283600, 1709283601.5]
    assert [line["text"] for line in lines] == ["Hi", None]
    assert json.loads((folder / "speakers.json").read_text())["ada"] == {"meta": {}, "vectors": []}
    assert list(json.loads((folder / "conversations.json").read_text())) == ["0"]
    index = json.loads((folder / "index.json").read_text())
    assert list(index) == [
        *("utterances-index", "speakers-index", "conversations-index", "overall-index", "version", "vectors"),
    ]
    assert index["utterances-index"]["recipient"] == ["<class 'str'>"]
    with pytest.raises(SourceError, match=r"corpus: holds utterances.jsonl already; pass the name of a new folder"):
        write_convokit(read_table(table), folder)
    with pytest.raises(SourceError, match=r"index.json: this is a file; pass the name of a new folder"):
        write_convokit(read_table(table), folder / "index.json")


def test_a_corpus_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    table = pd.DataFrame({"sender": ["ada"], "recipient": ["ben"], "sent_at": ["2024-03-01T09:00:00Z"]})
    monkeypatch.setattr("etiquette_analysis.sources.convokit_write._index", full)
    with pytest.raises(SourceError, match=r"corpus: the corpus cannot be written \(No space left on device\)"):
        write_convokit(read_table(table), tmp_path / "corpus")
    assert list(tmp_path.iterdir()) == []


def test_recipients_of_other_peoples_corpora(tmp_path: Path) -> None:
    dataset = read_convokit(
        corpus(
            tmp_path,
            utterance("a", "ada"),
            utterance("b", "ben", "a", timestamp=START + 1),
            utterance("d", "cleo", conversation_id="two", timestamp=START + 2),
            utterance("e", "ben", "d", conversation_id="two", timestamp=START + 3),
            utterance("f", "ada", "e", conversation_id="two", timestamp=str(START + 4)),
            utterance("g", "ada", conversation_id="alone", timestamp=START + 5.25),
        )
    )
    assert dataset.messages["recipient"].tolist() == ["ben", "ada", "ben; ada", "cleo", "ben", "unknown:alone"]
    assert dataset.messages["kind"].tolist() == ["message", "message", "group", "message", "message", "message"]
    assert dataset.messages["sent_at"].iloc[-1] == pd.Timestamp(START + 5.25, unit="s", tz="UTC")
    assert dataset.observed_until == dataset.messages["sent_at"].max()
    assert not dataset.has_connection_dates


def test_old_corpora_say_user_and_root(tmp_path: Path) -> None:
    old = {"id": "a", "root": "a", "user": "ada", "text": "x", "reply_to": None, "timestamp": START}
    new = utterance("b", "ben", "a", conversation_id="a")
    new["speaker"] = {"id": "ben"}
    dataset = read_convokit(corpus(tmp_path, old, new))
    assert dataset.messages["sender"].tolist() == ["ada", "ben"]
    assert dataset.messages["recipient"].tolist() == ["ben", "ada"]


def test_utterances_without_a_date_are_counted(tmp_path: Path) -> None:
    lines = [utterance(str(n), "ada", timestamp=at) for n, at in enumerate([START, None, 12.5, "noon", True, 1e13])]
    dataset = read_convokit(corpus(tmp_path, *lines, utterance("0", "ada")))
    assert left_out(dataset) == {"repeats an id": 1, "no date": 5}
    with pytest.raises(SourceError, match=r"utterances.jsonl: none of its 1 utterances has a timestamp in seconds"):
        read_convokit(corpus(tmp_path, utterance("a", "ada", timestamp=None)))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", r"utterances.jsonl, line 2: a JSON list, expected one utterance per line"),
        ('{"id": "a", "text": "x"}', r"line 2: an utterance needs 'id' and 'speaker'; it has 'id', 'text'"),
        ('{"id": ', r"line 2: not JSON \(Expecting value\); write the corpus again"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_convokit(corpus(tmp_path, utterance("a", "ada"), line))


def test_a_folder_without_utterances_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "speakers.json").write_text("{}")
    with pytest.raises(SourceError, match=r"expected one utterances.jsonl, found 0; pass the folder of one corpus"):
        read_convokit(tmp_path)
