"""A simulated world as the archive that LinkedIn would deliver, so that the whole road can be tested on a known truth.

The files have the layout of a real export (FORMATS.md): a preamble above the connections, messages newest first,
invitations in US 12-hour time to the minute. An invitation note stands in Invitations.csv, and for a third of
them again as the first message of the thread; whether real exports repeat it is unverified, so a reader has to
recognise it. The same dataset and seed give the same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.simulation.clutter import MessageRow, clutter_connections, clutter_messages
from etiquette_analysis.simulation.people import Person, person

if TYPE_CHECKING:
    import os

    from etiquette_analysis.simulation.dataset import SimulatedDataset

Layout = Literal["2025", "2026"]

#: Share of the invitation notes that appear a second time, as the first message of the thread.
REPEATED_NOTE_SHARE: Final = 1 / 3
#: Earliest time that a zip can hold is 1980; a fixed one keeps the bytes the same.
_ZIP_TIME: Final = (2025, 7, 1, 0, 0, 0)
_MESSAGES_HEADER: Final = (
    "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT,CONTENT,FOLDER"
)
_CONNECTIONS_HEADER: Final = "First Name,Last Name,URL,Email Address,Company,Position,Connected On"
_INVITATIONS_HEADER: Final = "From,To,Sent At,Message,Direction,inviterProfileUrl,inviteeProfileUrl"
_PROFILE_HEADER: Final = (
    "First Name,Last Name,Maiden Name,Address,Birth Date,Headline,Summary,Industry,Zip Code,Geo Location,"
    "Twitter Handles,Websites,Instant Messengers"
)
_NOTES: Final = (
    "When exporting your connection data, you may notice that some of the email addresses are missing. You will only "
    "see email addresses for connections who have allowed their connections to see or download their email address "
    "using this setting https://www.linkedin.com/psettings/privacy/email. You can learn more here "
    "https://www.linkedin.com/help/linkedin/answer/261"
)
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def write_linkedin(
    dataset: SimulatedDataset,
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    layout: Layout = "2026",
    clutter: bool = False,
) -> Path:
    """Write a simulated dataset as a LinkedIn data export.

    Parameters
    ----------
    dataset : SimulatedDataset
        Of one sender, made with ``texts=True``.
    path : path
        A name that ends in ``.zip`` gives an archive, any other a folder (made where it does not exist).
    seed : int
        Decides which invitation notes appear twice, and the clutter.
    layout : {"2026", "2025"}
        messages.csv with every field quoted and 11 columns, or quoted where needed and with a draft flag.
    clutter : bool
        Add what the world does not have and every mailbox does: sponsored mail, spam, groups, deleted and hidden
        members, automatic replies, attachments without text, pitches to the owner; drafts in the layout of 2025.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    DesignError
        Where the dataset has several senders or no texts, or the layout is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from etiquette_analysis.simulation import simulate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_linkedin(simulate("D", n=20, seed=1, texts=True), Path(folder, "export"))
    ...     print(sorted(file.name for file in path.iterdir()))
    ['Connections.csv', 'Invitations.csv', 'Profile.csv', 'guide_messages.csv', 'messages.csv']
    """
    if layout not in ("2025", "2026"):
        msg = f"no layout {layout!r}; there are '2025' and '2026'"
        raise DesignError(msg)
    owner = _owner_of(dataset)
    rng = np.random.default_rng(seed)
    rows = _message_rows(dataset, rng)
    connections = _connection_rows(dataset)
    if clutter:
        rows += clutter_messages(dataset, owner, rng, drafts=layout == "2025")
        connections += clutter_connections(dataset, rng)
    files = {
        "Connections.csv": _connections_csv(connections),
        "Invitations.csv": _csv([_INVITATIONS_HEADER.split(","), *_invitation_rows(dataset)]),
        "Profile.csv": _csv([_PROFILE_HEADER.split(","), _profile_row(person(owner))]),
        "guide_messages.csv": _csv([_MESSAGES_HEADER.split(",")]),
        "messages.csv": _messages_csv(rows, layout),
    }
    return _write_files(files, Path(path))


def _owner_of(dataset: SimulatedDataset) -> str:
    """Return the one sender, or say why there can be no export."""
    if not isinstance(dataset.ego, str):
        n = 0 if dataset.ego is None else len(dataset.ego)
        msg = f"the dataset has {n} senders, and an export has one owner; simulate a world with senders=1"
        raise DesignError(msg)
    if dataset.messages["text"].isna().all():
        raise DesignError("the dataset has no texts to write; make it with simulate(..., texts=True)")
    return dataset.ego


def conversation_id(name: str) -> str:
    """Return an id shaped like LinkedIn's, the same for the same name.

    >>> conversation_id("contact-0000001")
    '2-xsOW4aTh'
    """
    return "2-" + base64.b64encode(hashlib.blake2b(name.encode(), digest_size=6).digest()).decode()


def _message_rows(dataset: SimulatedDataset, rng: np.random.Generator) -> list[MessageRow]:
    """Return the rows of messages.csv, oldest first; two thirds of the notes stand in Invitations.csv alone."""
    m = dataset.messages
    is_note = m["kind"].eq("invitation").to_numpy()
    shown = m[~is_note | (rng.random(len(m)) < REPEATED_NOTE_SHARE)]
    columns = (shown[c] for c in ("conversation_id", "sender", "recipient", "sent_at", "text"))
    return [
        MessageRow(conversation, person(sender), (person(recipient),), sent_at, "" if pd.isna(text) else text)
        for conversation, sender, recipient, sent_at, text in zip(*columns, strict=True)
    ]


def _connection_rows(dataset: SimulatedDataset) -> list[tuple[pd.Timestamp, list[str]]]:
    """Return the day and the first six fields of every connection."""
    c = dataset.connections
    rows = []
    for contact, day, position in zip(c["person_b"], c["connected_at"], c["position"], strict=True):
        who = person(contact)
        rows.append((day, [who.first, who.last, who.url, "", who.company, position]))
    return rows


def _connections_csv(rows: list[tuple[pd.Timestamp, list[str]]]) -> bytes:
    """Write the preamble and the connections, newest first."""
    ordered = sorted(rows, key=lambda row: (row[0], row[1]), reverse=True)
    days = [f"{day.day:02d} {_MONTHS[day.month - 1]} {day.year}" for day, _ in ordered]
    lines = [_CONNECTIONS_HEADER.split(","), *([*fields, day] for (_, fields), day in zip(ordered, days, strict=True))]
    return f'Notes:\n"{_NOTES}"\n\n'.encode() + _csv(lines)


def _invitation_rows(dataset: SimulatedDataset) -> list[list[str]]:
    """Return all invitations, newest first: those of the connections, and notes of people who have left since."""
    notes = dataset.messages[dataset.messages["kind"].eq("invitation")]
    sent = {
        (inviter, invitee): (at, text)
        for inviter, invitee, at, text in zip(
            notes["sender"], notes["recipient"], notes["sent_at"], notes["text"], strict=True
        )
    }
    c = dataset.connections
    for ego, contact, inviter, at in zip(c["person_a"], c["person_b"], c["invited_by"], c["invited_at"], strict=True):
        if pd.notna(inviter) and pd.notna(at):
            sent.setdefault((inviter, contact if inviter == ego else ego), (at, ""))
    newest_first = sorted(sent.items(), key=lambda item: (item[1][0], item[0]), reverse=True)
    return [_invitation_row(pair, at, text, str(dataset.ego)) for pair, (at, text) in newest_first]


def _invitation_row(pair: tuple[str, str], at: pd.Timestamp, text: str, ego: str) -> list[str]:
    inviter, invitee = person(pair[0]), person(pair[1])
    direction = "OUTGOING" if pair[0] == ego else "INCOMING"
    return [inviter.name, invitee.name, us_time(at), text, direction, inviter.url, invitee.url]


def us_time(at: pd.Timestamp) -> str:
    """Return an instant as Invitations.csv has it, to the minute.

    >>> us_time(pd.Timestamp("2024-03-11 19:02:59Z")), us_time(pd.Timestamp("2024-12-01 00:05Z"))
    ('3/11/24, 7:02 PM', '12/1/24, 12:05 AM')
    """
    half = "AM" if at.hour < 12 else "PM"
    return f"{at.month}/{at.day}/{at.year % 100:02d}, {at.hour % 12 or 12}:{at.minute:02d} {half}"


def _messages_csv(rows: list[MessageRow], layout: Layout) -> bytes:
    """Write the messages newest first; of those at one second, the later one first."""
    newest_first = sorted(rows, key=lambda row: row.sent_at)[::-1]
    drafts = ["IS MESSAGE DRAFT"] if layout == "2025" else []
    lines = [[*_MESSAGES_HEADER.split(","), "ATTACHMENTS", *drafts]]
    for row in newest_first:
        flag = ["Yes" if row.is_draft else "No"] if drafts else []
        lines.append([*_message_fields(row), row.attachments, *flag])
    return _csv(lines, quote_all=layout == "2026")


def _message_fields(row: MessageRow) -> list[str]:
    sender = row.sender
    return [
        conversation_id(row.conversation),
        row.title,
        sender.name,
        sender.url,
        ", ".join(who.name for who in row.recipients),
        ",".join(who.url for who in row.recipients),
        f"{row.sent_at:%Y-%m-%d %H:%M:%S} UTC",
        row.subject,
        row.text,
        row.folder,
    ]


def _profile_row(owner: Person) -> list[str]:
    return [
        owner.first,
        owner.last,
        "",
        "",
        "",
        "Invented for a simulation",
        "",
        "Consulting",
        "",
        "Trieste, Italia",
        "",
        "",
        "",
    ]


def _csv(lines: Iterable[Sequence[str]], *, quote_all: bool = False) -> bytes:
    """Return lines as UTF-8 without BOM, with LF."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL).writerows(lines)
    return buffer.getvalue().encode()


def _write_files(files: dict[str, bytes], path: Path) -> Path:
    """Write a folder or a zip, whole or not at all; a zip is stored without packing, since packers differ."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as scratch:
            if path.suffix.lower() == ".zip":
                made = Path(scratch, path.name)
                _write_zip(files, made)
                return made.replace(path)
            for name, content in files.items():
                Path(scratch, name).write_bytes(content)
            path.mkdir(exist_ok=True)
            for name in files:
                Path(scratch, name).replace(path / name)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); choose a place that you may write to and that has room"
        raise DesignError(msg) from error
    return path


def _write_zip(files: dict[str, bytes], path: Path) -> None:
    with path.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)
