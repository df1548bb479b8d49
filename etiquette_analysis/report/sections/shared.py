"""What several sections need: a figure with its words, and whether something is known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.report import figures
from etiquette_analysis.report.html import figure, paragraph
from etiquette_analysis.report.language import Voice, look_up, write_number

if TYPE_CHECKING:
    from collections.abc import Callable

_TOO_FEW: Final = ("too_few_pitches", "too_few_replies")
#: Reasons that mean something even of a few pitches.
_EVEN_OF_FEW: Final = ("always_at_once", "few_senders", "unlabelled")


def knows(voice: Voice, *paths: str) -> bool:
    """Return whether the results hold a value at every path."""
    return all(look_up(voice.results, path) is not None for path in paths)


def drawn(voice: Voice, name: str, draw: Callable[..., Any], *, alt: str, caption: str) -> str:
    """Return a figure with its caption in the voice's language."""
    return figure(name, draw, alt=alt, caption=voice.say(caption))


def drawn_rates(voice: Voice, name: str, rows: list[dict[str, Any]]) -> str:
    """Return a figure of rates, described row by row."""
    alt = voice.words(f"{name}.alt") + "; ".join(_rate_in_words(voice, row) for row in rows) + "."
    return drawn(voice, name, partial(figures.draw_rates, voice, rows), alt=alt, caption=f"{name}.caption")


def _rate_in_words(voice: Voice, row: dict[str, Any]) -> str:
    if row["rate"] is None:
        return f"{row['label']}: {voice.words('terms.few')}"
    rate, low, high = (write_number(row[k], "rate", voice.language) for k in ("rate", "low", "high"))
    return f"{row['label']}: {rate} ({voice.words('terms.interval').format(low=low, high=high)})"


def hidden_note(voice: Voice, shown: list[Any]) -> str:
    """Return why some numbers are not shown, where one is not."""
    return paragraph(voice.say("terms.hidden"), kind="definition") if None in shown else ""


def telling(reasons: tuple[str, ...]) -> list[str]:
    """Return the reasons against an answer that are worth saying, the gravest first.

    Where too little was sent at all, that is the reason, once; doubts about the balance of so few say nothing more.

    >>> telling(("too_few_pitches", "too_few_replies", "small_ess", "unlabelled"))
    ['too_few_pitches', 'unlabelled']
    >>> telling(("small_arm", "small_ess"))
    ['small_arm', 'small_ess']
    """
    too_few = [r for r in reasons if r in _TOO_FEW]
    return [r for r in reasons if not too_few or r in (too_few[0], *_EVEN_OF_FEW)]


def policy_words(voice: Voice) -> str | None:
    """Return what choosing by answer would bring (S3), in words; None where it was not computed."""
    if not knows(voice, "secondary.S3.estimate"):
        return None
    return voice.plain(voice.words("design.policy"))
