"""Differences between two ways: the answer with its interval, and many answers below one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import FAINT, INK, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from etiquette_analysis.report.language import Voice


def draw_difference(voice: Voice, *, narrow: bool) -> Figure:
    """Draw the difference and its interval on a line, with the band within which it would not matter."""
    answer, plan = voice.results["answer"], voice.results["plan"]
    figure, axes = new_figure(1.42 if narrow else 1.3, narrow=narrow)
    rd, low, high = (100 * answer[k] for k in ("rd", "low", "high"))
    reach = max(abs(low), abs(high), 100 * plan["sesoi"]) * 1.25
    axes.axvspan(-100 * plan["sesoi"], 100 * plan["sesoi"], color=FAINT, lw=0)
    axes.axvline(0, color=MUTED, lw=1)
    axes.plot([low, high], [0, 0], color=INK, lw=3, solid_capstyle="butt")
    axes.plot([rd], [0], "o", color=INK, ms=9)
    label = f"{write_number(answer['rd'], 'points', voice.language)}"
    axes.annotate(label, (rd, 0), (0, 10), textcoords="offset points", ha="center", fontweight="bold", fontsize=11)
    axes.set(xlim=(-reach, reach), ylim=(-1, 1.5), yticks=[])
    axes.spines["left"].set_visible(False)
    _point_ticks(axes, voice, narrow=narrow)
    _direction_labels(axes, voice, size=8.5 if narrow else 9.5)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.97, bottom=0.36)
    return figure


def _point_ticks(axes: Axes, voice: Voice, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(4 if narrow else 8, integer=True))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: write_number(v / 100, "points", voice.language).replace(",0", "").replace(".0", ""))
    )


def draw_differences(voice: Voice, rows: list[dict[str, Any]], *, narrow: bool) -> Figure:
    """Draw many estimates of one difference; a row without an estimate is a range, one without limits a bare dot."""
    step = 0.44 if narrow else 0.25
    height = 0.75 + step * len(rows)
    figure, axes = new_figure(height, narrow=narrow)
    plan = voice.results["plan"]
    known = [abs(row[k]) for row in rows for k in ("estimate", "low", "high") if row[k] is not None]
    reach = 100 * max([*known, plan["sesoi"]]) * 1.06
    axes.axvspan(-100 * plan["sesoi"], 100 * plan["sesoi"], color=FAINT, lw=0)
    axes.axvline(0, color=MUTED, lw=1)
    for at, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        if row["low"] is not None and row["high"] is not None:
            axes.plot([100 * row["low"], 100 * row["high"]], [at, at], color=row["colour"], lw=3, alpha=0.4)
        if row["estimate"] is not None:
            axes.plot([100 * row["estimate"]], [at], "o", color=row["colour"], ms=5.5)
        is_first = at == len(rows) - 1
        place = {"x": -reach, "y": at + 0.36, "ha": "left"} if narrow else {"x": -1.03 * reach, "y": at, "ha": "right"}
        weight = "bold" if is_first else "normal"
        axes.text(s=row["label"], va="center", fontsize=8.5 if narrow else 9, fontweight=weight, **place)
    axes.set(xlim=(-reach, reach), ylim=(-0.6, len(rows) - (0.3 if narrow else 0.5)), yticks=[])
    axes.spines["left"].set_visible(False)
    _point_ticks(axes, voice, narrow=narrow)
    _direction_labels(axes, voice, size=8.5 if narrow else 9)
    labels = max(len(row["label"]) for row in rows)
    left = 0.02 if narrow else min(0.5, 0.02 + 0.0094 * labels)
    figure.subplots_adjust(left=left, right=0.98, top=0.995, bottom=0.55 / height)
    return figure


def _direction_labels(axes: Axes, voice: Voice, *, size: float) -> None:
    """Say under the axis which side is which."""
    for x, name in ((0, "difference.fewer"), (1, "difference.more")):
        axes.annotate(
            voice.words(name),
            (x, 0),
            (0, -26),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right" if x else "left",
            fontsize=size,
            color=MUTED,
        )
