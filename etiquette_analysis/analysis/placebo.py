"""Placebos: ask the method for an effect where there can be none, and see whether it stays silent.

N1 asks whether timing "affects" how long the invitation had waited to be accepted, which was over before any pitch: a
difference means that whoever is pitched at once differs in ways the covariates miss. N2 asks for the same contrast of
first messages that are not pitches; what remains of the effect of a pitch is the difference. N3 compares days 7-13
with 14-30, where immediacy plays no part. N4 shuffles the pitch days. A placebo that speaks does not say what is wrong,
only that something is; one that stays silent is weak comfort: in the simulated world with a hidden trait N1 sees it
three times in four (STATISTICS, sections 7 and 11.8; Lipsitch et al. 2010; Eggers, Tunon and Dafoe 2024).

N2 is a comparison and no test, so its words carry no verdict: an answer that would have come after a pitch is not
counted, and an early opener has a pitch behind it sooner. In simulated worlds in which the timing of an opener means
nothing (D, 1,500 connections, 27 draws that could be answered) N2 averages -9 points and leaves zero out in a third.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats

from etiquette_analysis.analysis.curve import permutation_strata, shuffle_within, with_pitch_days
from etiquette_analysis.analysis.design import ENOUGH_PITCHES, MIN_ESS, check_design
from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import NEVER, build_problem
from etiquette_analysis.analysis.resampling import canonical_order, subset
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.uncertainty import assess
from etiquette_analysis.analysis.variants import Row, empty_row, ipw_arm, primary_row
from etiquette_analysis.analysis.wsr import ArmEstimate, Estimate, arm_weights, estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]

#: N3: the first windows in which immediacy plays no part.
EARLY: Final = (7, 13)
LATE: Final = (14, 30)
#: N1 needs the latency of so many connections.
FEWEST_KNOWN: Final = 60


@dataclass(frozen=True, repr=False)
class Placebo(Result):
    """Four placebos.

    Attributes
    ----------
    frame : DataFrame
        Estimands N1 (scale ``sd``: standard deviations of the logarithm of latency; one row per arm against everybody),
        N2 (also the pitch's own effect, method ``pitch minus placebo``), N3, and N4 (mean over permutations; ``low``
        and ``high`` hold 95 % of them).
    p_values : dict
        Of N1 by arm; NaN where not answerable.
    design : Design
        Of the primary.
    """

    p_values: dict[str, float]
    design: Design

    def text(self, language: Language = "en") -> str:
        """Return what the placebos say in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        lines = []
        for estimand, method in (("N1", "now against all"), ("N2", "first messages"), ("N3", "wsr")):
            row = self.frame[(self.frame["estimand"] == estimand) & (self.frame["method"] == method)].iloc[0].to_dict()
            if np.isnan(row["estimate"]):
                lines.append(words["refused"].format(name=words[estimand], reason=row["reason"]))
                continue
            speaks = row["low"] > 0 or row["high"] < 0
            verdict = "compares" if estimand == "N2" else "speaks" if speaks else "silent"
            factor = 1 if estimand == "N1" else 100
            lines.append(
                words[verdict].format(
                    name=words[estimand],
                    estimate=number(factor * row["estimate"], language, digits=2, signed=True),
                    low=number(factor * row["low"], language, digits=2, signed=True),
                    high=number(factor * row["high"], language, digits=2, signed=True),
                )
            )
        return "\n".join([*lines, words["caveat"]])


def placebo(
    dyads: pd.DataFrame, plan: Plan, *, n_permutations: int = 20, rng: np.random.Generator | None = None
) -> Placebo:
    """Run the placebos N1 to N4.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        The primary plan.
    n_permutations : int
        Shuffles of N4.
    rng : Generator, optional
        A fixed one where not given.

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> placebo(dyads, Plan()).frame["estimate"].isna().all()
    np.True_
    """
    rng = np.random.default_rng(20_240_601) if rng is None else rng
    design = check_design(dyads, plan)
    latency, p_values = latency_rows(dyads, plan)
    rows = [
        *latency,
        *_opener_rows(design),
        _window_row(dyads, plan),
        _permuted_row(dyads, design, n_permutations, rng),
    ]
    return Placebo(result_frame(rows), p_values, design)


