"""What labelling costs, beside the same labels as window SQL and beside reading, joining, sorting and writing alone.

    python benchmarks/engine.py --messages 1000000

Prints seconds and ratios (DESIGN, "Engine": at most 0.55 of the SQL and 1.2 of the floor) and checks that the rows of
both ways of labelling are the same. Addresses look like those of a real export: long, with a long common start.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb

from etiquette_analysis.engine.files import label_files

SQL = Path(__file__).resolve().parents[1] / "tests" / "engine" / "oracle.sql"
OPTIONS = {
    "$window_days": "14::BIGINT",
    "$gap_hours": "24::BIGINT",
    "$immediate_hours": "24::BIGINT",
    "$threshold": "2",
    "$observed_until": "(SELECT epoch_us(max(sent_at)) FROM messages)",
}
FLOOR = """
SELECT low || chr(9) || high AS dyad, low, high, sender, sent_at, message_id, kind, connected_at, by_day,
  pitch_score, pitch_level
FROM (SELECT *, least(sender, recipient) AS low, greatest(sender, recipient) AS high FROM messages
      WHERE kind IN ('message', 'invitation', 'inmail') AND sender <> recipient)
LEFT JOIN (SELECT least(person_a, person_b) AS low, greatest(person_a, person_b) AS high,
             min(connected_at) AS connected_at, bool_or(resolution = 'day') AS by_day FROM connections GROUP BY 1, 2)
USING (low, high) ORDER BY low, high, sent_at, message_id"""


def open_database(folder: Path) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    database.execute(
        f"SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '4GB'; SET temp_directory = '{folder}'"
    )
    for name in ("messages", "connections"):
        if (folder / f"{name}.parquet").exists():
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM '{folder}/{name}.parquet'")
    return database


def make_tables(folder: Path, n: int) -> None:
    """Write ``n`` messages among ``n / 10`` pairs, and their connections."""
    database, pairs = open_database(folder), max(n // 10, 1)
    address = "'https://www.example.org/in/person-' || lpad(to_hex(hash({}) % 1000000000), 8, '0')"
    database.execute("SELECT setseed(0.5)")
    database.execute(
        f"""CREATE TABLE pair AS SELECT range AS pair, {address.format("a")} AS a, {address.format("b")} AS b
        FROM (SELECT range, (random() * {pairs} / 3)::INT AS a, (random() * {pairs} / 3)::INT AS b
            FROM range({pairs}))"""
    )
    database.execute(
        f"""COPY (
          SELECT id AS message_id,
            CASE WHEN side THEN a ELSE b END AS sender, CASE WHEN side THEN b ELSE a END AS recipient,
            moment AS sent_at, ['message', 'inmail', 'invitation', 'group'][1 + dice] AS kind, score AS pitch_score,
            ['none', 'soft', 'moderate', 'hard'][1 + floor(4 * score)::INT] AS pitch_level
          FROM (SELECT range AS id, (random() * {pairs - 1})::INT AS pair, random() < 0.5 AS side, random() AS score,
                  to_timestamp(1704067200 + (random() * 31536000)::INT) AS moment, floor(random() * 4)::INT AS dice
                FROM range({n}))
          JOIN pair USING (pair)) TO '{folder}/messages.parquet'"""
    )
    database.execute(
        f"""COPY (
          SELECT a AS person_a, b AS person_b,
            CASE WHEN exact THEN moment ELSE date_trunc('day', moment) END AS connected_at,
            CASE WHEN exact THEN 'second' ELSE 'day' END AS resolution
          FROM (SELECT *, random() < 0.3 AS exact,
                  to_timestamp(1704067200 + (random() * 17280000)::INT) AS moment FROM pair)
        ) TO '{folder}/connections.parquet'"""
    )


def label_with_sql(folder: Path) -> None:
    sql = SQL.read_text(encoding="utf-8")
    for name, value in OPTIONS.items():
        sql = sql.replace(name, value)
    open_database(folder).execute(f"COPY ({sql}) TO '{folder}/sql.parquet'")


def sort_only(folder: Path) -> None:
    open_database(folder).execute(f"COPY ({FLOOR}) TO '{folder}/floor.parquet'")


def label(folder: Path) -> None:
    paths = (folder / f"{name}.parquet" for name in ("messages", "connections", "turns"))
    label_files(*paths, memory_limit="4GB", threads=2)


def n_rows_that_differ(folder: Path) -> int:
    """Count rows that only one of the two ways of labelling gives."""
    database = duckdb.connect()
    names = [name for name, *_ in database.sql(f"DESCRIBE SELECT * FROM '{folder}/sql.parquet'").fetchall()]
    select = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
    one, other = (f"SELECT {select} FROM '{folder}/{name}.parquet'" for name in ("sql", "turns"))
    counted = f"SELECT count(*) FROM (({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one}))"
    return int(database.sql(counted).fetchall()[0][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    runs = {"window SQL": label_with_sql, "floor": sort_only, "labels": label}
    wall = dict.fromkeys(runs, float("inf"))
    cpu = dict(wall)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tables(folder, chosen.messages)
        for _ in range(chosen.repeats):
            for run, function in runs.items():
                began, began_cpu = time.perf_counter(), time.process_time()
                function(folder)
                wall[run] = min(wall[run], time.perf_counter() - began)
                cpu[run] = min(cpu[run], time.process_time() - began_cpu)
        differ = n_rows_that_differ(folder)
    for run in runs:
        print(f"{run:12s} {wall[run]:7.2f} s wall {cpu[run]:7.2f} s CPU")
    for other in ("window SQL", "floor"):
        print(f"labels / {other:12s} wall {wall['labels'] / wall[other]:.2f}  CPU {cpu['labels'] / cpu[other]:.2f}")
    print(f"rows that differ between SQL and labels: {differ}")


if __name__ == "__main__":
    main()
