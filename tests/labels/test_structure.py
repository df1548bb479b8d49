"""The kernel: against plain loops where every odd case occurs, against hand counts, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.engine.embedded import message_labels, turns
from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.labels.timing import label_timing
from etiquette_analysis.schema import (
    INSTANT,
    PITCH_LEVEL_DTYPE,
    RAPPORT_DTYPE,
    REPLY_STATUS_DTYPE,
    TIMING_DTYPE,
)
from tests.labels import oracle
from tests.labels.worlds import as_rows, connection_frame, message_frame, random_options, random_world

N_BLOCKS, PER_BLOCK = 10, 52


def same_columns(found, expected):
    """Cut the oracle's rows to the columns that were found, so that the two can be compared."""
    return [{name: row[name] for name in found[0]} for row in expected] if found else expected


@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_520_random_tables_agree_with_plain_loops(block):
    rng = np.random.default_rng(block)
    for number in range(PER_BLOCK):
        messages, connections = random_world(rng)
        chosen = random_options(rng)
        thresholds = {name: value for name, value in chosen.items() if name != "observed_until"}
        keywords = {
            "observed_until": chosen.get("observed_until"),
            "options": LabelOptions(**thresholds),
            "batch_rows": int(rng.choice([1, 2, 7, 1000])),
        }
        tables = message_frame(messages), connection_frame(connections)
        found = as_rows(turns(*tables, **keywords))
        assert found == same_columns(found, oracle.turns_of(messages, connections, **chosen))
        if number % 3 == 0:
            expected = oracle.messages_of(messages, connections, **chosen)
            found = as_rows(message_labels(*tables, **keywords))
            assert found == same_columns(found, expected)
            found = as_rows(label_timing(*tables, immediate_hours=chosen.get("immediate_hours", 24)))
            assert found == same_columns(found, expected)


def chat(*rows, connected="2024-03-05", resolution="day"):
    """Return messages and the connection of ann and bob; a row is sender, time, and optionally kind and level."""
    other = {"ann": "bob", "bob": "ann"}
    messages = [
        {
            "message_id": number,
            "sender": sender,
            "recipient": other[sender],
            "sent_at": pd.Timestamp(sent, tz="UTC"),
            "kind": rest[0] if rest else "message",
            "pitch_score": None,
            "pitch_level": rest[1] if len(rest) > 1 else None,
        }
        for number, (sender, sent, *rest) in enumerate(rows)
    ]
    dates = [("bob", "ann", pd.Timestamp(connected, tz="UTC"), resolution)] if connected else []
    return message_frame(messages), connection_frame(dates)


def column(name, *rows, options=None, observed_until=None, **connection):
    table = turns(*chat(*rows, **connection), options=LabelOptions(**(options or {})), observed_until=observed_until)
    return table[name].tolist()


def test_a_message_after_a_longer_silence_opens_a_turn_and_one_after_the_gap_itself_does_not():
    rows = ("ann", "2024-03-06 10:00"), ("ann", "2024-03-07 10:00"), ("ann", "2024-03-08 10:00:01")
    assert column("n_messages", *rows) == [2, 1]
    assert column("n_messages", *rows, options={"follow_up_gap_hours": 25}) == [3]


def test_a_turn_ends_where_the_connection_begins_but_not_at_a_late_invitation():
    assert column("n_messages", ("ann", "2024-03-04 23:00"), ("ann", "2024-03-05 01:00")) == [1, 1]
    assert column("n_messages", ("ann", "2024-03-05 01:00"), ("ann", "2024-03-05 02:00", "invitation")) == [2]
    assert column("n_messages", ("ann", "2024-03-05 01:00", "invitation"), ("ann", "2024-03-05 02:00")) == [1, 1]


def test_a_left_out_message_neither_ends_a_turn_nor_answers_it():
    rows = ("ann", "2024-03-06 10:00"), ("bob", "2024-03-06 10:30", "auto_reply"), ("ann", "2024-03-06 11:00")
    assert column("n_messages", *rows) == [2]
    assert column("reply_status", *rows, observed_until="2024-05-01") == ["no_reply"]


def test_rapport_needs_two_turns_received_and_one_sent_to_be_an_exchange():
    back_and_forth = [("ann" if i % 2 else "bob", f"2024-03-06 1{i}:00") for i in range(5)]
    assert column("rapport", *back_and_forth) == ["none", "acknowledged", "acknowledged", "exchange", "exchange"]
    only_received = ("bob", "2024-03-06"), ("bob", "2024-03-08"), ("bob", "2024-03-10"), ("ann", "2024-03-11")
    assert column("received_before", *only_received) == [0, 0, 0, 3]
    assert column("rapport", *only_received)[-1] == "acknowledged"


