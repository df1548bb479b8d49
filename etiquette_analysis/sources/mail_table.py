"""From mails to messages: whose mailbox it is, to whom list mail is addressed, and the table in time order.

These need all mails of a mailbox at once, so they work on columns: what is decided depends on who wrote to whom, and
of such pairs there are few.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import INSTANT, KEPT, NOTE_STAGE, READ, AuditLog
from etiquette_analysis.sources.deliver import time_order
from etiquette_analysis.sources.growing import Codes, Seen, Texts, spread
from etiquette_analysis.sources.threads import Groups

STAGE: Final = "mail"
NO_RECIPIENT: Final = "no recipient"
#: Share of the mails in which the owner of a mailbox takes part: "nearly all".
NEARLY_ALL: Final = 0.9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
class Tally:
    """What is counted while mail is read."""

    n_read: int = 0
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, tuple[int, int]] = field(default_factory=dict)
    latest: datetime | None = None
    seen: Seen = field(default_factory=Seen)

    def leave_out(self, reason: str, number: int, n: int = 1) -> None:
        """Count ``n`` mails left out; ``number`` is the first."""
        before, first = self.left_out.get(reason, (0, number))
        self.left_out[reason] = (before + n, first)

    def note(self, what: str, number: int) -> None:
        """Count what is odd about a mail."""
        n, first = self.notes.get(what, (0, number))
        self.notes[what] = (n + 1, first)

    def log(self, log: AuditLog, n_kept: int) -> None:
        """Write everything into the audit."""
        log.add(STAGE, READ, self.n_read)
        for reason, (n, number) in self.left_out.items():
            log.add(STAGE, reason, n, example=number)
        log.add(STAGE, KEPT, n_kept)
        for what, (n, number) in self.notes.items():
            log.add(NOTE_STAGE, f"{STAGE}: {what}", n, example=number)


#: Who writes to whom, and as what: sender, recipients and kind of a mail.
_Way = tuple[str, tuple[str, ...], str]


class Mails:
    """The mails of a mailbox, column by column."""

    def __init__(self) -> None:
        self.ways: Codes[_Way] = Codes()
        self._threads: Codes[str | None] = Codes()
        self._lists: Codes[str | None] = Codes()
        self._ids, self._answers, self._texts = Texts(), Texts(), Texts()
        self._numbers, self._parts, self._sent_at = array("q"), array("q"), array("q")

    def __len__(self) -> int:
        return len(self._numbers)

    def append(self, mail: Mail) -> None:
        """Add a mail."""
        self.ways.append((mail.sender, tuple(mail.recipients), mail.kind))
        self._threads.append(mail.thread)
        self._lists.append(mail.list_name)
        self._ids.append(mail.id)
        self._answers.append(" ".join(mail.answers) or None)
        self._texts.append(mail.text)
        self._numbers.append(mail.number)
        self._parts.append(mail.part)
        self._sent_at.append((mail.sent_at - _EPOCH) // timedelta(microseconds=1))

    def address_list_mail(self) -> None:
        """Give mail of a list its recipient: the author of the nearest mail it answers, not oneself; else the list."""
        by_id = {str(name): row for row, name in enumerate(self._ids)}
        answers = [(told or "").split(" ") for told in self._answers]
        senders = [self.ways.distinct[code][0] for code in self.ways.codes]
        new: Codes[_Way] = Codes()
        for row, (code, list_code) in enumerate(zip(self.ways.codes, self._lists.codes, strict=True)):
            sender, recipients, kind = self.ways.distinct[code]
            name = self._lists.distinct[list_code]
            if name is not None:
                author = _author_answered(row, by_id, answers, senders)
                recipients, kind = (author or name,), "message" if kind == "group" else kind
            new.append((sender, recipients, kind))
        self.ways = new

    def keep(self, people: list[str], *, with_others: bool, tally: Tally) -> npt.NDArray[np.bool_]:
        """Join the owner's addresses into the first, and tell which mails stay: not those between others.

        Parameters
        ----------
        people : list of str
            The owner's addresses; where there are none, everything stays.
        with_others : bool
            Keep mail between others as well.
        """
        is_kept = np.ones(len(self.ways.distinct), dtype=bool)
        if people:
            ways = [_joined(way, people) for way in self.ways.distinct]
            is_own = np.array([people[0] in (sender, *to) for sender, to, _ in ways], dtype=bool)
            self.ways.distinct = ways
            if len(self) and not is_own.any():
                msg = (
                    f"owner={people[0]!r} takes part in none of {len(self)} mails; expected the address of the mailbox"
                )
                raise DesignError(f"{msg}, or a list of its addresses")
            is_kept = is_kept if with_others else is_own
        kept: npt.NDArray[np.bool_] = is_kept[self.ways.codes]
        if not kept.all():
            reason = "the owner takes no part (blind copy, or an address not given as owner)"
            tally.leave_out(reason, int(self._numbers[int(np.argmin(kept))]), int((~kept).sum()))
        return kept

    def table(self, kept: npt.NDArray[np.bool_]) -> pd.DataFrame:
        """Return the message table in time order, and forget the mails."""
        rows = np.flatnonzero(kept)
        sent_at = pd.Series(pd.to_datetime(np.frombuffer(self._sent_at, np.int64)[rows], unit="us", utc=True))
        sent_at = sent_at.astype(INSTANT)
        threads = self._conversations(kept).series()
        order = time_order(sent_at, thread=threads, part=np.frombuffer(self._parts, np.int64)[rows])
        codes = self.ways.codes[rows][order]
        senders, recipients, kinds = zip(*self.ways.distinct, strict=True) if self.ways.distinct else ((), (), ())
        return pd.DataFrame(
            {
                "message_id": np.arange(len(rows), dtype=np.int64),
                "conversation_id": threads.iloc[order].array,
                "sender": spread(list(senders), codes),
                "recipient": spread(["; ".join(people) for people in recipients], codes),
                "sent_at": sent_at.iloc[order].array,
                "text": self._texts.series(rows[order]),
                "channel": spread(["email"], np.zeros(len(rows), dtype=np.int64)),
                "kind": spread(list(kinds), codes),
            }
        )

    def _conversations(self, kept: npt.NDArray[np.bool_]) -> Texts:
        """Return the conversation of each mail that stays: Gmail's thread, else where its links lead."""
        groups = Groups()
        for stays, name, told in zip(kept, self._ids, self._answers, strict=True):
            for answered in told.split(" ") if told and stays else ():
                groups.join(str(name), answered)
        threads = Texts()
        for stays, name, code in zip(kept, self._ids, self._threads.codes, strict=True):
            if stays:
                threads.append(self._threads.distinct[code] or groups.of(str(name)))
        self._ids, self._answers = Texts(), Texts()
        return threads


