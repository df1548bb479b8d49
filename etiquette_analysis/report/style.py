"""The house style of the figures, and how a figure becomes a piece of HTML that is the same every time.

Two colours that colour-blind readers tell apart carry the two timings everywhere: rust for at once, blue for later.
Text is drawn as outlines of the font that comes with matplotlib, so a figure looks the same on every machine. Every
figure is drawn twice, for wide and for narrow screens, and the page shows the one that fits.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOW: Final = "#b5480e"
LATER: Final = "#1b5a96"
BETWEEN: Final = "#7d7a74"
INK: Final = "#23211f"
MUTED: Final = "#63605a"
RULE: Final = "#d8d4cb"
FAINT: Final = "#ece8df"
NOW_MEDIUM: Final = "#dd8c5c"
NOW_PALE: Final = "#f3d4be"
LATER_MEDIUM: Final = "#6f9fcd"
LATER_PALE: Final = "#c6daee"
PAPER: Final = "#fbfaf6"
COLOURS: Final = {"now": NOW, "later": LATER, "any_later": LATER, "between": BETWEEN}
VERDICTS: Final = {"supports": NOW, "contradicts": LATER}

#: Width in inches for wide (about 700 px) and narrow (about 350 px) screens; an inch is 72 units of the drawing.
WIDE: Final = 7.2
NARROW: Final = 3.75

_RC: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "butt",
    "svg.fonttype": "path",
    "svg.hashsalt": "etiquette-analysis",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify": True,
}


class Drawing(Protocol):
    """A function that draws a figure for a wide or a narrow screen."""

    def __call__(self, *, narrow: bool) -> Figure:
        """Draw."""
        ...


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, and leave matplotlib's own settings as they were."""
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        yield
        is_interactive = mpl.is_interactive()
    # A notebook's backend wakes up at the first figure and turns this on; undone, no later figure would be shown.
    mpl.interactive(is_interactive)


def new_figure(height: float, *, narrow: bool, **subplots: Any) -> tuple[Figure, Any]:
    """Return a figure of the house's width and its axes; no window system is touched."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(NARROW if narrow else WIDE, height))
    FigureCanvasSVG(figure)
    return figure, figure.subplots(**subplots)


def to_svg(figure: Figure, *, name: str, alt: str) -> str:
    """Return a figure as inline SVG: no date, no ids that clash with another figure's, and a description.

    Parameters
    ----------
    figure : Figure
        Drawn in the house style.
    name : str
        Unique on the page; led before every id.
    alt : str
        What the figure shows, with its numbers, for those who cannot see it.
    """
    out = io.StringIO()
    with house_style():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    head = (
        f'<svg role="img" aria-label="{escape(alt, quote=True)}" viewBox="0 0 {width} {height}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'style="stroke-linejoin:round;stroke-linecap:butt">'
    )
    body = svg[svg.index(">") + 1 :]
    return head + re.sub(r">\s+<", "><", body).strip()


def bare(axes: Axes) -> None:
    """Take every line and tick off the axes."""
    axes.set_axis_off()
