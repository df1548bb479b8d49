"""Would another reasonable choice have given another answer: the battery R1 to R12, fixed before looking.

Every row changes one decision of the plan and asks the primary question again: another estimator, other windows,
another
outcome, a covariate less, dates a day off, a month or a sender left out, worst and best cases for what is missing. No
row
is a test; the question is whether the sign and the size hold. A row that the varied data cannot bear is refused with
its
reason, like any other answer (STATISTICS, section 7).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.curve import SpecificationCurve, trace_curve
from etiquette_analysis.analysis.design import check_design
from etiquette_analysis.analysis.gformula import estimate_usual
from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.analysis.labels_error import label_rows
from etiquette_analysis.analysis.missing import missing_rows, unfinished_row
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import build_problem
from etiquette_analysis.analysis.resampling import resamples, subset
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.variants import (
    Row,
    contrast_row,
    empty_row,
    ipw_arm,
    primary_row,
)
from etiquette_analysis.analysis.wsr import arm_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]

#: R3 and R4: other windows, the rest of the plan unchanged.
OTHER_IMMEDIATE: Final = ((0, 0), (0, 2), (0, 6))
OTHER_DEFERRED: Final = ((2, 30), (7, 60), (14, 60))
#: R5 and R6: other reply windows (days) and outcomes.
OTHER_WINDOWS: Final = (7, 30)
OTHER_OUTCOMES: Final = ("positive_reply", "any_reply")
#: R10: so many groups of a kind are left out one by one, the largest first; and how small a group may be.
MOST_LEFT_OUT: Final = 40
SMALLEST_LEFT_OUT: Final = 5


@dataclass(frozen=True, repr=False)
class Robustness(Result):
    """The battery.

    Attributes
    ----------
    frame : DataFrame
        One row per check; the first is the primary. ``method`` begins with the number of the check ("R3 immediate
        0-2").
    curve : SpecificationCurve
        81 cells of windows, reply window and outcome, with joint inference by permutation.
    design : Design
        Of the primary.
    """

    curve: SpecificationCurve
    design: Design

    def text(self, language: Language = "en") -> str:
        """Return the range of the rows and the curve in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        primary = float(self.frame["estimate"].iloc[0])
        if np.isnan(primary):
            return words["refused"].format(reason="; ".join(self.design.reasons))
        rows = self.frame.iloc[1:]
        answered = rows["estimate"].dropna()
        first = words["rows"].format(
            n=len(answered),
            refused=len(rows) - len(answered),
            low=number(100 * float(answered.min()), language, signed=True),
            high=number(100 * float(answered.max()), language, signed=True),
            primary=number(100 * primary, language, signed=True),
            same=int((np.sign(answered) == np.sign(primary)).sum()),
        )
        g = float(rows.loc[rows["method"] == "R1 g-formula", "estimate"].iloc[0])
        parts = [first, self.curve.text(language)]
        if np.sign(g) != np.sign(primary):
            parts.insert(1, words["disagree"].format(g=number(100 * g, language, signed=True)))
        return "\n\n".join(parts)


def robustness(
    dyads: pd.DataFrame,
    plan: Plan,
    *,
    coded: pd.DataFrame | None = None,
    at_other_levels: dict[str, pd.DataFrame] | None = None,
    n_draws: int = 200,
    n_permutations: int = 49,
    rng: np.random.Generator | None = None,
) -> Robustness:
    """Run the battery R1 to R12 and the specification curve.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        The primary plan.
    coded : DataFrame, optional
        Hand-coded dyads for R11, as in ``debias``; those rows are refused without it.
    at_other_levels : dict of DataFrame, optional
        Dyads built with another ``pitch_level``, by level, for R11.
    n_draws : int
        Bootstrap resamples of R1.
    n_permutations : int
        Permutations of pitch days for the joint inference on the curve; 0 leaves it out.
    rng : Generator, optional
        A fixed one where not given.

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> robustness(dyads, Plan()).frame["estimate"].isna().all()
    np.True_
    """
    rng = np.random.default_rng(20_240_601) if rng is None else rng
    design = check_design(dyads, plan)
    problem = design.problem
    primary = primary_row(problem, method="primary", hazards=design.hazards, design=design)
    if design.level < 2:
        frame = result_frame([primary])
        return Robustness(frame, SpecificationCurve.empty(plan), design)
    rows = [primary, _g_formula(problem, n_draws, rng), *_weighting(design), *_plans(dyads, plan)]
    rows += [*_dates(dyads, plan), *missing_rows(dyads, design), *_leave_out(dyads, design)]
    rows += [*label_rows(dyads, plan, coded=coded, at_other_levels=at_other_levels), unfinished_row(dyads, plan)]
    curve = trace_curve(dyads, plan, n_permutations=n_permutations, rng=rng)
    return Robustness(result_frame(rows), curve, design)


def _g_formula(problem: Problem, n_draws: int, rng: np.random.Generator) -> Row:
    """R1: the estimate that leans on no model of when the sender pitches."""
    draws = np.array([estimate_usual(p).rd for p in resamples(problem, n_draws=n_draws, rng=rng)])
    se = float(np.nanstd(draws, ddof=1)) if n_draws > 1 else float("nan")
    half = float(critical_value(problem.plan.conf_level)) * se
    value = estimate_usual(problem).rd
    row = empty_row(problem, estimand="P", method="R1 g-formula", level=2)
    return row | {"estimate": value, "low": value - half, "high": value + half, "se": se}


def _weighting(design: Design) -> Iterator[Row]:
    """R2: weighting alone, and the largest weights cut."""
    problem, hazards, plan = design.problem, design.hazards, design.plan
    arms = [ipw_arm(problem, arm_weights(problem, hazards, w)) for w in (plan.immediate, plan.deferred)]
    yield contrast_row(problem, arms[0], arms[1], estimand="P", method="R2 weighting without outcome models")
    yield primary_row(
        problem, method="R2 weights cut at the 99th percentile", hazards=hazards, design=design, trim=True
    )


def _plans(dyads: pd.DataFrame, plan: Plan) -> Iterator[Row]:
    """R3 to R7: other windows and outcomes; a covariate, or recency, left out."""
    variants: list[tuple[str, dict[str, Any]]] = [
        *((f"R3 immediate {a}-{b}", {"immediate": (a, b)}) for a, b in OTHER_IMMEDIATE if b < plan.deferred[0]),
        *((f"R4 deferred {a}-{b}", {"deferred": (a, b)}) for a, b in OTHER_DEFERRED if a > plan.immediate[1]),
        *((f"R5 replies within {w} days", {"window_days": w}) for w in OTHER_WINDOWS),
        *((f"R6 outcome {o}", {"outcome": o}) for o in OTHER_OUTCOMES),
    ]
    for method, change in variants:
        other = replace(plan, **change)
        lack = missing_outcome(dyads, other)
        if lack:
            yield empty_row(build_problem(dyads, plan), estimand="P", method=method, reason=lack)
        else:
            yield primary_row(build_problem(dyads, other), method=method)
    names = _base_covariates(build_problem(dyads, plan).names)
    for name in names:
        kept = tuple(k for k in names if k != name)
        yield primary_row(build_problem(dyads, replace(plan, covariates=kept)), method=f"R7 without {name}")
    if plan.recency:
        yield primary_row(build_problem(dyads, replace(plan, recency=False)), method="R7 without recency")


def missing_outcome(dyads: pd.DataFrame, plan: Plan) -> str | None:
    """Return why the plan's outcome cannot be read off the table; None where it can."""
    if plan.outcome == "positive_reply" and (
        "reply_positive" not in dyads or not dyads["reply_positive"].notna().any()
    ):
        return "the sign of replies is not known"
    if plan.outcome == "any_reply" and "hours_to_any_reply" not in dyads:
        return "automatic replies are not recorded"
    return None


def _base_covariates(names: tuple[str, ...]) -> list[str]:
    """Return the columns of the dyads table behind the names of covariates ("seniority=staff": seniority)."""
    base = [name.split("=")[0].removesuffix(" unknown") for name in names if not name.startswith("habit")]
    return list(dict.fromkeys(base))


def _dates(dyads: pd.DataFrame, plan: Plan) -> Iterator[Row]:
    """R8: every connection a day earlier, and a day later, than recorded."""
    for shift, word in ((1, "earlier"), (-1, "later")):
        moved = dyads.copy()
        for column in ("pitch_day", "opener_day", "answered_day"):
            day = dyads[column].astype("Int64")
            moved[column] = (day + shift).clip(lower=0)
        yield primary_row(build_problem(moved, plan), method=f"R8 connected a day {word}")


def _leave_out(dyads: pd.DataFrame, design: Design) -> Iterator[Row]:
    """R10: one month, one sender, one mass-sent text left out at a time."""
    problem = design.problem
    table = dyads.iloc[problem.rows]
    for kind in ("month", "sender", "template"):
        if kind not in table.columns:
            continue
        sizes = table[kind].value_counts()
        sizes = sizes[sizes >= SMALLEST_LEFT_OUT].sort_index(kind="stable").sort_values(ascending=False, kind="stable")
        if kind != "template" and len(sizes) < 2:
            continue
        for name in sizes.index[:MOST_LEFT_OUT]:
            kept = ~(table[kind] == name).fillna(False).to_numpy(dtype=bool)
            yield primary_row(subset(problem, kept), method=f"R10 without {kind} {name}")


_TEXT: Final = {
    "en": {
        "refused": "The primary question is not answerable here ({reason}), so there is nothing to vary.",
        "rows": (
            "{n} checks that change one decision each give {low} to {high} percentage points, against {primary} in the "
            "primary; {same} of them have its sign ({refused} more were not answerable)."
        ),
        "disagree": (
            "The g-formula, which leans on other assumptions, gives {g} points: the two estimates differ in sign, so "
            "neither should be relied upon."
        ),
    },
    "it": {
        "refused": "Qui la domanda principale non ha risposta ({reason}): non c'è nulla da variare.",
        "rows": (
            "{n} verifiche che cambiano una decisione alla volta danno da {low} a {high} punti percentuali, contro "
            "{primary} della stima principale; {same} ne hanno il segno (altre {refused} non erano praticabili)."
        ),
        "disagree": (
            "La g-formula, che poggia su altre ipotesi, dà {g} punti: le due stime hanno segno diverso e di nessuna "
            "delle due ci si dovrebbe fidare."
        ),
    },
}
