"""Whether the data can answer at all, judged before any reply is looked at.

Good designs are judged blind (Rubin 2008). The gate counts first pitches, looks at how few of them carry the weight,
at whether every kind of contact had a chance of both timings, and at balance; it uses the replies only as one pooled
number, to see that there are ten at all. Level 0 shows counts, level 1 the plain difference, level 2 an answer
(STATISTICS, section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.experiment import n_per_arm
from etiquette_analysis.analysis.hazards import HAZARD_RIDGE, SENDER_RIDGE, fit_hazards
from etiquette_analysis.analysis.logistic import fit_logistic
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import ANSWERED, NEVER, OPENED, Problem, build_problem
from etiquette_analysis.analysis.texts import advice, reason_text
from etiquette_analysis.analysis.wsr import arm_weights, effective_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.hazards import Hazards
    from etiquette_analysis.analysis.plan import Language, Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

MIN_PITCHES: Final = 10
MIN_REPLIES: Final = 10
ENOUGH_PITCHES: Final = 30
MIN_COLD: Final = 10
MIN_WARM: Final = 5
ANSWERED_SHARE: Final = 0.05
MIN_ESS: Final = 40
MAX_SHARE_OF_ONE: Final = 0.12
LOW_CHANCE: Final = 0.01
LOW_CHANCE_OF_MEAN: Final = 0.05
MAX_LOW_SHARE: Final = 0.10
MAX_SMD: Final = 0.25
MAX_UNREADABLE_SHARE: Final = 0.20
FEW_SENDERS: Final = 6
#: Reply rate on which minimum detectable effects are planned; the design never looks at the replies themselves.
PLANNING_RATE: Final = 0.15


@dataclass(frozen=True, repr=False)
class Design:
    """What the data can bear.

    Attributes
    ----------
    plan : Plan
        The question.
    level : int
        0 counts only, no comparison; 1 the plain difference; 2 an answer.
    reasons : tuple of str
        Codes of what stands in the way, the gravest first; empty at level 2.
    counts : DataFrame
        One row per arm: first pitches, cold and warm ones, effective size, largest share, share without overlap.
    balance : DataFrame
        One row per covariate: means by arm in standard deviations, before and after weighting, and the differences.
    overlap : DataFrame
        Connections by predicted chance of each arm, in twenty classes.
    values : dict
        Numbers used in the words.
    problem, hazards : Problem, Hazards
        What the estimate goes on from.
    """

    plan: Plan
    level: int
    reasons: tuple[str, ...]
    counts: pd.DataFrame
    balance: pd.DataFrame
    overlap: pd.DataFrame
    values: dict[str, float]
    problem: Problem
    hazards: Hazards

    def text(self, language: Language = "en", *, policy: str | None = None) -> str:
        """Return level, reasons and what to do to become able to know, in words.

        Parameters
        ----------
        language : {"en", "it"}
            Language.
        policy : str, optional
            The policy comparison (S3) in words, where it is known: it can be answered under strict gating.
        """
        require_language(language)
        said = [reason_text(code, self.values, language, policy=policy) for code in self.reasons]
        return "\n\n".join([*said, advice(self.level, self.values, language)])

    def __repr__(self) -> str:
        """Show level and reasons."""
        return f"Design(level={self.level}, reasons={self.reasons})\n{self.text('en')}"


def check_design(dyads: pd.DataFrame, plan: Plan) -> Design:
    """Judge, without looking at replies by arm, what the data can bear.

    Parameters
    ----------
    dyads : DataFrame
        As made by ``tabulate_dyads``.
    plan : Plan
        The question.

    Returns
    -------
    Design
        Nothing is raised where the data cannot bear an answer: the level says so.
    """
    problem = build_problem(dyads, plan)
    return judge(problem, unreadable_share=_unreadable_share(dyads))


def judge(problem: Problem, *, unreadable_share: float = 0.0, hazards: Hazards | None = None) -> Design:
    """Judge a problem that has been built already."""
    plan = problem.plan
    hazards = fit_hazards(problem) if hazards is None else hazards
    windows = {"now": plan.immediate, "later": plan.deferred}
    weights = {arm: arm_weights(problem, hazards, window) for arm, window in windows.items()}
    chances = {arm: arm_chance(problem, window) for arm, window in windows.items()}
    counts = _count_arms(problem, windows, weights, chances)
    balance = tabulate_balance(problem, weights["now"], weights["later"])
    values = _values(problem, counts, balance, unreadable_share)
    reasons = _reasons(problem, counts, values)
    level = 0 if any(r in _LEVEL_0 for r in reasons) else 1 if reasons else 2
    overlap = pd.concat([_overlap(problem, windows[arm], arm, *chances[arm]) for arm in windows], ignore_index=True)
    return Design(plan, level, reasons, counts, balance, overlap, values, problem, hazards)


def arm_chance(problem: Problem, window: tuple[int, int]) -> tuple[Bools, Floats]:
    """Return who was unpitched when the window began, and everybody's predicted chance of being pitched in it.

    A logistic regression on covariates and, for a window that begins after day 0, the history on its first morning.
    """
    at_risk = problem.pitch_day >= window[0]
    inside = problem.in_window(window)
    columns = [np.ones(len(problem)), problem.X[problem.cell]]
    if window[0] > 0:
        state = problem.state(window[0])
        columns += [(state >= ANSWERED).astype(np.float64), (state == OPENED).astype(np.float64)]
    X = np.column_stack(columns).astype(np.float64)
    groups = problem.cell_sender[problem.cell] if problem.n_intercepts else None
    if not inside.any():
        return at_risk, np.zeros(len(problem))
    fit = fit_logistic(
        X[at_risk],
        inside[at_risk].astype(np.float64),
        weights=problem.weight[at_risk],
        ridge=HAZARD_RIDGE,
        groups=None if groups is None else groups[at_risk],
        n_groups=problem.n_intercepts,
        group_ridge=SENDER_RIDGE,
    )
    return at_risk, fit.predict(X, groups)


def is_low(chance: Floats, at_risk: Bools) -> Bools:
    """Return whose chance of an arm is below 1 %, or below a twentieth of the average chance."""
    mean = chance[at_risk].mean() if at_risk.any() else 0.0
    return np.asarray(at_risk & (chance < max(LOW_CHANCE, LOW_CHANCE_OF_MEAN * mean)))


def tabulate_balance(problem: Problem, now: Floats, later: Floats) -> pd.DataFrame:
    """Return, per covariate, the standardised means by arm and their difference, before and after weighting."""
    X = problem.X[problem.cell]
    out: dict[str, Floats | tuple[str, ...]] = {"covariate": problem.names}
    for stage in ("before", "after"):
        for arm, weights in (("now", now), ("later", later)):
            w = (weights if stage == "after" else (weights > 0).astype(np.float64)) * problem.weight
            out[f"{arm}_{stage}"] = w @ X / w.sum() if w.sum() > 0 else np.full(X.shape[1], np.nan)
    table = pd.DataFrame(out)
    for stage in ("before", "after"):
        table[f"smd_{stage}"] = table[f"now_{stage}"] - table[f"later_{stage}"]
    return table


def _count_arms(
    problem: Problem,
    windows: dict[str, tuple[int, int]],
    weights: dict[str, Floats],
    chances: dict[str, tuple[Bools, Floats]],
) -> pd.DataFrame:
    warm = problem.answered_day < NEVER
    rows = []
    for arm, window in windows.items():
        inside, w = problem.in_window(window), weights[arm]
        at_risk, chance = chances[arm]
        rows.append(
            {
                "arm": arm,
                "days": f"{window[0]}-{window[1]}",
                "n": int(inside.sum()),
                "n_cold": int((inside & ~warm).sum()),
                "n_warm": int((inside & warm).sum()),
                "ess": effective_size(w),
                "largest_share": float(w.max() / w.sum()) if inside.any() else float("nan"),
                "low_chance_share": float(is_low(chance, at_risk).sum() / max(at_risk.sum(), 1)),
            }
        )
    return pd.DataFrame(rows)


def _values(problem: Problem, counts: pd.DataFrame, balance: pd.DataFrame, unreadable: float) -> dict[str, float]:
    """Return the numbers that rules and words need."""
    now, later = (counts.iloc[k] for k in range(2))
    plan = problem.plan
    pitched = problem.in_window(plan.immediate) | problem.in_window(plan.deferred)
    ess = (float(now["ess"]), float(later["ess"]))
    floor = PLANNING_RATE * (1 - PLANNING_RATE)
    se = float(np.sqrt(floor * sum(1 / e for e in ess))) if min(ess) > 0 else float("nan")
    return {
        "n_connections": float(len(problem)),
        "n_now": float(now["n"]),
        "n_later": float(later["n"]),
        "n_replies": float((problem.outcome * pitched).sum()),
        "share_now": float(now["n"]) / max(len(problem), 1),
        "answered_share": float((problem.answered_day < NEVER).mean()) if len(problem) else 0.0,
        "max_smd": float(balance["smd_after"].abs().max()) if len(balance) else 0.0,
        "unreadable_share": unreadable,
        "n_senders": float(problem.n_senders),
        "months": _months_to_go(problem, float(now["n"]), float(later["n"])),
        "n_per_arm": float(n_per_arm(base_rate=PLANNING_RATE, sesoi=min(plan.sesoi, 1 - PLANNING_RATE))),
        "sesoi": 100 * plan.sesoi,
        "minimum_detectable": 2.8 * se,
    }


def _reasons(problem: Problem, counts: pd.DataFrame, values: dict[str, float]) -> tuple[str, ...]:
    """Return every rule of the gate that is broken, the gravest first."""
    now, later = (counts.iloc[k] for k in range(2))
    smaller = min(values["n_now"], values["n_later"])
    is_gated = later["n_cold"] < MIN_COLD and later["n_warm"] >= MIN_COLD
    has_few_warm = later["n_warm"] < MIN_WARM and values["answered_share"] > ANSWERED_SHARE
    is_always_now = values["share_now"] >= 0.5 and values["n_later"] < ENOUGH_PITCHES <= values["n_now"]
    rules = {
        "always_at_once": is_always_now,
        "too_few_pitches": smaller < MIN_PITCHES,
        "too_few_replies": values["n_replies"] < MIN_REPLIES,
        "small_arm": MIN_PITCHES <= smaller < ENOUGH_PITCHES,
        "strict_gating": is_gated,
        "few_cold_later": later["n_cold"] < MIN_COLD and not is_gated,
        "few_warm_later": has_few_warm,
        "few_senders": between_senders_only(problem),
        "small_ess": not min(now["ess"], later["ess"]) >= MIN_ESS,
        "one_dyad_dominates": not max(now["largest_share"], later["largest_share"]) <= MAX_SHARE_OF_ONE,
        "no_overlap": max(now["low_chance_share"], later["low_chance_share"]) > MAX_LOW_SHARE,
        "imbalance": not values["max_smd"] <= MAX_SMD,
        "unlabelled": values["unreadable_share"] > MAX_UNREADABLE_SHARE,
    }
    return tuple(code for code, broken in rules.items() if broken)


_LEVEL_0: Final = ("too_few_pitches", "too_few_replies")


def between_senders_only(problem: Problem) -> bool:
    """Return whether fewer than six senders differ in timing only from one another, none within their own contacts."""
    if not 1 < problem.n_senders < FEW_SENDERS:
        return False
    arms = [problem.in_window(w) for w in (problem.plan.immediate, problem.plan.deferred)]
    by_sender = [np.bincount(problem.sender, arm, problem.n_senders) for arm in arms]
    uses_both = (by_sender[0] > 0) & (by_sender[1] > 0)
    return bool(min(n[uses_both].sum() for n in by_sender) < MIN_PITCHES)


def _months_to_go(problem: Problem, n_now: float, n_later: float) -> float:
    """Return in how many months, at this rate of connecting, both arms should hold 30 pitches."""
    months = max((int(problem.week.max()) + 1) * 7 / 30.4, 1.0) if len(problem) else 1.0
    waits = []
    for n in (n_now, n_later):
        # A timing that was never used is counted as if every second contact got it from now on.
        rate = n / months if n >= 1 else len(problem) / 2 / months
        waits.append((ENOUGH_PITCHES - n) / rate if rate > 0 else 12.0)
    return float(min(max(np.ceil(max(waits)), 2.0), 120.0))


def _unreadable_share(dyads: pd.DataFrame) -> float:
    """Return the share of dyads with an own message whose first own message has no text."""
    if "exclusion" not in dyads.columns or "first_own_day" not in dyads.columns:
        return 0.0
    begun = dyads["first_own_day"].notna()
    return float((begun & (dyads["exclusion"] == "text_missing")).sum() / max(int(begun.sum()), 1))


def _overlap(problem: Problem, window: tuple[int, int], arm: str, at_risk: Bools, chance: Floats) -> pd.DataFrame:
    edges = np.linspace(0, 1, 21)
    place = np.clip(np.digitize(chance[at_risk], edges) - 1, 0, 19)
    inside = problem.in_window(window)[at_risk]
    return pd.DataFrame(
        {
            "arm": arm,
            "chance_low": edges[:-1],
            "chance_high": edges[1:],
            "n": np.bincount(place, minlength=20),
            "n_pitched": np.bincount(place, inside, 20).astype(np.int64),
        }
    )
