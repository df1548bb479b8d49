"""What the analysis costs, beside statsmodels and NumPy on the same work (STATISTICS, section 13; issue bars).

    make bench-analysis
    python benchmarks/analysis.py --only logit hazards

CPU seconds of one thread, the best of a few runs. Every comparison first checks that both sides give the same numbers.
The table is kept as ``analysis.csv`` beside this file.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import statsmodels.api as sm

from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.describe import describe
from etiquette_analysis.analysis.dyads import tabulate_dyads
from etiquette_analysis.analysis.hazards import day_bins, fit_hazards, phases
from etiquette_analysis.analysis.inference import cluster_bootstrap, logit
from etiquette_analysis.analysis.placebo import placebo
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.power import power
from etiquette_analysis.analysis.problem import NEVER, Problem, build_problem
from etiquette_analysis.analysis.robustness import robustness
from etiquette_analysis.analysis.secondary import secondary
from etiquette_analysis.analysis.sensitivity import sensitivity
from etiquette_analysis.simulation import WORLDS, simulate
from etiquette_analysis.simulation.worlds import draw_contacts, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAN = Plan()
TABLE = Path(__file__).with_suffix(".csv")
Line = tuple[str, float, float | None, str, float]


def cost(work: Callable[[], object], *, repeats: int = 5) -> float:
    """Return the least CPU seconds of some runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def bench_logit() -> Iterator[Line]:
    """Clustered logistic regression: few values per column, and none repeated."""
    rng = np.random.default_rng(1)
    for n in (20_000, 200_000):
        sender = rng.integers(0, 300, n)
        columns = {
            "discrete covariates": np.column_stack(
                [np.ones(n), rng.random(n) < 0.3, rng.random(n) < 0.5, rng.integers(0, 3, n), rng.integers(0, 5, n)]
            ).astype(np.float64),
            "continuous covariates": np.column_stack([np.ones(n), rng.standard_normal((n, 4))]),
        }
        for kind, x in columns.items():
            y = (rng.random(n) < 1 / (1 + np.exp(1.5 - 0.3 * x[:, 1:].sum(axis=1)))).astype(np.float64)

            def theirs(x: np.ndarray = x, y: np.ndarray = y, groups: np.ndarray = sender) -> object:
                return sm.Logit(y, x).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})

            def ours(x: np.ndarray = x, y: np.ndarray = y, groups: np.ndarray = sender) -> object:
                return logit(x, y, cluster=groups)

            np.testing.assert_allclose(ours().se, theirs().bse, rtol=1e-6)
            name = f"cluster logit, {n:,} rows, {kind} / statsmodels"
            yield name, cost(ours, repeats=9), cost(theirs, repeats=4), "ratio", 0.05


