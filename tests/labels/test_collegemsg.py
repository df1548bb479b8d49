"""Published counts of a real network: first message of each pair of students, first message back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.engine.embedded import turns

WEEK = 7 * 24


@pytest.fixture(scope="module")
def college(shared_data):
    """Return messages, first turn of each pair, and the published counts."""
    read = pd.read_csv(shared_data / "networks" / "collegemsg.csv.gz")
    messages = pd.DataFrame(
        {
            "message_id": np.arange(len(read)),
            "sender": read["src"].astype("str"),
            "recipient": read["dst"].astype("str"),
            "sent_at": pd.to_datetime(read["ts"], unit="s", utc=True),
        }
    )
    table = turns(messages, None)
    first = table[(table["sent_before"] == 0) & (table["received_before"] == 0)]
    published = json.loads((shared_data / "REFERENCE_ANSWERS.json").read_text(encoding="utf-8"))["collegemsg"]
    return messages, first, published


def test_replies_are_those_published(college):
    messages, first, published = college
    hours = first["hours_to_reply"]
    observable = first["started_at"] + pd.Timedelta(days=7) <= messages["sent_at"].max()
    found = {
        "messages": len(messages),
        "pairs": len(first),
        "replied_ever": int(hours.notna().sum()),
        "replied_24h": int((hours <= 24).sum()),
        "replied_7d": int((hours <= WEEK).sum()),
        "observable_7d": int(observable.sum()),
        "replied_7d_observable": int((hours <= WEEK)[observable].sum()),
        "same_ts_reply": int((hours == 0).sum()),
    }
    assert found == {name: published[name] for name in found}
    assert hours.median() == pytest.approx(published["median_lag_h_among_replied"], abs=5e-5)


def test_replies_by_days_since_joining_are_those_published(college):
    messages, first, published = college
    seen = pd.concat(
        [messages[[side, "sent_at"]].set_axis(["person", "at"], axis=1) for side in ("sender", "recipient")]
    )
    joined = seen.groupby("person")["at"].min()
    week_over = first["started_at"] + pd.Timedelta(days=7) <= messages["sent_at"].max()
    first = first[week_over]
    days = (first["started_at"] - first["sender"].map(joined)) / pd.Timedelta(days=1)
    replied = (first["hours_to_reply"] <= WEEK).groupby(pd.cut(days, [-1, 0, 1, 7, 30, np.inf]), observed=True)
    found = [[round(share, 4), int(n)] for share, n in zip(replied.mean(), replied.size(), strict=True)]
    assert found == list(published["reply7_by_days_since_join"].values())