def latency_rows(dyads: pd.DataFrame, plan: Plan) -> tuple[list[Row], dict[str, float]]:
    """N1: acceptance latency through the same weights, latency itself dropped from the covariates."""
    full = build_problem(dyads, plan)
    names = list(
        dict.fromkeys(n.split("=")[0].removesuffix(" unknown") for n in full.names if not n.startswith("habit"))
    )
    without = replace(plan, covariates=tuple(n for n in names if n != "acceptance_days"))
    problem = build_problem(dyads, without)
    latency = (
        dyads["acceptance_days"].to_numpy(dtype=np.float64, na_value=np.nan)[problem.rows]
        if "acceptance_days" in dyads.columns
        else np.full(len(problem), np.nan)
    )
    known = ~np.isnan(latency)
    arms = {"now against all": plan.immediate, "later against all": plan.deferred}
    nothing = dict.fromkeys(("now", "later"), float("nan"))
    if known.sum() < FEWEST_KNOWN:
        reason = f"acceptance latency is known for {int(known.sum())} connections; {FEWEST_KNOWN} are needed"
        return [_sd(empty_row(full, estimand="N1", method=m, reason=reason)) for m in arms], nothing
    if not known.all():
        problem, latency = subset(problem, known), latency[known]
    hazards = fit_hazards(problem)
    y = np.log1p(np.maximum(latency, 0))
    y = (y - y.mean()) / y.std()
    rows: list[Row] = []
    p_values: dict[str, float] = {}
    everybody = ArmEstimate(0.0, y - float(y.mean()), np.ones(len(y)), len(y), float(len(y)))
    for (method, window), arm in zip(arms.items(), ("now", "later"), strict=True):
        # Each arm is held against everybody, so it is answerable even where the other arm is not.
        weighted = ipw_arm(problem, arm_weights(problem, hazards, window), y)
        if weighted.n < ENOUGH_PITCHES or weighted.ess < MIN_ESS:
            reason = f"{weighted.n} pitches that count as {weighted.ess:.0f}; {ENOUGH_PITCHES} and {MIN_ESS} are needed"
            rows.append(_sd(empty_row(full, estimand="N1", method=method, reason=reason)))
            p_values[arm] = float("nan")
            continue
        row, p_values[arm] = _mean_contrast(problem, weighted, everybody, method, plan)
        rows.append(row)
    return rows, p_values


def _mean_contrast(
    problem: Problem, arm: ArmEstimate, everybody: ArmEstimate, method: str, plan: Plan
) -> tuple[Row, float]:
    """Return a weighted mean against the plain mean of all, with Student's interval, and its p-value."""
    uncertainty = assess(problem, Estimate(now=arm, later=replace(everybody, ess=arm.ess)))
    difference, se = arm.value - everybody.value, uncertainty.se
    half = float(critical_value(plan.conf_level, df=uncertainty.df)) * se
    row = empty_row(problem, estimand="N1", method=method, level=2) | {
        "estimate": difference,
        "low": difference - half,
        "high": difference + half,
        "se": se,
        "ess_now": arm.ess,
        "plan": plan.hash[:12],
    }
    p = 2 * float(stats.t.sf(abs(difference) / se, uncertainty.df)) if se > 0 else float("nan")
    return _sd(row), p


def _sd(row: Row) -> Row:
    return row | {"scale": "sd"}


def _opener_rows(design: Design) -> list[Row]:
    """N2: first messages that are not pitches, at once against later, and what is left for the pitch itself.

    Dyads whose first own message is a pitch leave the comparison. A reply is the contact's first message on the day of
    the opener or later; only days are known, and a reply that came after a later pitch is not counted.
    """
    problem, plan = design.problem, design.plan
    kept = (problem.opener_day < NEVER) | (problem.pitch_day == NEVER)
    p = subset(problem, kept)
    wrote_first = p.answered_day < p.opener_day
    waited = p.answered_day - p.opener_day
    replied = (p.opener_day < NEVER) & ~wrote_first & (p.answered_day < NEVER) & (waited <= plan.window_days)
    openers = replace(
        p,
        pitch_day=p.opener_day,
        opener_day=np.full(len(p), NEVER),
        answered_day=np.where(wrote_first, p.answered_day, NEVER),
        outcome=replied.astype(np.float64),
    )
    row = primary_row(openers, method="first messages", estimand="N2")
    pitch = primary_row(problem, method="wsr", hazards=design.hazards, design=design)
    rest = empty_row(
        problem, estimand="N2", method="pitch minus placebo", reason=row.get("reason") or pitch.get("reason")
    )
    if "estimate" in row and "estimate" in pitch:
        difference, se = pitch["estimate"] - row["estimate"], float(np.hypot(pitch["se"], row["se"]))
        half = float(critical_value(plan.conf_level)) * se
        rest |= {"estimate": difference, "low": difference - half, "high": difference + half, "se": se, "level": 2}
    return [row, rest]


