"""Fallible labels: correct an estimate by a random sample of dyads that were coded by hand.

A labeller that takes an opener for a pitch makes it an "immediate pitch" whose thank-you becomes "its reply": the
error is
differential even where it is random per message, and a 95 % labeller moves the headline by two points. *Predict then
debias*: the estimate from all predicted labels, plus what a hand-coded probability sample of dyads shows them to be off
by, ``gold + lambda * (predicted on all - predicted on the sample)`` with lambda chosen for least variance in [0, 1].
It works
for any estimator with influence values, and is in the long run never worse than the coded sample alone
(STATISTICS, section 8; Angelopoulos, Duchi and Zrnic 2023; Kluger et al. 2025).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.hazards import fit_hazards
from etiquette_analysis.analysis.intervals import critical_value
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import Problem, build_problem
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.uncertainty import MIN_CLUSTERS, SPENT_DF
from etiquette_analysis.analysis.variants import Row
from etiquette_analysis.analysis.wsr import Estimate, effective_size, estimate
from etiquette_analysis.errors import DesignError, SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Language, Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Fewest hand-coded dyads, and first pitches in each arm among them, from which anything is corrected.
FEWEST_CODED: Final = 100
FEWEST_PITCHES: Final = 10
#: Labels this good at finding and not inventing pitches of an arm leave the uncorrected number unflagged.
GOOD_ENOUGH: Final = 0.99
KEY: Final = ["sender", "contact"]


@dataclass(frozen=True, repr=False)
class Debiased(Result):
    """Estimates before and after correction.

    Attributes
    ----------
    frame : DataFrame
        Estimands ``P`` (weighted sequential regression) and ``D any_later`` (counted); methods ``uncorrected``, ``coded
        sample only`` and ``predict-then-debias``. The uncorrected rows carry a reason where the labels err.
    lambdas : dict
        Weight given to the predictions, by estimand.
    n_coded : int
        Hand-coded dyads used.
    sensitivity, specificity : float
        Of the predicted labels at the level of dyads: being placed in the arm the coders placed them in, where they
        placed them in one; being placed in neither arm where they did not. Weighted to all dyads.
    """

    lambdas: dict[str, float]
    n_coded: int
    sensitivity: float
    specificity: float

    def text(self, language: Language = "en") -> str:
        """Return the correction in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        rows = self.frame[self.frame["estimand"] == "P"].set_index("method")
        before, after = (float(rows["estimate"].to_dict()[m]) for m in ("uncorrected", "predict-then-debias"))
        if np.isnan(after):
            return words["refused"].format(reason=rows["reason"].to_dict()["predict-then-debias"])
        return words["corrected"].format(
            n=self.n_coded,
            sensitivity=number(100 * self.sensitivity, language, digits=0),
            specificity=number(100 * self.specificity, language, digits=0),
            before=number(100 * before, language, signed=True),
            after=number(100 * after, language, signed=True),
            low=number(100 * float(rows["low"].to_dict()["predict-then-debias"]), language, signed=True),
            high=number(100 * float(rows["high"].to_dict()["predict-then-debias"]), language, signed=True),
        )


@dataclass(frozen=True)
class Influenced:
    """An estimate, and how much each dyad of the whole table pulls it (they sum to about 0; squares sum to se^2)."""

    value: float
    pull: Floats
    df: float
    n_now: int
    n_later: int


