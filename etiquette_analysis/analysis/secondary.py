"""What in waiting helps: the waiting itself, the opener, the choosing, or the milder pitch.

Four questions beside the headline, all per connection. S1, waiting alone: late without an opener against at once. S2,
opening alone: late after an opener on day 0 against late without one. S3, the policy "open, then pitch only those who
answer" against pitching everybody at once, where an unpitched contact is a contact that did not reply. S4, timing at
equal intensity. S1 to S3 are gains (positive = the claim is right), S4 is now minus later like the headline (negative
= the claim is right). They are tested together, by Holm's rule (STATISTICS, section 6).

S1 and S2 are weighted means with a second decision process, the opener's; their standard error is the larger of the
formula's and the bootstrap's. S3 is the g-formula with its bootstrap: choosing by answer is known there, so it stands
even where later pitches go only to those who answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats

from etiquette_analysis.analysis.design import ENOUGH_PITCHES, check_design
from etiquette_analysis.analysis.gformula import PolicyValues, estimate_policies
from etiquette_analysis.analysis.hazards import HAZARD_RIDGE, fit_hazards
from etiquette_analysis.analysis.intensity import IntensityArms, estimate_by_intensity
from etiquette_analysis.analysis.intervals import critical_value, wilson
from etiquette_analysis.analysis.logistic import fit_logistic
from etiquette_analysis.analysis.multiplicity import holm
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import NEVER
from etiquette_analysis.analysis.resampling import resamples
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.uncertainty import assess
from etiquette_analysis.analysis.variants import Row, average_arms, contrast_row, empty_row, ipw_arm
from etiquette_analysis.analysis.wsr import Estimate, arm_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.hazards import Hazards
    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem
    from etiquette_analysis.analysis.wsr import ArmEstimate

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: Fewest pitches that may stand for a strategy, or contacts that may teach what an opener does.
FEWEST: Final = 10
#: Connections that are advised for S1 and S2.
ADVISED: Final = 1500
QUESTIONS: Final = ("S1", "S2", "S3", "S4")


@dataclass(frozen=True, repr=False)
class Secondary(Result):
    """Answers to S1 to S4.

    Attributes
    ----------
    frame : DataFrame
        One row per question and method; the tested ones are methods ``ipw`` (S1, S2), ``g-formula`` (S3), ``wsr`` (S4).
        ``n_now`` and ``n_later`` count the pitches behind the first and the second strategy of the contrast.
    tests : DataFrame
        ``estimand``, ``estimate``, ``p_value``, ``p_holm`` of the four.
    per_pitch : tuple of float
        Counted reply rate of later pitches to people who had answered, and Wilson's limits: never without S3 beside it.
    design : Design
        What the data can bear.
    """

    tests: pd.DataFrame
    per_pitch: tuple[float, float, float]
    design: Design

    def text(self, language: Language = "en") -> str:
        """Return the four answers in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        lines = []
        for question, method in _TESTED:
            estimate, low, high, reason = _cells(self.frame, question, method)
            if np.isnan(estimate):
                lines.append(words["refused"].format(question=words[question], reason=reason))
                continue
            p = float(self.tests.loc[self.tests["estimand"] == question, "p_holm"].iloc[0])
            lines.append(
                words["answer"].format(
                    question=words[question],
                    estimate=number(100 * estimate, language, signed=True),
                    low=number(100 * low, language, signed=True),
                    high=number(100 * high, language, signed=True),
                    p=f"< {number(0.001, language, digits=3)}" if p < 0.001 else number(p, language, digits=3),
                )
            )
        if not np.isnan(_cells(self.frame, "S3", "g-formula")[0]) and not np.isnan(self.per_pitch[0]):
            lines.append(words["per_pitch"].format(rate=number(100 * self.per_pitch[0], language)))
        if is_small(len(self.design.problem)):
            lines.append(words["small"].format(n=len(self.design.problem), advised=ADVISED))
        return "\n".join(lines)


def is_small(n: int) -> bool:
    """Return whether so many connections are clearly fewer than advised; a few per cent are not worth a word."""
    return n < 0.95 * ADVISED


#: Why S1 to S3 are not answered where nobody asked for resamples.
NO_DRAWS: Final = "no resamples were asked for"
_TESTED: Final = (("S1", "ipw"), ("S2", "ipw"), ("S3", "g-formula"), ("S4", "wsr"))


