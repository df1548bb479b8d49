"""Small random tables that hold every odd case at once: ties, unknown connections, nulls, days and seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from etiquette_analysis.schema import CONNECTIONS, INSTANT, KINDS, PITCH_LEVELS, TURN_KINDS

START = datetime(2024, 2, 26, 22, tzinfo=UTC)
NAMES = ("ann", "bob", "Bob", "zoë", "日本", "😀 kim", "a b", "", "é")


def random_world(rng: np.random.Generator, n: int | None = None):
    """Return (messages, connections) as lists of plain values, for the oracle."""
    n = int(rng.integers(0, 25)) if n is None else n
    names = [None if rng.random() < 0.03 else NAMES[i] for i in rng.permutation(len(NAMES))[: rng.integers(2, 5)]]
    step = rng.choice([1, 1800, 43_200, 86_400, 200_000])
    ids = rng.permutation(4 * n)[:n] - n
    plain = rng.random() < 0.5
    messages = []
    for i in range(n):
        sender, recipient = (names[k] for k in rng.integers(0, len(names), 2))
        if sender == recipient and rng.random() < 0.8:
            sender, recipient = names[0], names[-1]
        kind = rng.choice(["message", "message", *(TURN_KINDS if plain else KINDS)])
        messages.append(
            {
                "message_id": int(ids[i]),
                "sender": sender,
                "recipient": recipient,
                "sent_at": None if rng.random() < 0.03 else instant(rng, step),
                "kind": str(kind),
                "pitch_score": None if rng.random() < 0.3 else float(rng.integers(0, 5)) / 4,
                "pitch_level": None if rng.random() < 0.3 else str(rng.choice(PITCH_LEVELS)),
            }
        )
    connections = []
    for _ in range(rng.integers(0, 7)):
        a, b = (names[k] for k in rng.integers(0, len(names), 2))
        resolution = str(rng.choice(["day", "second"]))
        connected_at = None if rng.random() < 0.1 else instant(rng, step)
        if connected_at and (resolution == "day" or rng.random() < 0.3):
            connected_at = connected_at.replace(hour=0, minute=0, second=0)
        connections.append((a, b, connected_at, resolution))
    return messages, connections


def instant(rng: np.random.Generator, step: int) -> datetime:
    return START + timedelta(seconds=int(rng.integers(0, 20)) * int(step))


def random_options(rng: np.random.Generator) -> dict:
    options = {
        "window_days": float(rng.choice([0, 0.5, 1, 7, 14])),
        "follow_up_gap_hours": float(rng.choice([0, 0.5, 12, 24, 72])),
        "immediate_hours": float(rng.choice([0, 12, 24, 25, 48, 240, 1000])),
        "pitch_level": str(rng.choice(PITCH_LEVELS)),
    }
    chosen = {name: value for name, value in options.items() if rng.random() < 0.4}
    if rng.random() < 0.3:
        chosen["observed_until"] = instant(rng, 86_400)
    return chosen


def message_frame(messages) -> pd.DataFrame:
    columns = ["message_id", "sender", "recipient", "sent_at", "kind", "pitch_score", "pitch_level"]
    frame = pd.DataFrame({c: pd.Series([m[c] for m in messages], dtype="object") for c in columns})
    return frame.astype(
        {
            "message_id": "int64",
            "sender": "str",
            "recipient": "str",
            "sent_at": INSTANT,
            "kind": "str",
            "pitch_score": "float64",
            "pitch_level": "str",
        }
    )


def connection_frame(connections) -> pd.DataFrame:
    columns = list(CONNECTIONS)[:4]
    return pd.DataFrame(connections, columns=columns, dtype="object").astype({c: CONNECTIONS[c] for c in columns})


def as_rows(frame: pd.DataFrame) -> list[dict]:
    """Return a table of labels as plain values, null as None, to compare with the oracle's."""
    rows = []
    for row in frame.to_dict("records"):
        rows.append({k: None if v is None or v is pd.NA or v is pd.NaT or v != v else v for k, v in row.items()})
    return rows
