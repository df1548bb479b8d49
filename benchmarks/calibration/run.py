"""Does the plan recover the truth? Monte Carlo in worlds whose truth is known (STATISTICS, sections 11 and 13).

    python benchmarks/calibration/run.py --regimes ADEPJ --sets 60 --n 1500

Every set is one simulated export, analysed as a user's would be. Rows are appended to a CSV as they come and sets that
are already in it are skipped, so a run can be stopped and taken up again. The table at the end holds bias, coverage,
rejection, s.e./s.d. and refusals against the bars, for the weighted estimate, the g-formula and plain counting.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.comparison import count
from etiquette_analysis.analysis.design import judge
from etiquette_analysis.analysis.dyads import tabulate_dyads
from etiquette_analysis.analysis.gformula import bootstrap_policies, estimate_policies
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import build_problem
from etiquette_analysis.analysis.uncertainty import assess, find_limits
from etiquette_analysis.analysis.wsr import estimate
from etiquette_analysis.simulation import WORLDS, SimulatedDataset, simulate, true_values

HERE = Path(__file__).resolve().parent
FIELDS = ("regime", "n", "seed", "method", "estimand", "estimate", "low", "high", "se", "level", "n_later", "ess_later")
FIRST_SEED = 70_000
#: Bars of STATISTICS, section 13, for the primary at n = 1,500: widest absolute bias, coverage, s.e. / s.d.
MAX_BIAS, COVERAGE, SE_RATIO = 0.006, (0.925, 0.975), (0.93, 1.12)


def dyads_of(dataset: SimulatedDataset, plan: Plan) -> pd.DataFrame:
    """Return the dyads of a simulated export, coded with the true levels."""
    messages = dataset.messages.drop(columns="text")
    messages = messages.assign(pitch_level=dataset.levels.to_numpy(), has_text=True)
    return tabulate_dyads(
        messages, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=plan
    )


def analyse(regime: str, n: int, seed: int, *, draws: int, senders: int | None) -> list[dict[str, object]]:
    """Analyse one simulated export by every method."""
    world = WORLDS[regime]
    if senders is not None:
        world = type(world)(**{**world.__dict__, "senders": senders})
    plan = Plan()
    problem = build_problem(dyads_of(simulate(world, n=n, seed=seed), plan), plan)
    design = judge(problem)
    found = estimate(problem, design.hazards)
    uncertainty = assess(problem, found)
    limits = find_limits(found, uncertainty, conf_level=plan.conf_level)
    policies = estimate_policies(problem)
    counted = count(problem)
    nan = float("nan")
    rows = [
        ("wsr", "rd", found.rd, *limits.rd, uncertainty.se),
        ("count", "rd", counted.rd, *counted.limits.rd, nan),
    ]
    spread = np.full(3, nan)
    if draws:
        rng = np.random.default_rng(seed)
        values = bootstrap_policies(problem, n_draws=draws, rng=rng)
        contrasts = [values[:, 0] - values[:, 1], values[:, 2] - values[:, 0], values[:, 4] - values[:, 0]]
        spread = np.array([c.std(ddof=1) for c in contrasts])
    for name, value, se in zip(("rd", "s3", "s1"), (policies.rd, policies.s3, policies.s1), spread, strict=True):
        rows.append(("gformula", name, value, value - 1.96 * se, value + 1.96 * se, float(se)))
    rows.append(("gformula", "s2", policies.s2, nan, nan, nan))
    shared = {"regime": regime, "n": n, "seed": seed, "level": design.level}
    shared |= {"n_later": found.later.n, "ess_later": round(found.later.ess, 1)}
    return [{**shared, **dict(zip(FIELDS[3:9], row, strict=True))} for row in rows]


def truth_of(regime: str, path: Path, n: int) -> dict[str, float]:
    """Return the true values of a world, computed once and kept in a small file."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get(regime, {}).get("_n", 0) < n:
        known[regime] = {**true_values(regime, n=n), "_n": n}
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return known[regime]


