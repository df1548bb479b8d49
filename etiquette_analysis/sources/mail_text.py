r"""What a mail says itself, without what it quotes.

A reply carries the mail that it answers. Labelled as it stands, a "no, thank you" would be coded as the pitch
below it. So quoted lines, the line that introduces them, forwarded messages and signatures are taken out, in the
forms that mail programs write in English, Italian, Spanish, French, German and Portuguese.
"""

from __future__ import annotations

import re
from email.message import Message
from html import unescape
from typing import Final

_WROTE: Final = r"(?:wrote|writes|ha scritto|escribió|a écrit|schrieb\b[^\n]*|escreveu)\s*:\s*$"
_OPENS: Final = re.compile(r"(?:On|Il|El|Le|Am|Em|No dia|A)\b")
_INTRODUCES: Final = re.compile(_WROTE, re.IGNORECASE)
_DATED: Final = re.compile(r"@|\b\d{4}\b|\b\d{1,2}[:.h]\d{2}\b")
_ATTRIBUTION_LINES: Final = 4
_LONGEST_INTRODUCTION: Final = 1_000

_BLOCKS: Final = (
    "original message|forwarded message|begin forwarded message|"
    "messaggio originale|messaggio inoltrato|inizio messaggio inoltrato|"
    "mensaje original|mensaje reenviado|message d['’]origine|message original|message transféré|"
    "ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht|"
    "mensagem original|mensagem encaminhada"
)
_BLOCK: Final = re.compile(
    rf"\s*(?:[-_=]{{2,}}\s*(?:{_BLOCKS})\s*[-_=]*|begin forwarded message:|inizio messaggio inoltrato:)\s*",
    re.IGNORECASE,
)
_BLOCK_FROM: Final = re.compile(r"\s*\*?(?:From|Da|De|Von)\s?:\*?\s+\S", re.IGNORECASE)
_BLOCK_SENT: Final = re.compile(
    r"\s*\*?(?:Sent|Date|Inviato|Data|Enviado(?: el)?|Fecha|Envoyé(?: le)?|Gesendet|Datum|Enviad[ao](?: em)?)\s?:\*?\s",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(
    r"\s*(?:Sent from my|Get Outlook for|Inviato d(?:a|al mio)|Enviado desde mi|Envoyé de(?:puis)? mon|"
    r"Von mein\w+ .*gesendet|Gesendet von mein|Enviado do meu)\b.{0,60}",
    re.IGNORECASE,
)
_MARK: Final = re.compile(r"\s*>")
#: Marks of a few programs. Elsewhere a bar begins a table and "R>" a command: they count after an introduction only.
_OTHER_MARK: Final = re.compile(r"\s*(?:>|\||[A-Za-z]{1,15}>)")
_SIGNATURE: Final = re.compile(r"--\s*")
_NOT_SHOWN: Final = {"style", "script", "title"}
#: A comment, a declaration or a tag; what never closes reaches to the end. Nothing here is tried twice, as a general
#: parser does, which takes hours for a megabyte of "<!--".
_TAG: Final = re.compile(
    r"<!--(?:.*?-->|.*)|<[!?][^>]*+>?|</(?![a-z])[^>]*+>?|"
    r"<(?P<end>/?)(?P<name>[a-z][^\s/>]*+)(?:\"[^\"]*+\"?|'[^']*+'?|[^>\"'])*+>?",
    re.DOTALL | re.IGNORECASE,
)
_LONG_NUMBER: Final = re.compile(r"&#(?:\d{8,}|x[0-9a-f]{7,});?", re.IGNORECASE)
_NEW_LINE: Final = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol"}


def own_words(text: str) -> str:
    r"""Return what the writer added, trimmed; "" where everything is quoted.

    Lines that begin with ``>`` are dropped wherever they stand. An introduction ("On ... wrote:") is dropped where such
    lines follow; where none does, the program quotes without marks and everything below goes.

    >>> own_words("No, thank you.\n\nIl giorno 2 gen 2023 alle ore 10:20 Ada <a@b.it>\nha scritto:\n\n> Buy now!")
    'No, thank you.'
    >>> own_words("> Shall we?\nYes.\n-- \nBen, sales")
    'Yes.'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").split("\n")
    kept: list[str] = []
    mark = _MARK
    at = 0
    while at < len(lines):
        line, n = lines[at], _introduction(lines, at)
        if n:
            marked = next((m for m in (_MARK, _OTHER_MARK) if _marks_below(m, lines, at + n)), None)
            if marked is None:
                break
            mark = marked if mark is _MARK else mark
        elif _ends_the_message(lines, at):
            break
        elif not mark.match(line) and not _PHONE.fullmatch(line):
            kept.append(line.rstrip())
        at += n or 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _ends_the_message(lines: list[str], at: int) -> bool:
    """Tell a signature, or the headers of a forwarded message."""
    if _SIGNATURE.fullmatch(lines[at]):
        return True
    return bool(_BLOCK_FROM.match(lines[at]) and any(_BLOCK_SENT.match(below) for below in lines[at + 1 : at + 3]))


def _introduction(lines: list[str], at: int) -> int:
    """Return how many lines from here introduce a quotation, 0 where none does; programs wrap them."""
    first = lines[at].strip()
    if len(first) > _LONGEST_INTRODUCTION:
        return 0
    if _BLOCK.fullmatch(first):
        return 1
    if first.endswith(":") and len(first) < 200 and _INTRODUCES.search(first) and _marks_below(_MARK, lines, at + 1):
        return 1
    if not _OPENS.match(first):
        return 0
    joined = ""
    for n in range(1, _ATTRIBUTION_LINES + 1):
        line = lines[at + n - 1].strip() if at + n <= len(lines) else ""
        if not line:
            return 0
        joined = f"{joined} {line}"
        if line.endswith(":") and len(joined) <= _LONGEST_INTRODUCTION and _INTRODUCES.search(joined):
            return n if _DATED.search(joined) else 0
    return 0


def _marks_below(mark: re.Pattern[str], lines: list[str], at: int) -> bool:
    """Tell whether lines so marked follow, a "[...]" or a greeting between allowed."""
    filled = [line for line in lines[at : at + 8] if line.strip()]
    return any(mark.match(line) for line in filled[:3])


def read_text(message: Message) -> tuple[str, bool]:
    """Return the text of a mail as written, and whether bytes of it could not be read in its character set.

    The first plain text that is no attachment counts, else the first HTML, without its tags.
    """
    html: Message | None = None
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        if kind == "text/plain":
            return _decode(part)
        if kind == "text/html" and html is None:
            html = part
    if html is None:
        return "", False
    text, is_garbled = _decode(html)
    return without_tags(text), is_garbled


def _decode(part: Message) -> tuple[str, bool]:
    """Decode one part; a character set nobody knows is read as UTF-8, what is no UTF-8 becomes U+FFFD."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        charset = part.get_content_charset() or "utf-8"
        return data.decode("utf-8" if charset == "us-ascii" else charset), False
    except (LookupError, UnicodeError, ValueError):
        text = data.decode("utf-8", errors="replace")
        return text, True


class _Words:
    """Collects the text of an HTML page that a reader sees; quoted mail gets its marks back."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._quoted = 0

    def read(self, html: str) -> None:
        """Go through the page once."""
        at = 0
        while (tag := _TAG.search(html, at)) is not None:
            self._add(html[at : tag.start()])
            at = tag.end()
            name = (tag["name"] or "").lower()
            if name in _NOT_SHOWN and not tag["end"]:
                closing = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
                at = closing.start() if closing else len(html)
            elif name:
                self._obey(name, is_end=bool(tag["end"]))
        self._add(html[at:])

    def _obey(self, name: str, *, is_end: bool) -> None:
        """Begin a line, or a quotation, where a tag does."""
        if name == "blockquote":
            self._quoted = max(0, self._quoted - 1) if is_end else self._quoted + 1
        if name == "blockquote" or (name in _NEW_LINE and not (is_end and name == "br")):
            self.words.append("\n> " if self._quoted else "\n")

    def _add(self, text: str) -> None:
        if text:
            self.words.append(re.sub(r"\s+", " ", unescape(_LONG_NUMBER.sub("\ufffd", text))))


def without_tags(html: str) -> str:
    r"""Return the text of an HTML mail; quotations are marked with ``>`` as in plain text.

    >>> without_tags("<style>p {}</style><p>Yes &amp; no</p><blockquote>Buy <b>now</b></blockquote>")
    'Yes & no\n\n> Buy now'
    """
    parser = _Words()
    parser.read(html)
    lines = ("".join(parser.words)).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in lines)).strip()
