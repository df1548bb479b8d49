r"""Where one message of a mailbox ends and the next begins.

An mbox file is messages one after the other, each under a line "From address date". Bodies hold such lines as well
("From this message it is clear ..."), and programs do not always escape them, so a general reader counts too many.
Here a line separates only after a blank line (or at the start), with a weekday, month and time in it, and above a
line that looks like a header. The file is read in pieces and a message is cut off at ``MAX_MESSAGE_BYTES``: what
lies behind is an attachment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.archive import ExportPath, Member, list_members

#: Mailboxes reach 50 GB; this is the largest that is read out of a zip, unpacked.
MAX_MAILBOX_BYTES: Final = 64 * 2**30
#: Bytes of one message that are kept; the text stands before the attachments.
MAX_MESSAGE_BYTES: Final = 2**20

_LONGEST_LINE: Final = 65_536
_LONGEST_SEPARATOR: Final = 1_000
_SEPARATOR: Final = re.compile(
    rb"From .*?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:\d{1,2} +)?"
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b.*?\b\d{1,2}:\d{2}\b.*"
)
_HEADER: Final = re.compile(rb">?[!-9;-~]+[ \t]*:|>From ")
_ESCAPED: Final = re.compile(rb">+From ")
_NAMES: Final = re.compile(r"(?:.+\.mbox|mbox)", re.IGNORECASE)


@dataclass(frozen=True)
class RawMessage:
    """One message as its bytes, without the line above it.

    Attributes
    ----------
    separator : str
        The "From ..." line above it.
    data : bytes
        Headers and body; at most about ``MAX_MESSAGE_BYTES``.
    is_cut : bool
        True where the message was longer.
    """

    separator: str
    data: bytes
    is_cut: bool


def list_mailboxes(path: ExportPath) -> list[Member]:
    """List the files of a path as :func:`list_members` does, a mailbox of any size among them."""
    return list_members(path, max_bytes=MAX_MAILBOX_BYTES)


def pick_mailboxes(members: Sequence[Member]) -> list[Member]:
    """Return the mailboxes among the files: by name, and a file passed by itself by its first line."""
    return [m for m in members if _NAMES.fullmatch(m.base_name) or (not m.container and _starts_like_one(m))]


def looks_like_mailbox(members: Sequence[Member]) -> bool:
    """Tell whether these files hold mail."""
    return bool(pick_mailboxes(members))


def _starts_like_one(member: Member) -> bool:
    """Tell whether the first line separates messages."""
    return is_separator(member.head(1024).lstrip(b"\xef\xbb\xbf\r\n").partition(b"\n")[0])


def is_separator(line: bytes) -> bool:
    """Tell whether a line has the form of one that separates messages.

    >>> is_separator(b"From 1754309@xxx Mon Jan 02 19:20:11 +0000 2023")
    True
    >>> is_separator(b"From this message, and Uwe's it's clear that the long-term future of")
    False
    """
    return len(line) <= _LONGEST_SEPARATOR and _SEPARATOR.fullmatch(line.strip()) is not None


def split_messages(stream: IO[bytes], label: str, *, max_bytes: int = MAX_MESSAGE_BYTES) -> Iterator[RawMessage]:
    r"""Yield the messages of one mailbox, holding one at a time.

    Parameters
    ----------
    stream : stream of bytes
        The mailbox.
    label : str
        How messages to the user call it.
    max_bytes : int
        Bytes of one message that are kept.

    Raises
    ------
    SourceError
        Where the first line is no separator.

    Examples
    --------
    >>> import io
    >>> box = io.BytesIO(b"From a@b Mon Jan  2 19:20:11 2023\nSubject: x\n\nHello\n\nFrom now on, no.\n")
    >>> [message.data for message in split_messages(box, "mail.mbox")]
    [b'Subject: x\n\nHello\n\nFrom now on, no.\n']
    """
    lines = _lines(stream)
    separator = next((line for line in lines if line.strip(b"\xef\xbb\xbf\r\n\t ")), b"").lstrip(b"\xef\xbb\xbf")
    if not is_separator(separator):
        msg = (
            f'{label}: not a mailbox (it starts {separator[:60]!r}); expected a first line like "From '
            'ada@example.org Mon Jan  2 19:20:11 2023"; pass the .mbox file as it was downloaded'
        )
        raise SourceError(msg)
    kept: list[bytes] = []
    size, after_blank, starts_line, pending = 0, False, True, b""
    for line in lines:
        if pending:
            if _HEADER.match(line):
                yield _message(separator, kept, size, max_bytes)
                separator, kept, size = pending, [], 0
            else:
                size = _keep(kept, pending, size, max_bytes)
            pending, after_blank = b"", False
        if starts_line and after_blank and line.startswith(b"From ") and is_separator(line):
            pending = line
            continue
        size = _keep(kept, line, size, max_bytes)
        after_blank = starts_line and not line.strip()
        starts_line = line.endswith(b"\n")
    if pending:
        size = _keep(kept, pending, size, max_bytes)
    yield _message(separator, kept, size, max_bytes)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; a very long one comes in pieces."""
    while line := stream.readline(_LONGEST_LINE):
        yield line


def _keep(kept: list[bytes], line: bytes, size: int, max_bytes: int) -> int:
    """Add a line to a message unless it is long enough, and return how long it is now."""
    if size < max_bytes:
        kept.append(line[1:] if _ESCAPED.match(line) else line)
    return size + len(line)


def _message(separator: bytes, kept: list[bytes], size: int, max_bytes: int) -> RawMessage:
    """Put the lines of a message together."""
    return RawMessage(separator.decode("ascii", errors="replace").strip(), b"".join(kept), size > max_bytes)
