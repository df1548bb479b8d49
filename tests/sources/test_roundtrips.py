"""Any story, written in any format, reads back as the same story, whatever people are called and write.

LinkedIn, Telegram, WhatsApp and ConvoKit have further tests of this kind beside their traps.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import quopri
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etiquette_analysis.schema import Dataset, check_audit, losses
from etiquette_analysis.sources import (
    read,
    read_convokit,
    read_lemlist,
    read_linkedin,
    read_mbox,
    read_slack,
    read_table,
    read_telegram,
    write_convokit,
)
from etiquette_analysis.sources.mail_text import own_words

START = datetime(2024, 1, 1, tzinfo=UTC)
ODD = [
    "Jane Doe, Ph.D.",
    "two\nlines",
    "\r\n\r",
    'quo"te',
    '""',
    "a;b|c\td",
    "Zoe\u0308",
    "👩‍👩‍👧 🚀",
    "\u202egnp.exe\u200f",
    "=cmd|' /C calc'!A0",
    "None",
    "NaN",
    "\ufeffx",
    "\u2028",
    "x" * 20_000,
    "<script>&amp;&lt;",
    "\\u0000",
    "linkedin member",
]
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(ODD)
NAMES = NAMES.filter(lambda name: bool(name.strip()))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(ODD)
#: Contact (0 to 2), whether the owner writes, seconds since the start, what is written.
STORY = st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 10**7), TEXTS), min_size=1, max_size=8)
THREE = st.lists(NAMES, min_size=4, max_size=4, unique_by=lambda name: name.strip().casefold())
Story = list[tuple[int, bool, int, str]]
FEW = settings(max_examples=20, deadline=None, derandomize=True)


def sides(people: list[str], contact: int, outgoing: bool) -> tuple[str, str]:
    """Sender and recipient; the owner is the last."""
    return (people[3], people[contact]) if outgoing else (people[contact], people[3])


def events(dataset: Dataset) -> list[tuple[str, str, float, str]]:
    """What a dataset says happened, in its order."""
    check_audit(dataset.audit)
    messages = dataset.messages.sort_values("message_id")
    seconds = (messages["sent_at"] - START).dt.total_seconds()
    return list(zip(messages["sender"], messages["recipient"], seconds, messages["text"].fillna(""), strict=True))


def told(people: list[str], story: Story) -> list[tuple[str, str, float, str]]:
    """What happened, in order of time, ties as told."""
    ordered = sorted(story, key=lambda event: event[2])
    return [(*sides(people, contact, out), float(second), text) for contact, out, second, text in ordered]


# tables


def as_rows(people: list[str], story: Story) -> list[dict[str, Any]]:
    return [
        dict(zip(("sender", "recipient"), sides(people, contact, out), strict=True))
        | {"sent_at": (START + timedelta(seconds=second)).isoformat(), "text": text, "message_id": n}
        for n, (contact, out, second, text) in enumerate(sorted(story, key=lambda event: event[2]))
    ]


def write_csv(rows: list[dict[str, Any]], path: Path, delimiter: str, quoting: Any, end: str) -> Path:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@settings(FEW, max_examples=10)
@given(people=THREE, story=STORY, quoting=st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_MINIMAL, "\r\n")]))
def test_a_table_of_text(delimiter: str, people: list[str], story: Story, quoting: tuple[int, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(as_rows(people, story), Path(folder, "m.csv"), delimiter, *quoting)
        assert events(read_table(path)) == told(people, story)


@FEW
@given(people=THREE, story=STORY, headers=st.lists(NAMES, min_size=4, max_size=4, unique_by=str.strip))
def test_a_table_under_any_headers(people: list[str], story: Story, headers: list[str]) -> None:
    ours = ("sender", "recipient", "sent_at", "text")
    mapping = dict(zip(ours, (f"{n} {' '.join(name.split())[:50]}" for n, name in enumerate(headers)), strict=True))
    rows = [{mapping.get(name, name): value for name, value in row.items()} for row in as_rows(people, story)]
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(rows, Path(folder, "m.csv"), ",", csv.QUOTE_ALL, "\n")
        assert events(read_table(path, mapping=mapping)) == told(people, story)


@FEW
@given(people=THREE, story=STORY, typed=st.booleans())
def test_a_table_in_parquet_and_in_json_lines(people: list[str], story: Story, typed: bool) -> None:
    frame = pd.DataFrame(as_rows(people, story))
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "m.jsonl")
        lines.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")), encoding="utf-8")
        assert events(read(lines)) == told(people, story)
        if typed:
            frame["sent_at"] = pd.to_datetime(frame["sent_at"], utc=True).dt.tz_convert("Europe/Rome")
        frame.to_parquet(Path(folder, "m.parquet"))
        assert events(read(Path(folder, "m.parquet"))) == told(people, story)


# archives of platforms


@FEW
@given(people=THREE, story=STORY)
def test_linkedin_whatever_people_are_called(people: list[str], story: Story) -> None:
    urls = [f"https://www.linkedin.com/in/fictional-{n}" for n in range(4)]
    rows = [
        {
            "CONVERSATION ID": f"c{contact}",
            "FROM": sides(people, contact, out)[0],
            "SENDER PROFILE URL": sides(urls, contact, out)[0],
            "TO": sides(people, contact, out)[1],
            "RECIPIENT PROFILE URLS": sides(urls, contact, out)[1],
            "DATE": f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} UTC",
            "CONTENT": text,
        }
        for contact, out, second, text in sorted(story, key=lambda event: event[2])
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_csv(rows[::-1], Path(folder, "messages.csv"), ",", csv.QUOTE_ALL, "\n")
        dataset = read_linkedin(folder, owner=urls[3])
    named = [sides(urls, contact, out) for contact, out, *_ in sorted(story, key=lambda event: event[2])]
    # A row whose name reads as a deleted account is somebody unknown where no address tells; here one always does.
    assert [event[:2] for event in events(dataset)] == named
    assert [event[2:] for event in events(dataset)] == [event[2:] for event in told(people, story)]


@FEW
@given(people=THREE, story=STORY)
def test_telegram_whatever_people_are_called(people: list[str], story: Story) -> None:
    chats: dict[int, list[dict[str, Any]]] = {}
    for contact, out, second, text in sorted(story, key=lambda event: event[2]):
        name = sides(people, contact, out)[0]
        at = str(int(START.timestamp()) + second)
        sent = {"type": "message", "date_unixtime": at, "from": name, "from_id": f"user{9 if out else contact}"}
        chats.setdefault(contact, []).append(sent | {"id": len(chats.get(contact, ())), "text": text})
    listed = [
        {"type": "personal_chat", "id": contact, "name": people[contact], "messages": m} for contact, m in chats.items()
    ]
    account = {"personal_information": {"user_id": 9}, "chats": {"list": listed}}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "result.json").write_text(json.dumps(account, ensure_ascii=False), encoding="utf-8", newline="")
        found = events(read_telegram(folder))
    assert sorted(found) == sorted(told(["user0", "user1", "user2", "user9"], story))
    assert [event[2] for event in found] == sorted(event[2] for event in story)


@FEW
@given(people=THREE, story=STORY, zipped=st.booleans(), fraction=st.integers(0, 999_999))
def test_slack(people: list[str], story: Story, zipped: bool, fraction: int) -> None:
    ids = ["U0", "U1", "U2", "U9"]
    files: dict[str, Any] = {
        "users.json": [
            {"id": i, "name": name, "profile": {"real_name": name}} for i, name in zip(ids, people, strict=True)
        ],
        "dms.json": [{"id": f"D{n}", "members": [ids[n], "U9"]} for n in range(3)],
    }
    story = list({(event[0], event[1], event[2]): event for event in story}.values())  # Slack's ts is a key
    for contact, out, second, text in sorted(story, key=lambda event: event[2]):
        at = START + timedelta(seconds=second)
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        row = {"type": "message", "user": sides(ids, contact, out)[0], "text": escaped}
        files.setdefault(f"D{contact}/{at:%Y-%m-%d}.json", []).append(
            row | {"ts": f"{int(at.timestamp())}.{fraction:06}"}
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export.zip") if zipped else Path(folder)
        for name, content in files.items():
            data = json.dumps(content)
            if zipped:
                with zipfile.ZipFile(path, "a") as archive:
                    archive.writestr(name, data)
            else:
                (path / name).parent.mkdir(exist_ok=True)
                (path / name).write_text(data)
        dataset = read_slack(path, owner="U9")
    found = [(sender, to, round(at - fraction / 1e6, 6), text) for sender, to, at, text in events(dataset)]
    assert sorted(found) == sorted(told(ids, story))
    assert losses(dataset.audit).empty


@FEW
@given(people=THREE, story=STORY)
def test_convokit_whatever_people_are_called(people: list[str], story: Story) -> None:
    dataset = read_table(pd.DataFrame(as_rows(people, story)), owner=None)
    with tempfile.TemporaryDirectory() as folder:
        again = read_convokit(write_convokit(dataset, Path(folder, "corpus")))
    assert events(again) == told(people, story)


@FEW
@given(people=THREE, story=STORY, form=st.sampled_from(["json", "jsonl", "csv"]), accepted=st.integers(0, 10**6))
def test_lemlist(people: list[str], story: Story, form: str, accepted: int) -> None:
    people = [f"{n} {' '.join(name.split()).lower()}" for n, name in enumerate(people)]

    def activity(n: int, kind: str, contact: int, second: int, text: str = "") -> dict[str, Any]:
        at = f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}.000Z"
        sent = {"_id": f"act_{n}", "type": kind, "createdAt": at, "leadEmail": people[contact]}
        return sent | {"sendUserEmail": people[3], "leadId": f"lea_{contact}", "text": text}

    activities = [
        activity(n, "linkedinSent" if out else "linkedinReplied", contact, second, text)
        for n, (contact, out, second, text) in enumerate(sorted(story, key=lambda event: event[2]))
    ]
    activities.append(activity(-1, "linkedinInviteAccepted", 0, accepted))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"activities.{form}")
        if form == "csv":
            write_csv(activities, path, ",", csv.QUOTE_ALL, "\n")
        elif form == "json":
            path.write_text(json.dumps(activities))
        else:
            path.write_text("".join(json.dumps(activity) + "\n" for activity in activities))
        dataset = read_lemlist(path)
    found = events(dataset)
    expected = told(people, story)
    assert sorted(event[:3] for event in found) == sorted(event[:3] for event in expected)
    assert dataset.connections["connected_at"].tolist() == [START + timedelta(seconds=accepted)]
    assert losses(dataset.audit).empty


# mail

LINES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
    | st.sampled_from(
        ["From the start", "From a@b Mon Jan  2 10:00:00 2023", ">From me", "", "-- ", "> quoted", "=3D", "."]
    )
    | st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=900, max_size=1_100),
    max_size=5,
).map("\n".join)
MAILS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.booleans(),
        st.integers(0, 10**7),
        LINES,
        st.sampled_from(["8bit", "base64", "quoted-printable"]),
        st.sampled_from(["plain", "alternative", "mixed"]),
        st.sampled_from([-720, -90, 0, 330, 840]),
        st.none() | st.integers(0, 7),
    ),
    min_size=1,
    max_size=6,
)
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "8bit": lambda data: data,
    "base64": base64.encodebytes,
    "quoted-printable": quopri.encodestring,
}


def part(text: str, encoding: str, kind: str = "plain") -> bytes:
    """One text part with its headers."""
    head = f"Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + ENCODERS[encoding](text.encode())


def body(text: str, encoding: str, shape: str) -> bytes:
    """The rest of a mail: headers of content, and the content."""
    if shape == "plain":
        return part(text, encoding)
    edge = b"=_edge"
    other = part("<p>elsewhere</p>", encoding, "html") if shape == "alternative" else ATTACHED
    inside = b"".join(b"--" + edge + b"\n" + piece + b"\n" for piece in (part(text, encoding), other))
    return f'Content-Type: multipart/{shape}; boundary="{edge.decode()}"\n\n'.encode() + inside + b"--" + edge + b"--\n"


ATTACHED = (
    b"Content-Type: text/plain; name=x.txt\nContent-Disposition: attachment; filename=x.txt\n\nFrom an attachment\n"
)


def address(name: str, mail: str) -> str:
    """A name as encoded words, folded where it is long."""
    return f"{Header(name, 'utf-8', maxlinelen=60, header_name='From').encode()} <{mail}>"


@settings(FEW, max_examples=40)
@given(people=THREE, mails=MAILS)
def test_mailboxes(people: list[str], mails: list[Any]) -> None:
    people = ["".join(c for c in name if c.isprintable()) or "x" for name in people]
    addresses = [f"{who}@fictional.example" for who in ("ben", "cleo", "dora", "me")]
    box, expected = b"", []
    for n, (contact, out, second, text, encoding, shape, offset, answered) in enumerate(mails):
        sender, recipient = (addresses.index(side) for side in sides(addresses, contact, out))
        at = (START + timedelta(seconds=second)).astimezone(timezone(timedelta(minutes=offset)))
        head = [
            f"From: {address(people[sender], addresses[sender])}",
            f"To:\n {address(people[recipient], addresses[recipient].upper())}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: <{n}@fictional.example>",
            *([f"In-Reply-To: <{answered}@fictional.example>"] if answered is not None else []),
            "MIME-Version: 1.0",
        ]
        content = "\n".join(head).encode() + b"\n" + body(text, encoding, shape)
        lines = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in content.split(b"\n")]
        arrived = START + timedelta(seconds=second + 5)
        box += f"From x {arrived:%a %b %d %H:%M:%S %Y}\n".encode() + b"\n".join(lines) + b"\n\n"
        expected.append((addresses[sender], addresses[recipient], float(second), own_words(text)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mail.mbox")
        path.write_bytes(box)
        dataset = read_mbox(path, owner="me@fictional.example")
    assert sorted(events(dataset)) == sorted(expected)
    assert losses(dataset.audit).empty
    threads = {n: {n} for n in range(8)}
    for n, mail in enumerate(mails):
        if mail[-1] is not None and mail[-1] != n:
            joined = threads[n] | threads[mail[-1]]
            threads |= dict.fromkeys(joined, joined)
    assert dataset.messages["conversation_id"].nunique() == len({frozenset(threads[n]) for n in range(len(mails))})