def secondary(
    dyads: pd.DataFrame, plan: Plan, *, n_draws: int = 200, rng: np.random.Generator | None = None
) -> Secondary:
    """Answer S1 to S4 where the data can bear it.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        The question.
    n_draws : int
        Bootstrap resamples for S1 to S3 (of senders where there are six or more). Their time grows with the number of
        connections; with 0 these three are not answered.
    rng : Generator, optional
        For the bootstrap; a fixed one where not given, so that the same data give the same result.

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> secondary(dyads, Plan()).frame["estimate"].isna().all()
    np.True_
    """
    design = check_design(dyads, plan)
    problem, hazards = design.problem, design.hazards
    refusals = _refusals(design, dyads)
    if not n_draws:
        refusals |= {q: refusals[q] or NO_DRAWS for q in ("S1", "S2", "S3")}
    needs_draws = any(refusals[q] is None for q in ("S1", "S2", "S3"))
    rng = np.random.default_rng(20_240_601) if rng is None else rng
    draws = _bootstrap(problem, n_draws, rng) if needs_draws else None
    opener = opener_arms(problem, hazards) if needs_draws else None
    policies = estimate_policies(problem) if needs_draws else None
    rows = [
        *_opener_rows(problem, opener, policies, draws, refusals),
        _policy_row(problem, policies, draws, refusals["S3"]),
        *_intensity_rows(problem, estimate_by_intensity(problem, hazards, dyads), refusals["S4"]),
    ]
    for row in rows:
        row["level"] = design.level
    frame = result_frame(rows)
    return Secondary(frame, _tests(frame), _per_pitch(problem), design)


@dataclass(frozen=True)
class OpenerArms:
    """Weighted means behind S1 and S2: at once; late without an opener; late after one on day 0."""

    now: ArmEstimate
    no_opener: ArmEstimate
    with_opener: ArmEstimate


def opener_arms(problem: Problem, hazards: Hazards) -> OpenerArms:
    """Weight the pitched by the timing of the pitch and by the decision to open.

    An opener counts as one until the contact has written. Those who followed "no opener" are weighted by the inverse
    chance of having sent none so far; those who followed "opener on day 0" by the inverse chance of one on day 0.
    """
    chance = _opener_chances(problem)
    later = arm_weights(problem, hazards, problem.plan.deferred)
    until = np.minimum(problem.pitch_day, problem.answered_day)
    is_opened = problem.opener_day <= until
    n_days = len(chance)
    unopened = np.ones((n_days + 1, len(problem)))
    for day in range(n_days):
        unopened[day + 1] = unopened[day] * (1 - chance[day][problem.cell])
    last = np.minimum(until + 1, n_days)
    no_opener = np.where(is_opened, 0.0, later / unopened[last, np.arange(len(problem))])
    on_day_0 = chance[0][problem.cell]
    opened = (problem.opener_day == 0) & (on_day_0 > 0)
    with_opener = np.where(opened, later / np.where(opened, on_day_0, 1.0), 0.0)
    now = arm_weights(problem, hazards, problem.plan.immediate)
    return OpenerArms(*(ipw_arm(problem, w) for w in (now, no_opener, with_opener)))


def _opener_chances(problem: Problem) -> Floats:
    """Return the daily chance of an opener while nothing has been written, (days, cells): logistic, by day and cell."""
    n_days, n_cells = problem.plan.deferred[1] + 1, len(problem.X)
    at_risk, events = np.zeros((n_days, n_cells)), np.zeros((n_days, n_cells))
    for day in range(n_days):
        is_open = (problem.pitch_day >= day) & (problem.opener_day >= day) & (problem.answered_day >= day)
        risk = np.where(is_open, problem.weight, 0.0)
        at_risk[day] = np.bincount(problem.cell, risk, n_cells)
        events[day] = np.bincount(problem.cell, np.where(problem.opener_day == day, risk, 0.0), n_cells)
    chance = np.zeros((n_days, n_cells))
    for days in (range(1), range(1, min(15, n_days)), range(15, n_days)):
        risk, n_events = at_risk[days.start : days.stop].sum(axis=0), events[days.start : days.stop].sum(axis=0)
        if not n_events.sum() > 0:
            continue
        seen = risk > 0
        fit = fit_logistic(
            np.column_stack([np.ones(int(seen.sum())), problem.X[seen]]),
            n_events[seen] / risk[seen],
            weights=risk[seen],
            ridge=HAZARD_RIDGE,
            groups=problem.cell_sender[seen] if problem.n_intercepts else None,
            n_groups=problem.n_intercepts,
        )
        design = np.column_stack([np.ones(n_cells), problem.X])
        chance[days.start : days.stop] = fit.predict(design, problem.cell_sender if problem.n_intercepts else None)
    return chance