def test_a_reply_at_the_end_of_the_window_counts_and_one_a_second_later_is_late():
    start, window = "2024-03-06 10:00", {"window_days": 7}
    assert column("reply_status", ("ann", start), ("bob", "2024-03-13 10:00"), options=window)[0] == "replied"
    late = ("ann", start), ("bob", "2024-03-13 10:00:01")
    assert column("reply_status", *late, options=window)[0] == "no_reply"
    assert column("hours_to_reply", *late, options=window)[0] == 7 * 24 + 1 / 3600


def test_a_turn_whose_window_is_not_over_is_censored():
    unanswered = ("ann", "2024-03-06 10:00")
    assert column("reply_status", unanswered, observed_until="2024-03-20 09:59:59") == ["censored"]
    assert column("reply_status", unanswered, observed_until="2024-03-20 10:00") == ["no_reply"]


def test_observation_ends_with_the_latest_row_whatever_its_kind():
    rows = ("ann", "2024-03-06 10:00"), ("bob", "2024-03-20 10:00", "group")
    assert column("reply_status", *rows) == ["no_reply"]


def test_a_follow_up_shares_the_reply_and_is_no_second_approach():
    rows = ("ann", "2024-03-06 10:00"), ("ann", "2024-03-09 10:00"), ("bob", "2024-03-10 10:00")
    assert column("hours_to_reply", *rows)[:2] == [96, 24]
    assert column("is_approach", *rows) == [True, False, True]


def test_a_first_pitch_is_the_first_after_connecting_that_is_strong_enough():
    rows = (
        ("ann", "2024-03-04 10:00", "message", "hard"),
        ("ann", "2024-03-05 10:00", "message", "soft"),
        ("ann", "2024-03-07 10:00", "message", "moderate"),
        ("ann", "2024-03-10 10:00", "message", "hard"),
    )
    assert column("is_first_pitch", *rows) == [False, False, True, False]
    assert column("is_first_pitch", *rows, options={"pitch_level": "soft"}) == [False, True, False, False]
    assert column("immediate_pitch", *rows, options={"pitch_level": "soft"}) == [False, True, False, False]
    assert not any(column("is_first_pitch", *rows, connected=None))
    assert not any(column("is_approach", *rows, connected=None))


def test_a_pitch_into_a_conversation_is_not_immediate():
    rows = ("bob", "2024-03-05 09:00"), ("ann", "2024-03-05 10:00", "message", "hard")
    assert column("is_first_pitch", *rows) == [False, True]
    assert column("immediate_pitch", *rows) == [False, False]


def test_a_turn_takes_kind_and_timing_of_its_first_message_and_the_strongest_level():
    messages, connections = chat(
        ("ann", "2024-03-05 10:00", "inmail", "soft"),
        ("ann", "2024-03-05 11:00", "message", None),
        ("ann", "2024-03-05 12:00", "message", "hard"),
    )
    turn = turns(messages.assign(pitch_score=[0.25, None, 0.125]), connections).iloc[0]
    assert (turn["kind"], turn["timing"], turn["pitch_level"], turn["pitch_score"]) == (
        "inmail",
        "immediate",
        "hard",
        0.25,
    )
    assert turn["since_connection_min"] == pd.Timedelta(hours=-14)


def test_columns_and_dtypes_are_those_of_the_design():
    found = turns(*chat(("ann", "2024-03-06 10:00")))
    expected = {
        "dyad": "str",
        "sender": "str",
        "recipient": "str",
        "started_at": INSTANT,
        "ended_at": INSTANT,
        "first_message_id": "int64",
        "n_messages": "int64",
        "since_connection_min": "timedelta64[us]",
        "since_connection_max": "timedelta64[us]",
        "timing": TIMING_DTYPE,
        "sent_before": "int64",
        "received_before": "int64",
        "rapport": RAPPORT_DTYPE,
        "pitch_score": "float64",
        "pitch_level": PITCH_LEVEL_DTYPE,
        "reply_status": REPLY_STATUS_DTYPE,
        "hours_to_reply": "float64",
        "is_approach": "bool",
        "is_first_pitch": "bool",
        "immediate_pitch": "bool",
        "kind": "str",
    }
    assert found.columns.tolist() == list(expected)
    pd.testing.assert_frame_equal(found, found.astype(expected))
    empty = turns(found.iloc[:0].rename(columns={"first_message_id": "message_id", "started_at": "sent_at"}), None)
    pd.testing.assert_series_equal(empty.dtypes, found.dtypes)


def big_world(seed=1, n=400):
    messages, connections = random_world(np.random.default_rng(seed), n=n)
    return message_frame(messages), connection_frame(connections)


def test_the_order_of_rows_makes_no_difference():
    messages, connections = big_world()
    expected, per_message = turns(messages, connections), message_labels(messages, connections)
    for seed in range(5):
        shuffled = messages.sample(frac=1, random_state=seed)
        others = connections.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(turns(shuffled, others), expected)
        pd.testing.assert_frame_equal(message_labels(shuffled, others).sort_index(), per_message)


