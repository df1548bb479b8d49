"""Time since connection, counted by hand: days, seconds, invitations and several dates of one pair."""

from __future__ import annotations

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.labels.timing import label_timing


def timing(sent, *dates, kind="message", **options):
    """Return (min in hours, max in hours, timing) of one message; a date is (connected_at, resolution)."""
    messages = pd.DataFrame(
        {"sender": ["ann"], "recipient": ["bob"], "sent_at": [pd.Timestamp(sent, tz="UTC")], "kind": [kind]}, index=[7]
    )
    connections = pd.DataFrame(
        {
            "person_a": "bob",
            "person_b": "ann",
            "connected_at": pd.Series([pd.Timestamp(d) for d, _ in dates], dtype="datetime64[us]").dt.tz_localize(
                "UTC"
            ),
            "resolution": [resolution for _, resolution in dates],
        }
    )
    labels = label_timing(messages, connections, **options)
    assert labels.index.tolist() == [7]
    row = labels.iloc[0]
    hours = [row[f"since_connection_{end}"] / pd.Timedelta(hours=1) for end in ("min", "max")]
    return (*hours, row["timing"])


DAY = ("2024-03-05", "day")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2024-03-05 00:00", (0, 0, "immediate")),
        ("2024-03-05 18:00", (0, 18, "immediate")),
        ("2024-03-06 23:59", (24 - 1 / 60, 48 - 1 / 60, "immediate")),
        ("2024-03-07 00:00", (24, 48, "first_week")),
        ("2024-03-12 23:00", (167, 191, "first_week")),
        ("2024-03-13 00:00", (168, 192, "first_month")),
        ("2024-04-04 12:00", (708, 732, "first_month")),
        ("2024-04-05 00:00", (720, 744, "later")),
        ("2024-03-04 23:00", (-25, -1, "before")),
    ],
)
def test_where_the_day_is_known_calendar_days_count(sent, expected):
    assert timing(sent, DAY) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2024-03-05 09:59:59", (-1 / 3600, -1 / 3600, "before")),
        ("2024-03-05 10:00", (0, 0, "immediate")),
        ("2024-03-06 10:00", (24, 24, "immediate")),
        ("2024-03-06 10:00:01", (24 + 1 / 3600, 24 + 1 / 3600, "first_week")),
        ("2024-03-12 10:00", (168, 168, "first_week")),
        ("2024-04-04 10:00", (720, 720, "first_month")),
        ("2024-04-04 10:00:01", (720 + 1 / 3600, 720 + 1 / 3600, "later")),
    ],
)
def test_where_the_second_is_known_bounds_are_inclusive(sent, expected):
    assert timing(sent, ("2024-03-05 10:00", "second")) == expected


@pytest.mark.parametrize(("hours", "last_day"), [(0, 5), (1, 6), (24, 6), (25, 7), (48, 7)])
def test_immediate_hours_round_up_to_days(hours, last_day):
    assert timing(f"2024-03-{last_day:02d} 23:00", DAY, immediate_hours=hours)[2] == "immediate"
    assert timing(f"2024-03-{last_day + 1:02d} 00:00", DAY, immediate_hours=hours)[2] == "first_week"


def test_only_a_plain_message_must_have_come_after_connecting():
    assert timing("2024-03-05 18:00", DAY, kind="inmail") == (-6, 18, "immediate")
    assert timing("2024-03-05 18:00", DAY, kind="group") == (-6, 18, "immediate")
    assert timing("2024-03-05 18:00", DAY, kind="invitation") == (-6, 18, "before")


def test_an_invitation_is_before_whatever_is_known():
    assert timing("2024-05-05", ("2024-03-05", "second"), kind="invitation")[2] == "before"
    assert timing("2024-05-05", kind="invitation")[2] == "before"


def test_the_earliest_date_counts_with_its_resolution():
    assert timing("2024-03-07", ("2024-03-06", "day"), ("2024-03-05 12:00", "second")) == (36, 36, "first_week")
    assert timing("2024-03-07", ("2024-03-05 12:00", "second"), DAY) == (24, 48, "first_week")
    assert timing("2024-03-07", DAY, ("2024-03-05", "second")) == (48, 48, "first_week")  # the exact midnight
    assert timing("2024-03-07", ("2024-03-05 23:00", "day"))[:2] == (24, 48)  # a day is its midnight


def test_without_a_date_there_is_no_timing():
    low, high, label = timing("2024-03-07")
    assert pd.isna([low, high, label]).all()
    messages = pd.DataFrame({"sender": ["a"], "recipient": ["a"], "sent_at": [pd.Timestamp("2024-01-01", tz="UTC")]})
    assert label_timing(messages, None)["timing"].isna().all()


def test_naive_dates_are_utc_and_other_zones_are_converted():
    messages = pd.DataFrame({"sender": ["ann"], "recipient": ["bob"], "sent_at": [pd.Timestamp("2024-03-06 00:30")]})
    connections = pd.DataFrame(
        {
            "person_a": ["ann"],
            "person_b": ["bob"],
            "connected_at": [pd.Timestamp("2024-03-05 01:00", tz="Europe/Rome")],
            "resolution": ["second"],
        }
    )
    assert label_timing(messages, connections)["since_connection_min"].iloc[0] == pd.Timedelta(hours=24.5)


def test_wrong_questions_and_tables_are_refused():
    with pytest.raises(DesignError, match="immediate_hours is -1; expected a number of hours that is 0 or more"):
        timing("2024-03-07", DAY, immediate_hours=-1)
    with pytest.raises(SchemaError, match="unknown resolution \\['week'\\]; expected 'day' or 'second'"):
        timing("2024-03-07", ("2024-03-05", "week"))
