"""The pictures of the report: each draws findings and nothing else.

A figure function takes the findings and a voice, which writes numbers by language, and draws for a wide or a narrow
screen. Labels stand where the eye is; there are no legends.
"""

from etiquette_analysis.report.figures.curves import draw_curves
from etiquette_analysis.report.figures.days import draw_when, when_label
from etiquette_analysis.report.figures.differences import draw_difference, draw_differences
from etiquette_analysis.report.figures.flow import draw_flow
from etiquette_analysis.report.figures.hundred import draw_hundred, draw_on_axes
from etiquette_analysis.report.figures.rates import draw_rates

__all__ = [
    "draw_curves",
    "draw_difference",
    "draw_differences",
    "draw_flow",
    "draw_hundred",
    "draw_on_axes",
    "draw_rates",
    "draw_when",
    "when_label",
]
