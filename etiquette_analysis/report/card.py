"""The first screen as one picture, for a page that shows what a report looks like.

Drawn from ``results.json`` alone, on its own paper, so that it reads on a light and on a dark page:
``python -m etiquette_analysis.report.card reports/results.json docs/answer.svg``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.errors import DesignError
from etiquette_analysis.report.figures import draw_on_axes
from etiquette_analysis.report.language import Voice
from etiquette_analysis.report.style import INK, MUTED, PAPER, RULE, VERDICTS, house_style, new_figure, to_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from etiquette_analysis.analysis.plan import Language

HEIGHT: Final = 3.0
_LEFT: Final = 0.035


def draw_card(results: Mapping[str, Any], *, language: Language = "en") -> str:
    """Return the question, the verdict, the picture and the answer of a report as SVG.

    Parameters
    ----------
    results : mapping
        As in ``results.json``; with an answer.
    language : {"en", "it"}
        Language.

    Raises
    ------
    DesignError
        Where the results hold no answer to draw.
    """
    if results["answer"]["level"] < 2:
        msg = "these results hold no answer, so there is no picture of it; take a report whose verdict is one"
        raise DesignError(msg)
    voice = Voice(results, language)
    with house_style():
        figure, axes = new_figure(HEIGHT, narrow=False, ncols=2)
        figure.subplots_adjust(left=_LEFT, right=1 - _LEFT, bottom=0.285, top=0.56, wspace=0.07)
        _lay_paper(figure)
        draw_on_axes(voice, list(axes), n_columns=20)
        _write(figure, voice)
    alt = f"{voice.plain(voice.words('opening.question'))} {voice.plain(voice.words('hundred.alt'))}"
    return to_svg(figure, name=f"card-{language}", alt=alt) + "\n"


def _lay_paper(figure: Figure) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.015"
    paper = FancyBboxPatch((0.003, 0.006), 0.994, 0.988, boxstyle=style, facecolor=PAPER, edgecolor=RULE, lw=0.8)
    paper.set(transform=figure.transFigure, zorder=-1)
    figure.add_artist(paper)


def _write(figure: Figure, voice: Voice) -> None:
    """Write what stands above and below the dots."""
    verdict = voice.results["answer"]["verdict"]
    kicker = voice.plain(voice.words("opening.kicker"))
    if voice.results["data"]["is_invented"]:
        kicker += f" · {voice.words('opening.invented')}"
    lines: tuple[tuple[float, str, str, dict[str, Any]], ...] = (
        (0.943, kicker, MUTED, {"fontsize": 8}),
        (0.866, voice.plain(voice.words("opening.question")), INK, {"fontsize": 14.5, "fontweight": "bold"}),
        (0.205, voice.plain(voice.words("card.answer")), INK, {"fontsize": 9.5}),
        (0.135, voice.plain(voice.words("card.counting")), INK, {"fontsize": 9.5}),
        (0.06, voice.plain(voice.words("card.dots")), MUTED, {"fontsize": 7.6}),
    )
    for y, text, colour, style in lines:
        line = figure.text(_LEFT, y, text, va="center", color=colour, **style)
        too_wide = line.get_window_extent().width / (figure.bbox.width * (1 - 2 * _LEFT))
        line.set_fontsize(style["fontsize"] / max(too_wide, 1))
    label = f"{voice.words('opening.verdict_label')}: {voice.words(f'verdicts.{verdict}')}"
    box = {"boxstyle": "round,pad=0.35", "facecolor": "none", "edgecolor": INK, "linewidth": 1}
    tone = VERDICTS.get(verdict, INK)
    figure.text(_LEFT + 0.008, 0.768, label, va="center", color=tone, fontsize=9.5, fontweight="bold", bbox=box)


def main(arguments: list[str]) -> None:
    """Write the picture of ``results.json`` to a file, in the language given third."""
    source, target, *language = arguments
    results = json.loads(Path(source).read_text(encoding="utf-8"))
    chosen: Language = "it" if language == ["it"] else "en"
    Path(target).write_text(draw_card(results, language=chosen), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
