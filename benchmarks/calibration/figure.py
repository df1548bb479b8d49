"""The one figure: bias and coverage by regime, for the weighted estimate and for plain counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LEFT, TOP, STEP, WIDTH, GAP = 40, 54, 20, 270, 50
METHODS = {"wsr": ("#1b5e8c", "our estimate"), "count": ("#c4572e", "counting")}
INK = "#333333"


def draw_figure(summary: pd.DataFrame) -> str:
    """Return an SVG: regimes downwards, bias (points) on the left, coverage (percent) on the right."""
    s = summary[(summary["n"] == 1500) & (summary["estimand"] == "rd") & summary["method"].isin(list(METHODS))]
    s = s[s["senders"] == 1].drop_duplicates(["regime", "method"])
    regimes = sorted(s["regime"].unique())
    height = TOP + STEP * len(regimes) + 34
    total = LEFT + 2 * WIDTH + GAP + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" font-family="sans-serif" '
        f'font-size="11" fill="{INK}" role="img" aria-label="Bias and coverage by regime">',
        f'<rect width="{total}" height="{height}" fill="white"/>',
    ]
    for k, (colour, name) in enumerate(METHODS.values()):
        parts.append(f'<circle cx="{LEFT + 6 + 110 * k}" cy="14" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 15 + 110 * k}" y="18">{name}</text>')
    panels = (
        ("bias", "Bias, percentage points (n = 1,500)", -16.0, 2.0, 2, 0.0),
        ("coverage", "Intervals that hold the truth, %", 0.0, 100.0, 20, 95.0),
    )
    for p, (column, title, low, high, tick, ideal) in enumerate(panels):
        x0 = LEFT + p * (WIDTH + GAP)
        parts.append(f'<text x="{x0}" y="{TOP - 16}" font-weight="bold">{title}</text>')
        parts += _axis(x0, low, high, tick, ideal, TOP + STEP * len(regimes))
        for row, regime in enumerate(regimes):
            y = TOP + STEP * row + STEP / 2
            parts.append(f'<text x="{x0 - 18}" y="{y + 4:g}">{regime}</text>')
            for method, (colour, _) in METHODS.items():
                always = "_always" if regime == "J" else ""
                found = s.loc[(s["regime"] == regime) & (s["method"] == method), column + always]
                if len(found) and found.notna().all():
                    x = x0 + WIDTH * (min(max(float(found.iloc[0]), low), high) - low) / (high - low)
                    hollow = f'fill="white" stroke="{colour}" stroke-width="1.5"'
                    fill = hollow if regime == "J" and method == "wsr" else f'fill="{colour}"'
                    parts.append(f'<circle cx="{x:.1f}" cy="{y:g}" r="4" {fill}/>')
    parts.append(f'<text x="{LEFT}" y="{height - 4}">J, hollow: what the gate refused to show.</text></svg>')
    return "\n".join(parts) + "\n"


def _axis(x0: float, low: float, high: float, tick: int, ideal: float, bottom: float) -> list[str]:
    def place(value: float) -> float:
        return x0 + WIDTH * (value - low) / (high - low)

    x = place(ideal)
    parts = [f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{INK}" stroke-dasharray="3 3"/>']
    for value in range(int(low), int(high) + 1, tick):
        x = place(value)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}" stroke="{INK}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle" font-size="9">{value}</text>')
    return parts
