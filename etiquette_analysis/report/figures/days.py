"""On which day the first pitch came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import BETWEEN, COLOURS, INK, RULE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from etiquette_analysis.report.language import Voice


def draw_when(voice: Voice, *, narrow: bool) -> Figure:
    """Draw on which day the first pitch came, as bars."""
    rows = voice.results["habits"]["when"]
    figure, axes = new_figure(0.25 + 0.33 * len(rows), narrow=narrow)
    y = np.arange(len(rows))[::-1]
    sizes = [row["n"] or 0 for row in rows]
    reach = max([*sizes, 1])
    for row, at, size in zip(rows, y, sizes, strict=True):
        colour = COLOURS.get(row["arm"], RULE if row["arm"] == "never" else BETWEEN)
        axes.barh([at], [size], color=colour, height=0.66)
        text = voice.words("terms.few") if row["n"] is None else write_number(size, "n", voice.language)
        axes.text(size + 0.012 * reach, at, text, va="center", fontsize=9.5, color=INK)
    axes.set_yticks(y, [when_label(voice, row) for row in rows])
    axes.set(xlim=(0, reach * 1.12), ylim=(-0.5, len(rows) - 0.5), xticks=[])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    figure.subplots_adjust(left=0.36 if narrow else 0.2, right=0.99, top=0.99, bottom=0.01)
    return figure


def when_label(voice: Voice, row: dict[str, Any]) -> str:
    """Return the words for a span of days."""
    if row["arm"] == "never":
        return str(voice.words("when.never"))
    if row["last"] is None:
        return str(voice.words("when.after")).format(first=row["first"] - 1)
    name = "when.day" if row["first"] == row["last"] else "when.days"
    return str(voice.words(name)).format(first=row["first"], last=row["last"])
