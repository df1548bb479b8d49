"""Invented messages at any size: few dyads write much and many little, in Italian and English.

Who writes to whom follows a power law (the k-th dyad has a share that falls as ``k ** -0.6``), so that the largest dyad
grows with the data as it does in real mailboxes. Texts are those of the corpus in ``data/pitch``, each with a number of
its own in front, so that no two rows are alike and nothing is gained by remembering one.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa

CORPUS = Path(__file__).resolve().parents[2] / "data" / "pitch" / "messages.jsonl"
#: Exponent of the power law, and messages for each dyad on average.
FALL = 0.6
MESSAGES_A_DYAD = 10


def make_tables(folder: Path, n: int) -> None:
    """Write ``messages.parquet`` (``n`` rows) and ``connections.parquet`` into ``folder``; the same rows every time."""
    database, dyads = duckdb.connect(), max(n // MESSAGES_A_DYAD, 1)
    database.execute("SET TimeZone = 'UTC'; SET threads = 1; SET memory_limit = '4GB'; SELECT setseed(0.5)").fetchall()
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    texts = pa.table({"text": [row["text"] for row in rows if row["language"] in ("it", "en")]})
    database.register("corpus", texts)
    address = "'https://www.example.org/in/person-' || lpad(to_hex(hash({}) % 1000000000), 8, '0')"
    database.execute(
        f"""CREATE TABLE dyad AS SELECT dyad, {address.format("a")} AS a, {address.format("b")} AS b
        FROM (SELECT range AS dyad, (random() * {dyads} / 3)::INT AS a, (random() * {dyads} / 3)::INT AS b
            FROM range({dyads}))"""
    )
    database.execute("CREATE TABLE said AS SELECT row_number() OVER () - 1 AS said, text FROM corpus")
    database.execute(
        f"""COPY (
          SELECT id AS message_id,
            CASE WHEN side THEN a ELSE b END AS sender, CASE WHEN side THEN b ELSE a END AS recipient,
            moment AS sent_at, ['message', 'inmail', 'invitation', 'group'][1 + dice] AS kind, score AS pitch_score,
            ['none', 'soft', 'moderate', 'hard'][1 + floor(4 * score)::INT] AS pitch_level, id || ' ' || text AS text
          FROM (SELECT range AS id, least(floor({dyads} * random() ** {1 / (1 - FALL)})::INT, {dyads - 1}) AS dyad,
                  random() < 0.5 AS side, random() AS score, (random() * {len(texts) - 1})::INT AS said,
                  to_timestamp(1704067200 + (random() * 31536000)::INT) AS moment, floor(random() * 4)::INT AS dice
                FROM range({n}))
          JOIN dyad USING (dyad) JOIN said USING (said)) TO '{folder}/messages.parquet'"""
    )
    database.execute(
        f"""COPY (
          SELECT a AS person_a, b AS person_b,
            CASE WHEN exact THEN moment ELSE date_trunc('day', moment) END AS connected_at,
            CASE WHEN exact THEN 'second' ELSE 'day' END AS resolution
          FROM (SELECT *, random() < 0.3 AS exact,
                  to_timestamp(1704067200 + (random() * 17280000)::INT) AS moment FROM dyad)
        ) TO '{folder}/connections.parquet'"""
    )