def person_period(problem: Problem, fit: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Fit the daily hazards as a textbook does: a table with one row per person and day at risk, then a regression."""
    coefs = []
    people = pd.DataFrame(problem.X[problem.cell], columns=list(problem.names)).assign(
        pitch_day=problem.pitch_day, opener_day=problem.opener_day, answered_day=problem.answered_day
    )
    for first, last in phases(problem):
        length = np.clip(np.minimum(problem.pitch_day, last) - first + 1, 0, None)
        table = people.loc[people.index.repeat(length)]
        table["day"] = first + table.groupby(level=0).cumcount()
        answered = table["answered_day"] <= table["day"]
        table["answered"] = answered
        table["opened"] = (table["opener_day"] <= table["day"]) & ~answered
        if last > 3:
            table["recent"] = answered & (table["day"] - table["answered_day"] <= 3)
        for days in day_bins(first, last):
            table[f"from {days.start}"] = table["day"].isin(days)
        y = (table["pitch_day"] == table["day"]).to_numpy(dtype=np.float64)
        x = table.drop(columns=["pitch_day", "opener_day", "answered_day", "day"]).to_numpy(dtype=np.float64)
        seen = x.std(axis=0) > 0
        coefs.append(fit(x[:, seen] if len(day_bins(first, last)) > 1 else x, y))
    return coefs


def fit_glm(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(sm.GLM(y, x, family=sm.families.Binomial()).fit().params)


def fit_logit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(sm.Logit(y, x).fit(disp=0).params)


def bench_hazards() -> Iterator[Line]:
    """Three phases of daily hazards: person-days in a table and statsmodels, against counts by cell."""
    for n in (1_500, 15_000, 150_000):
        problem = build_problem(invented_dyads("D", n), PLAN)
        table = fit_hazards(problem).table
        odds = np.log(table[10] / (1 - table[10]))[:, 0]
        slope = np.linalg.lstsq(np.column_stack([np.ones(len(problem.X)), problem.X]), odds, rcond=None)[0][1]
        ours = cost(lambda p=problem: fit_hazards(p))
        for name, fit in (("GLM", fit_glm), ("Logit", fit_logit)):
            # The same slope of the first covariate in the last phase, but for the ridge.
            np.testing.assert_allclose(slope, person_period(problem, fit)[-1][0], rtol=0.02, atol=0.01)
            theirs = cost(lambda p=problem, f=fit: person_period(p, f), repeats=1)
            yield f"daily hazards, {n:,} connections / statsmodels {name} on person-days", ours, theirs, "ratio", 0.01


def bench_bootstrap() -> Iterator[Line]:
    """1,000 draws of 300 senders: reply rates of two arms among 15,000 pitches."""
    rng = np.random.default_rng(2)
    n, size, n_draws = 15_000, 300, 1000
    sender, arm = rng.integers(0, size, n), rng.random(n) < 0.5
    reply = (rng.random(n) < 0.2).astype(np.float64)
    bottom = np.column_stack([arm, ~arm]).astype(np.float64)
    top = bottom * reply[:, None]

    def loop() -> np.ndarray:
        out, own = np.empty((n_draws, 2)), np.random.default_rng(3)
        for b in range(n_draws):
            counts = np.bincount(own.integers(0, size, size), minlength=size)[sender].astype(np.float64)
            out[b] = (counts @ top) / (counts @ bottom)
        return out

    def ours() -> np.ndarray:
        return cluster_bootstrap(top, bottom, sender, n_draws=n_draws, rng=np.random.default_rng(3))

    np.testing.assert_allclose(ours().std(axis=0), loop().std(axis=0), rtol=0.1)
    yield "1,000 cluster-bootstrap draws / NumPy loop", cost(ours), cost(loop, repeats=3), "ratio", 0.05


def invented_dyads(world: str, n: int, *, seed: int = 1) -> pd.DataFrame:
    """Return dyads of a world without writing its messages, a part at a time."""
    rng, parts = np.random.default_rng(seed), []
    while n > 0:
        c = draw_contacts(WORLDS[world], min(n, 50_000), rng)
        course = run(c)
        parts.append(
            pd.DataFrame(
                {
                    "time_zero": rng.integers(0, 600, len(c)),
                    "pitch_day": course.pitch_day,
                    "opener_day": course.opener_day,
                    "answered_day": course.answered_day,
                    "hours_to_reply": np.where(course.reply, rng.uniform(1, 300, len(c)), np.nan),
                    "invited_by_sender": ~c.contact_invited,
                    "has_note": c.has_note,
                    "acceptance_days": c.acceptance_days,
                    "seniority": np.array(["staff", "manager", "executive"])[c.seniority],
                }
            )
        )
        n -= len(c)
    table = pd.concat(parts, ignore_index=True)
    for column in ("pitch_day", "opener_day", "answered_day"):
        late = table[column] > (NEVER - 1 if column == "pitch_day" else table["pitch_day"])
        table[column] = table[column].astype("Int64").mask(late | (table[column] >= NEVER))
    start = pd.Timestamp("2023-01-01", tz="UTC")
    table["time_zero"] = start + pd.to_timedelta(table["time_zero"], unit="D")
    return table.assign(sender=0, contact=np.arange(len(table)), followup_days=200.0)


def bench_primary() -> Iterator[Line]:
    for n, limit in ((1_500, 0.2), (150_000, 10.0)):
        dyads = invented_dyads("D", n)
        yield f"primary, {n:,} connections, s", cost(lambda d=dyads: compare(d, PLAN), repeats=3), None, "s", limit


def bench_report() -> Iterator[Line]:
    """All that a report of 1,500 connections asks, 200 bootstrap draws included."""
    dataset = simulate("E", n=1500, seed=1)
    messages = dataset.messages.drop(columns="text").assign(pitch_level=dataset.levels.to_numpy(), has_text=True)
    dyads = tabulate_dyads(
        messages, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=PLAN
    )
    parts: dict[str, Callable[[], object]] = {
        "compare": lambda: compare(dyads, PLAN),
        "describe": lambda: describe(dyads, PLAN),
        "secondary": lambda: secondary(dyads, PLAN, n_draws=200),
        "robustness": lambda: robustness(dyads, PLAN, n_draws=200),
        "placebo": lambda: placebo(dyads, PLAN),
        "sensitivity": lambda: sensitivity(compare(dyads, PLAN)),
        "power": lambda: power(dyads, PLAN),
    }
    total = 0.0
    for name, work in parts.items():
        spent = cost(work, repeats=1)
        total += spent
        yield f"report at 1,500: {name}, s", spent, None, "s", 20.0
    yield "report at 1,500: everything, s", total, None, "s", 20.0


def bench_million() -> Iterator[Line]:
    """Take a million connections: seconds and the memory of a process that does nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dyads.parquet"
        invented_dyads("D", 1_000_000).to_parquet(path)
        said = subprocess.run(
            [sys.executable, __file__, "--compare", str(path)], capture_output=True, text=True, check=True
        ).stdout.split()
    yield "primary, 1,000,000 connections, s", float(said[0]), None, "s", float("inf")
    yield "primary, 1,000,000 connections, peak GB", float(said[1]), None, "GB", 4.0


def compare_alone(path: str) -> None:
    """Print CPU seconds and peak GB of comparing the dyads in a file."""
    dyads = pd.read_parquet(path)
    spent = cost(lambda: compare(dyads, PLAN), repeats=1)
    print(spent, peak_gb())


def peak_gb() -> float:
    """Return the peak memory of this process; ``getrusage`` alone would count the parent's from before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")]
        return int(lines[0].split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


BENCHES: dict[str, Callable[[], Iterator[Line]]] = {
    "logit": bench_logit,
    "hazards": bench_hazards,
    "bootstrap": bench_bootstrap,
    "primary": bench_primary,
    "report": bench_report,
    "million": bench_million,
}


def main() -> None:
    """Run the benchmarks and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(BENCHES))
    parser.add_argument("--compare", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.compare:
        compare_alone(chosen.compare)
        return
    rows = []
    for name in chosen.only or BENCHES:
        for what, ours, theirs, unit, limit in BENCHES[name]():
            value = ours if theirs is None else ours / theirs
            row = {"what": what, "value": value, "unit": unit, "limit": limit, "ours_s": ours, "theirs_s": theirs}
            rows.append(row | {"verdict": "met" if value <= limit else "missed"})
            print(f"{value:9.4f} {unit:5s} (at most {limit:g}) {rows[-1]['verdict']:6s} {what}", flush=True)
    if not chosen.only:
        pd.DataFrame(rows).to_csv(TABLE, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
