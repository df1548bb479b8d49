"""What is timed: the same labels made in several ways, and what they could not cost less than.

    python benchmarks/scale/contestants.py NAME FOLDER

runs one of them in a process of its own, so that time and memory are its alone, and prints its peak memory in
kibibytes (Linux). Each reads ``messages.parquet`` and
``connections.parquet`` in FOLDER and writes ``NAME.parquet`` there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import pandas as pd

#: The rivals may use this much; we work under ``OUR_LIMIT``.
THEIR_LIMIT = "8GB"
OUR_LIMIT = "1GB"
SQL = Path(__file__).resolve().parents[2] / "tests" / "engine" / "oracle.sql"
SQL_OPTIONS = {
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
    import duckdb

    database = duckdb.connect()
    database.execute(
        f"SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '{THEIR_LIMIT}'; "
        f"SET temp_directory = '{folder}/spill'"
    )
    for name in ("messages", "connections"):
        database.execute(f"CREATE VIEW {name} AS SELECT * FROM '{folder}/{name}.parquet'")
    return database


def floor(folder: Path) -> None:
    """Read, join, sort and write, and label nothing."""
    open_database(folder).execute(f"COPY ({FLOOR}) TO '{folder}/floor.parquet'")


def window_sql(folder: Path) -> None:
    """Label with the hand-written window query of the tests, on DuckDB."""
    sql = SQL.read_text(encoding="utf-8")
    for name, value in SQL_OPTIONS.items():
        sql = sql.replace(name, value)
    open_database(folder).execute(f"COPY ({sql}) TO '{folder}/window_sql.parquet'")


def labels(folder: Path) -> None:
    """Label with ``label_files``, levels given: nothing is read of the texts."""
    from etiquette_analysis.engine.files import label_files

    paths = (folder / f"{name}.parquet" for name in ("messages", "connections", "labels"))
    label_files(*paths, flag=None, memory_limit=OUR_LIMIT, threads=2)


def scored(folder: Path) -> None:
    """Label with ``ea.label_files`` end to end: every text scored and checked for automatic answers."""
    import etiquette_analysis as ea

    paths = (folder / f"{name}.parquet" for name in ("messages", "connections", "scored"))
    ea.label_files(*paths, memory_limit=OUR_LIMIT, threads=2)


def kernel(folder: Path) -> None:
    """Label a table in memory, as ``ea.label_turns`` does."""
    import pandas as pd

    from etiquette_analysis.engine import embedded

    messages = pd.read_parquet(folder / "messages.parquet").drop(columns="text")
    turns = embedded.turns(
        messages, pd.read_parquet(folder / "connections.parquet"), observed_until=messages["sent_at"].max()
    )
    turns.to_parquet(folder / "kernel.parquet", index=False)


def pandas(folder: Path) -> None:
    """Label with pandas alone, every step over whole columns."""
    import numpy as np
    import pandas as pd

    columns = ["message_id", "sender", "recipient", "sent_at", "kind", "pitch_score", "pitch_level"]
    m = pd.read_parquet(folder / "messages.parquet", columns=columns)
    until = m["sent_at"].max()
    m = m[m["kind"].isin(["message", "invitation", "inmail"]) & (m["sender"] != m["recipient"])]
    m = _with_dyad(m, "sender", "recipient")
    c = _with_dyad(pd.read_parquet(folder / "connections.parquet"), "person_a", "person_b")
    c["by_day"] = c["resolution"] != "second"
    c = c.sort_values(["connected_at", "by_day"]).drop_duplicates(["low", "high"])
    m = m.merge(c[["low", "high", "connected_at", "by_day"]], on=["low", "high"], how="left")
    m = m.sort_values(["low", "high", "sent_at", "message_id"], ignore_index=True)
    day, hour = pd.Timedelta(days=1), pd.Timedelta(hours=1)
    m["dyad"] = ((m["low"] != m["low"].shift()) | (m["high"] != m["high"].shift())).cumsum()
    since, by_day = m["sent_at"] - m["connected_at"], m["by_day"].eq(True)
    lower = since - day
    lower = lower.mask((m["kind"] == "message") & (since >= pd.Timedelta(0)), lower.clip(lower=pd.Timedelta(0)))
    days = since // day
    limits = [(days <= 1, since <= 24 * hour), (days <= 7, since <= 7 * day), (days <= 30, since <= 30 * day)]
    timing = np.select([np.where(by_day, a, b) for a, b in limits], [1, 2, 3], 4).astype("float64")
    timing[since.isna()] = np.nan
    timing[(since < pd.Timedelta(0)) | (m["kind"] == "invitation")] = 0
    m = m.assign(since_max=since, since_min=lower.where(by_day, since), timing=timing)
    m["level"] = m["pitch_level"].map({"none": 0, "soft": 1, "moderate": 2, "hard": 3}).astype("float64")
    same = m["dyad"] == m["dyad"].shift()
    opens = ~same | (m["sender"] != m["sender"].shift()) | (m["sent_at"] - m["sent_at"].shift() > 24 * hour)
    opens |= (m["timing"].shift() == 0) & (m["timing"] != 0)
    turn = m.groupby(opens.cumsum(), sort=False)
    t = m[opens].reset_index(drop=True)
    t = t.assign(
        ended_at=turn["sent_at"].max().to_numpy(),
        n_messages=turn.size().to_numpy(),
        pitch_score=turn["pitch_score"].max().to_numpy(),
        level=turn["level"].max().to_numpy(),
    )
    side = t.groupby(["dyad", "sender"], sort=False)
    t["sent_before"] = side.cumcount()
    t["received_before"] = t.groupby("dyad", sort=False).cumcount() - t["sent_before"]
    is_low = t["sender"] == t["low"]
    by_dyad = t["dyad"]
    next_low, next_high = (
        t["sent_at"].where(who).groupby(by_dyad, sort=False).bfill().groupby(by_dyad, sort=False).shift(-1)
        for who in (is_low, ~is_low)
    )
    wait = next_high.where(is_low, next_low) - t["sent_at"]
    after = t["timing"] > 0
    pitch = after & (t["level"] >= 2)
    exchange, heard = (t["received_before"] >= 2) & (t["sent_before"] >= 1), t["received_before"] >= 1
    rapport = np.select([exchange, heard], ["exchange", "acknowledged"], "none")
    open_end = t["sent_at"] + 14 * day > until
    t = t.assign(
        dyad=t["low"] + "\t" + t["high"],
        started_at=t["sent_at"],
        first_message_id=t["message_id"],
        since_connection_min=t["since_min"],
        since_connection_max=t["since_max"],
        rapport=rapport,
        hours_to_reply=wait / hour,
        reply_status=np.select([wait <= 14 * day, open_end], ["replied", "censored"], "no_reply"),
        is_approach=after & (after.groupby([by_dyad, t["sender"]], sort=False).cumsum() == 1),
        is_first_pitch=pitch & (pitch.groupby([by_dyad, t["sender"]], sort=False).cumsum() == 1),
    )
    t["immediate_pitch"] = t["is_first_pitch"] & (t["timing"] == 1) & (rapport == "none")
    t["timing"] = t["timing"].map(dict(enumerate(["before", "immediate", "first_week", "first_month", "later"])))
    t["pitch_level"] = t["level"].map(dict(enumerate(["none", "soft", "moderate", "hard"])))
    unused = ["low", "high", "connected_at", "by_day", "since_min", "since_max", "level", "sent_at", "message_id"]
    t.drop(columns=unused).to_parquet(folder / "pandas.parquet", index=False)


def _with_dyad(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    is_first = table[one] < table[other]
    return table.assign(low=table[one].where(is_first, table[other]), high=table[other].where(is_first, table[one]))


CONTESTANTS: dict[str, Callable[[Path], None]] = {
    run.__name__: run for run in (floor, window_sql, labels, scored, kernel, pandas)
}

if __name__ == "__main__":
    CONTESTANTS[sys.argv[1]](Path(sys.argv[2]))
    # Not ru_maxrss, which a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
