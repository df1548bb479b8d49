"""What does a second core bring: scoring and labelling with one thread, with two, and in two processes, in turn.

    python benchmarks/threads.py --messages 1000000 --rounds 3

Two processes get half of the pairs each. In every round two busy loops are timed as well, alone and side by side:
where that gain is not near 2, other work keeps the cores, and no gain in time can be read off the other rows; CPU time
can. NumPy's own threads are off. Seconds go to ``threads.csv`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from resume import make_tables

OUT = Path(__file__).with_suffix(".csv")
BUSY = """
import time
began = time.perf_counter()
for _ in range(20_000_000): pass
print(time.perf_counter() - began, 0)
"""
LABEL = """
import resource, sys, time
import pyarrow as pa
from etiquette_analysis.engine.files import label_files
from etiquette_analysis.labels.pitch import score_batch
score_batch(pa.array(["hello there"]))  # reads the model
began = time.perf_counter()
label_files(*sys.argv[1:4], score=score_batch, threads=int(sys.argv[4]))
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - began, used.ru_utime + used.ru_stime)
"""


def side_by_side(commands: list[list[str]]) -> tuple[float, float]:
    """Run commands at the same time; return the seconds of the slowest, and the CPU seconds of all."""
    alone = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    running = [
        subprocess.Popen([sys.executable, "-c", *c], stdout=subprocess.PIPE, text=True, env=alone) for c in commands
    ]
    said = [process.communicate()[0].split() for process in running]
    return max(float(wall) for wall, _ in said), sum(float(cpu) for _, cpu in said)


def measure(messages: Path, halves: list[Path], connections: str, folder: Path) -> list[dict[str, object]]:
    """Return one round."""
    ways = {
        "busy loop": [[BUSY]],
        "two busy loops": [[BUSY]] * 2,
        "one thread": [[LABEL, str(messages), connections, str(folder / "one"), "1"]],
        "two threads": [[LABEL, str(messages), connections, str(folder / "two"), "2"]],
        "two processes": [[LABEL, str(half), connections, str(folder / half.stem), "1"] for half in halves],
    }
    rows: list[dict[str, object]] = []
    for name, commands in ways.items():
        wall, cpu = side_by_side(commands)
        rows.append({"way": name, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2) or None})
        print(rows[-1], flush=True)
    for out in ("one", "two", *(half.stem for half in halves)):
        shutil.rmtree(folder / out)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        messages, connections = make_tables(folder, chosen.messages)
        halves = [folder / f"half-{k}.parquet" for k in (0, 1)]
        for k, half in enumerate(halves):
            pair = "hash(least(sender, recipient), greatest(sender, recipient))"
            duckdb.execute(f"COPY (SELECT * FROM '{messages}' WHERE {pair} % 2 = {k}) TO '{half}'")
        rounds = [measure(Path(messages), halves, connections, folder) for _ in range(chosen.rounds)]
    rows = [{"round": number, **row} for number, found in enumerate(rounds, 1) for row in found]
    with OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
