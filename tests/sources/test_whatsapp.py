"""WhatsApp's chats: one story from ten phones, and a question where day and month cannot be told."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import Dataset, check_audit
from etiquette_analysis.sources import read, read_whatsapp

#: Files that do not settle the order by themselves, and what a caller who knows the phone would say.
ORDER = {
    "en_gb_android": "dmy",
    "en_us_android_12h_nnbsp": "mdy",
    "en_us_ios_12h_lrm": "mdy",
    "es_android_12h": "dmy",
    "it_android": "dmy",
    "it_ios": "dmy",
    "nl_android": "dmy",
    "pt_br_android": "dmy",
}
LOCALES = [*ORDER, "de_android", "sv_ios_iso"]


def write(folder: Path, text: str, name: str = "chat.txt") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def local(dataset: Dataset, form: str = "%Y-%m-%dT%H:%M") -> list[str]:
    return dataset.messages["sent_at"].dt.strftime(form).tolist()


def notes(dataset: Dataset) -> list[str]:
    return dataset.audit.loc[dataset.audit["stage"] == "note", "reason"].tolist()


def counted(dataset: Dataset) -> dict[str, int]:
    rows = dataset.audit[dataset.audit["stage"] == "chat"]
    return dict(zip(rows["reason"], rows["n"], strict=True))


@pytest.fixture(scope="module")
def locales(shared_data: Path) -> Path:
    return shared_data / "whatsapp" / "locales"


@pytest.mark.parametrize("locale", LOCALES)
def test_ten_phones_give_the_same_events(locales: Path, locale: str) -> None:
    expected = json.loads((locales / "EXPECTED.json").read_text("utf-8"))
    dataset = read(locales / f"{locale}.txt", owner="Giulia Serra", timezone="UTC", date_order=ORDER.get(locale))
    messages = dataset.messages
    giulia, marco = expected["senders"]
    assert len(messages) == expected["events_per_file"]
    assert counted(dataset) == {
        "read": expected["events_per_file"] + expected["plus_system_or_encryption_notice"],
        "notice of WhatsApp itself": 1,
        "kept": expected["events_per_file"],
    }
    assert local(dataset) == expected["timestamps_local_minute"]
    assert messages["sender"].tolist() == [marco, giulia, marco, giulia]
    assert messages["recipient"].tolist() == [giulia, marco, giulia, marco]
    assert messages["text"].iloc[expected["multi_line_message_index"]] == "Tutto bene, grazie.\nE tu?"
    assert messages["text"].isna().tolist() == [i == expected["media_placeholder_index"] for i in range(4)]
    pitch = messages["text"].iloc[expected["pitch_index"]]
    assert pitch == "Offerta: 20% di sconto fino a venerdì, ti va una call?"
    assert set(messages["kind"]) == {"message"}
    assert (dataset.ego, dataset.source, dataset.has_connection_dates) == (giulia, "whatsapp", False)
    assert dataset.connections.empty
    check_audit(dataset.audit)


@pytest.mark.parametrize("locale", ORDER)
def test_an_order_that_nothing_settles_is_asked_for(locales: Path, locale: str) -> None:
    with pytest.raises(
        SourceError,
        match=r'line 1: nothing in the file tells day from month; .*\(date_order="dmy"\) or .*"mdy"\); pass date_order',
    ):
        read(locales / f"{locale}.txt")


def test_dots_are_an_assumption_that_is_stated(locales: Path) -> None:
    assert "chat: dates with dots taken as day first, though they could be month first" in notes(
        read(locales / "de_android.txt")
    )


def test_seconds_are_kept_where_the_phone_writes_them(locales: Path) -> None:
    dataset = read(locales / "en_us_ios_12h_lrm.txt", date_order="mdy")
    assert local(dataset, "%H:%M:%S") == ["21:06:10", "21:07:00", "08:30:59", "12:00:01"]


@pytest.mark.parametrize("form", ["[mmddyy]_24hrs", "ddmmyy_24hrs", "mmddyy_24hrs", "mmddyyyy_12hrs", "yyyymmdd_24hrs"])
def test_group_chats_of_another_project_read_as_their_target(shared_data: Path, form: str) -> None:
    folder = shared_data / "whatsapp" / "chat_miner"
    target = json.loads((folder / "target.json").read_text("utf-8"))[::-1]
    dataset = read(folder / f"test_{form}.txt")
    assert local(dataset, "%Y-%m-%dT%H:%M:%S") == [event["timestamp"] for event in target]
    assert dataset.messages["sender"].tolist() == [event["author"] for event in target]
    assert dataset.messages["text"].str.replace("\n", " ").tolist() == [event["message"] for event in target]
    assert set(dataset.messages["kind"]) == {"group"}
    assert counted(dataset) == {"read": 9, "notice of WhatsApp itself": 3, "kept": 6}


def test_attachments_of_another_projects_chats_have_no_words(shared_data: Path) -> None:
    folder = shared_data / "whatsapp" / "kawsay"
    ios = read(folder / "ios_chat.txt", owner="John")
    assert ios.messages["text"].dropna().tolist() == ["Hello there!", "This is line one\nthat wraps to line two"]
    assert counted(ios) == {"read": 8, "notice of WhatsApp itself": 1, "kept": 7}
    android = read(folder / "android_chat.txt", owner="John")
    assert android.messages["text"].dropna().tolist() == ["Hey from Android"]
    assert counted(android) == {"read": 4, "notice of WhatsApp itself": 1, "kept": 3}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("13/4/24, 9:05\u202fPM - A: x", "2024-04-13T21:05"),
        ("13/4/24, 9:05 p.\u00a0m. - A: x", "2024-04-13T21:05"),
        ("13/4/24, 12:05 am - A: x", "2024-04-13T00:05"),
        ("13/4/24, 12:05 pm - A: x", "2024-04-13T12:05"),
        ("13.4.2024 klo 21.05 - A: x", "2024-04-13T21:05"),
        ("13/04/2024 à 21:05 - A: x", "2024-04-13T21:05"),
        ("13.04.24 um 21:05 - A: x", "2024-04-13T21:05"),
        ("2024-04-13 21 h 05 - A: x", "2024-04-13T21:05"),
        ("2024/4/13 下午9:05 - A: x", "2024-04-13T21:05"),
        ("2024. 4. 13. 오후 9:05 - A: x", "2024-04-13T21:05"),
        ("[2024/4/13 9:05:01 PM] A: x", "2024-04-13T21:05"),
        ("\ufeff\u200e[13.04.24, 21:05:01] A: x", "2024-04-13T21:05"),
        ("24-13-04, 21:05 - A: x", None),
        ("٢٠٢٤/٤/١٣، ٢١:٠٥ - A: x", "2024-04-13T21:05"),
    ],
)
def test_clocks_and_calendars_of_many_phones(tmp_path: Path, line: str, at: str | None) -> None:
    file = write(tmp_path, line + "\n")
    if at is None:
        with pytest.raises(SourceError, match=r"line 1"):
            read_whatsapp(file)
    else:
        assert local(read_whatsapp(file)) == [at]


def test_a_number_above_12_anywhere_settles_the_order(tmp_path: Path) -> None:
    chat = "01/02/24, 10:00 - A: x\n03/02/24, 10:00 - B: y\n{}, 10:00 - A: z\n"
    assert local(read_whatsapp(write(tmp_path, chat.format("13/02/24"))))[0].startswith("2024-02-01")
    assert local(read_whatsapp(write(tmp_path, chat.format("03/13/24"))))[0].startswith("2024-01-02")


def test_time_that_does_not_run_backwards_settles_the_order(tmp_path: Path) -> None:
    chat = "05/02/24, 10:00 - A: x\n06/02/24, 10:00 - B: y\n01/03/24, 10:00 - A: z\n"
    assert local(read_whatsapp(write(tmp_path, chat)))[-1].startswith("2024-03-01")
    same = "04/04/24, 10:00 - A: x\n05/05/24, 10:00 - B: y\n"
    assert len(read_whatsapp(write(tmp_path, same)).messages) == 2


def test_notices_media_and_deleted_messages(tmp_path: Path) -> None:
    chat = (
        '13/02/24, 10:00 - Ada changed the subject from "Ski" to "Ski: 2024"\n'
        "13/02/24, 10:01 - Ada: IMG-1.jpg (file attached)\nour stand\n"
        "13/02/24, 10:02 - Ben: This message was deleted\n"
        "13/02/24, 10:03 - Ben: None\n"
        "13/02/24, 10:04 - Ada: See you <This message was edited>\n"
        "13/02/24, 10:05 - Ben: is the image omitted?\n"
        "13/02/24, 10:06 - Missed voice call\n"
        "13/02/24, 10:07 - Ada:\n"
    )
    dataset = read_whatsapp(write(tmp_path, chat), owner="ada")
    assert dataset.messages["text"].fillna("-").tolist() == [
        "our stand",
        "-",
        "None",
        "See you",
        "is the image omitted?",
        "-",
    ]
    assert counted(dataset) == {"read": 8, "notice of WhatsApp itself": 2, "kept": 6}
    assert dataset.observed_until == pd.Timestamp("2024-02-13 10:07", tz="UTC")
    assert {"chat: deleted message, text null", "chat: message without words (media), text null"} <= set(notes(dataset))


def test_a_line_pasted_in_another_form_is_text(tmp_path: Path) -> None:
    chat = "13/02/24, 10:00 - Ada: look:\n[13/02/24, 09:00:00] Cleo: bye\n\n13/02/24, 10:01 - Ben: 10:30 - no: yes\n"
    dataset = read_whatsapp(write(tmp_path, chat))
    assert dataset.messages["text"].tolist() == ["look:\n[13/02/24, 09:00:00] Cleo: bye\n", "10:30 - no: yes"]


def test_local_time_becomes_utc_and_without_a_zone_the_assumption_is_noted(tmp_path: Path) -> None:
    file = write(tmp_path, "13/07/24, 00:30 - Ada: x\n")
    rome = read_whatsapp(file, timezone="Europe/Rome")
    assert local(rome) == ["2024-07-12T22:30"]
    assert "chat: times without a zone, taken as Europe/Rome" in notes(rome)
    assumed = read_whatsapp(file)
    assert local(assumed) == ["2024-07-13T00:30"]
    assert "chat: times without a zone, taken as UTC by assumption; name the phone's zone with timezone=" in notes(
        assumed
    )
    with pytest.raises(DesignError, match=r'timezone=\'Rome\' is not known; expected a name such as "Europe/Rome"'):
        read_whatsapp(file, timezone="Rome")


def test_the_hour_that_comes_twice_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    chat = "".join(
        f"27/10/24, 0{clock} - Ada: {i}\n" for i, clock in enumerate(["1:59", "2:10", "2:50", "2:05", "2:06", "3:00"])
    )
    dataset = read_whatsapp(write(tmp_path, chat), timezone="Europe/Rome")
    assert dataset.messages["text"].tolist() == list("012345")
    assert local(dataset, "%H:%M") == ["23:59", "00:10", "00:50", "01:05", "01:06", "02:00"]


def test_messages_of_one_minute_keep_the_order_of_the_file(tmp_path: Path) -> None:
    chat = "".join(f"13/02/24, 10:00 - {'Ada' if i % 2 else 'Ben'}: {i}\n" for i in range(9))
    assert read_whatsapp(write(tmp_path, chat)).messages["text"].tolist() == list("012345678")


def test_who_owns_the_phone(tmp_path: Path) -> None:
    both = "13/02/24, 10:00 - Ada: x\n13/02/24, 10:01 - {}: y\n"
    named = write(tmp_path, both.format("Ben"), "Chat WhatsApp con Ben.txt")
    found = read_whatsapp(named)
    assert (found.ego, found.evidence) == ("Ada", "the writer who is not the contact that the file is named after")
    plain = write(tmp_path, both.format("Ben"), "a.txt")
    assert read_whatsapp(plain).ego is None
    assert any(note.startswith("owner: nothing tells") for note in notes(read_whatsapp(plain)))
    two = [plain, write(tmp_path, both.format("Cleo"), "b.txt")]
    several = read_whatsapp(two)
    assert (several.ego, several.evidence) == ("Ada", "the one writer in all of 2 chats")
    assert several.messages["conversation_id"].nunique() == 2
    with pytest.raises(SourceError, match=r"a.txt: owner='Zoë' takes part in no conversation; .* one of Ada, Ben"):
        read_whatsapp(plain, owner="Zoë")


def test_a_contact_who_never_wrote_still_is_somebody(tmp_path: Path) -> None:
    one = "13/02/24, 10:00 - Ada: x\n"
    unnamed = read_whatsapp(write(tmp_path, one, "a.txt"), owner="Ada")
    assert unnamed.messages["recipient"].tolist() == ["whatsapp-contact:1"]
    named = read_whatsapp(write(tmp_path, one, "WhatsApp Chat with Ben.txt"), owner="Ada")
    assert named.messages["recipient"].tolist() == ["Ben"]
    incoming = read_whatsapp(write(tmp_path, one, "b.txt"), owner="Me")
    assert (incoming.ego, incoming.messages["recipient"].tolist()) == ("Me", ["Me"])


def test_a_chat_exported_twice_counts_once(tmp_path: Path) -> None:
    old = "13/02/24, 10:00 - Ada: ok\n13/02/24, 10:00 - Ada: ok\n13/02/24, 10:01 - Ben: y\n"
    parts = [write(tmp_path, old, "a.txt"), write(tmp_path, old + "14/02/24, 10:01 - Ben: z\n", "b.txt")]
    dataset = read_whatsapp(parts, owner="Ada")
    assert dataset.messages["text"].tolist() == ["ok", "ok", "y", "z"]
    assert counted(dataset)["message that an earlier file holds as well"] == 3


def test_a_zip_holds_one_chat_and_attached_texts_are_not_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "WhatsApp Chat - Ben.zip", "w") as archive:
        archive.writestr("_chat.txt", "[13/02/24, 10:00:00] Ada: x\r\n[13/02/24, 10:00:01] Ben: a\r\nb\r\n")
        archive.writestr("00000001-other.txt", "13/02/24, 10:00 - Cleo: not this\n")
        archive.writestr("photo.jpg", b"x")
    dataset = read(tmp_path / "WhatsApp Chat - Ben.zip")
    assert dataset.messages["text"].tolist() == ["x", "a\nb"]
    assert dataset.ego == "Ada"


def test_the_limit_of_exports_is_noted(tmp_path: Path) -> None:
    rows = (f"13/02/24, {i // 1700:02d}:{i // 30 % 60:02d} - {'Ada' if i % 2 else 'Ben'}: {i}" for i in range(40_000))
    dataset = read_whatsapp(write(tmp_path, "\n".join(rows)))
    assert any("40,000 entries or more, where exports stop: the oldest may be lost" in note for note in notes(dataset))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Dear Ada,\n13/02/24, 10:00 - Ada: x\n",
            r"line 1: not a line of a WhatsApp chat \('Dear Ada,'\); expected e.g.",
        ),
        ("\n\n", r"chat.txt: the chat is empty; export it again"),
        (
            "31/02/24, 10:00 - Ada: x\n",
            r"line 1: 31/2/24 fits no order .*\(tried dmy, mdy\); check that the file is one",
        ),
        ("13/02/24, 10:00 - Ada joined\n", r"of its 1 rows none is \(1 notice of WhatsApp itself\); check that"),
    ],
)
def test_bad_files_say_what_is_wrong_and_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        read_whatsapp(write(tmp_path, text))


def test_other_bad_input(tmp_path: Path) -> None:
    file = write(tmp_path, "13/02/24, 10:00 - Ada: x\n")
    with pytest.raises(SourceError, match=r"13/2/24 fits no order .*\(tried mdy\); pass another date_order"):
        read_whatsapp(file, date_order="mdy")
    with pytest.raises(DesignError, match=r"date_order='day' is not known; expected 'dmy', 'mdy' or 'ymd'"):
        read_whatsapp(file, date_order="day")  # type: ignore[arg-type]
    file.write_bytes(b"13/02/24, 10:00 - Ada: x\n13/02/24, 10:00 - Zo\xeb: x\n")
    with pytest.raises(SourceError, match=r"chat.txt, line 2: not UTF-8, so another program has saved this file again"):
        read_whatsapp(file)
    (tmp_path / "chat.txt").rename(tmp_path / "photo.jpg")
    with pytest.raises(SourceError, match=r'no WhatsApp chat, it holds photo.jpg; in WhatsApp choose "Export chat"'):
        read_whatsapp(tmp_path)


FORMS = {
    "iOS Italian": ("[%d/%m/%y, %H:%M:%S] ", "\r\n"),
    "iOS American": ("[%-m/%-d/%y, %-I:%M:%S\u202f%p] ", "\n"),
    "iOS Swedish": ("[%Y-%m-%d %H:%M:%S] ", "\n"),
    "Finnish": ("%-d.%-m.%Y klo %H.%M.%S - ", "\n"),
    "Spanish": ("%-d/%-m/%y, %-I:%M:%S %p - ", "\n"),
}
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]), max_size=30) | st.sampled_from(
    ["None", "NA", "a: b", "two\nlines", "blank\n\nline", "10:30 - no", "[1] x", "\u2028"]
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(st.booleans(), st.integers(0, 10**8), WORDS), min_size=1, max_size=12))
def test_any_story_reads_back_the_same(tmp_path: Path, form: str, events: list[tuple[bool, int, str]]) -> None:
    head, end = FORMS[form]
    # The first entry has a day above 12, so that the order can be told.
    events = [(True, -1, "first"), (False, -1, "second"), *sorted(events, key=lambda event: event[1])]
    start = datetime(2021, 1, 13, 12)
    lines = []
    for outgoing, second, text in events:
        at = (start + timedelta(seconds=second)).strftime(head)
        at = at.replace("PM -", "p.\u00a0m. -").replace("AM -", "a.\u00a0m. -")
        lines.append(f"{at}{'Zoë 🚀' if outgoing else '+39 333 1234567'}: {text}".replace("\n", end))
    dataset = read_whatsapp(write(tmp_path, end.join(lines) + end), owner="Zoë 🚀", timezone="UTC")
    messages = dataset.messages
    assert messages["text"].fillna("").tolist() == [text for *_, text in events]
    assert (messages["sender"] == "Zoë 🚀").tolist() == [outgoing for outgoing, *_ in events]
    assert [(at.to_pydatetime().replace(tzinfo=None) - start).total_seconds() for at in messages["sent_at"]] == [
        float(second) for _, second, _ in events
    ]
    check_audit(dataset.audit)
