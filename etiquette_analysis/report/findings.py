"""Every number of the report, computed once: what is printed, drawn and written to ``results.json`` is read from here.

Numbers are rounded to ten significant digits, so that the last bits of a sum, which differ from one processor to the
next, do not change the file. Whatever cannot be said (too few, not known) is null.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis import design as gate
from etiquette_analysis.analysis.comparison import Comparison, compare
from etiquette_analysis.analysis.describe import Description, describe
from etiquette_analysis.analysis.placebo import placebo
from etiquette_analysis.analysis.power import power
from etiquette_analysis.analysis.sensitivity import sensitivity
from etiquette_analysis.report.battery import run_battery
from etiquette_analysis.report.counted import (
    READ_OFF_DAYS,
    count_groups,
    cross_timing_and_intensity,
    follow_losses,
    read_off_curves,
)
from etiquette_analysis.report.habits import by_rapport, first_pitches, own_habits
from etiquette_analysis.report.questions import take_apart
from etiquette_analysis.report.tallies import SMALLEST_CELL, hide

if TYPE_CHECKING:
    from etiquette_analysis.report.inputs import ReportInputs
    from etiquette_analysis.report.tallies import Suppress

SCHEMA: Final = "etiquette-report/1"
#: Sources whose people and messages nobody ever was or wrote; the report says so at the top.
INVENTED: Final = ("sample", "simulation")


@dataclass(frozen=True, repr=False)
class Findings:
    """The analyses behind the report, and their numbers as one tree.

    Attributes
    ----------
    inputs : ReportInputs
        What was given.
    comparison : Comparison
        The primary result, or the refusal.
    description : Description
        What was counted.
    results : dict
        What ``results.json`` holds.
    """

    inputs: ReportInputs
    comparison: Comparison
    description: Description
    results: dict[str, Any]

    @property
    def tipping(self) -> float | None:
        """The tipping odds factor, where there is a difference that could be erased."""
        factor: float | None = self.results["doubt"]["tipping"]
        return factor if factor is not None and factor > 1 else None

    @property
    def n_pitched(self) -> int:
        """First pitches to eligible connections."""
        return int(sum(row.n for name, row in self.description.tallies.items() if name in ("now", "any_later")))

    def __repr__(self) -> str:
        """Show verdict, level and size."""
        answer = self.results["answer"]
        return f"<Findings: {answer['verdict']} (level {answer['level']}), {answer['n']} connections>"


def find(inputs: ReportInputs, *, suppress: Suppress) -> Findings:
    """Run the analyses of the report.

    Parameters
    ----------
    inputs : ReportInputs
        Turns (where known), dyads, audit, plan.
    suppress : callable
        What hides small counts of people and those that would give them away: ``privacy.suppress_small``.

    Returns
    -------
    Findings
        With ``results``, rounded and ready to be written.
    """
    plan, conf = inputs.plan, inputs.plan.conf_level
    comparison, description = compare(inputs.dyads, plan), describe(inputs.dyads, plan)
    problem = comparison.problem
    results = {
        "schema": SCHEMA,
        "plan": _plan(inputs),
        "data": _data(inputs),
        "answer": _answer(comparison),
        "counted": count_groups(description, suppress, conf),
        "design": _design(comparison, suppress),
        "habits": own_habits(problem, inputs.dyads, plan, suppress),
        **_by_turn(inputs, suppress),
        "grid": cross_timing_and_intensity(description, suppress, conf),
        "waiting": read_off_curves(description),
        "flow": follow_losses(inputs, comparison, suppress),
        "secondary": take_apart(inputs),
        "doubt": _doubt(inputs, comparison),
        "battery": run_battery(inputs, comparison),
        "labels": _labels(inputs),
        "rules": _rules(plan.conf_level),
    }
    return Findings(inputs, comparison, description, tidy_numbers(results))


def dump(results: dict[str, Any]) -> str:
    """Return the results as JSON, keys in order, the same bytes everywhere."""
    return json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def tidy_numbers(value: Any) -> Any:
    """Return nested results with plain types, floats rounded to ten significant digits, and null for not-a-number.

    >>> tidy_numbers({"a": np.float64(1 / 3), "b": [float("nan"), np.int64(3)], "c": -1e-17})
    {'a': 0.3333333333, 'b': [None, 3], 'c': 0.0}
    """
    if isinstance(value, dict):
        return {str(k): tidy_numbers(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [tidy_numbers(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        bare = float(value)
        if not math.isfinite(bare):
            return None
        return 0.0 if abs(bare) < 1e-12 else float(f"{bare:.10g}")
    return value


def _plan(inputs: ReportInputs) -> dict[str, Any]:
    plan = inputs.plan
    return {
        "hash": plan.hash,
        "immediate": list(plan.immediate),
        "deferred": list(plan.deferred),
        "window_days": plan.window_days,
        "follow_up_days": plan.follow_up_days,
        "history_days": plan.history_days,
        "pitch_level": plan.pitch_level,
        "conf_level": plan.conf_level,
        "sesoi": plan.sesoi,
    }


def _by_turn(inputs: ReportInputs, suppress: Suppress) -> dict[str, Any]:
    """Return what is counted by turn, for either side; null where only dyads are known."""
    turns, plan = inputs.turns, inputs.plan
    if turns is None:
        return dict.fromkeys(("sent", "received", "rapport"))
    return {
        "sent": first_pitches(turns, plan, is_own=True),
        "received": first_pitches(turns, plan, is_own=False),
        "rapport": by_rapport(turns, suppress, conf_level=plan.conf_level),
    }


def _data(inputs: ReportInputs) -> dict[str, Any]:
    dyads, turns, about = inputs.dyads, inputs.turns, inputs.about
    listed = dyads["time_zero_source"] == "connection"
    return {
        "fingerprint": inputs.fingerprint,
        "source": about.get("source", "table"),
        "is_invented": about.get("source") in INVENTED,
        "has_connection_dates": bool(about.get("has_connection_dates", True)),
        "observed_until": about.get("observed_until"),
        "first_connected": _day(dyads["time_zero"].min()),
        "last_connected": _day(dyads["time_zero"].max()),
        "n_messages": about["n_messages"] if turns is None else about.get("n_messages", int(turns["n_messages"].sum())),
        "n_connections": int(listed.sum()),
        "n_orphans": int((~listed).sum()),
        "n_turns": None if turns is None else len(turns),
        "n_owners": about.get("n_owners", 0),
    }


def _day(instant: pd.Timestamp) -> str | None:
    return None if pd.isna(instant) else f"{instant:%Y-%m-%d}"


def _answer(comparison: Comparison) -> dict[str, Any]:
    frame = comparison.frame[comparison.frame["estimand"] == "P"].set_index("scale")
    out: dict[str, Any] = {
        "level": comparison.level,
        "verdict": comparison.verdict,
        "n": len(comparison.problem),
        "rd": comparison.rd,
        "low": comparison.low,
        "high": comparison.high,
        "ratio": comparison.ratio,
        "ratio_low": comparison.ratio_low,
        "ratio_high": comparison.ratio_high,
        "n_orphans": comparison.n_orphans,
        "first_day": comparison.dates[0],
        "last_day": comparison.dates[1],
        "of_100": 100,
    }
    for arm in ("now", "later"):
        row = frame.loc[f"rate_{arm}"]
        out |= {f"rate_{arm}": row["estimate"], f"{arm}_low": row["low"], f"{arm}_high": row["high"]}
        out |= {f"n_{arm}": int(frame[f"n_{arm}"].iloc[0]), f"ess_{arm}": frame[f"ess_{arm}"].iloc[0]}
    return out


def _design(comparison: Comparison, suppress: Suppress) -> dict[str, Any]:
    design = comparison.design
    arms = [
        {**arm, **hide({name: int(arm[name]) for name in ("n_cold", "n_warm")}, suppress)}
        for arm in design.counts.to_dict("records")
    ]
    return {
        "level": design.level,
        "reasons": list(design.reasons),
        "values": dict(design.values),
        "balance": {when: design.balance[f"smd_{when}"].abs().max() for when in ("before", "after")},
        "arms": arms,
    }


def _doubt(inputs: ReportInputs, comparison: Comparison) -> dict[str, Any]:
    """Return what could overturn the answer: hidden traits, the latency placebo, and how little these data can see."""
    hidden = sensitivity(comparison)
    seen = power(inputs.dyads, inputs.plan, result=comparison)
    latency: dict[str, Any] = {}
    if comparison.level == 2:
        frame = placebo(inputs.dyads, inputs.plan, n_permutations=1).frame
        rows = frame[(frame["estimand"] == "N1") & (frame["method"] == "now against all")]
        latency = {str(k): v for k, v in rows.iloc[0].items()} if len(rows) else {}
    return {
        "tipping": hidden.tipping_factor,
        "e_value": hidden.e_value,
        "e_value_limit": hidden.e_value_limit,
        "latency": {name: latency.get(name) for name in ("estimate", "low", "high")},
        "minimum_detectable": seen.minimum_detectable,
        "n_needed": seen.n_needed,
        "n_more": seen.n_more,
        "months_more": seen.months_more,
        "n_per_arm": int(comparison.design.values["n_per_arm"]),  # noqa: PD011 (a dict)
    }


def _labels(inputs: ReportInputs) -> dict[str, Any]:
    about = inputs.about
    names = ("is_own_coding", "n_labelled", "n_abstained", "n_auto_replies", "sensitivity", "specificity")
    return {name: about.get(name) for name in names}


def _rules(conf_level: float) -> dict[str, Any]:
    """Return the fixed thresholds that sentences mention."""
    return {
        "conf_of_100": 100 * conf_level,
        "alpha": 1 - conf_level,
        "smallest_p": 0.001,
        "smallest_cell": SMALLEST_CELL,
        "min_pitches": gate.MIN_PITCHES,
        "min_replies": gate.MIN_REPLIES,
        "enough_pitches": gate.ENOUGH_PITCHES,
        "min_ess": gate.MIN_ESS,
        "max_share_of_one": gate.MAX_SHARE_OF_ONE,
        "max_low_share": gate.MAX_LOW_SHARE,
        "max_smd": gate.MAX_SMD,
        "read_off_days": list(READ_OFF_DAYS),
        "hours_in_day": 24,
    }
