"""The kernel against an independent window query at scale, and both against the files engine."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from etiquette_analysis.engine.embedded import turns
from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.schema import PITCH_LEVELS, TURN_KINDS

SQL = Path(__file__).with_name("oracle.sql").read_text(encoding="utf-8")


def random_tables(n, seed):
    """Return many messages between few people, with ties, every kind, and dates of either resolution."""
    rng = np.random.default_rng(seed)
    people = np.array([f"person {i:03d} é" for i in rng.permutation(200)], dtype=object)
    start, day = 1_704_067_200, 86_400
    first, second = rng.integers(0, 200, n), rng.integers(0, 12, n)
    messages = pd.DataFrame(
        {
            "message_id": rng.permutation(n),
            "sender": people[first],
            "recipient": people[np.where(rng.random(n) < 0.5, (first + second) % 200, (first - second) % 200)],
            "sent_at": pd.to_datetime(start + rng.integers(0, 8000, n) * 1800, unit="s", utc=True),
            "kind": rng.choice([*TURN_KINDS, "message", "message", "group"], n),
            "pitch_score": np.where(rng.random(n) < 0.2, np.nan, rng.random(n).round(3)),
            "pitch_level": rng.choice([*PITCH_LEVELS, None], n),
        }
    ).astype({"sender": "str", "recipient": "str", "kind": "str", "pitch_level": "str"})
    a, b, m = rng.integers(0, 200, 3000), rng.integers(1, 12, 3000), 3000
    by_day = rng.random(m) < 0.5
    at = start + rng.integers(0, 120 * day, m)
    connections = pd.DataFrame(
        {
            "person_a": people[a],
            "person_b": people[(a + b) % 200],
            "connected_at": pd.to_datetime(np.where(by_day, at // day * day, at), unit="s", utc=True),
            "resolution": np.where(by_day, "day", "second"),
        }
    ).astype({"person_a": "str", "person_b": "str", "resolution": "str"})
    return messages, connections


def window_query(messages, connections, options, until):
    values = {
        "$window_days": f"{options.window_days}::DOUBLE",
        "$gap_hours": f"{options.follow_up_gap_hours}::DOUBLE",
        "$immediate_hours": f"{options.immediate_hours}::DOUBLE",
        "$threshold": str(options.threshold),
        "$observed_until": str(until),
    }
    sql = SQL
    for name, value in values.items():
        sql = sql.replace(name, value)
    with duckdb.connect() as database:
        database.execute("SET threads = 1; SET TimeZone = 'UTC'")
        for name, table in (("messages", messages), ("connections", connections)):
            database.register(name, pa.Table.from_pandas(table, preserve_index=False))
        return database.sql(sql).to_arrow_table()


@pytest.mark.parametrize(
    "options",
    [LabelOptions(), LabelOptions(window_days=3, follow_up_gap_hours=6, immediate_hours=48, pitch_level="soft")],
)
def test_fifty_thousand_messages_agree_with_window_sql(options):
    messages, connections = random_tables(50_000, seed=1)
    until = messages["sent_at"].max()
    found = turns(messages, connections, options=options)
    expected = window_query(messages, connections, options, until.value // 1000).to_pandas()
    assert len(found) > 20_000
    assert found["immediate_pitch"].sum() > 10
    for name in ("since_connection_min", "since_connection_max"):
        expected[name] = pd.to_timedelta(expected[name], unit="us")
    assert expected.columns.tolist() == found.columns.tolist()
    pd.testing.assert_frame_equal(
        found.astype(expected.dtypes.to_dict()), expected, check_dtype=False, check_exact=True
    )
