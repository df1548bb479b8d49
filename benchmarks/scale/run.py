"""What labelling costs as data grow, beside other ways of doing the same: ``make bench``.

    python benchmarks/scale/run.py --sizes 100000 1000000 10000000 --repeats 3

At each size every contestant runs in turn, in a process of its own; medians of CPU seconds, wall seconds and peak
memory go to ``scale.csv``, with the rows that differ from ours, and a figure to ``scale.svg``. A contestant that needs
more memory than there is, or is known to be slow, is left out at large sizes and says so in the table.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd
from contestants import CONTESTANTS

from data import make_tables

HERE = Path(__file__).resolve().parent
#: Beyond so many messages a contestant is not run: it holds every row and its text in memory several times over.
MOST_MESSAGES = {"pandas": 2_000_000, "kernel": 2_000_000}
REFERENCES = ("window_sql", "floor")
SAME_ROWS = ("window_sql", "kernel", "pandas")


def run_once(name: str, folder: Path) -> dict[str, float]:
    """Run a contestant; return wall and CPU seconds and peak megabytes of its process."""
    began = time.perf_counter()
    command = [sys.executable, str(HERE / "contestants.py"), name, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} ended with code {process.returncode}")
    assert process.stdout is not None
    peak_kib = int(process.stdout.read())
    return {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": peak_kib * 1024 / 1e6}


def n_rows_that_differ(folder: Path, name: str) -> int:
    """Count rows that only ours or only the other's result holds, nulls compared as values."""
    database = duckdb.connect()
    database.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '8GB'; SET temp_directory = '{folder}/spill'")
    ours, theirs = (f"'{folder}/{n}.parquet'" for n in ("labels", name))
    columns = {n: {row[0] for row in database.sql(f"DESCRIBE SELECT * FROM {n}").fetchall()} for n in (ours, theirs)}
    select = ", ".join(f"CAST({column} AS VARCHAR)" for column in sorted(columns[ours] & columns[theirs]))
    one, other = (f"SELECT {select} FROM {n}" for n in (ours, theirs))
    counted = f"SELECT count(*) FROM (({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one}))"
    return int(database.sql(counted).fetchall()[0][0])


def largest_dyad(folder: Path) -> int:
    """Return how many messages the busiest pair has."""
    pair = "least(sender, recipient), greatest(sender, recipient)"
    query = f"SELECT count(*) AS n FROM '{folder}/messages.parquet' GROUP BY {pair} ORDER BY n DESC LIMIT 1"
    return int(duckdb.sql(query).fetchall()[0][0])


def measure(n: int, repeats: int) -> pd.DataFrame:
    """Return one row for each contestant at this size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tables(folder, n)
        chosen = [c for c in CONTESTANTS if n <= MOST_MESSAGES.get(c, n)]
        runs = pd.DataFrame({"contestant": c, **run_once(c, folder)} for _ in range(repeats) for c in chosen)
        table = runs.groupby("contestant", sort=False).median().reindex(CONTESTANTS)
        table.insert(0, "messages", n)
        table["largest_dyad"] = largest_dyad(folder)
        for reference in REFERENCES:
            table[f"cpu_to_{reference}"] = table["cpu_s"] / table.loc[reference, "cpu_s"]
        compared = [c for c in SAME_ROWS if c in chosen]
        table["rows_that_differ"] = pd.Series({c: n_rows_that_differ(folder, c) for c in compared}, dtype="Int64")
        table["note"] = ["" if c in chosen else "not run: all rows in memory" for c in table.index]
    return table.reset_index()


def slope(table: pd.DataFrame, contestant: str) -> float:
    """Return how CPU time grows on logarithmic axes between the two largest sizes (1: in proportion)."""
    rows = table[table["contestant"] == contestant].dropna(subset="cpu_s").sort_values("messages").tail(2)
    (n0, n1), (t0, t1) = rows["messages"], rows["cpu_s"]
    return math.log(t1 / t0) / math.log(n1 / n0)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw CPU seconds against messages, a line for each contestant, named at its end."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    from etiquette_analysis.report.style import house_style

    # What each line is called, and how far its name is moved up so that none covers another.
    names = {
        "floor": ("read, join, sort, write", 6),
        "window_sql": ("DuckDB window SQL", 0),
        "labels": ("ours", -6),
        "scored": ("ours, texts scored", 0),
        "pandas": ("pandas", 9),
    }
    with house_style():
        figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
        for contestant, (label, up) in names.items():
            rows = table[(table["contestant"] == contestant) & table["cpu_s"].notna()]
            (line,) = axes.loglog(rows["messages"], rows["cpu_s"], marker="o", markersize=4)
            last = rows.iloc[-1]
            axes.annotate(
                label,
                (last["messages"], last["cpu_s"]),
                (6, up),
                textcoords="offset points",
                va="center",
                color=line.get_color(),
            )
        axes.set(xlabel="messages", ylabel="CPU seconds")
        axes.set_xlim(right=table["messages"].max() * 8)
        figure.savefig(path, metadata={"Date": None}, facecolor="white")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    table = pd.concat([measure(n, chosen.repeats) for n in chosen.sizes], ignore_index=True)
    digits = {"wall_s": 2, "cpu_s": 2, "peak_mb": 0, **{f"cpu_to_{r}": 2 for r in REFERENCES}}
    table.round(digits).to_csv(HERE / "scale.csv", index=False)
    draw(table, HERE / "scale.svg")
    print(table.round(digits).to_string(index=False))
    if len(chosen.sizes) > 1:
        for contestant in ("floor", "window_sql", "labels", "scored"):
            print(f"CPU of {contestant} grows as messages to the power of {slope(table, contestant):.2f}")


if __name__ == "__main__":
    main()