def _joined(way: _Way, people: Sequence[str]) -> _Way:
    """Call the owner by the first address only, who is no recipient of an own mail."""
    sender, recipients, kind = way
    names = dict.fromkeys(people, people[0])
    sender = names.get(sender, sender)
    everyone = dict.fromkeys(names.get(person, person) for person in recipients)
    others = tuple(person for person in everyone if person != sender) or tuple(everyone)
    return sender, others, "message" if kind == "group" and len(others) == 1 else kind


def _author_answered(row: int, by_id: dict[str, int], answers: list[list[str]], senders: list[str]) -> str | None:
    """Go up the thread to the first author who is somebody else."""
    seen = {row}
    above = row
    while (parent := next((by_id[i] for i in answers[above] if i in by_id and by_id[i] not in seen), None)) is not None:
        if senders[parent] != senders[row]:
            return senders[parent]
        seen.add(parent)
        above = parent
    return None


def find_owner(mails: Mails, tally: Tally, label: str) -> str | None:
    """Return the one address that takes part in nearly all mail.

    Raises
    ------
    SourceError
        Where no address does, or more than one.
    """
    if not len(mails):
        if tally.left_out.get(NO_RECIPIENT, (0, 0))[0] * 2 > tally.n_read:
            msg = f"{label}: none of its {tally.n_read} mails names a recipient, as in the archive of a mailing list"
            raise SourceError(f"{msg}; pass include_lists=True (in Python) to read it as one")
        return None
    presence: Counter[Any] = Counter()
    for (sender, recipients, _), n in zip(mails.ways.distinct, np.bincount(mails.ways.codes), strict=True):
        presence.update(dict.fromkeys({sender, *recipients}, int(n)))
    often = [person for person, n in presence.most_common(2) if n >= NEARLY_ALL * len(mails)]
    if len(often) == 1:
        return str(often[0])
    found = "two addresses take" if often else "no address takes"
    msg = f"{label}: {found} part in nearly all of its {len(mails)} mails, so nothing tells whose mailbox it is"
    raise SourceError(f'{msg}; pass owner="your@address" (--owner on the command line)')
