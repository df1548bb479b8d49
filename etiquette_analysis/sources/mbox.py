r"""Mail: mbox files, Gmail Takeout, and the archives of mailing lists.

Mail is the channel in which outreach is measured best and read worst: one mailbox holds newsletters, list mail,
robots, copies of one message under several labels, and replies that carry the pitch they answer. Every mail read is
kept, or left out with its reason. Mail knows no date of connection, so time zero can only be the first exchange.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import INSTANT, KEPT, NOTE_STAGE, READ, AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.deliver import deliver, time_order
from etiquette_analysis.sources.mail_headers import (
    answered_ids,
    content_error,
    header,
    is_automatic,
    is_bulk,
    message_id,
    read_addresses,
    read_labels,
    read_list,
    read_sent_at,
)
from etiquette_analysis.sources.mail_split import list_mailboxes, open_mailbox, pick_mailboxes, split_messages
from etiquette_analysis.sources.mail_text import own_words, read_text
from etiquette_analysis.sources.threads import Groups

_STAGE: Final = "mail"
#: Share of the mails in which the owner of a mailbox takes part: "nearly all".
NEARLY_ALL: Final = 0.9
_NO_RECIPIENT: Final = "no recipient"


@dataclass
class Mail:
    """One mail that may become a message.

    Attributes
    ----------
    number : int
        Place in the source, from 1; the example that the audit shows.
    id : str
        Message-ID, or a name of our own where it has none.
    part : int
        Number of the file it comes from.
    list_name : str or None
        The mailing list that sent it, if one did.
    """

    number: int
    id: str
    part: int
    sender: str
    recipients: list[str]
    sent_at: datetime
    text: str | None
    kind: str
    thread: str | None
    answers: list[str]
    list_name: str | None


@dataclass
class _Tally:
    """What is counted while mail is read."""

    n_read: int = 0
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, tuple[int, int]] = field(default_factory=dict)
    latest: datetime | None = None
    seen: set[str] = field(default_factory=set)

    def leave_out(self, reason: str, number: int) -> None:
        n, first = self.left_out.get(reason, (0, number))
        self.left_out[reason] = (n + 1, first)

    def note(self, what: str, number: int) -> None:
        n, first = self.notes.get(what, (0, number))
        self.notes[what] = (n + 1, first)

    def log(self, log: AuditLog, n_kept: int) -> None:
        """Write everything into the audit."""
        log.add(_STAGE, READ, self.n_read)
        for reason, (n, number) in self.left_out.items():
            log.add(_STAGE, reason, n, example=number)
        log.add(_STAGE, KEPT, n_kept)
        for what, (n, number) in self.notes.items():
            log.add(NOTE_STAGE, f"{_STAGE}: {what}", n, example=number)


def read_mbox(
    path: ExportPath,
    *,
    owner: str | Sequence[str] | None = None,
    include_lists: bool = False,
    observed_until: object = None,
) -> Dataset:
    r"""Read a mailbox, streaming: memory holds one mail at a time, and the words people wrote.

    Parameters
    ----------
    path : path or list of paths
        ``.mbox``, ``.mbox.gz``, Google Takeout's zip, or a folder of these.
    owner : str or list of str, optional
        Address of the person whose mailbox it is; several are one person, who is known by the first. Found where
        one address takes part in nearly all mail. The archive of a list has no owner.
    include_lists : bool
        Keep mail that a mailing list or a bulk mailer sent. Its recipient is then the author of the mail that it
        answers, else the list.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest date of any mail read, left-out mail included.

    Returns
    -------
    Dataset
        ``channel`` "email". A person is an address in lower case. ``conversation_id`` is Gmail's thread where it
        says one, else the id that the thread's links lead to. ``text`` is what the writer added: without quotations,
        forwarded mail and signatures; null where nothing remains. ``kind``: ``draft`` and ``spam`` by Gmail's labels,
        ``auto_reply`` by headers, ``group`` where several receive it. No connections.

    Raises
    ------
    SourceError
        Where a file is no mailbox, nobody is addressed, or nothing tells the owner.
    DesignError
        Where the given owner takes part in no mail.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> mail = ("From x Mon Jan  2 10:00:00 2023\nFrom: Ada <ada@x.org>\nTo: ben@y.org\nMessage-ID: <1@x>\n"
    ...         "Date: Mon, 2 Jan 2023 11:00:00 +0100\n\nShall we talk?\n-- \nAda\n")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "mail.mbox").write_text(mail)
    ...     dataset = read_mbox(pathlib.Path(folder, "mail.mbox"), owner="ada@x.org")
    >>> dataset.messages[["sender", "recipient", "sent_at", "text"]]
          sender  recipient                   sent_at            text
    0  ada@x.org  ben@y.org 2023-01-02 10:00:00+00:00  Shall we talk?
    """
    until = as_observed_until(observed_until)
    members = list_mailboxes(path)
    boxes = pick_mailboxes(members)
    if not boxes:
        where = members[0].container or members[0].base_name
        raise SourceError(f"{where}: no mailbox among its {len(members)} files; expected a file that ends in .mbox")
    tally = _Tally()
    mails = list(_read_mails(boxes, include_lists, tally))
    if include_lists:
        _address_list_mail(mails)
    people = _addresses_of(owner)
    if owner is None and not include_lists:
        found = _find_owner(mails, tally, boxes[0].label)
        people, evidence = [found] if found else [], "the one address in nearly all mail"
    else:
        evidence = "given by the caller" if owner is not None else ""
    mails = _keep_own(mails, people, include_lists, tally)
    log = AuditLog()
    tally.log(log, len(mails))
    latest = pd.Timestamp(tally.latest or pd.NaT)  # type: ignore[arg-type]
    return deliver(
        _table(mails),
        pd.DataFrame(columns=["person_a", "person_b", "connected_at", "resolution"]),
        log,
        observed_until=latest if until is None else until,
        ego=people[0] if people else None,
        source="mbox",
        evidence=evidence if people else "",
        has_connection_dates=False,
    )


def _read_mails(boxes: Sequence[Member], include_lists: bool, tally: _Tally) -> Iterator[Mail]:
    """Yield the mails of all files that may become messages."""
    for part, box in enumerate(boxes):
        archive_of = re.sub(r"[._ -]*(?:19|20)\d\d.*$|\.(?:mbox|txt)(?:\.gz)?$", "", PurePosixPath(box.name).name)
        with open_mailbox(box) as stream:
            for raw in split_messages(stream, box.label):
                tally.n_read += 1
                if raw.is_cut:
                    tally.note("longer than 1 MiB, read from its beginning", tally.n_read)
                message = message_from_bytes(raw.data)
                try:
                    mail = _read_mail(message, raw.separator, part, f"list:{archive_of}", include_lists, tally)
                except content_error():
                    tally.leave_out("broken beyond reading", tally.n_read)
                    continue
                if mail is not None:
                    yield mail


def _read_mail(
    message: Message, separator: str, part: int, archive_of: str, include_lists: bool, tally: _Tally
) -> Mail | None:
    """Read one mail, or count why it is left out."""
    number = tally.n_read
    sent = read_sent_at(message, separator)
    if sent.at is not None:
        tally.latest = sent.at if tally.latest is None else max(tally.latest, sent.at)
    own_id, automatic, list_name = message_id(message), is_automatic(message), read_list(message)
    senders = read_addresses(message, "From") or read_addresses(message, "Sender")
    recipients = read_addresses(message, "To", "Cc", "Bcc")
    if include_lists and list_name is None and not recipients:
        list_name = ""
    reason = _why_left_out(own_id, automatic, list_name, sent.at, senders, recipients, message, include_lists, tally)
    if reason is not None or sent.at is None:
        tally.leave_out(reason or "no date", number)
        return None
    if own_id is not None:
        tally.seen.add(own_id)
    written, is_garbled = read_text(message)
    text = own_words(written)
    labelled = read_labels(message)
    answers = answered_ids(message)
    for what, holds in {
        "no zone in the date, taken as UTC": sent.is_naive,
        "no date or an absurd one, time of arrival taken instead": sent.from_arrival,
        "no Message-ID": own_id is None,
        "unknown character set or bytes outside it, shown as U+FFFD": is_garbled,
        "names the mail it answers (In-Reply-To)": bool(header(message, "In-Reply-To")),
        "nothing but quoted or forwarded text": bool(written.strip()) and not text,
    }.items():
        if holds:
            tally.note(what, number)
    others = [person for person in recipients if person != senders[0]] or recipients
    kind = labelled or ("auto_reply" if automatic else "group" if len(others) > 1 else "message")
    name = None if list_name is None or not include_lists else list_name or archive_of
    thread = header(message, "X-GM-THRID") or None
    own = own_id or f"mail {number}"
    return Mail(number, own, part, senders[0], others, sent.at, text or None, kind, thread, answers, name)


def _why_left_out(
    own_id: str | None,
    automatic: bool,
    list_name: str | None,
    at: datetime | None,
    senders: list[str],
    recipients: list[str],
    message: Message,
    include_lists: bool,
    tally: _Tally,
) -> str | None:
    """Return why a mail is no message between people, None where it is one."""
    if own_id is not None and own_id in tally.seen:
        return "repeats a Message-ID"
    if not include_lists and list_name is not None:
        return "sent by a mailing list"
    if not include_lists and is_bulk(message) and not automatic:
        return "bulk mail"
    if not senders:
        return "no sender"
    if not recipients and list_name is None:
        return _NO_RECIPIENT
    return "no date" if at is None else None


def _address_list_mail(mails: list[Mail]) -> None:
    """Give mail of a list its recipient: the author of the nearest mail it answers, not oneself; else the list."""
    by_id = {mail.id: mail for mail in mails}
    for mail in mails:
        if mail.list_name is not None:
            author = _author_answered(mail, by_id)
            mail.recipients = [author or mail.list_name]
            mail.kind = "message" if mail.kind == "group" else mail.kind


def _author_answered(mail: Mail, by_id: dict[str, Mail]) -> str | None:
    """Go up the thread to the first author who is somebody else."""
    seen = {mail.id}
    above = mail
    while (parent := next((by_id[i] for i in above.answers if i in by_id and i not in seen), None)) is not None:
        if parent.sender != mail.sender:
            return parent.sender
        seen.add(parent.id)
        above = parent
    return None


def _addresses_of(owner: str | Sequence[str] | None) -> list[str]:
    """Return the given addresses of the owner in lower case."""
    given = [] if owner is None else [owner] if isinstance(owner, str) else list(owner)
    return [address.strip().lower() for address in given]


def _find_owner(mails: Sequence[Mail], tally: _Tally, label: str) -> str | None:
    """Return the one address that takes part in nearly all mail."""
    if not mails:
        if tally.left_out.get(_NO_RECIPIENT, (0, 0))[0] * 2 > tally.n_read:
            msg = f"{label}: none of its {tally.n_read} mails names a recipient, as in the archive of a mailing list"
            raise SourceError(f"{msg}; pass include_lists=True to read it as one")
        return None
    presence = Counter(person for mail in mails for person in {mail.sender, *mail.recipients})
    often = [person for person, n in presence.most_common(2) if n >= NEARLY_ALL * len(mails)]
    if len(often) == 1:
        return often[0]
    found = "two addresses take" if often else "no address takes"
    msg = f"{label}: {found} part in nearly all of its {len(mails)} mails, so nothing tells whose mailbox it is"
    raise SourceError(f'{msg}; pass owner="your@address" (--owner on the command line)')


def _keep_own(mails: list[Mail], people: list[str], include_lists: bool, tally: _Tally) -> list[Mail]:
    """Join the owner's addresses into the first, and leave out mail between others."""
    if not people:
        return mails
    names = dict.fromkeys(people, people[0])
    kept = []
    for mail in mails:
        mail.sender = names.get(mail.sender, mail.sender)
        everyone = dict.fromkeys(names.get(person, person) for person in mail.recipients)
        mail.recipients = [person for person in everyone if person != mail.sender] or list(everyone)
        if mail.kind == "group" and len(mail.recipients) == 1:
            mail.kind = "message"
        if include_lists or people[0] in (mail.sender, *mail.recipients):
            kept.append(mail)
        else:
            tally.leave_out("the owner takes no part (blind copy, or an address not given as owner)", mail.number)
    if mails and not any(people[0] in (mail.sender, *mail.recipients) for mail in kept):
        msg = f"owner={people[0]!r} takes part in none of {len(mails)} mails; expected the address of the mailbox"
        raise DesignError(f"{msg}, or a list of its addresses")
    return kept


def _table(mails: Sequence[Mail]) -> pd.DataFrame:
    """Return the message table in time order."""
    groups = Groups()
    for mail in mails:
        for answered in mail.answers:
            groups.join(mail.id, answered)
    table = pd.DataFrame(
        {
            "conversation_id": pd.Series([mail.thread or groups.of(mail.id) for mail in mails], dtype="str"),
            "sender": pd.Series([mail.sender for mail in mails], dtype="str"),
            "recipient": pd.Series(["; ".join(mail.recipients) for mail in mails], dtype="str"),
            "sent_at": pd.to_datetime(pd.Series([mail.sent_at for mail in mails], dtype="object"), utc=True).astype(
                INSTANT
            ),
            "text": pd.Series([mail.text for mail in mails], dtype="str"),
            "channel": "email",
            "kind": pd.Series([mail.kind for mail in mails], dtype="str"),
        }
    )
    parts = np.fromiter((mail.part for mail in mails), np.int64, len(mails))
    order = time_order(table["sent_at"], thread=table["conversation_id"], part=parts)
    return table.iloc[order].assign(message_id=np.arange(len(table), dtype=np.int64))
