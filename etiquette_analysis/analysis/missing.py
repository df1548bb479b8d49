"""What if those who are missing had been otherwise: worst and best cases, and windows that had not closed.

People who disconnected are no longer in an export's list, dyads without text cannot be labelled, and a pitch of last
week
may still be answered. Each is left out, bounded or watched for as long as possible, so that a reader sees how much of
the answer they could carry (STATISTICS, sections 2 and 7, R9 and R12).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.resampling import subset
from etiquette_analysis.analysis.variants import Row, empty_row, primary_row
from etiquette_analysis.analysis.wsr import arm_weights, effective_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]


def missing_rows(dyads: pd.DataFrame, design: Design) -> Iterator[Row]:
    """Yield R9: orphans left out, and at their worst and best; textless dyads as pitches and as none."""
    problem, plan = design.problem, design.plan
    names = ("left out", "worst case for pitching at once", "best case for pitching at once")
    is_orphan = (
        (dyads["time_zero_source"].iloc[problem.rows] == "first_evidence").fillna(False).to_numpy(dtype=bool)
        if "time_zero_source" in dyads.columns
        else np.zeros(len(problem), dtype=bool)
    )
    now, later = (problem.in_window(w) for w in (plan.immediate, plan.deferred))
    if not is_orphan.any():
        for name in names:
            yield empty_row(problem, estimand="P", method=f"R9 orphans {name}", reason="there are no orphans")
    else:
        yield primary_row(subset(problem, ~is_orphan), method=f"R9 orphans {names[0]}")
        for name, at_once, waited in ((names[1], 0.0, 1.0), (names[2], 1.0, 0.0)):
            outcome = np.where(is_orphan & now, at_once, np.where(is_orphan & later, waited, problem.outcome))
            varied = replace(problem, outcome=outcome)
            yield primary_row(varied, method=f"R9 orphans {name}", hazards=design.hazards)
    yield from _textless_rows(dyads, plan, problem)


def _textless_rows(dyads: pd.DataFrame, plan: Plan, problem: Problem) -> Iterator[Row]:
    textless = (
        (dyads["exclusion"] == "text_missing").fillna(False).to_numpy(dtype=bool)
        if {"exclusion", "first_own_day"} <= set(dyads.columns)
        else np.zeros(len(dyads), dtype=bool)
    )
    for kind in ("as no pitches", "as pitches"):
        method = f"R9 textless {kind}"
        if not textless.any():
            yield empty_row(problem, estimand="P", method=method, reason="there are no dyads without text")
            continue
        yield primary_row(build_problem(_label_textless(dyads, textless, kind == "as pitches"), plan), method=method)


def _label_textless(dyads: pd.DataFrame, textless: NDArray[np.bool_], as_pitch: bool) -> pd.DataFrame:
    """Return the dyads with the textless ones judged: never pitched, or pitched with their first own message."""
    table = dyads.copy()
    table["exclusion"] = table["exclusion"].where(~textless)
    columns = {
        c: table[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in ("pitch_day", "opener_day", "answered_day")
    }
    hours = table["hours_to_reply"].to_numpy(dtype=np.float64).copy()
    first = table["first_own_day"].to_numpy(dtype=np.float64, na_value=np.nan)
    if as_pitch:
        answered = columns["answered_day"]
        columns["pitch_day"] = np.where(textless, first, columns["pitch_day"])
        columns["opener_day"] = np.where(textless, np.nan, columns["opener_day"])
        # An answer on the day of the message or later is its reply; one before it is rapport.
        replied = textless & (answered >= first)
        hours = np.where(replied, (answered - first) * 24, np.where(textless, np.nan, hours))
        columns["answered_day"] = np.where(replied, np.nan, answered)
    else:
        columns["pitch_day"] = np.where(textless, np.nan, columns["pitch_day"])
        hours = np.where(textless, np.nan, hours)
    for name, values in columns.items():
        table[name] = pd.array(values, dtype="Float64").astype("Int64")
    return table.assign(hours_to_reply=hours)


def unfinished_row(dyads: pd.DataFrame, plan: Plan) -> Row:
    """Return R12: windows still open at the end are watched as long as they were open (weighted Kaplan-Meier).

    Connections are followed for the longest wait only; within it every pitch day is known, replies may be cut short.
    No interval: the point is whether leaving those connections out moved the estimate.
    """
    method = "R12 unfinished windows by Kaplan-Meier"
    open_plan = replace(plan, window_days=1)
    problem = build_problem(dyads, open_plan)
    table = dyads.iloc[problem.rows]
    day = problem.pitch_day
    pitched = day < NEVER
    hours = table["hours_to_reply"].to_numpy(dtype=np.float64)
    replied = ~np.isnan(hours)
    # Only the day of the pitch is known, so a silence was watched from the end of that day at the latest.
    watched = np.maximum((table["followup_days"].to_numpy(dtype=np.float64) - np.where(pitched, day, 0) - 1) * 24, 0.0)
    wait = np.where(replied, hours, watched)
    hazards = fit_hazards(problem)
    values, n, ess = [], [], []
    for window in (plan.immediate, plan.deferred):
        weights = arm_weights(problem, hazards, window)
        chosen = weights > 0
        values.append(weighted_incidence(wait[chosen], replied[chosen], weights[chosen], plan.window_days * 24))
        n.append(int(chosen.sum()))
        ess.append(effective_size(weights))
    row = empty_row(problem, estimand="P", method=method, level=2)
    counts = {"n_now": n[0], "n_later": n[1], "ess_now": ess[0], "ess_later": ess[1]}
    return row | counts | {"estimate": values[0] - values[1], "plan": plan.hash[:12]}


def weighted_incidence(wait: Floats, replied: NDArray[np.bool_], weights: Floats, until: float) -> float:
    """Return the weighted Kaplan-Meier share that replied within ``until`` hours; NaN without waits.

    Examples
    --------
    >>> round(weighted_incidence(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]), np.ones(3), 2.5), 4)
    0.3333
    """
    if not len(wait):
        return float("nan")
    times, place = np.unique(wait, return_inverse=True)
    total = np.bincount(place, weights)
    at_risk = total[::-1].cumsum()[::-1]
    events = np.bincount(place, weights * replied)
    kept = times <= until
    return float(1 - np.prod(1 - events[kept] / at_risk[kept]))
