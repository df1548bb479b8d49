"""Does the plan recover the truth? Monte Carlo in worlds whose truth is known (STATISTICS, sections 11 and 13).

    make calibrate
    python benchmarks/calibration/run.py --sets 60 --studies primary_D_1500 primary_J_1500

One line per set goes to a cache beside this file, which git does not keep; sets that are there already are skipped, so
a run can be stopped and taken up again. The cache is named after what the code computes on a witness: code that gives
other numbers starts afresh. Tables, verdicts on the bars and the figure are written next to this file.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pandas as pd
from figure import draw_figure
from judge import judge_bars, summarise, to_markdown
from studies import FIRST_SEED, Row, Study, analyse, studies, truth_of, witness

HERE = Path(__file__).resolve().parent


def read_sets(path: Path) -> dict[int, list[Row]]:
    """Return the rows of every set in a cache file by seed; a line cut short by an interruption is ignored."""
    found: dict[int, list[Row]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[entry["seed"]] = entry["rows"]
    return found


def run_study(study: Study, cache: Path) -> None:
    """Run the sets that the cache lacks."""
    path = cache / f"{study.name}.jsonl"
    done = read_sets(path)
    missing = [seed for seed in range(FIRST_SEED, FIRST_SEED + study.sets) if seed not in done]
    if not missing:
        return
    start = time.process_time()
    with path.open("a", encoding="utf-8") as file:
        if path.stat().st_size and not path.read_text(encoding="utf-8").endswith("\n"):
            file.write("\n")
        for seed in missing:
            file.write(json.dumps({"seed": seed, "rows": analyse(study, seed)}) + "\n")
            file.flush()
    print(f"{study.name}: {len(missing)} sets in {time.process_time() - start:.0f} CPU s", flush=True)


def read_study(study: Study, cache: Path) -> pd.DataFrame:
    """Return all rows of a study as a table, the first ``study.sets`` seeds of it."""
    sets = read_sets(cache / f"{study.name}.jsonl")
    kept = {seed: rows for seed, rows in sets.items() if seed < FIRST_SEED + study.sets}
    return pd.DataFrame([{"seed": seed, **row} for seed in sorted(kept) for row in kept[seed]])


def read_truths(regimes: set[str], cache: Path) -> dict[str, dict[str, float]]:
    """Return the true values by regime, computed once."""
    path = cache / "truth.json"
    known: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for regime in sorted(regimes - known.keys()):
        known[regime] = truth_of(regime)
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return known


def main() -> None:
    """Run what is missing, then write the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, help="at most so many sets per study")
    parser.add_argument(
        "--studies", nargs="*", help="names or beginnings of names, as in the table; all where not given"
    )
    parser.add_argument("--cache", type=Path, help="folder of the sets (by default named after what the code computes)")
    parser.add_argument("--summary-only", action="store_true", help="judge the sets that are there")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the tables and the figure")
    chosen = parser.parse_args()
    cache = chosen.cache or HERE / ".cache" / witness()
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [s for s in studies() if not chosen.studies or s.name.startswith(tuple(chosen.studies))]
    if chosen.sets:
        wanted = [Study(s.kind, s.regime, s.n, min(s.sets, chosen.sets), s.senders) for s in wanted]
    for study in () if chosen.summary_only else wanted:
        run_study(study, cache)
    tables = {study: table for study in wanted if len(table := read_study(study, cache))}
    truths = read_truths({study.regime for study in tables}, cache)
    summary = summarise(tables, truths)
    bars = judge_bars(summary)
    is_partial = bool(chosen.studies or chosen.sets)
    if not is_partial or chosen.out != HERE:
        chosen.out.mkdir(parents=True, exist_ok=True)
        summary.to_csv(chosen.out / "summary.csv", index=False, float_format="%.2f")
        bars.to_csv(chosen.out / "bars.csv", index=False, float_format="%.2f")
        (chosen.out / "RESULTS.md").write_text(to_markdown(summary, bars, cache.name), encoding="utf-8")
        (chosen.out / "figure.svg").write_text(draw_figure(summary), encoding="utf-8")
    print(bars.to_string(index=False))
    missed = bars[bars["verdict"] == "missed"]
    print(
        f"{len(bars)} checks, {len(missed)} missed" + "".join(f"\n  bar {r.bar}: {r.what}" for r in missed.itertuples())
    )


if __name__ == "__main__":
    main()
