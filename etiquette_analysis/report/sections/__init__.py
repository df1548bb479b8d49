"""The sections of the report, in reading order: each turns findings into words, a table or a figure.

A sentence is chosen by what is known: where a number is missing, the sentence that would print it is not said.
All words come from ``words/``, all numbers from ``findings.results``.
"""

from etiquette_analysis.report.sections.described import counting, grid, habits, rapport, received, waiting
from etiquette_analysis.report.sections.grounds import battery, design, doubt
from etiquette_analysis.report.sections.opening import opening
from etiquette_analysis.report.sections.provenance import flow, labels, limits, record
from etiquette_analysis.report.sections.questions import questions

#: All sections, as they follow one another on the page.
IN_ORDER = (
    opening,
    counting,
    questions,
    habits,
    received,
    rapport,
    grid,
    waiting,
    design,
    battery,
    doubt,
    flow,
    labels,
    limits,
    record,
)

__all__ = [
    "IN_ORDER",
    "battery",
    "counting",
    "design",
    "doubt",
    "flow",
    "grid",
    "habits",
    "labels",
    "limits",
    "opening",
    "questions",
    "rapport",
    "received",
    "record",
    "waiting",
]