def _bootstrap(problem: Problem, n_draws: int, rng: np.random.Generator) -> Floats:
    """Return bootstrap draws (n_draws, 6): S1 and S2 weighted; P, S1, S2 and S3 by the g-formula."""
    draws = np.full((n_draws, 6), np.nan)
    for b, resample in enumerate(resamples(problem, n_draws=n_draws, rng=rng)):
        arms = opener_arms(resample, fit_hazards(resample))
        v = estimate_policies(resample)
        s1, s2 = arms.no_opener.value - arms.now.value, arms.with_opener.value - arms.no_opener.value
        draws[b] = s1, s2, v.rd, v.s1, v.s2, v.s3
    return draws


def _refusals(design: Design, dyads: pd.DataFrame) -> dict[str, str | None]:
    """Return, per question, why it is not answered; None where it is."""
    problem = design.problem
    general = "; ".join(design.reasons) if design.level < 2 else None
    later = problem.in_window(problem.plan.deferred)
    until = np.minimum(problem.pitch_day, problem.answered_day)
    n_none = int((later & (problem.opener_day > until)).sum())
    n_open = int((later & (problem.opener_day == 0)).sum())
    few = f"{n_none} later pitches without an opener and {n_open} after one on day 0; {FEWEST} of each are needed"
    few_openers = few if min(n_none, n_open) < FEWEST else None
    n_now = int(problem.in_window(problem.plan.immediate).sum())
    n_warm = int((later & (problem.answered_day < NEVER)).sum())
    n_opened = int((problem.opener_day == 0).sum())
    identified = design.level > 0 and n_now >= ENOUGH_PITCHES and min(n_warm, n_opened) >= FEWEST
    policy = (
        f"{n_now} immediate pitches, {n_warm} later ones to people who had answered and {n_opened} openers on day 0; "
        f"{ENOUGH_PITCHES}, {FEWEST} and {FEWEST} are needed"
    )
    has_levels = "pitch_level" in dyads.columns and bool(dyads["pitch_level"].notna().any())
    return {
        "S1": general or few_openers,
        "S2": general or few_openers,
        "S3": None if identified else "; ".join(design.reasons) if design.level == 0 else policy,
        "S4": general or (None if has_levels else "the intensity of pitches is not known"),
    }


def _opener_rows(
    problem: Problem,
    arms: OpenerArms | None,
    policies: PolicyValues | None,
    draws: Floats | None,
    refusals: dict[str, str | None],
) -> list[Row]:
    rows: list[Row] = []
    for k, question in enumerate(("S1", "S2")):
        if refusals[question] is not None or arms is None or draws is None or policies is None:
            rows += [
                empty_row(problem, estimand=question, method=m, reason=refusals[question]) for m in ("ipw", "g-formula")
            ]
            continue
        first, second = ((arms.no_opener, arms.now), (arms.with_opener, arms.no_opener))[k]
        row = contrast_row(problem, first, second, estimand=question, method="ipw")
        spread = float(np.nanstd(draws[:, k], ddof=1))
        if spread > row["se"]:
            df = assess(problem, Estimate(now=first, later=second)).df
            half = float(critical_value(problem.plan.conf_level, df=df)) * spread
            row |= {"se": spread, "low": row["estimate"] - half, "high": row["estimate"] + half}
        rows.append(row)
        value = (policies.s1, policies.s2)[k]
        rows.append(_bootstrap_row(problem, value, draws[:, 3 + k], question, n=(first.n, second.n)))
    return rows


def _policy_row(problem: Problem, policies: PolicyValues | None, draws: Floats | None, refusal: str | None) -> Row:
    if refusal is not None or policies is None or draws is None:
        return empty_row(problem, estimand="S3", method="g-formula", reason=refusal)
    warm = problem.in_window(problem.plan.deferred) & (problem.answered_day < NEVER)
    n = (int(warm.sum()), int(problem.in_window(problem.plan.immediate).sum()))
    return _bootstrap_row(problem, policies.s3, draws[:, 5], "S3", n=n)


def _bootstrap_row(problem: Problem, value: float, draws: Floats, estimand: str, *, n: tuple[int, int]) -> Row:
    """Return an estimate with the normal interval of its bootstrap, which covers better here than percentiles."""
    se = float(np.nanstd(draws, ddof=1))
    half = float(critical_value(problem.plan.conf_level)) * se
    return {
        "estimand": estimand,
        "method": "g-formula",
        "scale": "rd",
        "estimate": value,
        "low": value - half,
        "high": value + half,
        "se": se,
        "n_now": n[0],
        "n_later": n[1],
        "plan": problem.plan.hash[:12],
    }


