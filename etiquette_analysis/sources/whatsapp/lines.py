"""Where one WhatsApp message ends and the next begins.

The export is plain text in the form of the phone's own language and clock: brackets or a dash, dots or slashes,
twelve hours or twenty-four, invisible marks and narrow spaces. A line that starts with a date and a time in the
form of the file is a new message; any other line continues the one above. A pasted line in another form is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from etiquette_analysis.errors import SourceError

#: Marks of writing direction and of joining that phones put around names and notices.
MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_AM: Final = ("am", "πμ", "오전", "上午", "凌晨", "早上", "午前", "ص", "öö", "de")
_PM: Final = ("pm", "μμ", "오후", "下午", "晚上", "中午", "午後", "م", "ös", "du")
_HALF: Final = (
    r"[AaPp]\.?\s?[Mm]\b\.?|[ππμ]\.?\s?μ\.?|오전|오후|上午|下午|凌晨|早上|晚上|中午|午前|午後|[صم]|Ö[ÖS]|d[eu]\."
)
#: A short word between day and hour: Finnish klo, French à, German um, Danish kl.
_WORD: Final = r"(?:(?:klo|kl\.?|à|um|às|a las|alle|om|o)\s)?"
_HEAD: Final = re.compile(
    rf"[{MARKS}]*(?P<open>\[)?(?P<date>\d{{1,4}}(?P<mark>[./-])\s?\d{{1,2}}(?P=mark)\s?\d{{1,4}}\.?)[,،]?\s{_WORD}"
    rf"(?:(?P<before>{_HALF})\s?)?"
    r"(?P<hour>\d{1,2})(?:[:.]|\s?h\s?)(?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    rf"(?:\s?(?P<after>{_HALF}))?(?:(?P<close>\])|\s[-–])(?:\s(?P<rest>.*)|$)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Entry:
    """One entry of a chat as the file holds it.

    Attributes
    ----------
    line : int
        Line on which it starts, from 1.
    numbers : tuple of int
        The three numbers of the date, in the order of the file.
    n_digits : tuple of int
        How many digits the first and the last of them have.
    mark : str
        What separates them.
    clock : tuple of int
        Hour of 24, minute, second.
    has_seconds : bool
        Whether the file tells seconds.
    body : str
        Everything after the time, with the lines that continue it.
    """

    line: int
    numbers: tuple[int, int, int]
    n_digits: tuple[int, int]
    mark: str
    clock: tuple[int, int, int]
    has_seconds: bool
    body: str


def looks_like_whatsapp(head: str) -> bool:
    """Tell a chat by its first line that is not blank.

    >>> looks_like_whatsapp("04.03.24, 21:06 - Marco: Ciao")
    True
    >>> looks_like_whatsapp("2024-03-04 21:06,Marco,Ciao")
    False
    """
    first = next((line for line in head.split("\n") if line.strip(f"{MARKS} \t\r")), "")
    return _match(first) is not None


def split_entries(text: str, label: str) -> list[Entry]:
    """Cut a chat into entries.

    Raises
    ------
    SourceError
        Where the first line is no WhatsApp line.
    """
    lines = text.split("\n")
    if text.split("\n", 1)[0].endswith("\r"):
        lines = [line.removesuffix("\r") for line in lines]
    if lines and lines[-1] == "":
        lines.pop()
    found: list[tuple[int, re.Match[str], list[str]]] = []
    layout: tuple[object, ...] | None = None
    for number, line in enumerate(lines, start=1):
        match = _match(line)
        if match is not None and layout in (None, _layout(match)):
            layout = _layout(match)
            found.append((number, match, [match["rest"] or ""]))
        elif found:
            found[-1][2].append(line)
        elif line.strip(f"{MARKS} \t\r"):
            raise SourceError(
                f"{label}, line {number}: not a line of a WhatsApp chat ({line[:60]!r}); expected e.g. "
                '"04/03/2024, 21:06 - Name: text". In WhatsApp choose "Export chat" and pass that file'
            )
    return [_entry(number, match, "\n".join(body)) for number, match, body in found]


def _match(line: str) -> re.Match[str] | None:
    """Match the head of an entry; a bracket that opens closes, and clock and calendar must be possible."""
    match = _HEAD.match(line)
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    half = match["before"] or match["after"]
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    return match if hour <= (12 if half else 23) and minute < 60 and second < 60 else None


def _layout(match: re.Match[str]) -> tuple[object, ...]:
    """Return what all heads of one file have in common."""
    is_year_first = len(match["date"].split(match["mark"])[0]) == 4
    return match["open"], match["mark"], is_year_first, match["second"] is None, _has_half(match)


def _has_half(match: re.Match[str]) -> bool:
    """Tell the clock of twelve hours."""
    return bool(match["before"] or match["after"])


def _entry(line: int, match: re.Match[str], body: str) -> Entry:
    """Turn a match into numbers."""
    parts = [part.strip() for part in match["date"].rstrip(".").split(match["mark"])]
    first, middle, last = (int(part) for part in parts)
    hour = int(match["hour"])
    half = match["before"] or match["after"]
    if half:
        hour = hour % 12 + (12 if _is_pm(half, hour) else 0)
    clock = (hour, int(match["minute"]), int(match["second"] or 0))
    return Entry(
        line,
        (first, middle, last),
        (len(parts[0]), len(parts[2])),
        match["mark"],
        clock,
        match["second"] is not None,
        body,
    )


def _is_pm(half: str, hour: int) -> bool:
    r"""Tell the second half of the day.

    >>> _is_pm("p.\u00a0m.", 9), _is_pm("AM", 12), _is_pm("오후", 1)
    (True, False, True)
    """
    plain = re.sub(r"[\s.]", "", half).casefold()
    return plain in _PM and not (plain == "晚上" and hour == 12)
