"""What was counted, as the report shows it: groups of pitches, timing by intensity, curves, and everybody left out.

Facts about what was sent. None of them is the effect of timing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis.analysis.survival import at_time
from etiquette_analysis.report.habits import count_arms
from etiquette_analysis.report.tallies import SMALLEST_CELL, hide, tally
from etiquette_analysis.schema import KEPT, NOTE_STAGE, READ

if TYPE_CHECKING:
    from etiquette_analysis.analysis.comparison import Comparison
    from etiquette_analysis.analysis.describe import Description
    from etiquette_analysis.report.inputs import ReportInputs
    from etiquette_analysis.report.tallies import Suppress

#: Days at which the time-to-reply curves are read off.
READ_OFF_DAYS: Final = (1, 3, 7, 14)


def count_groups(description: Description, suppress: Suppress, conf_level: float) -> dict[str, Any]:
    """Return first pitches and replies by timing and by whether the contact had written, and the plain differences."""
    tallies = description.tallies
    sizes: dict[str, int | None] = {group: tallies[group].n for group in tallies}
    for group in ("later", "any_later"):
        sizes |= hide({f"{group}_{kind}": tallies[f"{group}_{kind}"].n for kind in ("warm", "cold")}, suppress)
    out: dict[str, Any] = {
        group: tally(n or 0, tallies[group].n_replies, conf_level=conf_level) for group, n in sizes.items()
    }
    later, warm = sizes["any_later"], sizes["any_later_warm"]
    out["warm_share"] = warm / later if later and warm is not None and later >= SMALLEST_CELL else None
    frame = description.frame
    for group in ("any_later", "any_later_warm", "any_later_cold"):
        row = frame[(frame["estimand"] == f"D {group}") & (frame["scale"] == "rd")].iloc[0]
        is_shown = out["now"]["n"] is not None and out[group]["n"] is not None
        out[f"rd_{group}"] = {k: row[k] if is_shown else None for k in ("estimate", "low", "high")}
    return out


def cross_timing_and_intensity(description: Description, suppress: Suppress, conf_level: float) -> list[dict[str, Any]]:
    """Return first pitches and replies by timing and intensity together."""
    table = description.tables["timing_by_intensity"]
    counts = table.pivot_table(values="n", index="timing", columns="pitch_level", aggfunc="sum").astype("int64")
    shown = suppress(counts) if len(counts) else counts
    rows = []
    for row in table.to_dict("records"):
        n = shown.loc[row["timing"], row["pitch_level"]]
        found = tally(0 if pd.isna(n) else int(n), int(row["n_replies"]), conf_level=conf_level)
        rows.append({"timing": row["timing"], "pitch_level": row["pitch_level"], **found})
    return rows


def read_off_curves(description: Description) -> dict[str, Any]:
    """Return the share answered by some days, and where the curves stand."""
    curves = description.tables["time_to_reply"]
    out: dict[str, Any] = {}
    for group in ("now", "any_later"):
        table = curves[curves["group"] == group] if len(curves) else curves
        n = int(table["n_at_risk"].max()) if len(table) else 0
        if n < SMALLEST_CELL:
            out[group] = None
            continue
        shares = {f"day_{d}": 1 - at_time(table, 24.0 * d) for d in READ_OFF_DAYS}
        out[group] = {"n": n, "n_replies": int(table["n_events"].sum()), **shares}
    return out


def follow_losses(inputs: ReportInputs, comparison: Comparison, suppress: Suppress) -> dict[str, Any]:
    """Return the way from rows read to the contacts that are compared, with every loss."""
    plan, audit, problem = inputs.plan, inputs.audit, comparison.problem
    stages = []
    for stage, rows in audit[audit["stage"] != NOTE_STAGE].groupby("stage", sort=False):
        n = rows.groupby("reason", sort=False)["n"].sum()
        left = [{"reason": str(r), "n": int(k)} for r, k in n.items() if r not in (READ, KEPT)]
        stages.append({"stage": str(stage), "read": int(n.get(READ, 0)), "kept": int(n.get(KEPT, 0)), "left_out": left})
    reasons = {str(reason): int(n) for reason, n in inputs.dyads["exclusion"].value_counts().items()}
    shown = hide(reasons, suppress)
    return {
        "stages": stages,
        "n_dyads": len(inputs.dyads),
        "excluded": [{"reason": reason, "n": shown[reason]} for reason in sorted(reasons)],
        "n_excluded": len(inputs.dyads) - len(problem),
        "n_eligible": len(problem),
        "arms": count_arms(problem.pitch_day, plan, suppress),
    }
