"""WhatsApp's "Export chat": one text per conversation, in the form of the phone that wrote it.

It holds what two people wrote, but no zone for its times, no date of connection, no word on whose phone it was, and
at most the last 40,000 messages. What can be read from the whole file is read, what rests on an assumption is
noted in the audit, and an order of day and month that nothing settles is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member, check_looks_readable, list_members
from etiquette_analysis.sources.chats import Counts, deliver_chats, find_by_name
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.instants import check_timezone
from etiquette_analysis.sources.numeric_dates import DateOrder, check_date_order
from etiquette_analysis.sources.progress import expecting
from etiquette_analysis.sources.whatsapp.calendar import read_days
from etiquette_analysis.sources.whatsapp.lines import looks_like_whatsapp as _looks_like_chat
from etiquette_analysis.sources.whatsapp.lines import split_entries
from etiquette_analysis.sources.whatsapp.localtime import localise
from etiquette_analysis.sources.whatsapp.notices import is_notice, split_body, words_of
from etiquette_analysis.sources.whatsapp.people import contact_in_name, find_owner, recipients_of

__all__ = ["looks_like_whatsapp", "read_whatsapp"]

STAGE: Final = "chat"
#: An export stops here, the oldest messages lost; with media at a quarter.
_LIMIT: Final = 40_000
_LIMIT_WITH_MEDIA: Final = 10_000


@dataclass
class _Chat:
    """What one file holds: rows (line, writer, local time, text), notices and words about the file."""

    label: str
    contact: str | None
    rows: list[tuple[int, str, datetime, str | None]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    latest: datetime | None = None

    @property
    def people(self) -> list[str]:
        """Who writes, in the order of appearance."""
        return list(dict.fromkeys(writer for _, writer, _, _ in self.rows))


def read_whatsapp(
    path: ExportPath,
    *,
    owner: str | None = None,
    timezone: str | None = None,
    date_order: DateOrder | None = None,
    observed_until: object = None,
) -> Dataset:
    r"""Read chats exported from WhatsApp, on any phone and in any language of its dates.

    Parameters
    ----------
    path : path or list of paths
        The text file or zip of one chat, a folder of text files, or a list of either.
    owner : str, optional
        Whose phone it is, by the name in the chat; else the one person in all of several chats, or whoever is
        not the contact that the file is named after. Where nothing tells, ``ego`` is None and the audit says so.
    timezone : str, optional
        Zone of the phone's clock, e.g. "Europe/Rome". Without it times are taken as UTC, which the audit notes.
    date_order : {"dmy", "mdy", "ymd"}, optional
        Order of the numbers in a date, needed only where the file does not tell.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest entry read, notices included.

    Returns
    -------
    Dataset
        ``messages`` with ``channel`` "whatsapp", ties of a minute in file order; ``kind`` is ``group`` where more than
        two people write. Media and deleted messages have a null text. ``connections`` is empty. ``audit`` examples
        are line numbers.

    Raises
    ------
    SourceError
        Where the file is no such chat, or nothing tells day from month.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "WhatsApp Chat with Ben.txt")
    ...     _ = file.write_text("30/12/23, 14:30 - Ben: Ciao\n30/12/23, 14:31 - Ada: All well,\nand you?\n")
    ...     dataset = read_whatsapp(file, timezone="Europe/Rome")
    >>> dataset.messages["text"].tolist(), dataset.ego
    (['Ciao', 'All well,\nand you?'], 'Ada')
    """
    check_date_order(date_order)
    if timezone is not None:
        check_timezone(timezone)
    until = as_observed_until(observed_until)
    members = list_members(path)
    counts = Counts()
    picked = _pick_files(members)
    with expecting(picked):
        chats = [_read_chat(member, members, counts, date_order) for member in picked]
    return _assemble(chats, counts, owner, timezone, until)


def looks_like_whatsapp(members: Sequence[Member]) -> bool:
    """Tell a chat by the first line of its text files."""
    return any(_is_chat(member) for member in members)


def _is_chat(member: Member) -> bool:
    """Tell one text file that is a chat."""
    if not member.name.casefold().endswith(".txt"):
        return False
    return _looks_like_chat(member.head(2048).decode("utf-8-sig", errors="replace"))


def _pick_files(members: Sequence[Member]) -> list[Member]:
    """Return the chats: a zip holds one, and texts that were sent in it as attachments are not it."""
    picked: list[Member] = []
    for container in dict.fromkeys(member.container for member in members):
        inside = [m for m in members if m.container == container and m.name.casefold().endswith(".txt")]
        named = [m for m in inside if m.base_name == "_chat.txt" or "whatsapp" in m.base_name.casefold()]
        is_zip = container.casefold().endswith(".zip")
        picked += named if is_zip and named else inside if not container else [m for m in inside if _is_chat(m)]
    if picked:
        return picked
    where = members[0].container or members[0].base_name
    found = ", ".join(sorted({member.base_name for member in members})[:5])
    msg = f'{where}: no WhatsApp chat, it holds {found}; in WhatsApp choose "Export chat" and pass its .txt or .zip'
    raise SourceError(msg)


def _read_chat(member: Member, members: Sequence[Member], counts: Counts, date_order: DateOrder | None) -> _Chat:
    """Read one chat."""
    text = _decode(member)
    entries = split_entries(text, member.label)
    days, assumption = read_days(entries, member.label, date_order)
    chat = _Chat(member.label, contact_in_name(member))
    if assumption:
        chat.notes[assumption] = len(entries)
    for entry, day in zip(entries, days, strict=True):
        counts.read()
        at = datetime(day.year, day.month, day.day, *entry.clock)
        chat.latest = at if chat.latest is None else max(chat.latest, at)
        said = split_body(entry.body)
        if said is None or is_notice(said[1]):
            counts.leave_out("notice of WhatsApp itself", entry.line)
            continue
        words, missing = words_of(said[1])
        if missing:
            reason = {"media": "message without words (media)", "deleted": "deleted message"}[missing]
            chat.notes[f"{reason}, text null"] = chat.notes.get(f"{reason}, text null", 0) + 1
        chat.rows.append((entry.line, said[0], at, words))
    if not all(entry.has_seconds for entry in entries):
        chat.notes["times without seconds, so messages of one minute keep the order of the file"] = len(entries)
    _note_limit(chat, len(entries), member, members)
    return chat


def _note_limit(chat: _Chat, n: int, member: Member, members: Sequence[Member]) -> None:
    """Say that the oldest messages may be lost."""
    has_media = any(m.container == member.container != "" and m is not member for m in members)
    limit = _LIMIT_WITH_MEDIA if has_media and n < _LIMIT else _LIMIT
    if n >= limit:
        chat.notes[
            f"the chat has {limit:,} entries or more, where exports stop: the oldest may be lost, and the first "
            "message here need not be the first contact"
        ] = 1


def _decode(member: Member) -> str:
    """Return the text of a chat, which is UTF-8."""
    head = member.head(512)
    if head:
        check_looks_readable(head, member.label)
    data = member.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{member.label}, line {line}: not UTF-8, so another program has saved this file again; export it again"
        raise SourceError(msg) from error
    if not text.strip():
        raise SourceError(f"{member.label}: the chat is empty; export it again")
    return text


def _assemble(
    chats: list[_Chat], counts: Counts, owner: str | None, timezone: str | None, until: pd.Timestamp | None
) -> Dataset:
    """Find the owner, give every message its recipient and its instant, and hand over."""
    log = AuditLog()
    where = chats[0].label if len(chats) == 1 else f"{len(chats)} chats"
    if owner is not None:
        known = {person: {person} for chat in chats for person in [*chat.people, *filter(None, [chat.contact])]}
        owner = owner if any(len(chat.people) == 1 for chat in chats) else find_by_name(owner, known, where)
    ego, evidence = find_owner([(chat.people, chat.contact) for chat in chats], owner)
    frames = [_frame(chat, number, ego, timezone or "UTC", log) for number, chat in enumerate(chats)]
    rows = pd.concat(frames, ignore_index=True)
    again = rows.duplicated(["sender", "recipient", "sent_at", "text", "nth"]) & (rows["file"] > 0)
    rows = counts.leave_out_rows("message that an earlier file holds as well", rows, again)
    counts.refuse_nothing(len(rows), where, "check that the export is of a chat with messages")
    counts.write(log, STAGE, kept=len(rows))
    for note in dict.fromkeys(note for chat in chats for note in chat.notes):
        log.add(NOTE_STAGE, f"{STAGE}: {note}", sum(chat.notes.get(note, 0) for chat in chats))
    zone = "UTC by assumption; name the phone's zone with timezone=" if timezone is None else timezone
    log.add(NOTE_STAGE, f"{STAGE}: times without a zone, taken as {zone}", counts.n_read)
    latest = [localise([chat.latest], timezone or "UTC", AuditLog(), STAGE)[0] for chat in chats if chat.latest]
    return deliver_chats(
        rows,
        log,
        source="whatsapp",
        ego=ego,
        evidence=evidence,
        observed_until=max(*latest, rows["sent_at"].max()) if until is None else until,
    )


def _frame(chat: _Chat, number: int, ego: str | None, timezone: str, log: AuditLog) -> pd.DataFrame:
    """Return the rows of one chat as a table."""
    to = recipients_of(chat.people, chat.contact, ego, number)
    lines, senders, times, texts = zip(*chat.rows, strict=True) if chat.rows else ((), (), (), ())
    frame = pd.DataFrame(
        {
            "row": np.array(lines, dtype=np.int64),
            "file": number,
            "conversation_id": str(number + 1),
            "sender": pd.Series(senders, dtype="str"),
            "recipient": pd.Series([to[sender] for sender in senders], dtype="str"),
            "sent_at": pd.Series(localise(times, timezone, log, STAGE)).astype(INSTANT),
            "text": pd.Series(texts, dtype="str"),
            "kind": "group" if len(chat.people) > 2 else "message",
        }
    )
    return frame.assign(nth=frame.groupby(["sender", "sent_at", "text"], dropna=False).cumcount())