def _window_row(dyads: pd.DataFrame, plan: Plan) -> Row:
    """N3: an early against a late part of the deferred days."""
    if plan.immediate[1] >= EARLY[0]:
        problem = build_problem(dyads, plan)
        reason = f"the immediate window reaches day {plan.immediate[1]}"
        return empty_row(problem, estimand="N3", method="wsr", reason=reason)
    return primary_row(build_problem(dyads, replace(plan, immediate=EARLY, deferred=LATE)), method="wsr", estimand="N3")


def _permuted_row(dyads: pd.DataFrame, design: Design, n_permutations: int, rng: np.random.Generator) -> Row:
    """N4: the primary with the pitch days shuffled among those pitched, within month and inviter."""
    problem = design.problem
    if design.level < 2 or n_permutations < 1:
        reason = "; ".join(design.reasons) or "no permutations were asked for"
        return empty_row(problem, estimand="N4", method="permuted days", reason=reason, level=design.level)
    strata = permutation_strata(dyads.iloc[problem.rows])
    order = canonical_order(problem)
    pitched = order[problem.pitch_day[order] < NEVER]
    values = []
    for _ in range(n_permutations):
        moved = problem.pitch_day.copy()
        moved[pitched] = problem.pitch_day[shuffle_within(pitched, strata[pitched], rng)]
        values.append(estimate(with_pitch_days(problem, moved)).rd)
    low, high = np.quantile(values, [0.025, 0.975])
    row = empty_row(problem, estimand="N4", method="permuted days", level=2)
    return row | {
        "estimate": float(np.mean(values)),
        "low": float(low),
        "high": float(high),
        "se": float(np.std(values)) / n_permutations**0.5,
    }


_TEXT: Final = {
    "en": {
        "N1": "How long the invitation had waited, which no pitch can change (in standard deviations)",
        "N2": "First messages that are not pitches (percentage points)",
        "N3": "Days 7 to 13 against days 14 to 30 (percentage points)",
        "silent": "{name}: {estimate} ({low} to {high}), compatible with none, as it should be.",
        "speaks": "{name}: {estimate} ({low} to {high}), where none is expected. Something that is not in the data "
        "decides whom you pitch and when.",
        "compares": "{name}: {estimate} ({low} to {high}). Not a test: answers that come after a pitch are not "
        "counted, which makes early messages look worse than they are.",
        "refused": "{name}: not answerable ({reason}).",
        "caveat": "A placebo that finds nothing does not prove that nothing is hidden.",
    },
    "it": {
        "N1": "Quanto aveva atteso l'invito, che nessuna proposta può cambiare (in deviazioni standard)",
        "N2": "Primi messaggi che non sono proposte (punti percentuali)",
        "N3": "Giorni da 7 a 13 contro giorni da 14 a 30 (punti percentuali)",
        "silent": "{name}: {estimate} (da {low} a {high}), compatibile con nessuna differenza, come dev'essere.",
        "speaks": "{name}: {estimate} (da {low} a {high}), dove non ce ne dovrebbe essere. Qualcosa che non è nei dati "
        "decide a chi proponi e quando.",
        "compares": "{name}: {estimate} (da {low} a {high}). Non è una prova: le risposte arrivate dopo una proposta "
        "non si contano, e questo fa sembrare peggiori i messaggi mandati presto.",
        "refused": "{name}: non si può rispondere ({reason}).",
        "caveat": "Un placebo che non trova nulla non prova che non ci sia nulla di nascosto.",
    },
}