def test_renaming_people_in_order_renames_the_turns_only():
    messages, connections = big_world()
    people = sorted({*messages["sender"].dropna(), *messages["recipient"].dropna()})
    new = {name: f"{number:03d}·{name[::-1]}" for number, name in enumerate(people)}
    new |= {name: f"z{name}" for name in {*connections["person_a"], *connections["person_b"]} - {*new, np.nan, None}}
    names = ["dyad", "sender", "recipient"]
    renamed = turns(
        messages.assign(sender=messages["sender"].map(new), recipient=messages["recipient"].map(new)),
        connections.assign(person_a=connections["person_a"].map(new), person_b=connections["person_b"].map(new)),
    )
    expected = turns(messages, connections)
    pd.testing.assert_frame_equal(renamed.drop(columns=names), expected.drop(columns=names))
    assert renamed["sender"].tolist() == expected["sender"].map(new).tolist()


@pytest.mark.parametrize("days", [-4000, 1, 366])
def test_shifting_messages_and_connections_by_days_shifts_the_turns_only(days):
    messages, connections = big_world()
    shift, instants = pd.Timedelta(days=days), ["started_at", "ended_at"]
    found = turns(
        messages.assign(sent_at=messages["sent_at"] + shift),
        connections.assign(connected_at=connections["connected_at"] + shift),
    )
    expected = turns(messages, connections)
    pd.testing.assert_frame_equal(found.drop(columns=instants), expected.drop(columns=instants))
    assert (found["started_at"] == expected["started_at"] + shift).all()


def test_the_callers_tables_are_left_alone():
    messages, connections = big_world()
    before = messages.copy(deep=True), connections.copy(deep=True)
    turns(messages, connections)
    message_labels(messages, connections)
    pd.testing.assert_frame_equal(messages, before[0])
    pd.testing.assert_frame_equal(connections, before[1])


def test_dyads_stand_in_byte_order_even_with_control_characters():
    names = ["b", "a", "a\x01", "ab", "é", "Z", "日"]
    pairs = [(x, y) for i, x in enumerate(names) for y in names[:i]]
    messages = pd.DataFrame(
        {
            "message_id": range(len(pairs)),
            "sender": [x for x, _ in pairs],
            "recipient": [y for _, y in pairs],
            "sent_at": pd.Timestamp("2024-01-01", tz="UTC"),
        }
    )
    dyads = turns(messages, None)["dyad"].tolist()
    assert dyads == sorted(("\t".join(sorted(pair)) for pair in pairs), key=lambda dyad: dyad.encode())


@pytest.mark.parametrize(
    ("option", "value"),
    [("window_days", -1), ("window_days", float("nan")), ("follow_up_gap_hours", "24"), ("immediate_hours", True)],
)
def test_a_threshold_must_be_a_number_of_0_or_more(option, value):
    with pytest.raises(DesignError, match=rf"{option} is .*; expected a number of (days|hours) that is 0 or more"):
        LabelOptions(**{option: value})


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DesignError, match="pitch_level is 'strong'; expected one of none, soft, moderate, hard"):
        LabelOptions(pitch_level="strong")
    assert LabelOptions(follow_up_gap_hours=float("inf"), window_days=float("inf")).follow_up_gap > 10**18


def test_an_endless_gap_makes_one_turn_of_all_one_sides_messages():
    rows = ("ann", "2010-01-01"), ("ann", "2024-03-06")
    assert column("n_messages", *rows, connected=None, options={"follow_up_gap_hours": float("inf")}) == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"message_id": [1, 1]}, r"message_id 1 occurs more than once \(1 repeats\); message_id must be unique"),
        ({"message_id": [1, None]}, "column 'message_id' holds float64 and 1 nulls; expected a unique int64"),
        ({"kind": ["message", "memo"]}, "column 'kind' holds 'memo'; expected one of message, invitation"),
        ({"pitch_level": ["hard", "big"]}, "column 'pitch_level' holds 'big'; expected one of none, soft"),
        ({"sent_at": ["2024-01-01", "x"]}, "column 'sent_at' holds str, not dates"),
    ],
)
def test_tables_that_break_the_schema_are_refused(change, message):
    messages, connections = chat(("ann", "2024-03-06"), ("ann", "2024-03-07"))
    with pytest.raises(SchemaError, match=message):
        turns(messages.assign(**change), connections)


def test_a_missing_column_is_named():
    messages, connections = chat(("ann", "2024-03-06"))
    with pytest.raises(SchemaError, match="the messages table has no column 'sent_at'"):
        turns(messages.drop(columns="sent_at"), connections)
    with pytest.raises(SchemaError, match="the connections table has no column 'resolution'"):
        turns(messages, connections.drop(columns="resolution"))