def debias(dyads: pd.DataFrame, coded: pd.DataFrame, plan: Plan) -> Debiased:
    """Correct the primary and the counted difference for errors of the labels.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection, from predicted labels.
    coded : DataFrame
        The dyads of a probability sample, built from hand-coded labels, with the same ``sender`` and ``contact``;
        ``inclusion_probability`` (0 to 1] where the sample was stratified, else all alike.
    plan : Plan
        The question.

    Returns
    -------
    Debiased
        Refuses (NaN and a reason) below 100 coded dyads or 10 coded first pitches in an arm: then let the owner confirm
        every first pitch instead.

    Raises
    ------
    SchemaError
        Where a coded dyad is not in ``dyads`` or an inclusion probability is not in (0, 1].
    """
    place, chance = match_coded(dyads, coded)
    problems = _problems(dyads, coded, place, chance, plan)
    sensitivity, specificity = agreement(problems, plan, len(dyads))
    refusal = _refusal(problems[1], len(coded))
    share = np.zeros(len(dyads))
    share[place] = 1 / chance * len(dyads) / np.sum(1 / chance)
    rows: list[Row] = []
    lambdas = {}
    for estimand, estimator in (("P", wsr_pull), ("D any_later", counted_pull)):
        found = [_estimate(p, estimator, len(dyads)) for p in problems]
        flawed = min(sensitivity, specificity) < GOOD_ENOUGH
        note = "not corrected for label errors" if flawed else None
        rows.append(_row(found[0], estimand, "uncorrected", plan, reason=note))
        if refusal:
            nothing = Influenced(float("nan"), np.full(len(dyads), np.nan), 1.0, found[1].n_now, found[1].n_later)
            rows += [
                _row(nothing, estimand, m, plan, reason=refusal) for m in ("coded sample only", "predict-then-debias")
            ]
            continue
        combined, lambdas[estimand] = combine(*found, share=share, cluster=_cluster(dyads))
        rows.append(_row(found[1], estimand, "coded sample only", plan, cluster=_cluster(dyads)))
        rows.append(_row(combined, estimand, "predict-then-debias", plan, cluster=_cluster(dyads)))
    return Debiased(result_frame(rows), lambdas, len(coded), sensitivity, specificity)


def match_coded(dyads: pd.DataFrame, coded: pd.DataFrame) -> tuple[Ints, Floats]:
    """Return the row of each coded dyad in ``dyads``, and its inclusion probability."""
    index = pd.MultiIndex.from_frame(dyads[KEY])
    place = index.get_indexer(pd.MultiIndex.from_frame(coded[KEY]))
    if (place < 0).any() or len(np.unique(place)) < len(place):
        row = int(np.argmax(place < 0)) if (place < 0).any() else int(coded.duplicated(KEY).to_numpy().argmax())
        what = "is not among the dyads" if (place < 0).any() else "is coded twice"
        msg = f"coded, row {row}: this sender and contact {what}; code dyads sampled from the same table, each once"
        raise SchemaError(msg)
    if "inclusion_probability" not in coded.columns:
        return place.astype(np.int64), np.full(len(coded), len(coded) / max(len(dyads), 1))
    chance = coded["inclusion_probability"].to_numpy(dtype=np.float64)
    bad = ~((chance > 0) & (chance <= 1))
    if bad.any():
        row = int(bad.argmax())
        msg = f"coded, row {row}: inclusion_probability is {chance[row]}; expected a number above 0 and at most 1"
        raise SchemaError(msg)
    return place.astype(np.int64), chance


def _problems(
    dyads: pd.DataFrame, coded: pd.DataFrame, place: Ints, chance: Floats, plan: Plan
) -> tuple[Problem, Problem, Problem]:
    """Return three problems on one numbering: all predicted, the sample as coded, the sample as predicted."""
    order = np.argsort(place, kind="stable")
    place, chance, coded = place[order], chance[order], coded.iloc[order].reset_index(drop=True)
    sample = dyads.iloc[place].reset_index(drop=True)
    out = [build_problem(dyads, plan)]
    for table in (coded.drop(columns="inclusion_probability", errors="ignore"), sample):
        problem = build_problem(table, plan, weights=1 / chance)
        # ``rows`` then points into the whole table, where every pull is collected.
        out.append(_relocated(problem, place))
    return out[0], out[1], out[2]


def _relocated(problem: Problem, place: Ints) -> Problem:
    return replace(problem, rows=place[problem.rows])


