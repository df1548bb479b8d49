"""A hundred contacts per timing: dark the least who reply, medium the estimate, pale the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import (
    FAINT,
    INK,
    LATER,
    LATER_MEDIUM,
    LATER_PALE,
    MUTED,
    NOW,
    NOW_MEDIUM,
    NOW_PALE,
    RULE,
    bare,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from etiquette_analysis.report.language import Voice

#: Dark, medium and pale, by timing.
_TONES: Final = {
    "now": (NOW, NOW_MEDIUM, NOW_PALE),
    "later": (LATER, LATER_MEDIUM, LATER_PALE),
    "counted": (MUTED, "#a39f96", "#d0ccc2"),
}
#: Timing, and the group that is counted for it where there is no answer.
_ARMS: Final = (("now", "now"), ("later", "any_later"))


def draw_hundred(voice: Voice, *, narrow: bool) -> Figure:
    """Draw two groups of 100 contacts, side by side or one below the other."""
    shape = {"nrows": 2} if narrow else {"ncols": 2}
    figure, axes = new_figure(2.1 if narrow else 1.42, narrow=narrow, **shape)
    figure.subplots_adjust(left=0.004, right=0.996, top=0.995, bottom=0.01, wspace=0.06, hspace=0.08)
    draw_on_axes(voice, list(axes), n_columns=25 if narrow else 20)
    return figure


def draw_on_axes(voice: Voice, axes: list[Axes], *, n_columns: int) -> None:
    """Draw pitching at once on the first axes and pitching later on the second, in rows of ``n_columns`` dots."""
    answer, counted = voice.results["answer"], voice.results["counted"]
    is_answered = answer["level"] == 2
    for place, (arm, group) in zip(axes, _ARMS, strict=True):
        if is_answered:
            rate, low, high = answer[f"rate_{arm}"], answer[f"{arm}_low"], answer[f"{arm}_high"]
        else:
            rate, low, high = (counted[group][name] for name in ("rate", "low", "high"))
        tones = _TONES[arm if is_answered else "counted"]
        _dots(place, (rate, low, high), tones=tones, n_columns=n_columns)
        title = voice.words(f"hundred.{arm}" if is_answered else f"hundred.counted_{arm}")
        text = _of_100(voice, "of_100" if is_answered else "counted_of_100", rate, low, high)
        _write_above(place, title, points=17, color=tones[0], fontsize=10.5, fontweight="bold")
        _write_above(place, text, points=5, color=INK, fontsize=9)


def _write_above(axes: Axes, text: str, *, points: float, **style: Any) -> None:
    axes.annotate(text, (-0.5, -0.5), (0, points), textcoords="offset points", annotation_clip=False, **style)


def _of_100(voice: Voice, name: str, rate: float, low: float, high: float) -> str:
    written = {"rate": rate, "low": low, "high": high}
    return str(voice.words(f"hundred.{name}")).format(
        **{k: write_number(v, "of100", voice.language) for k, v in written.items()}
    )


def _dots(axes: Axes, rate: tuple[float, float, float], *, tones: tuple[str, str, str], n_columns: int) -> None:
    """Draw 100 dots in rows, as large as their places allow."""
    middle, low, high = (round(100 * r) for r in rate)
    place = np.arange(100)
    steps = np.digitize(place, [low, max(middle, low), max(high, middle)])
    face = [(*tones, FAINT)[k] for k in steps]
    edge = [tones[1] if k < 3 else RULE for k in steps]
    inches = axes.get_window_extent().width / axes.figure.dpi / n_columns
    axes.scatter(
        place % n_columns, place // n_columns, s=(0.8 * 72 * inches) ** 2, c=face, edgecolors=edge, linewidths=0.6
    )
    axes.set(xlim=(-0.5, n_columns - 0.5), ylim=(100 // n_columns - 0.5, -0.5), aspect="equal", anchor="SW")
    bare(axes)
