"""The specification curve: every combination of defensible choices, laid side by side.

Crossing three immediate windows, three deferred windows, three reply windows and three outcomes gives 81 ways to ask
the same question. Their median, range and share of one sign say how much the answer hangs on the choices. The 81 share
their data, so they are no 81 tests: joint inference permutes the pitch days of those who were pitched within month and
inviter, which makes timing irrelevant by construction, and asks how often the median of the curve is then as far from
zero (Simonsohn, Simmons and Nelson 2020; Steegen et al. 2016). The permuted statistic is studentised and uses the cells
with the plan's own outcome and reply window. Permuting also undoes the choice of whom to pitch late, so where that
choice is strong the p-value runs somewhat small; the interval of the primary remains the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.design import judge
from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import NEVER, build_problem, reply_within_window
from etiquette_analysis.analysis.resampling import canonical_order
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.variants import Row, empty_row, ipw_arm, primary_row
from etiquette_analysis.analysis.wsr import arm_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

IMMEDIATE: Final = ((0, 0), (0, 1), (0, 2))
DEFERRED: Final = ((7, 30), (7, 60), (14, 60))
WINDOWS: Final = (7, 14, 30)
OUTCOMES: Final = ("reply", "positive_reply", "any_reply")


@dataclass(frozen=True, repr=False)
class SpecificationCurve(Result):
    """81 answers to one question.

    Attributes
    ----------
    frame : DataFrame
        One row per cell; ``method`` names its choices.
    n_cells, n_answered : int
        Cells, and those that the data could bear.
    median, low, high : float
        Of the answered cells.
    share_same_sign : float
        Share of answered cells with the sign of the plan's own.
    p_value : float
        Joint, two-sided, by permutation; NaN where none was asked for.
    n_permutations : int
        Permutations behind it.
    """

    n_cells: int
    n_answered: int
    median: float
    low: float
    high: float
    share_same_sign: float
    p_value: float
    n_permutations: int

    @classmethod
    def empty(cls, plan: Plan) -> SpecificationCurve:
        """Return the curve of a question that cannot be answered."""
        frame = result_frame([{"estimand": "P", "method": "curve", "scale": "rd", "plan": plan.hash[:12]}])
        return cls(frame, 0, 0, *(float("nan"),) * 5, 0)

    def text(self, language: Language = "en") -> str:
        """Return the curve in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        if not self.n_answered:
            return words["none"]
        said = words["curve"].format(
            n=self.n_answered,
            cells=self.n_cells,
            median=number(100 * self.median, language, signed=True),
            low=number(100 * self.low, language, signed=True),
            high=number(100 * self.high, language, signed=True),
            share=number(100 * self.share_same_sign, language, digits=0),
        )
        if np.isnan(self.p_value):
            return said
        return said + " " + words["p"].format(p=number(self.p_value, language, digits=2), n=self.n_permutations)


def trace_curve(
    dyads: pd.DataFrame, plan: Plan, *, n_permutations: int = 49, rng: np.random.Generator | None = None
) -> SpecificationCurve:
    """Answer the question in every cell.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        Covariates, pitch level and all that the cells do not vary.
    n_permutations : int
        For the joint p-value; 0 leaves it out.
    rng : Generator, optional
        A fixed one where not given.
    """
    rng = np.random.default_rng(20_240_601) if rng is None else rng
    rows: list[Row] = []
    own_cells: list[Problem] = []
    for immediate, deferred, window in product(IMMEDIATE, DEFERRED, WINDOWS):
        other = replace(plan, immediate=immediate, deferred=deferred, window_days=window, outcome="reply")
        problem = build_problem(dyads, other)
        hazards = fit_hazards(problem)
        if window == plan.window_days:
            own_cells.append(problem)
        design = judge(problem, hazards=hazards)
        for outcome in OUTCOMES:
            cell = replace(other, outcome=outcome)
            name = f"{immediate[0]}-{immediate[1]} / {deferred[0]}-{deferred[1]} / {window} days / {outcome}"
            varied = replace(problem, plan=cell, outcome=_outcome(dyads, problem, cell))
            if _is_unknown(dyads, outcome):
                rows.append(empty_row(varied, estimand="P", method=name, reason=f"{outcome} is not known"))
                continue
            # The design does not depend on the outcome; only the pooled number of replies does.
            judged = design if outcome == "reply" else judge(varied, hazards=hazards)
            rows.append(primary_row(varied, method=name, hazards=hazards, design=judged))
    frame = result_frame(rows)
    answered = frame["estimate"].dropna().to_numpy(dtype=np.float64)
    own = frame.loc[frame["plan"] == plan.hash[:12], "estimate"].to_numpy(dtype=np.float64)
    sign = (
        np.sign(own[0]) if len(own) and not np.isnan(own[0]) else np.sign(np.median(answered)) if len(answered) else 0.0
    )
    p = _joint_p(own_cells, dyads, n_permutations, rng) if n_permutations and len(answered) else float("nan")
    summary = (
        (
            float(np.median(answered)),
            float(answered.min()),
            float(answered.max()),
            float((np.sign(answered) == sign).mean()),
        )
        if len(answered)
        else (float("nan"),) * 4
    )
    return SpecificationCurve(frame, len(rows), len(answered), *summary, p, n_permutations)