def agreement(problems: tuple[Problem, Problem, Problem], plan: Plan, n: int) -> tuple[float, float]:
    """Return sensitivity and specificity of the predicted arm against the coded one, weighted to all dyads."""
    arm = np.zeros((2, n), dtype=np.int64)
    weight = np.zeros((2, n))
    for k, problem in enumerate(problems[1:]):
        arm[k, problem.rows] = problem.in_window(plan.immediate) + 2 * problem.in_window(plan.deferred)
        weight[k, problem.rows] = problem.weight
    w = np.minimum(weight[0], weight[1])
    pitched = arm[0] > 0

    def share(hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
        total = float(w[among].sum())
        return float(w[hit & among].sum()) / total if total > 0 else float("nan")

    return share(arm[1] == arm[0], pitched), share(arm[1] == 0, ~pitched)


def _refusal(gold: Problem, n_coded: int) -> str | None:
    n_now, n_later = (int(gold.in_window(w).sum()) for w in (gold.plan.immediate, gold.plan.deferred))
    if n_coded < FEWEST_CODED:
        return f"{n_coded} coded dyads; at least {FEWEST_CODED} are needed. Confirm every first pitch by hand instead"
    if min(n_now, n_later) < FEWEST_PITCHES:
        return (
            f"{n_now} immediate and {n_later} later pitches among the coded; at least {FEWEST_PITCHES} each are needed"
        )
    return None


def _estimate(problem: Problem, estimator: object, n: int) -> Influenced:
    found: Influenced = estimator(problem, n)  # type: ignore[operator]
    return found


def wsr_pull(problem: Problem, n: int) -> Influenced:
    """Return the primary difference and the pull of each of the ``n`` dyads of the whole table."""
    hazards = fit_hazards(problem)
    found: Estimate = estimate(problem, hazards)
    pull = np.zeros(n)
    own = (found.now.influence - found.later.influence) * problem.weight / problem.weight.sum()
    pull[problem.rows] = own
    df = max(min(found.now.ess, found.later.ess) - SPENT_DF, 1.0)
    return Influenced(found.rd, pull, df, found.now.n, found.later.n)


def counted_pull(problem: Problem, n: int) -> Influenced:
    """Return the counted difference (now minus any later) and the pull of each of the ``n`` dyads."""
    plan = problem.plan
    pull, value, sizes, ess = np.zeros(n), 0.0, [], []
    for window, sign in ((plan.immediate, 1.0), ((plan.immediate[1] + 1, plan.deferred[1]), -1.0)):
        inside = problem.in_window(window)
        w = np.where(inside, problem.weight, 0.0)
        total = float(w.sum())
        rate = float(w @ problem.outcome) / total if total > 0 else float("nan")
        value += sign * rate
        pull[problem.rows] += sign * w * (problem.outcome - rate) / total if total > 0 else np.nan
        sizes.append(int(inside.sum()))
        ess.append(effective_size(w))
    return Influenced(value, pull, max(min(ess) - 2.0, 1.0), sizes[0], sizes[1])


def combine(
    predicted: Influenced, gold: Influenced, sample: Influenced, *, share: Floats, cluster: Ints | None = None
) -> tuple[Influenced, float]:
    """Return ``gold + lambda * (predicted - sample)`` at the lambda of least variance in [0, 1], and lambda.

    Parameters
    ----------
    predicted, gold, sample : Influenced
        From all dyads as predicted, from the sample as coded, from the sample as predicted.
    share : float64 array
        What each dyad of the table stands for in the sample, relative to what it stands for in the table; 0 outside.
    cluster : int64 array, optional
        Cluster of each dyad.
    """
    # Lambda is a ratio of variances; pulls from the fit to all dyads are steadier than those of the small sample's fit.
    steady = share * predicted.pull
    a, b = (_summed(v, cluster) for v in (gold.pull - sample.pull + steady, predicted.pull - steady))
    power = float(b @ b)
    best = float(np.clip(-(a @ b) / power, 0.0, 1.0)) if power > 0 else 0.0
    value = gold.value + best * (predicted.value - sample.value)
    pull = gold.pull + best * (predicted.pull - sample.pull)
    return Influenced(value, pull, gold.df, gold.n_now, gold.n_later), best


def _summed(pull: Floats, cluster: Ints | None) -> Floats:
    return pull if cluster is None else np.bincount(cluster, pull).astype(np.float64)


def _cluster(dyads: pd.DataFrame) -> Ints | None:
    code, senders = pd.factorize(dyads["sender"])
    return code.astype(np.int64) if len(senders) >= MIN_CLUSTERS else None


def _row(
    found: Influenced, estimand: str, method: str, plan: Plan, *, reason: str | None = None, cluster: Ints | None = None
) -> Row:
    pulls = _summed(found.pull, cluster)
    se = float(np.sqrt(np.sum(pulls**2)))
    df = found.df if cluster is None else min(found.df, float(len(pulls) - 1))
    half = float(critical_value(plan.conf_level, df=df)) * se
    return {
        "estimand": estimand,
        "method": method,
        "scale": "rd",
        "estimate": found.value,
        "low": found.value - half,
        "high": found.value + half,
        "se": se,
        "n_now": found.n_now,
        "n_later": found.n_later,
        "level": 0 if np.isnan(found.value) else 2,
        "reason": reason,
        "plan": plan.hash[:12],
    }


def sample_dyads(dyads: pd.DataFrame, plan: Plan, *, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw dyads for hand-coding, stratified by predicted arm: a third each of now, later and the rest, if there are.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection, from predicted labels.
    plan : Plan
        Its windows make the strata.
    n : int
        Dyads to code; at least 3, one for each stratum, or all.
    rng : Generator
        Source of randomness; the same one draws the same dyads, whatever the order of the rows.

    Returns
    -------
    DataFrame
        ``sender``, ``contact`` and ``inclusion_probability``, to be merged with the coded dyads.
    """
    fewest = min(3, max(len(dyads), 1))
    if not fewest <= n <= len(dyads):
        msg = f"n={n} dyads to code of {len(dyads)}; expected between {fewest} and all of them"
        raise DesignError(msg)
    problem = build_problem(dyads, plan)
    arm = np.zeros(len(dyads), dtype=np.int64)
    arm[problem.rows] = problem.in_window(plan.immediate) + 2 * problem.in_window(plan.deferred)
    sizes = np.bincount(arm, minlength=3)
    takes = np.minimum(sizes, n // 3)
    while takes.sum() < n:
        takes[np.argmax(sizes - takes)] += min(n - takes.sum(), (sizes - takes).max())
    in_order = np.lexsort([dyads[side].to_numpy() for side in reversed(KEY)])
    rows = np.concatenate([rng.choice(in_order[arm[in_order] == k], takes[k], replace=False) for k in range(3)])
    rows.sort()
    chance = (takes / np.maximum(sizes, 1))[arm[rows]]
    return dyads.iloc[rows][KEY].assign(inclusion_probability=chance).reset_index(drop=True)


_TEXT: Final = {
    "en": {
        "refused": "The labels were not corrected: {reason}.",
        "corrected": (
            "{n} hand-coded dyads show that the labels place {sensitivity}% of the pitched dyads in the right "
            "group and "
            "{specificity}% of the others in none. Corrected for that, the difference is {after} percentage points "
            "({low} "
            "to {high}); uncorrected it was {before}."
        ),
    },
    "it": {
        "refused": "Le etichette non sono state corrette: {reason}.",
        "corrected": (
            "{n} coppie codificate a mano mostrano che le etichette mettono nel gruppo giusto il {sensitivity}% di "
            "quelle "
            "con proposta e in nessuno il {specificity}% delle altre. Con questa correzione la differenza è di {after} "
            "punti percentuali (da {low} a {high}); senza era {before}."
        ),
    },
}
