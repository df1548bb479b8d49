"""Would another reasonable choice have given another answer: the battery of checks, as the report shows it.

Each row changes one decision and asks the primary question again. Leaving out one month, sender or mass-sent text at
a time gives many rows that say one thing, so they are shown as their range. The battery is run where there is an answer
and the data are small enough for somebody to wait for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etiquette_analysis.analysis.robustness import robustness

if TYPE_CHECKING:
    import pandas as pd

    from etiquette_analysis.analysis.comparison import Comparison
    from etiquette_analysis.report.inputs import ReportInputs
    from etiquette_analysis.report.language import Voice

#: More connections than these take minutes; the battery is then left to ``robustness`` itself.
MOST_CONNECTIONS: Final = 5000
#: Bootstrap resamples of the g-formula in the report: enough for an interval, few enough to wait for.
DRAWS: Final = 40


def run_battery(inputs: ReportInputs, comparison: Comparison) -> dict[str, Any] | None:
    """Return the rows of the battery and their summary; null where there is no answer, or too much to wait for."""
    if comparison.level < 2 or len(comparison.problem) > MOST_CONNECTIONS:
        return None
    found = robustness(inputs.dyads, inputs.plan, n_draws=DRAWS, n_permutations=0)
    rows = found.frame.iloc[1:]
    rows = rows[rows["estimate"].notna() & (rows["estimand"] == "P")]
    same = np.sign(rows["estimate"]) == np.sign(comparison.rd)
    left_out = rows["method"].str.startswith("R10 ")
    curve = found.curve
    return {
        "rows": [_row(row) for row in rows[~left_out].to_dict("records")],
        "left_out": _range(rows.loc[left_out, "estimate"]),
        "all": {**_range(rows["estimate"]), "n_same_sign": int(same.sum())},
        "curve": {
            "n_cells": curve.n_cells,
            "n_answered": curve.n_answered,
            "median": curve.median,
            "low": curve.low,
            "high": curve.high,
            "share_same_sign": curve.share_same_sign,
        },
    }


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {"check": row["method"], **{name: row[name] for name in ("estimate", "low", "high")}}


def _range(estimates: pd.Series[float]) -> dict[str, Any]:
    return {"n": len(estimates), "low": estimates.min(), "high": estimates.max()}


def check_words(voice: Voice, check: str) -> str:
    """Return the words for one check of the battery; its own name where there are none."""
    words: dict[str, str] = voice.words("battery.checks")
    bare = check.split(" ", 1)[-1]
    if bare in words:
        return words[bare]
    for start in ("immediate", "deferred"):
        days = re.fullmatch(rf"{start} (\d+)-(\d+)", bare)
        if days and days[1] == days[2]:
            return words[f"{start} day"].format(first=days[1])
        if days:
            return words[start].format(first=days[1], last=days[2])
    within = re.fullmatch(r"replies within ([\d.]+) days", bare)
    if within:
        return words["replies within"].format(days=within[1])
    if bare.startswith("without "):
        trait = bare.removeprefix("without ")
        return words["without"].format(trait=voice.words("battery.traits").get(trait, trait))
    return bare
