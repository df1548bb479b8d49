"""Does a run that was killed give the same bytes as one that was not? Ten real kills at random moments.

    python benchmarks/resume.py --messages 400000 --kills 10 --seed 1

A run over messages with texts is made once without harm, then started anew ten times, killed (SIGKILL), and started
again with the same arguments. Kills fall in turn while messages are read and while parts are labelled: as soon as the
work folder holds so many finished parts, a number drawn at random, and a moment later, drawn too. A clock alone would
not do, since reading takes most of the time and how long it takes depends on what else the machine does. What was done
at the kill, the time that the second run took as a share of the whole one, and whether every byte of the folder is the
same go to ``resume.csv`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

OUT = Path(__file__).with_suffix(".csv")
#: Parts are smaller than usual, so that a short run has many of them.
RUN = """
import sys
from etiquette_analysis.engine import scan
scan._BATCHES_A_PART = 1
from etiquette_analysis.engine.files import label_files
from etiquette_analysis.labels.pitch import score_batch
label_files(*sys.argv[1:4], score=score_batch, part_rows=1 << 15, threads=2)
"""
#: Rows of a batch, and here of a part that is read (``engine.scan``).
BATCH_ROWS = 1 << 16
#: Phase -> the longest wait (seconds) between a finished part and the kill: about what the next one takes.
MOMENT = {"reading": 0.1, "labelling": 0.03}
#: Phase -> where its finished parts lie in the work folder.
FOLDERS = {"reading": "scanned", "labelling": "parts"}
WORDS = ["hello", "thanks", "I", "would", "love", "to", "show", "our", "demo", "ciao", "grazie", "il", "listino", "20%"]


def make_tables(folder: Path, n: int) -> list[str]:
    """Write ``n`` messages with texts among ``n / 10`` pairs, and their connections; return both paths."""
    paths = [str(folder / f"{name}.parquet") for name in ("messages", "connections")]
    with duckdb.connect() as database:
        database.execute("SET threads = 1; SELECT setseed(0.5)")
        database.execute(f"CREATE TABLE word AS SELECT {WORDS!r} AS words")
        database.execute(
            f"""CREATE TABLE pair AS SELECT 'person ' || (random() * {n // 30})::INT AS a,
            'person ' || (random() * {n // 30})::INT AS b FROM range({n // 10})"""
        )
        database.execute(
            f"""COPY (SELECT range AS message_id, if(hash(range) % 2 = 0, a, b) AS sender,
              if(hash(range) % 2 = 0, b, a) AS recipient, to_timestamp(1704067200 + (random() * 3e7)::INT) AS sent_at,
              array_to_string(list_transform(range(5 + (hash(range, 1) % 25)::INT),
                lambda i: words[1 + (hash(range, i) % {len(WORDS)})::INT]), ' ') AS text
            FROM range({n}) JOIN (SELECT rowid AS place, * FROM pair) ON place = hash(range, 2) % {n // 10}, word)
            TO '{paths[0]}'"""
        )
        database.execute(
            f"COPY (SELECT a AS person_a, b AS person_b, DATE '2024-02-01' AS connected_at FROM pair) TO '{paths[1]}'"
        )
    return paths


def run(arguments: list[str]) -> float:
    """Run to the end and return the seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", RUN, *arguments], check=True)
    return time.perf_counter() - began


def n_finished(work: Path) -> dict[str, int]:
    """Return how many parts of each phase stand in a work folder, and whether all is read."""
    done = {phase: len(list((work / name).glob("*.parquet"))) for phase, name in FOLDERS.items()}
    return {**done, "all_read": int((work / "scanned" / "complete").exists())}


def killed(arguments: list[str], *, phase: str, after: int, moment: float) -> bool:
    """Run until ``after`` parts of a phase are finished and a moment (seconds) longer, and kill.

    Returns whether there was still something to kill.
    """
    out = Path(arguments[-1])
    work = out.with_name(f".{out.name}.part")
    process = subprocess.Popen([sys.executable, "-c", RUN, *arguments])

    def is_due() -> bool:
        done = n_finished(work)
        return done[phase] >= after and work.exists() and (phase == "reading" or bool(done["all_read"]))

    while process.poll() is None and not is_due():
        time.sleep(0.002)
    time.sleep(moment)
    is_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return is_running


def fingerprint(folder: Path) -> str:
    """Return a hash of every name and byte in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = make_tables(folder, chosen.messages)
        whole = run([*tables, str(folder / "whole")])
        expected = fingerprint(folder / "whole")
        n_parts = {
            "reading": -(-chosen.messages // BATCH_ROWS),
            "labelling": len(list((folder / "whole").glob("*.parquet"))),
        }
        for number in range(1, chosen.kills + 1):
            out, phase = folder / f"killed-{number}", ("reading", "labelling")[number % 2]
            after, moment = rng.randrange(n_parts[phase]), rng.random() * MOMENT[phase]
            was_killed = killed([*tables, str(out)], phase=phase, after=after, moment=moment)
            done = n_finished(folder / f".{out.name}.part")
            appeared = out.exists()
            is_half_done = appeared and fingerprint(out) != expected
            again = run([*tables, str(out)])
            row = {
                "kill": number,
                "was_killed": was_killed,
                "phase": "finished" if appeared else "labelling" if done["all_read"] else "reading",
                "half_done_result": is_half_done,
                "parts_read": done["reading"],
                "parts_labelled": done["labelling"],
                "of_parts_labelled": n_parts["labelling"],
                "second_run_share": round(again / whole, 2),
                "same_bytes": fingerprint(out) == expected,
            }
            rows.append(row)
            print(*(f"{name}={value}" for name, value in row.items()), flush=True)
    with OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