def _intensity_rows(problem: Problem, arms: IntensityArms | None, refusal: str | None) -> list[Row]:
    """Return S4, what intensity does at equal timing, and their additive interaction."""
    names = ("S4", "S4 hard minus moderate", "S4 interaction")
    if refusal is not None or arms is None:
        reason = refusal or f"fewer than {FEWEST} pitches of some intensity in one of the windows"
        return [empty_row(problem, estimand=name, method="wsr", reason=reason) for name in names]
    now = average_arms(arms.now_mild, arms.now_hard)
    later = average_arms(arms.later_mild, arms.later_hard)
    hard = average_arms(arms.now_hard, arms.later_hard)
    mild = average_arms(arms.now_mild, arms.later_mild)
    rows = [
        contrast_row(problem, now, later, estimand=names[0], method="wsr"),
        contrast_row(problem, hard, mild, estimand=names[1], method="wsr"),
    ]
    # (now hard - now mild) - (later hard - later mild); the halves of two averages, hence the factor 2.
    first, second = average_arms(arms.now_hard, arms.later_mild), average_arms(arms.now_mild, arms.later_hard)
    row = contrast_row(problem, first, second, estimand=names[2], method="wsr")
    rows.append(row | {k: 2 * row[k] for k in ("estimate", "low", "high", "se")})
    return rows


def _tests(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the p-values of the four questions, as they are and by Holm's rule."""
    rows = frame.set_index(["estimand", "method"]).loc[list(_TESTED)]
    z = (rows["estimate"] / rows["se"]).to_numpy(dtype=np.float64)
    ess = rows[["ess_now", "ess_later"]].min(axis=1).to_numpy(dtype=np.float64)
    p = 2 * stats.t.sf(np.abs(z), np.where(np.isnan(ess), np.inf, np.maximum(ess - 6, 1)))
    estimate = rows["estimate"].to_numpy()
    return pd.DataFrame({"estimand": list(QUESTIONS), "estimate": estimate, "p_value": p, "p_holm": holm(p)})


def _cells(frame: pd.DataFrame, estimand: str, method: str) -> tuple[float, float, float, str]:
    row = frame[(frame["estimand"] == estimand) & (frame["method"] == method)]
    numbers = [float(row[c].iloc[0]) for c in ("estimate", "low", "high")]
    return numbers[0], numbers[1], numbers[2], str(row["reason"].iloc[0])


def _per_pitch(problem: Problem) -> tuple[float, float, float]:
    warm = problem.in_window(problem.plan.deferred) & (problem.answered_day < NEVER)
    n, replies = int(warm.sum()), float(problem.outcome[warm].sum())
    low, high = wilson(replies, n, conf_level=problem.plan.conf_level)
    return (replies / n if n else float("nan"), float(low), float(high))


_TEXT: Final = {
    "en": {
        "answer": "{question}: {estimate} percentage points ({low} to {high}; p {p} after Holm's correction).",
        "refused": "{question}: not answerable ({reason}).",
        "S1": "Waiting alone (late without an opener, against at once)",
        "S2": "Opening alone (late after an opener, against late without one)",
        "S3": 'Policy "open, pitch only those who answer", against pitching at once, per connection',
        "S4": "Timing at equal intensity (at once, against later)",
        "per_pitch": (
            "Per pitch the policy looks better, since it drops the uninterested: {rate}% of later pitches to "
            "people who had "
            "answered got a reply. Per connection is what counts."
        ),
        "small": "With {n} connections the first two are imprecise; {advised} are advised.",
    },
    "it": {
        "answer": "{question}: {estimate} punti percentuali (da {low} a {high}; p {p} dopo la correzione di Holm).",
        "refused": "{question}: non si può rispondere ({reason}).",
        "S1": "Solo l'attesa (più tardi senza un primo messaggio, contro subito)",
        "S2": "Solo il primo messaggio (più tardi dopo averlo mandato, contro più tardi senza)",
        "S3": "Regola «scrivi prima, proponi solo a chi risponde», contro il proporre subito, per collegamento",
        "S4": "Tempi a parità di insistenza (subito, contro più tardi)",
        "per_pitch": (
            "Per proposta la regola sembra migliore, perché scarta chi non è interessato: ha avuto risposta il {rate}% "
            "delle proposte tardive a chi aveva già scritto. Conta il valore per collegamento."
        ),
        "small": "Con {n} collegamenti i primi due sono imprecisi; se ne consigliano {advised}.",
    },
}
