"""What the headers of a mail say: who wrote to whom and when, what it answers, and whether a machine wrote it.

Headers are written by thousands of programs, and a reader that trusts them loses mail or invents dates. Addresses
are split before names are decoded (a decoded name may hold a comma), a date is believed unless it lies before 1980
or days after the mail arrived, and then the time of arrival stands in for it, counted.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from typing import Final

#: A mail dated earlier carries the clock of a computer whose battery was flat; one dated later was not yet written.
EARLIEST_YEAR: Final = 1980
LATEST_YEAR: Final = 2199
_AFTER_ARRIVAL: Final = timedelta(days=2)

_ID: Final = re.compile(r"<([^<>\s]+)>")
_LOOKS_LIKE_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")
_WRITTEN_AT: Final = re.compile(r"([^\s@<>,;]+) at ([^\s@<>,;]+\.[^\s@<>,;]+)")
_END_OF_ARCHIVE_NAME: Final = re.compile(r"\s*\([^()]*\)\s*$")
#: How Pipermail garbles addresses; several letters become one sign, so they cannot be restored.
_GARBLED: Final = "@end|ng |rom"
_GARBLED_OTHERWISE: Final = re.compile(r"(?!.*[^\s@]@[^\s@]+\.[^\s@])(?=.*@)[^<>,;:\"]*\s[^<>,;:\"]*")
_LONGEST_ADDRESS: Final = 1_000
#: Encoded words are read so far; labels and names are shorter.
_LONGEST_DECODED: Final = 10_000
_YEAR_0: Final = re.compile(r"(?<![+-])\b0\d{3}\b")
_SEPARATOR_DATE: Final = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .*$")

_DRAFTS: Final = {"draft", "drafts", "bozze", "borrador", "borradores", "brouillons", "entwürfe", "rascunhos"}
_SPAM: Final = {"spam", "junk"}


@dataclass(frozen=True)
class SentAt:
    """When a mail was sent.

    Attributes
    ----------
    at : datetime or None
        UTC; None where neither the mail nor its way says.
    is_naive : bool
        True where no zone is named, so UTC was assumed.
    from_arrival : bool
        True where Date is missing or absurd and the time of arrival stands in for it.
    """

    at: datetime | None
    is_naive: bool = False
    from_arrival: bool = False


def header(message: Message, name: str) -> str:
    """Return a header as it stands, on one line, "" where there is none."""
    value = message.get(name)
    return "" if value is None else _one_line(str(value))


def _one_line(value: str) -> str:
    """Unfold a header; bytes that are no ASCII are read as UTF-8."""
    if not value.isascii():
        value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(value.split())


def decoded(value: str) -> str:
    """Return a header with its encoded words read (RFC 2047); as it stands where they cannot be.

    >>> decoded("=?utf-8?q?Zo=C3=AB?= Low"), decoded("=?klingon?q?x?= Low")
    ('Zoë Low', '=?klingon?q?x?= Low')
    """
    try:
        return str(make_header(decode_header(value[:_LONGEST_DECODED]))) + value[_LONGEST_DECODED:]
    except (LookupError, UnicodeError, HeaderParseError, binascii.Error, ValueError):
        return value


def read_addresses(message: Message, *names: str) -> list[str]:
    """Return who stands in these headers: addresses in lower case, each once, in order.

    A list archive writes "ada at example.org (Ada)", which is read as the address, or garbles it beyond that, and
    then the garbled form is kept as it is. Without any address the name stands for the person.

    >>> from email import message_from_string
    >>> mail = message_from_string('To: "Low, Ben" <Ben@x.org>, =?utf-8?q?Doe=2C_Jane?= <jane@x.org>')
    >>> read_addresses(mail, "To", "Cc")
    ['ben@x.org', 'jane@x.org']
    >>> read_addresses(message_from_string("From: edd @end|ng |rom deb|@n@org (Dirk)"), "From")
    ['edd @end|ng |rom deb|@n@org']
    """
    found: dict[str, None] = {}
    for name in names:
        for value in message.get_all(name, []):
            found.update(dict.fromkeys(_addresses(_one_line(str(value)))))
    return list(found)


@lru_cache(maxsize=4096)
def _addresses(value: str) -> tuple[str, ...]:
    """Return the people of one header; the same few stand in most mail of a mailbox."""
    bare = _END_OF_ARCHIVE_NAME.sub("", value).lower()
    if _GARBLED in bare or (len(bare) < _LONGEST_ADDRESS and _GARBLED_OTHERWISE.fullmatch(bare)):
        return (bare.strip(),)
    written = _WRITTEN_AT.fullmatch(bare)
    if written is not None:
        return (f"{written[1]}@{written[2]}",)
    pairs = [(name, address.lower()) for name, address in getaddresses([value]) if address]
    known = [address for _, address in pairs if "@" in address or address.startswith("/o=")]
    known = known or _LOOKS_LIKE_ADDRESS.findall(value.lower())
    if known:
        return tuple(known)
    name = decoded(value).strip(' "<>')
    return () if not name or name.endswith(":;") else (name,)


def read_sent_at(message: Message, separator: str) -> SentAt:
    """Return when a mail was sent: its Date, unless the time of its arrival shows that this cannot be.

    Parameters
    ----------
    message : Message
        The mail.
    separator : str
        The line above it in the mailbox; its date is UTC by assumption.

    Examples
    --------
    >>> from email import message_from_string
    >>> mail = message_from_string("Date: Thu, 1 Jan 1970 00:00:00 +0000")
    >>> read_sent_at(mail, "From a@b Mon Jan  2 19:20:11 2023").at
    datetime.datetime(2023, 1, 2, 19, 20, 11, tzinfo=datetime.timezone.utc)
    """
    arrived, arrived_naive = _arrival(message, separator)
    said, is_naive = _read_date(header(message, "Date"))
    if said is not None and (arrived is None or said <= arrived + _AFTER_ARRIVAL):
        return SentAt(said, is_naive)
    return SentAt(arrived, arrived_naive, arrived is not None)


def _arrival(message: Message, separator: str) -> tuple[datetime | None, bool]:
    """Return when a mail arrived, as the last computer on its way or the line above it says."""
    for received in message.get_all("Received", [])[:1]:
        at = _read_date(_one_line(str(received)).rpartition(";")[2])
        if at[0] is not None:
            return at
    date = _SEPARATOR_DATE.search(separator)
    return _read_date(date[0]) if date else (None, False)


def _read_date(text: str) -> tuple[datetime | None, bool]:
    """Return one date as UTC, and whether it named no zone; None where it is none, or absurd."""
    year_last = re.fullmatch(r"(\w{3} \w{3} +\d+ [\d:]+) ([+-]\d{4}) (\d{4})", text.strip())
    if year_last is not None:
        text = f"{year_last[1]} {year_last[3]} {year_last[2]}"
    if _YEAR_0.search(text):
        return None, False  # a year of four digits, which the standard library would take for one of two
    try:
        at = parsedate_to_datetime(text)
        is_naive = at.tzinfo is None
        at = at.replace(tzinfo=UTC) if is_naive else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None, False
    return (at, is_naive) if EARLIEST_YEAR <= at.year <= LATEST_YEAR else (None, False)


def message_id(message: Message) -> str | None:
    """Return the Message-ID without its brackets, None where there is none."""
    text = header(message, "Message-ID")
    found = _ID.search(text)
    return found[1] if found else (text or None)


def answered_ids(message: Message) -> list[str]:
    r"""Return the ids of the mails this one answers, the nearest first.

    >>> from email import message_from_string
    >>> answered_ids(message_from_string("In-Reply-To: <b@x>\nReferences: <a@x> <b@x>"))
    ['b@x', 'a@x']
    """
    nearest = _ID.findall(header(message, "In-Reply-To"))
    return list(dict.fromkeys([*nearest, *reversed(_ID.findall(header(message, "References")))]))


def is_automatic(message: Message) -> bool:
    """Tell mail that a machine wrote: out of office, delivery reports, notices (RFC 3834 and its forerunners)."""
    submitted = header(message, "Auto-Submitted").lower().partition(";")[0].strip()
    if submitted not in ("", "no"):
        return True
    if header(message, "Precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    if any(header(message, name).lower() not in ("", "no") for name in ("X-Autoreply", "X-Autorespond")):
        return True
    return bool(message.get_content_type() == "multipart/report")


def read_list(message: Message) -> str | None:
    """Return the address or id of the mailing list that sent a mail, None where none did.

    >>> from email import message_from_string
    >>> read_list(message_from_string("List-Id: R package developers <r-package-devel.r-project.org>"))
    'r-package-devel.r-project.org'
    """
    text = header(message, "List-Id").lower()
    if not text:
        return "" if header(message, "Precedence").lower() == "list" else None
    found = _ID.search(text)
    return found[1] if found else text


def is_bulk(message: Message) -> bool:
    """Tell mail that says of itself that it went to many."""
    return header(message, "Precedence").lower() in ("bulk", "junk")


def read_labels(message: Message) -> str | None:
    """Return the kind that Gmail's labels give a mail: draft, spam, or None."""
    labels = {label.strip(' "').lower() for label in decoded(header(message, "X-Gmail-Labels")).split(",")}
    if labels & _DRAFTS:
        return "draft"
    return "spam" if labels & _SPAM else None


def content_error() -> tuple[type[Exception], ...]:
    """Return what the standard library raises on mail that is broken beyond reading."""
    return (
        MessageError,
        ValueError,
        LookupError,
        AssertionError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    )
