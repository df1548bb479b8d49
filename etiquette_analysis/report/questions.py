"""What in waiting helps: the four secondary questions, as the report shows them.

The headline bundles the waiting, the opener, the choice of people and the tone of the pitch. Each question takes one
of them apart, per connection, and is read against the claim only by its p-value after Holm's correction, since four
questions at once invite a lucky hit. What the data cannot bear stays null, with the kind of reason.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.analysis.secondary import ADVISED, NO_DRAWS, is_small, secondary

if TYPE_CHECKING:
    from etiquette_analysis.report.inputs import ReportInputs

    Row = dict[Any, Any]

#: Question -> the method that answers it, and the sign that its difference has where the claim is right.
QUESTIONS: Final = {"S1": ("ipw", 1), "S2": ("ipw", 1), "S3": ("g-formula", 1), "S4": ("wsr", -1)}
#: What intensity does, at equal timing and together with it: shown beside the counts, not tested.
INTENSITY: Final = {"hard_minus_moderate": "S4 hard minus moderate", "interaction": "S4 interaction"}
LIMITS: Final = ("rate", "low", "high")
#: Up to so many connections -> bootstrap resamples: enough for an interval, few enough to wait for. Beyond, resampling
#: takes hours and is left to ``secondary`` itself.
DRAWS: Final = {5_000: 100, 20_000: 40}


def take_apart(inputs: ReportInputs) -> dict[str, Any]:
    """Return S1 to S4 with intervals and p-values, what intensity does, and the count that must not stand alone."""
    n_draws = next((n for most, n in DRAWS.items() if len(inputs.dyads) <= most), 0)
    found = secondary(inputs.dyads, inputs.plan, n_draws=n_draws)
    rows = {(r["estimand"], r["method"]): r for r in found.frame.to_dict("records")}
    p_values = {r["estimand"]: r for r in found.tests.to_dict("records")}
    alpha = 1 - inputs.plan.conf_level
    answers = {
        question: _answer(rows[question, method], p_values[question], question, sign, alpha)
        for question, (method, sign) in QUESTIONS.items()
    }
    return {
        **answers,
        **{name: _interval(rows[estimand, "wsr"]) for name, estimand in INTENSITY.items()},
        "per_pitch": None
        if answers["S3"]["lacks"]
        else dict(zip(("rate", "low", "high"), found.per_pitch, strict=True)),
        "n_draws": n_draws,
        "n_advised": ADVISED,
        "is_small": is_small(len(found.design.problem)),
    }


def _answer(row: Row, test: Row, question: str, sign: int, alpha: float) -> dict[str, Any]:
    """Return one question's numbers, and whether they speak for the claim, against it, or neither."""
    if math.isnan(row["estimate"]):
        empty = dict.fromkeys(("estimate", "low", "high", "p_value", "p_holm", "says"))
        return {**empty, "lacks": _lacks(str(row["reason"]), question)}
    is_clear = test["p_holm"] < alpha
    return {
        **_interval(row),
        "p_value": test["p_value"],
        "p_holm": test["p_holm"],
        "says": "open" if not is_clear else "claimed" if row["estimate"] * sign > 0 else "against",
        "lacks": None,
    }


def _interval(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("estimate", "low", "high")}


def _lacks(reason: str, question: str) -> str:
    """Return what kind of thing is missing: time, the data as a whole, the intensities, or pitches of some kind."""
    if reason == NO_DRAWS:
        return "time"
    if reason.startswith("the intensity"):
        return "intensity"
    return f"pitches_{question}" if "needed" in reason or reason.startswith("fewer") else "data"