def summarise(table: pd.DataFrame, truths: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return one row per regime, n, method and estimand: what a reader of STATISTICS 11.2 looks for, in points."""
    rows = []
    for (regime, n, method, estimand), all_sets in table.groupby(["regime", "n", "method", "estimand"], sort=False):
        truth = truths[regime][estimand]
        answered = all_sets[(all_sets["level"] == 2) | (method != "wsr")]
        error = answered["estimate"] - truth
        has_interval = answered["low"].notna()
        covered = ((answered["low"] <= truth) & (answered["high"] >= truth))[has_interval]
        excludes = ((answered["low"] > 0) | (answered["high"] < 0))[has_interval]
        wrong = ((answered["low"] > 0) & (truth < 0)) | ((answered["high"] < 0) & (truth > 0))
        ratio = answered["se"].mean() / error.std() if len(error) > 1 else np.nan
        is_primary = method == "wsr" and n >= 1500 and regime not in "GJS" and len(answered) > 1
        is_fine = is_primary and (
            abs(error.mean()) <= MAX_BIAS + 2 * error.std() / len(error) ** 0.5
            and COVERAGE[0] - 0.045 <= covered.mean() <= COVERAGE[1] + 0.025
            and SE_RATIO[0] - 0.15 <= ratio <= SE_RATIO[1] + 0.15
        )
        rows.append(
            {
                "regime": regime,
                "n": n,
                "method": method,
                "estimand": estimand,
                "sets": len(all_sets),
                "refused": 100 * (1 - len(answered) / len(all_sets)),
                "truth": 100 * truth,
                "bias": 100 * error.mean(),
                "mc_error": 100 * error.std() / max(len(error), 1) ** 0.5,
                "sd": 100 * error.std(),
                "se": 100 * answered["se"].mean(),
                "se_ratio": ratio,
                "coverage": 100 * covered.mean(),
                "rejects": 100 * excludes.mean(),
                "wrong_side": 100 * wrong.mean(),
                "within_wide_bars": "" if not is_primary else "yes" if is_fine else "NO",
            }
        )
    return pd.DataFrame(rows)


def done_in(results: Path) -> set[tuple[str, int, int]]:
    """Return the sets that a results file holds already."""
    return set(pd.read_csv(results)[["regime", "n", "seed"]].itertuples(index=False, name=None))


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regimes", default="ADEPJ", help="letters of the worlds")
    parser.add_argument("--sets", type=int, default=60)
    parser.add_argument("--n", type=int, default=1500, help="connections that can be judged")
    parser.add_argument("--senders", type=int, default=None, help="number of senders, for worlds H and I")
    parser.add_argument("--draws", type=int, default=0, help="bootstrap draws of the g-formula (0: no interval)")
    parser.add_argument("--truth-n", type=int, default=400_000)
    parser.add_argument("--results", type=Path, default=HERE / "results.csv")
    parser.add_argument("--summary-only", action="store_true")
    options = parser.parse_args()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    truth_path = options.results.with_name("truth.json")
    is_new = not options.results.exists()
    done = set() if is_new else done_in(options.results)
    start = time.perf_counter()
    with options.results.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        if is_new:
            writer.writeheader()
        for regime in "" if options.summary_only else options.regimes:
            for seed in range(FIRST_SEED, FIRST_SEED + options.sets):
                if (regime, options.n, seed) not in done:
                    writer.writerows(analyse(regime, options.n, seed, draws=options.draws, senders=options.senders))
                    file.flush()
    table = pd.read_csv(options.results)
    table = table[table["regime"].isin(list(options.regimes)) & (table["n"] == options.n)]
    truths = {regime: truth_of(regime, truth_path, options.truth_n) for regime in table["regime"].unique()}
    summary = summarise(table, truths)
    summary.to_csv(options.results.with_name(f"summary_{options.n}.csv"), index=False, float_format="%.3f")
    print(summary.round(2).to_string(index=False))
    print(f"{time.perf_counter() - start:.0f} s; bars at 500 sets: bias <= 0.6, coverage 92.5-97.5, se ratio 0.93-1.12")


if __name__ == "__main__":
    main()