def _is_unknown(dyads: pd.DataFrame, outcome: str) -> bool:
    column = {"reply": "hours_to_reply", "any_reply": "hours_to_any_reply", "positive_reply": "reply_positive"}[outcome]
    return column not in dyads.columns or not bool(dyads[column].notna().any())


def _outcome(dyads: pd.DataFrame, problem: Problem, plan: Plan) -> Floats:
    if _is_unknown(dyads, plan.outcome):
        return np.zeros(len(problem))
    return reply_within_window(dyads.iloc[problem.rows], plan).astype(np.float64)


def _joint_p(problems: list[Problem], dyads: pd.DataFrame, n_permutations: int, rng: np.random.Generator) -> float:
    """Return how often permuted pitch days give a median studentised difference as far from zero."""
    strata = permutation_strata(dyads)
    # The first problem follows people for the shortest time, so it holds the connections of all the others.
    order = problems[0].rows[canonical_order(problems[0])]
    pitch_day = np.full(len(dyads), NEVER)
    for problem in problems:
        pitch_day[problem.rows] = problem.pitch_day
    pitched = order[pitch_day[order] < NEVER]
    seen = abs(_median_z(problems))
    if np.isnan(seen):
        return float("nan")
    hits = 0
    for _ in range(n_permutations):
        moved = pitch_day.copy()
        moved[pitched] = pitch_day[shuffle_within(pitched, strata[pitched], rng)]
        hits += abs(_median_z([with_pitch_days(p, moved[p.rows]) for p in problems])) >= seen
    return (hits + 1) / (n_permutations + 1)


def _median_z(problems: list[Problem]) -> float:
    """Return the median over cells of the weighted difference divided by its standard error."""
    values = []
    for problem in problems:
        hazards = fit_hazards(problem)
        arms = [
            ipw_arm(problem, arm_weights(problem, hazards, w)) for w in (problem.plan.immediate, problem.plan.deferred)
        ]
        spread = np.sqrt(np.sum((arms[0].influence - arms[1].influence) ** 2)) / len(problem)
        values.append((arms[0].value - arms[1].value) / spread if spread > 0 else np.nan)
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def permutation_strata(dyads: pd.DataFrame) -> Ints:
    """Return a code per month of connecting and inviter."""
    month = pd.factorize(dyads["time_zero"].dt.strftime("%Y-%m"), sort=True)[0]
    if "invited_by_sender" not in dyads.columns:
        return np.asarray(month, dtype=np.int64)
    inviter = dyads["invited_by_sender"].astype("Int64").fillna(2).to_numpy(dtype=np.int64)
    return np.asarray(month * 3 + inviter, dtype=np.int64)


def shuffle_within(rows: Ints, strata: Ints, rng: np.random.Generator) -> Ints:
    """Return ``rows`` in another order, each exchanged only with rows of its stratum.

    Examples
    --------
    >>> shuffle_within(np.array([5, 6, 7]), np.array([0, 1, 0]), np.random.default_rng(2)).tolist()[1]
    6
    """
    home = np.argsort(strata, kind="stable")
    drawn = np.lexsort((rng.random(len(rows)), strata))
    out = np.empty_like(rows)
    out[home] = rows[drawn]
    return out


def with_pitch_days(problem: Problem, pitch_day: Ints) -> Problem:
    """Return the problem with other pitch days; what had been written only after the new day is not known before it."""
    return replace(
        problem,
        pitch_day=pitch_day,
        opener_day=np.where(problem.opener_day <= pitch_day, problem.opener_day, NEVER),
        answered_day=np.where(problem.answered_day <= pitch_day, problem.answered_day, NEVER),
    )


_TEXT: Final = {
    "en": {
        "none": "None of the specifications can be answered with these data.",
        "curve": (
            "Of {cells} specifications (windows, reply window, outcome) {n} could be answered: median {median} "
            "percentage "
            "points, range {low} to {high}; {share}% have the sign of the primary."
        ),
        "p": "Joint test by permuting pitch days: p = {p} ({n} permutations).",
    },
    "it": {
        "none": "Con questi dati nessuna delle specificazioni ha risposta.",
        "curve": (
            "Di {cells} specificazioni (finestre, attesa della risposta, esito) {n} avevano risposta: mediana "
            "{median} punti "
            "percentuali, da {low} a {high}; il {share}% ha il segno della stima principale."
        ),
        "p": "Test congiunto permutando i giorni delle proposte: p = {p} ({n} permutazioni).",
    },
}
