"""What several sections need: a figure with its words, and whether something is known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from etiquette_analysis.report import figures
from etiquette_analysis.report.html import figure
from etiquette_analysis.report.language import Voice, look_up, write_number

if TYPE_CHECKING:
    from collections.abc import Callable


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


def policy_words(voice: Voice) -> str | None:
    """Return what choosing by answer would bring (S3), in words; None where it was not computed."""
    if not knows(voice, "policy.estimate", "policy.low", "policy.high"):
        return None
    return voice.plain(voice.words("design.policy"))
