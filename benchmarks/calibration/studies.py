"""What is simulated, how often, and what one simulated export tells: rows of estimates, held against the truth later.

Every set is one simulated export, analysed as a user's would be. A study is a regime at a size, for one purpose, and a
set is known by its study and its seed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.comparison import compare, count
from etiquette_analysis.analysis.debias import debias, sample_dyads
from etiquette_analysis.analysis.design import judge
from etiquette_analysis.analysis.dyads import tabulate_dyads
from etiquette_analysis.analysis.gformula import bootstrap_policies, estimate_policies
from etiquette_analysis.analysis.placebo import latency_rows
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import build_problem
from etiquette_analysis.analysis.sensitivity import sensitivity
from etiquette_analysis.analysis.uncertainty import assess, find_limits
from etiquette_analysis.analysis.wsr import estimate
from etiquette_analysis.simulation import WORLDS, SimulatedDataset, simulate, true_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]

PLAN = Plan()
NAN = float("nan")
FIRST_SEED = 70_000
#: True values need this many simulated contacts; their standard error is then about 0.02 points.
TRUTH_N = 1_000_000
#: Where senders differ, as many of them as make the truth that of all senders, not of the forty drawn.
TRUTH_SENDERS = 4000
#: A labeller that misses 15 % of pitches and takes 7 % of the other own messages for one.
MISSED, INVENTED, N_CODED = 0.15, 0.07, 400
N_DRAWS = 80
FACTOR = "odds factor 1.25"


@dataclass(frozen=True)
class Study:
    """One regime at one size, for one purpose."""

    kind: str
    regime: str
    n: int
    sets: int
    senders: int = 1

    @property
    def name(self) -> str:
        """Identify the study in file names and tables."""
        return f"{self.kind}_{self.regime}_{self.n}" + (f"_{self.senders}" if self.senders > 1 else "")


def studies() -> Iterator[Study]:
    """Yield what STATISTICS, section 13, asks for."""
    for regime in "ABCDEFKLMNPGJ":
        yield Study("primary", regime, 1500, 500)
    yield Study("orphans", "S", 1500, 500)
    for regime in "GD":
        yield Study("hidden", regime, 1500, 500)
    for regime in "HI":
        for senders, each in ((40, 60), (12, 150), (6, 250)):
            yield Study("senders", regime, senders * each, 200, senders)
    for regime in "DE":
        yield Study("labels", regime, 1500, 200)
    for n, sets in ((150, 200), (300, 200), (600, 200), (5000, 60)):
        yield Study("primary", "J", n, sets)
    for regime in "DEFP":
        yield Study("primary", regime, 150, 200)
    yield Study("policy", "J", 1500, 100)
    for regime in "ABCDEFKLMNP":
        yield Study("primary", regime, 600, 200)


def analyse(study: Study, seed: int) -> list[Row]:
    """Return the rows of one set."""
    world = replace(WORLDS[study.regime], senders=study.senders)
    dataset = simulate(world, n=study.n, seed=seed)
    return [*_KINDS[study.kind](dataset, seed)]


def truth_of(regime: str) -> dict[str, float]:
    """Return the true values of a world."""
    world = WORLDS[regime]
    return true_values(replace(world, senders=TRUTH_SENDERS if world.senders > 1 else 1), n=TRUTH_N)


def witness() -> str:
    """Return a fingerprint of what the code computes: rows that other code would not reproduce are not counted."""
    rows = [
        row
        for study in (Study("primary", "D", 600, 1), Study("senders", "H", 900, 1, 6), Study("orphans", "S", 300, 1))
        for row in analyse(study, 1)
    ]
    said = json.dumps([[f"{v:.9f}" if isinstance(v, float) else v for v in row.values()] for row in rows])
    return sha256(said.encode()).hexdigest()[:12]


def dyads_of(dataset: SimulatedDataset, levels: np.ndarray | None = None) -> pd.DataFrame:
    """Return the dyads of a simulated export, coded with the true levels or with others."""
    messages = dataset.messages.drop(columns="text")
    messages = messages.assign(pitch_level=dataset.levels.to_numpy() if levels is None else levels, has_text=True)
    return tabulate_dyads(
        messages, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=PLAN
    )


def primary_rows(dyads: pd.DataFrame, method: str = "wsr") -> tuple[list[Row], Any]:
    """Return the weighted estimate, given at every level (the level tells whether it would have been shown)."""
    problem = build_problem(dyads, PLAN)
    design = judge(problem)
    found = estimate(problem, design.hazards)
    uncertainty = assess(problem, found)
    limits = find_limits(found, uncertainty, conf_level=PLAN.conf_level)
    row = {"method": method, "estimand": "rd", "estimate": found.rd, "low": limits.rd[0], "high": limits.rd[1]}
    row |= {"se": uncertainty.se, "level": design.level, "ess_later": found.later.ess}
    return [row], problem


def _primary(dataset: SimulatedDataset, seed: int) -> Iterator[Row]:
    """Weighted estimate, counting, g-formula."""
    rows, problem = primary_rows(dyads_of(dataset))
    yield from rows
    counted = count(problem)
    yield {"method": "count", "estimand": "rd", "estimate": counted.rd} | _limits(counted.limits.rd)
    policies = estimate_policies(problem)
    for name in ("rd", "s1", "s2", "s3"):
        yield {"method": "gformula", "estimand": name, "estimate": getattr(policies, name)}


def _orphans(dataset: SimulatedDataset, seed: int) -> Iterator[Row]:
    """As a primary set, and what leaving out the people who disconnected would give."""
    dyads = dyads_of(dataset)
    is_listed = (dyads["time_zero_source"] != "first_evidence").to_numpy(dtype=bool)
    yield from _primary(dataset, seed)
    yield from primary_rows(dyads[is_listed].reset_index(drop=True), "wsr, listed only")[0]
    yield {"method": "orphans", "estimand": "n", "estimate": float(compare(dyads, PLAN).n_orphans)}


def _hidden(dataset: SimulatedDataset, seed: int) -> Iterator[Row]:
    """Run the latency placebo, and bounds under hidden information."""
    dyads = dyads_of(dataset)
    for arm, p in latency_rows(dyads, PLAN)[1].items():
        yield {"method": f"latency, {arm}", "estimand": "p", "estimate": p}
    result = compare(dyads, PLAN)
    frame = sensitivity(result).frame
    bounds = frame[frame["method"] == FACTOR]
    if len(bounds):
        row = bounds.iloc[0].to_dict()
        yield {"method": "bounds 1.25", "estimand": "rd", "level": result.level} | {
            k: row[k] for k in ("estimate", "low", "high")
        }


def _labels(dataset: SimulatedDataset, seed: int) -> Iterator[Row]:
    """Let a labeller err, and code 400 dyads by hand: drawn alike, or stratified by predicted arm."""
    rng = np.random.default_rng(seed)
    level = dataset.levels.astype(str).to_numpy().astype(object)
    own = (dataset.messages["sender"] == dataset.ego).to_numpy() & (dataset.messages["kind"] == "message").to_numpy()
    is_pitch = np.isin(level, ["moderate", "hard"])
    draw = rng.random(len(level))
    wrong = level.copy()
    wrong[own & is_pitch & (draw < MISSED)] = "none"
    wrong[own & ~is_pitch & (draw < INVENTED)] = "moderate"
    gold, predicted = dyads_of(dataset, level), dyads_of(dataset, wrong)
    yield from primary_rows(gold, "true labels")[0]
    plain = gold[["sender", "contact"]].sample(N_CODED, random_state=seed)
    for how, sample in (("alike", plain), ("stratified", sample_dyads(predicted, PLAN, n=N_CODED, rng=rng))):
        coded = gold.merge(sample, on=["sender", "contact"], how="right", validate="one_to_one")
        frame = debias(predicted, coded, PLAN).frame
        for row in frame[frame["estimand"] == "P"].to_dict("records"):
            if how == "stratified" and row["method"] == "uncorrected":
                continue
            name = row["method"] if row["method"] == "uncorrected" else f"{row['method']}, {how}"
            shown = {k: float(row[k]) for k in ("estimate", "low", "high", "se")}
            yield {"method": name, "estimand": "rd", "is_flagged": isinstance(row["reason"], str)} | shown


def _policy(dataset: SimulatedDataset, seed: int) -> Iterator[Row]:
    """S3 by the g-formula with its bootstrap."""
    problem = build_problem(dyads_of(dataset), PLAN)
    values = bootstrap_policies(problem, n_draws=N_DRAWS, rng=np.random.default_rng(seed))
    s3, se = estimate_policies(problem).s3, float((values[:, 2] - values[:, 0]).std(ddof=1))
    yield {"method": "gformula, bootstrap", "estimand": "s3", "estimate": s3, "se": se} | _limits(
        (s3 - 1.96 * se, s3 + 1.96 * se)
    )


def _limits(pair: tuple[float, float]) -> Row:
    return {"low": pair[0], "high": pair[1]}


_KINDS: dict[str, Callable[[SimulatedDataset, int], Iterator[Row]]] = {
    "primary": _primary,
    "senders": _primary,
    "orphans": _orphans,
    "hidden": _hidden,
    "labels": _labels,
    "policy": _policy,
}
