r"""Mail: mbox files, Gmail Takeout, and the archives of mailing lists.

Mail is the channel in which outreach is measured best and read worst: one mailbox holds newsletters, list mail,
robots, copies of one message under several labels, and replies that carry the pitch they answer. Every mail read is
kept, or left out with its reason. Mail knows no date of connection, so time zero can only be the first exchange.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import PurePosixPath

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.deliver import deliver
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
from etiquette_analysis.sources.mail_split import list_mailboxes, pick_mailboxes, split_messages
from etiquette_analysis.sources.mail_table import NO_RECIPIENT, Mail, Mails, Tally, find_owner
from etiquette_analysis.sources.mail_text import own_words, read_text
from etiquette_analysis.sources.progress import expecting


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
    tally = Tally()
    with expecting(boxes):
        mails = Mails()
        for mail in _read_mails(boxes, include_lists, tally):
            mails.append(mail)
    if include_lists:
        mails.address_list_mail()
    people = _addresses_of(owner)
    if owner is None and not include_lists:
        found = find_owner(mails, tally, boxes[0].label)
        people, evidence = [found] if found else [], "the one address in nearly all mail"
    else:
        evidence = "given by the caller" if owner is not None else ""
    kept = mails.keep(people, with_others=include_lists, tally=tally)
    log = AuditLog()
    tally.log(log, int(kept.sum()))
    latest = pd.Timestamp(tally.latest or pd.NaT)  # type: ignore[arg-type]
    return deliver(
        mails.table(kept),
        pd.DataFrame(columns=["person_a", "person_b", "connected_at", "resolution"]),
        log,
        observed_until=latest if until is None else until,
        ego=people[0] if people else None,
        source="mbox",
        evidence=evidence if people else "",
        has_connection_dates=False,
    )


def _read_mails(boxes: Sequence[Member], include_lists: bool, tally: Tally) -> Iterator[Mail]:
    """Yield the mails of all files that may become messages."""
    for part, box in enumerate(boxes):
        archive_of = re.sub(r"[._ -]*(?:19|20)\d\d.*$|\.(?:mbox|txt)(?:\.gz)?$", "", PurePosixPath(box.name).name)
        with box.open() as stream:
            for raw in split_messages(stream, box.label):
                tally.n_read += 1
                if raw.is_cut:
                    tally.note("longer than 1 MiB, read from its beginning", tally.n_read)
                try:
                    message = message_from_bytes(raw.data)
                    mail = _read_mail(message, raw.separator, part, f"list:{archive_of}", include_lists, tally)
                except content_error():
                    tally.leave_out("broken beyond reading", tally.n_read)
                    continue
                if mail is not None:
                    yield mail


def _read_mail(
    message: Message, separator: str, part: int, archive_of: str, include_lists: bool, tally: Tally
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
    tally: Tally,
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
        return NO_RECIPIENT
    return "no date" if at is None else None


def _addresses_of(owner: str | Sequence[str] | None) -> list[str]:
    """Return the given addresses of the owner in lower case."""
    given = [] if owner is None else [owner] if isinstance(owner, str) else list(owner)
    return [address.strip().lower() for address in given]
