"""The way from all contacts to those compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import COLOURS, INK, MUTED, bare, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from etiquette_analysis.report.language import Voice


def draw_flow(voice: Voice, *, narrow: bool) -> Figure:
    """Draw the way from all contacts to those compared, with what was left out at the side (STROBE)."""
    flow = voice.results["flow"]
    reasons = [(voice.words(f"exclusions.{r['reason']}"), r["n"]) for r in flow["excluded"]]
    height = 3.45 + (0.27 if narrow else 0.2) * len(reasons)
    figure, axes = new_figure(height, narrow=narrow)
    axes.set(xlim=(0, 10), ylim=(0, height))
    bare(axes)
    size = 8.5 if narrow else 9.5
    side = 0.3 + (0.27 if narrow else 0.2) * (len(reasons) + 1)
    y_top, y_out = height - 0.35, height - 0.75 - side / 2
    y_kept = y_out - side / 2 - 0.5
    spine = 2.0 if narrow else 2.6
    _box(axes, voice, (spine, y_top), voice.words("flow.all"), flow["n_dyads"], size)
    _box(axes, voice, (spine, y_kept), voice.words("flow.eligible"), flow["n_eligible"], size)
    axes.annotate("", (spine, y_kept + 0.27), (spine, y_top - 0.27), arrowprops=_ARROW)
    x = spine + (1.0 if narrow else 1.2)
    axes.annotate("", (x, y_out), (spine, y_out), arrowprops=_ARROW)
    lines = [(voice.words("flow.left_out"), flow["n_excluded"]), *reasons]
    for k, (words, n) in enumerate(lines):
        y = y_out + side / 2 - 0.2 - (0.27 if narrow else 0.2) * k
        written = voice.words("terms.few") if n is None else write_number(n, "n", voice.language)
        axes.text(
            x + 0.25,
            y,
            f"{written}  {words}",
            fontsize=size,
            va="center",
            color=INK if k == 0 else MUTED,
            fontweight="bold" if k == 0 else "normal",
        )
    _flow_arms(axes, voice, (spine, y_kept), size=size, narrow=narrow)
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0)
    return figure


def _flow_arms(axes: Axes, voice: Voice, top: tuple[float, float], *, size: float, narrow: bool) -> None:
    """Draw the four ways in which a contact may have been pitched."""
    arms = voice.results["flow"]["arms"]
    y, fork = top[1] - 1.15, top[1] - 0.55
    places = (1.15, 3.7, 6.25, 8.8)
    axes.plot([top[0], top[0]], [top[1] - 0.27, fork], color=MUTED, lw=0.9)
    axes.plot([places[0], places[-1]], [fork, fork], color=MUTED, lw=0.9)
    for x, arm in zip(places, ("now", "between", "later", "none"), strict=True):
        axes.annotate("", (x, y + 0.3), (x, fork), arrowprops=_ARROW)
        words = voice.words(f"flow.{arm}")
        _box(axes, voice, (x, y - 0.1), words, arms[arm], size - (0.8 if narrow else 0), COLOURS.get(arm, INK))


_ARROW: Final = {
    "arrowstyle": "-|>,head_width=0.18,head_length=0.32",
    "color": MUTED,
    "lw": 0.9,
    "shrinkA": 0,
    "shrinkB": 0,
}


def _box(
    axes: Axes, voice: Voice, at: tuple[float, float], words: str, n: int | None, size: float, colour: str = INK
) -> None:
    """Write a number over its words."""
    written = voice.words("terms.few") if n is None else write_number(n, "n", voice.language)
    axes.text(
        at[0], at[1] + 0.02, written, ha="center", va="bottom", fontsize=size + 2, fontweight="bold", color=colour
    )
    axes.text(at[0], at[1] - 0.02, words, ha="center", va="top", fontsize=size - 0.5, color=MUTED, linespacing=1.2)
