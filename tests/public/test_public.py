"""The three public studies: files are found and read, requests lose their words, and the figures are as counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.public import (
    STUDIES,
    beside_published,
    find_asks,
    read_studies,
    tabulate_dialogues,
    tabulate_posts,
    vary_definitions,
)
from etiquette_analysis.public.help_lists import _hours_to_answer
from etiquette_analysis.schema import Dataset

REQUEST = {
    "request_title": "[Request] Hungry",
    "request_text_edit_aware": "Thanks in advance, see imgur",
    "unix_timestamp_of_request_utc": 1_330_646_400,
    "requester_upvotes_minus_downvotes_at_request": 3,
    "requester_number_of_posts_on_raop_at_request": 0,
    "requester_received_pizza": True,
}
#: Dialogue a: asked in exchange 1, gave. Dialogue b: agreed in 0, asked in 2, gave nothing. Dialogue c: never asked.
SENTENCES = [
    ("a", 0, 0, "Hello.", "greeting", None, None),
    ("a", 1, 0, "Hi.", None, None, "greeting"),
    ("a", 0, 1, "Would you donate a dollar?", "proposition-of-donation", None, None),
    ("b", 1, 0, "I will give.", None, None, "agree-donation"),
    ("b", 0, 2, "How much?", "other", "ask-donation-amount", None),
    ("c", 0, 0, "Even a cent helps.", "foot-in-the-door", None, None),
]
GIFTS = [
    ("a", "u1", 0, 0),
    ("a", "u2", 1, 0.5),
    ("b", "u1", 0, 0),
    ("b", "u3", 1, 0),
    ("c", "u4", 0, 0),
    ("c", "u5", 1, 1),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raop").mkdir()
    later = REQUEST | {"requester_number_of_posts_on_raop_at_request": 4, "requester_received_pizza": False}
    (tmp_path / "raop" / "train.json").write_text(json.dumps([REQUEST, later]))
    names = ["B2", "B4", "Turn", "Unit", "er_label_1", "er_label_2", "ee_label_1"]
    pd.DataFrame(SENTENCES, columns=names).to_csv(tmp_path / "300_dialog.csv", encoding="utf-8-sig")
    pd.DataFrame(GIFTS, columns=["B2", "B3", "B4", "B6"]).to_csv(tmp_path / "300_info.csv")
    headers = "From: {0}\nMessage-ID: <{1}@x>\nDate: {1} Jan 2024 10:00:00 +0000\n{2}"
    mail = f"From x Wed Jan 31 10:00:00 2024\n{headers}\n\nHi\n\n"
    mails = [
        ("ann@x.example", 1, "Subject: q"),
        ("ben@x.example", 2, "In-Reply-To: <1@x>"),
        ("cy@x.example", 20, "Subject: z"),
    ]
    (tmp_path / "help_2024-January.mbox").write_text("".join(mail.format(*values) for values in mails))
    return tmp_path


def test_files_are_found_and_read_as_published(folder: Path) -> None:
    studies = read_studies(folder)
    pizza, gifts, lists = (studies.tables[name] for name in ("pizza", "gifts", "lists"))
    assert (pizza["at_once"].tolist(), pizza["answered"].tolist()) == ([True, False], [True, False])
    assert pizza.loc[0, ["Gratitude (Binary)", "Including Image (Binary)", "Reciprocity (Binary)"]].tolist() == [
        1,
        1,
        0,
    ]
    assert gifts[["first_ask", "at_once", "answered", "agreed_before", "cluster"]].to_numpy().tolist() == [
        [1, True, True, False, "u1"],
        [2, False, False, True, "u1"],
    ]
    assert lists[["at_once", "answered", "hours", "list"]].to_numpy().tolist() == [[True, True, 24.0, "help"]]
    assert studies.how_to_fetch() == "All three were found."
    assert studies.overview()["requests found"].tolist() == [2, 2, 1]
    assert {contrast.level for contrast in studies.contrasts.values()} == {0}


def test_what_is_absent_is_skipped_and_said(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (folder / "300_info.csv").unlink()
    studies = read_studies(folder)
    assert set(studies.tables) == {"pizza", "lists"}
    assert studies.how_to_fetch().count("\n- ") == 1
    assert "300_dialog.xlsx" in studies.how_to_fetch()
    assert "ours" not in beside_published("gifts", studies)
    assert vary_definitions("gifts", studies).empty
    assert read_studies(tmp_path_factory.mktemp("empty")).tables == {}


def test_damage_and_mistakes_are_one_sentence(folder: Path) -> None:
    with pytest.raises(SourceError, match="no such folder; expected the folder that holds the public data"):
        read_studies(folder / "elsewhere")
    with pytest.raises(DesignError, match="no study 'cake'; there are pizza, gifts, lists"):
        beside_published("cake", read_studies(None))
    with pytest.raises(DesignError, match="no other definitions for 'pizza'; there are some for gifts and lists"):
        vary_definitions("pizza", read_studies(None))
    (folder / "raop" / "train.json").write_text('[{"id": 1}]')
    with pytest.raises(SourceError, match=r"train.json: has no column request_title; it has id; expected"):
        read_studies(folder)
    (folder / "raop" / "train.json").write_text("[{")
    with pytest.raises(SourceError, match=r"train.json: cannot be read \(.*\); fetch it again"):
        read_studies(folder)


def test_an_ask_is_what_its_acts_say(folder: Path) -> None:
    sentences, gifts = read_studies(folder).dialogues
    wider = find_asks(sentences, ("foot-in-the-door",))
    assert tabulate_dialogues(sentences, gifts, wider)["dialogue_id"].tolist() == ["c"]


def archive(senders: list[str], threads: list[int], hours: list[float]) -> Dataset:
    at = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(hours, unit="h")
    columns = {"message_id": range(len(at)), "sender": senders, "sent_at": at, "conversation_id": threads}
    messages = pd.DataFrame(columns).astype({"conversation_id": "str"})
    return Dataset(messages, pd.DataFrame(), pd.DataFrame(), messages["sent_at"].max())


def test_hours_to_an_answer_are_those_of_a_search() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = int(rng.integers(1, 40))
        drawn = rng.choice(list("abcd"), n).tolist(), rng.integers(0, 5, n).tolist(), np.sort(rng.integers(0, 500, n))
        mails = archive(*drawn).messages
        searched = [
            min(
                (
                    (other.sent_at - mail.sent_at).total_seconds() / 3600
                    for other in mails.itertuples()
                    if other.Index > mail.Index
                    and (other.conversation_id, other.sender != mail.sender) == (mail.conversation_id, True)
                ),
                default=np.nan,
            )
            for mail in mails.itertuples()
        ]
        np.testing.assert_array_equal(_hours_to_answer(mails), searched)


def test_an_open_window_is_no_refusal() -> None:
    lists = {"help": archive(["ann", "ben", "cy", "ann"], [1, 1, 2, 3], [0, 5, 100, 200])}
    assert len(tabulate_posts(lists, window_days=7)) == 1
    assert tabulate_posts(lists, window_days=1)["answered"].tolist() == [True, False]
    kept = tabulate_posts(lists, window_days=7, keep_open=True)
    assert (kept["at_once"].tolist(), kept["answered"].tolist()) == ([True, True, False], [True, False, False])
    assert tabulate_posts(lists, every_post=True, keep_open=True)["cluster"].nunique() == 3


def test_the_three_answers_on_the_real_data(shared_data: Path) -> None:
    studies = read_studies(shared_data)
    assert set(studies.tables) == set(STUDIES)
    pizza, gifts, lists = (studies.contrasts[name] for name in STUDIES)
    assert (pizza.now[:2], pizza.later[:2], pizza.verdict) == ((3848, 902), (192, 92), "supports")
    assert (gifts.now.n + gifts.later.n, gifts.verdict) == (256, "inconclusive")
    turn = beside_published("gifts", studies).iloc[2]
    assert turn["low"] < 0 < turn["high"]
    assert (lists.now[:2], lists.later[:2], lists.level) == ((38, 30), (13, 7), 1)
    assert lists.rd > 0 > lists.low, "more often, and the sample is small"
    every_post = vary_definitions("lists", studies).set_index("definition").loc["every post, answers too"]
    assert every_post["low (equal)"] > 0
