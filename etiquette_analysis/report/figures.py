"""The pictures of the report: each draws findings and nothing else.

A figure function takes the findings and a voice, which writes numbers by language, and draws for a wide or a narrow
screen. Labels stand where the eye is; there are no legends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etiquette_analysis.report.language import write_number
from etiquette_analysis.report.style import (
    BETWEEN,
    COLOURS,
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

    from etiquette_analysis.report.findings import Findings
    from etiquette_analysis.report.language import Voice

#: Dark, medium and pale, by timing.
_TONES: Final = {
    "now": (NOW, NOW_MEDIUM, NOW_PALE),
    "later": (LATER, LATER_MEDIUM, LATER_PALE),
    "counted": (MUTED, "#a39f96", "#d0ccc2"),
}


def draw_hundred(voice: Voice, *, narrow: bool) -> Figure:
    """Draw two groups of 100 contacts: dark the least who reply, medium the estimate, pale the most."""
    answer, counted = voice.results["answer"], voice.results["counted"]
    is_answered = answer["level"] == 2
    figure, axes = new_figure(2.4 if narrow else 3.7, narrow=narrow, ncols=2, gridspec_kw={"wspace": 0.08})
    for k, (arm, group) in enumerate((("now", "now"), ("later", "any_later"))):
        if is_answered:
            rate, low, high = answer[f"rate_{arm}"], answer[f"{arm}_low"], answer[f"{arm}_high"]
        else:
            rate, low, high = (counted[group][name] for name in ("rate", "low", "high"))
        tones = _TONES[arm if is_answered else "counted"]
        _dots(axes[k], (rate, low, high), tones=tones, narrow=narrow)
        title = voice.words(f"hundred.{arm}" if is_answered else f"hundred.counted_{arm}")
        axes[k].text(
            -0.5, 11.3 if narrow else 10.55, title, color=tones[0], fontsize=9.5 if narrow else 12, fontweight="bold"
        )
        text = _of_100(voice, "of_100" if is_answered else "counted_of_100", rate, low, high)
        axes[k].text(
            -0.5, 9.78, text.replace(" (", "\n(") if narrow else text, fontsize=8.5 if narrow else 10, color=INK
        )
    figure.subplots_adjust(left=0, right=1, top=0.995, bottom=0.005)
    return figure


def _of_100(voice: Voice, name: str, rate: float, low: float, high: float) -> str:
    written = {"rate": rate, "low": low, "high": high}
    return str(voice.words(f"hundred.{name}")).format(
        **{k: write_number(v, "of100", voice.language) for k, v in written.items()}
    )


def _dots(axes: Axes, rate: tuple[float, float, float], *, tones: tuple[str, str, str], narrow: bool) -> None:
    """Draw 100 dots in rows of ten."""
    middle, low, high = (round(100 * r) for r in rate)
    place = np.arange(100)
    steps = np.digitize(place, [low, max(middle, low), max(high, middle)])
    face = [(*tones, FAINT)[k] for k in steps]
    edge = [tones[1] if k < 3 else RULE for k in steps]
    axes.scatter(place % 10, 9 - place // 10, s=74 if narrow else 300, c=face, edgecolors=edge, linewidths=0.6)
    axes.set(xlim=(-0.55, 10.2), ylim=(-0.6, 12.1 if narrow else 11.3), aspect="equal", anchor="W")
    bare(axes)


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
