"""Rates with their intervals, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from etiquette_analysis.report.language import Voice


def draw_rates(voice: Voice, rows: list[dict[str, Any]], *, narrow: bool) -> Figure:
    """Draw rates with their intervals, one row each: ``label``, ``colour``, ``rate``, ``low``, ``high``."""
    step = 0.56 if narrow else 0.44
    figure, axes = new_figure(0.62 + step * len(rows), narrow=narrow)
    top = min(1.0, max([r["high"] for r in rows if r["high"] is not None] or [0.2]) * 1.08)
    y = np.arange(len(rows))[::-1]
    for row, at in zip(rows, y, strict=True):
        label_at = (0, at + 0.3) if narrow else (-0.015 * top, at)
        axes.text(*label_at, row["label"], ha="left" if narrow else "right", va="center", fontsize=9 if narrow else 9.5)
        if row["rate"] is None:
            axes.text(0.01 * top, at, voice.words("terms.few"), va="center", color=MUTED, fontsize=9)
            continue
        axes.plot([row["low"], row["high"]], [at, at], color=row["colour"], lw=3.4, alpha=0.35, solid_capstyle="round")
        axes.plot([row["rate"]], [at], "o", color=row["colour"], ms=7.5)
        text = write_number(row["rate"], "rate", voice.language)
        axes.annotate(
            text,
            (row["high"], at),
            (7, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
            fontsize=9.5,
            color=row["colour"],
        )
    _rate_axis(axes, voice, top, narrow=narrow)
    axes.set_ylim(-0.6, len(rows) - 0.4 + (0.15 if narrow else 0))
    labels = max(len(r["label"]) for r in rows)
    left = 0.03 if narrow else min(0.46, 0.02 + 0.0102 * labels)
    figure.subplots_adjust(left=left, right=0.9, top=0.99, bottom=0.36 / (0.62 + step * len(rows)))
    return figure


def _rate_axis(axes: Axes, voice: Voice, top: float, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(0, top)
    axes.xaxis.set_major_locator(MaxNLocator(4 if narrow else 6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: write_number(v, "rate", voice.language)))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
