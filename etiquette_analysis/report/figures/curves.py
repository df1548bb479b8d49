"""How replies come in, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import COLOURS, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from etiquette_analysis.report.findings import Findings
    from etiquette_analysis.report.language import Voice


def draw_curves(voice: Voice, findings: Findings, *, narrow: bool) -> Figure:
    """Draw how many have replied by each hour after the pitch, with the interval as a band."""
    curves = findings.description.tables["time_to_reply"]
    window = findings.inputs.plan.window_days
    figure, axes = new_figure(2.5 if narrow else 3.0, narrow=narrow)
    top, ends = 0.0, []
    for group in ("now", "any_later"):
        if findings.results["waiting"][group] is None:
            continue
        table = curves[(curves["group"] == group) & (curves["hours"] <= 24 * window)]
        days = np.r_[0, table["hours"] / 24, window]
        share = np.r_[0, 1 - table["survival_probability"]]
        low, high = np.r_[0, 1 - table["high"]], np.r_[0, 1 - table["low"]]
        share, low, high = (np.r_[v, v[-1]] for v in (share, low, high))
        axes.fill_between(days, low, high, step="post", color=COLOURS[group], alpha=0.14, lw=0)
        axes.step(days, share, where="post", color=COLOURS[group], lw=2)
        ends.append((share[-1], group))
        top = max(top, float(high.max()))
    gap = 0.075 * top * (1.3 if narrow else 1)
    places = _spread([share for share, _ in ends], gap)
    for (share, group), place in zip(ends, places, strict=True):
        text = f"{voice.words(f'curves.{group}')}  {write_number(share, 'rate', voice.language)}"
        axes.text(
            window * 1.015,
            place,
            text.replace("  ", "\n") if narrow else text,
            color=COLOURS[group],
            va="center",
            fontsize=8.5 if narrow else 9.5,
            fontweight="bold",
            linespacing=1.15,
        )
    _curve_axes(axes, voice, window, top, narrow=narrow)
    figure.subplots_adjust(left=0.12 if narrow else 0.07, right=0.77 if narrow else 0.8, top=0.97, bottom=0.2)
    return figure


def _spread(values: list[float], gap: float) -> list[float]:
    """Return places for labels near their values, no two closer than ``gap``."""
    if len(values) < 2 or abs(values[0] - values[1]) >= gap:
        return values
    middle = sum(values) / 2
    up = middle + gap / 2, middle - gap / 2
    return list(up if values[0] >= values[1] else up[::-1])


def _curve_axes(axes: Axes, voice: Voice, window: float, top: float, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set(xlim=(0, window), ylim=(0, max(top * 1.06, 0.05)))
    step = 7 if narrow else 2
    ticks = np.arange(0, window + 0.01, step if window > step else 1)
    axes.set_xticks(ticks, [write_number(t, "n", voice.language) for t in ticks])
    axes.set_xlabel(voice.words("curves.axis"), fontsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: write_number(v, "rate", voice.language)))
    axes.tick_params(axis="y", labelsize=9, labelcolor=MUTED)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
