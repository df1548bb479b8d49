"""The dyads table: the rules of STATISTICS section 2 one by one, a slow oracle, and the simulator's own course."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis.dyads import EXCLUSIONS, check_dyads, flow, tabulate_dyads
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.problem import is_eligible
from etiquette_analysis.analysis.seniority import read_seniority
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import PITCH_LEVELS
from etiquette_analysis.simulation import simulate
from etiquette_analysis.simulation.dataset import _connection_days
from etiquette_analysis.simulation.worlds import NEVER, draw_contacts, get_world, run

PLAN = Plan(history_days=0)
UNTIL = pd.Timestamp("2024-12-31", tz="UTC")


def messages(*rows):
    """Build labelled messages from (sender, recipient, time, level, kind) with the last two optional."""
    full = [(*row, *("none", "message")[len(row) - 3 :]) for row in rows]
    table = pd.DataFrame(full, columns=["sender", "recipient", "sent_at", "pitch_level", "kind"])
    return table.assign(
        message_id=np.arange(len(table)),
        sent_at=pd.to_datetime(table["sent_at"], utc=True, format="ISO8601"),
        has_text=True,
    )


def connections(*rows, **columns):
    table = pd.DataFrame(rows, columns=["person_a", "person_b", "connected_at"])
    return table.assign(
        connected_at=pd.to_datetime(table["connected_at"], utc=True, format="ISO8601"), resolution="day", **columns
    )


def tabulate(rows, connected=("2024-05-01",), ego="me", plan=PLAN, **columns):
    links = connections(*[("me", "you", day) for day in connected], **columns)
    return tabulate_dyads(messages(*rows), links, observed_until=UNTIL, ego=ego, plan=plan)


ME, YOU = ("me", "you"), ("you", "me")


def test_day_counts_calendar_days_in_utc_not_hours():
    dyads = tabulate([(*ME, "2024-05-03T00:30+02:00", "hard")])
    assert dyads.loc[0, "pitch_day"] == 1


def test_clock_starts_with_the_turn_but_day_with_the_pitching_message():
    rows = [
        (*ME, "2024-05-01 23:00"),
        (*ME, "2024-05-02 01:00", "hard"),
        (*YOU, "2024-05-02 05:00"),
    ]
    row = tabulate(rows).iloc[0]
    assert (row["pitch_day"], row["opener_day"], row["hours_to_reply"]) == (1, 0, 6.0)


def test_a_silence_longer_than_the_gap_restarts_the_clock():
    rows = [(*ME, "2024-05-01 08:00"), (*ME, "2024-05-02 09:00", "hard"), (*YOU, "2024-05-02 10:00")]
    assert tabulate(rows).loc[0, "hours_to_reply"] == 1.0
    assert tabulate(rows, plan=Plan(history_days=0, follow_up_gap_hours=25)).loc[0, "hours_to_reply"] == 26.0


def test_chasers_do_not_restart_the_clock():
    rows = [(*ME, "2024-05-01 08:00", "hard"), (*ME, "2024-05-09 08:00", "hard"), (*YOU, "2024-05-10 08:00")]
    row = tabulate(rows).iloc[0]
    assert (row["pitch_day"], row["hours_to_reply"]) == (0, 216.0)


def test_opener_and_answer_are_read_in_time_order_within_the_day():
    before = [(*ME, "2024-05-04 08:00"), (*YOU, "2024-05-04 09:00"), (*ME, "2024-05-04 10:00", "hard")]
    row = tabulate(before).iloc[0]
    assert (row["pitch_day"], row["opener_day"], row["answered_day"]) == (3, 3, 3)
    after = [(*ME, "2024-05-04 08:00", "hard"), (*YOU, "2024-05-04 09:00"), (*ME, "2024-05-04 10:00")]
    row = tabulate(after).iloc[0]
    assert pd.isna(row["opener_day"])
    assert pd.isna(row["answered_day"])


def test_soft_is_no_pitch_unless_the_plan_says_so():
    rows = [(*ME, "2024-05-01 08:00", "soft")]
    assert pd.isna(tabulate(rows).loc[0, "pitch_day"])
    assert tabulate(rows, plan=Plan(history_days=0, pitch_level="soft")).loc[0, "pitch_day"] == 0


def test_level_is_that_of_the_whole_turn():
    rows = [(*ME, "2024-05-01 08:00", "moderate"), (*ME, "2024-05-01 08:05", "hard")]
    assert tabulate(rows).loc[0, "pitch_level"] == "hard"


def test_automatic_replies_are_no_replies_but_have_their_own_column():
    rows = [
        (*ME, "2024-05-01 08:00", "hard"),
        (*YOU, "2024-05-01 09:00", "none", "auto_reply"),
        (*ME, "2024-05-01 09:30"),
        (*YOU, "2024-05-03 08:00"),
    ]
    row = tabulate(rows).iloc[0]
    assert (row["hours_to_reply"], row["hours_to_any_reply"]) == (48.0, 1.0)


@pytest.mark.parametrize("kind", ["group", "sponsored", "draft", "spam"])
def test_other_kinds_never_count(kind):
    rows = [(*ME, "2024-04-01 08:00", "hard", kind), (*YOU, "2024-05-01 09:00", "none", kind)]
    row = tabulate(rows).iloc[0]
    assert pd.isna(row["exclusion"])
    assert pd.isna(row["pitch_day"])
    assert pd.isna(row["answered_day"])


def test_the_earliest_connection_counts():
    rows = [(*ME, "2024-05-05 08:00", "hard")]
    assert tabulate(rows, connected=("2024-05-03", "2024-05-01")).loc[0, "pitch_day"] == 4


@pytest.mark.parametrize(
    ("rows", "plan", "reason"),
    [
        ([(*ME, "2024-04-30 23:00")], PLAN, "message_before_connection"),
        ([(*YOU, "2024-04-30 23:00", "none", "inmail")], PLAN, "message_before_connection"),
        ([(*ME, "2024-04-20 23:00", "hard", "invitation")], PLAN, "pitch_in_invitation"),
        ([(*YOU, "2024-05-01 10:00")], Plan(history_days=1), "before_history"),
        ([(*YOU, "2024-05-01 10:00")], Plan(history_days=0, deferred=(7, 250)), "too_recent"),
        ([(*YOU, "2024-04-20 23:00", "hard", "invitation")], PLAN, None),
        ([(*ME, "2024-04-20 23:00", "soft", "invitation")], PLAN, None),
    ],
)
def test_exclusions(rows, plan, reason):
    found = tabulate(rows, plan=plan).loc[0, "exclusion"]
    assert (None if pd.isna(found) else found) == reason


def test_first_message_without_text_is_excluded_only_where_it_has_no_level_either():
    rows = messages((*ME, "2024-05-01 08:00", None), (*ME, "2024-05-02 08:00", "hard")).assign(has_text=[False, True])
    links = connections(("me", "you", "2024-05-01"))
    options = {"observed_until": UNTIL, "ego": "me", "plan": PLAN}
    assert tabulate_dyads(rows, links, **options).loc[0, "exclusion"] == "text_missing"
    coded = rows.assign(pitch_level=["soft", "hard"])
    assert pd.isna(tabulate_dyads(coded, links, **options).loc[0, "exclusion"])


def test_too_recent_comes_last_so_that_another_plan_can_lift_it():
    assert EXCLUSIONS[-1] == "too_recent"
    dyads = tabulate([(*ME, "2024-05-01 08:00", "hard")], plan=Plan(history_days=0, deferred=(7, 300)))
    assert dyads.loc[0, "exclusion"] == "too_recent"
    assert is_eligible(dyads, PLAN).tolist() == [True]


def test_orphans_begin_with_their_first_ordinary_message():
    rows = [
        (*ME, "2024-03-01 08:00", "none", "invitation"),
        (*YOU, "2024-05-03 08:00"),
        (*ME, "2024-05-06 08:00", "hard"),
    ]
    row = tabulate(rows, connected=()).iloc[0]
    assert row["time_zero_source"] == "first_evidence"
    assert (row["time_zero"], row["pitch_day"]) == (pd.Timestamp("2024-05-03", tz="UTC"), 3)
    assert pd.isna(row["exclusion"])


def test_invitation_or_inmail_alone_makes_no_connection():
    rows = [(*ME, "2024-03-01 08:00", "none", "invitation"), (*ME, "2024-03-02 08:00", "hard", "inmail")]
    assert len(tabulate(rows, connected=())) == 0


def test_a_connection_without_date_and_message_keeps_its_row():
    row = tabulate([], connected=(None,)).iloc[0]
    assert row["exclusion"] == "no_date"
    assert pd.isna(row["time_zero"])
    dated = tabulate([(*ME, "2024-05-03 08:00", "hard")], connected=(None,)).iloc[0]
    assert (dated["time_zero_source"], dated["pitch_day"]) == ("first_evidence", 0)


def test_without_owner_the_side_with_more_partners_is_the_sender():
    links = connections(("b", "hub", "2024-05-01"), ("a", "hub", "2024-05-01"))
    rows = messages(("hub", "b", "2024-05-01 08:00", "hard"), ("a", "hub", "2024-05-01 08:00", "hard"))
    dyads = tabulate_dyads(rows, links, observed_until=UNTIL, ego=None, plan=PLAN)
    assert dyads["sender"].tolist() == [0, 0]
    assert dyads["pitch_day"].isna().tolist() == [True, False]


def test_without_owner_ties_go_to_the_inviter_then_to_byte_order():
    rows = messages(("a", "b", "2024-05-01 08:00", "hard"))
    options = {"observed_until": UNTIL, "ego": None, "plan": PLAN}
    plain = tabulate_dyads(rows, connections(("a", "b", "2024-05-01")), **options)
    assert plain.loc[0, "pitch_day"] == 0
    invited = tabulate_dyads(rows, connections(("a", "b", "2024-05-01"), invited_by="b"), **options)
    assert pd.isna(invited.loc[0, "pitch_day"])
    assert invited["invited_by_sender"].tolist() == [True]


def test_several_owners_and_pairs_without_one():
    links = connections(("me", "you", "2024-05-01"), ("us", "you", "2024-05-02"), ("x", "y", "2024-05-03"))
    dyads = tabulate_dyads(messages(), links, observed_until=UNTIL, ego=("me", "us"), plan=PLAN)
    assert dyads[["sender", "contact"]].to_numpy().tolist() == [[0, 0], [1, 0]]


def test_an_owner_who_is_not_in_the_data_is_an_error():
    with pytest.raises(SchemaError, match="none of the dataset's owners occurs"):
        tabulate([(*ME, "2024-05-01 08:00")], ego="somebody else")


def test_traits_known_at_connection():
    row = tabulate(
        [(*ME, "2024-04-29 12:00", "none", "invitation")],
        invited_by="me",
        invited_at=pd.Timestamp("2024-04-28 12:00", tz="UTC"),
        position="Head of Sales",
        x_score=2.5,
    ).iloc[0]
    assert bool(row["invited_by_sender"])
    assert bool(row["has_note"])
    assert (row["acceptance_days"], row["seniority"], row["x_score"]) == (2.5, "manager", 2.5)


def test_traits_are_null_where_the_source_is_silent():
    row = tabulate([(*ME, "2024-05-01 08:00")]).iloc[0]
    assert row[["invited_by_sender", "has_note", "acceptance_days", "seniority", "language"]].isna().all()


@pytest.mark.parametrize(
    ("title", "rank"),
    [
        ("CEO & Founder", "executive"),
        ("Amministratrice delegata", "executive"),
        ("Geschäftsführer", "executive"),
        ("Vice President Sales", "executive"),
        ("Account Executive", "staff"),
        ("Executive Assistant", "staff"),
        ("Responsabile commerciale", "manager"),
        ("Chef de projet", "manager"),
        ("Software engineer", "staff"),
        ("Leadership coach", "staff"),
        ("", None),
    ],
)
def test_seniority_of_titles(title, rank):
    assert read_seniority(title) == rank


def slow_dyad(table, day_zero, until, plan):
    """Read one dyad the way a person would, message by message."""
    level = {name: k for k, name in enumerate(PITCH_LEVELS)}
    pitch = level[plan.pitch_level]
    rows = table.sort_values(["sent_at", "message_id"]).to_dict("records")
    out = dict.fromkeys(("pitch_day", "opener_day", "answered_day", "hours_to_reply", "hours_to_any_reply"))
    turn_start, previous, clock = None, None, None
    for row in rows:
        day = (row["sent_at"].normalize() - day_zero).days
        own, human = row["sender"] == "me", row["kind"] in ("message", "inmail")
        if row["kind"] == "auto_reply":
            if clock is not None and not own and out["hours_to_any_reply"] is None:
                out["hours_to_any_reply"] = (row["sent_at"] - clock).total_seconds() / 3600
            continue
        before = row["kind"] == "invitation" or day < 0
        is_new = (
            previous is None
            or previous["sender"] != row["sender"]
            or row["sent_at"] - previous["sent_at"] > pd.Timedelta(hours=plan.follow_up_gap_hours)
            or (previous["before"] and not before)
        )
        turn_start = row["sent_at"] if is_new else turn_start
        previous = {**row, "before": before}
        if not human:
            continue
        hours = None if clock is None else (row["sent_at"] - clock).total_seconds() / 3600
        if not own and out["pitch_day"] is not None:
            out["hours_to_reply"] = hours if out["hours_to_reply"] is None else out["hours_to_reply"]
            out["hours_to_any_reply"] = hours if out["hours_to_any_reply"] is None else out["hours_to_any_reply"]
        if day < 0 or out["pitch_day"] is not None:
            continue
        if own and level.get(row["pitch_level"], -1) >= pitch:
            out["pitch_day"], clock = day, turn_start
        elif own:
            out["opener_day"] = day if out["opener_day"] is None else out["opener_day"]
        else:
            out["answered_day"] = day if out["answered_day"] is None else out["answered_day"]
    return out


def test_agrees_with_a_slow_reading_of_random_dyads():
    rng = np.random.default_rng(4)
    day_zero, columns = pd.Timestamp("2024-05-01", tz="UTC"), None
    for _ in range(150):
        n = int(rng.integers(1, 9))
        kinds = rng.choice(["message", "message", "message", "inmail", "invitation", "auto_reply", "group"], n)
        mine = rng.random(n) < 0.6
        mine[kinds == "auto_reply"] = False
        table = pd.DataFrame(
            {
                "message_id": rng.permutation(n),
                "sender": np.where(mine, "me", "you"),
                "recipient": np.where(mine, "you", "me"),
                "sent_at": day_zero + pd.to_timedelta(rng.integers(-2, 20, n) * 6, unit="h"),
                "kind": kinds,
                "pitch_level": rng.choice([*PITCH_LEVELS, None], n),
                "has_text": True,
            }
        )
        links = connections(("me", "you", "2024-05-01"))
        row = tabulate_dyads(table, links, observed_until=UNTIL, ego="me", plan=PLAN).iloc[0]
        expected = slow_dyad(table[table["kind"] != "group"], day_zero, UNTIL, PLAN)
        columns = list(expected)
        # An automatic reply within the pitching turn, before its pitching message, also follows the turn's start.
        found = {c: None if pd.isna(row[c]) else row[c] for c in columns}
        if found["hours_to_any_reply"] != expected["hours_to_any_reply"]:
            assert "auto_reply" in set(kinds)
            found.pop("hours_to_any_reply"), expected.pop("hours_to_any_reply")
        assert found == expected


@pytest.mark.parametrize("world", ["A", "D", "H", "J", "P"])
def test_reproduces_the_simulators_course_of_events(world, label_dataset):
    n, seed, last_day = 600, 7, 44
    dataset = simulate(world, n=n, seed=seed)
    dyads = tabulate_dyads(
        label_dataset(dataset), dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=Plan()
    )
    eligible = dyads[dyads["exclusion"].isna()]
    rng = np.random.default_rng(seed)
    contacts = draw_contacts(get_world(world), n + max(4, round(0.08 * n)), rng)
    connected = _connection_days(n, len(contacts) - n, rng)[:n]
    course = run(contacts)

    def seen(day):
        return np.where(day <= last_day, day, NEVER)[:n]

    pitch, answer, opener = seen(course.pitch_day), seen(course.answered_day), seen(course.opener_day)
    # The simulator calls only the first message of all an opener; a thank-you after a spontaneous message is one here.
    opener = np.where(opener < answer, opener, NEVER)
    pitched = pitch < NEVER
    expected = np.column_stack([connected.astype("datetime64[D]").astype(int), pitch, opener, answer])
    expected = np.column_stack([expected, course.reply[:n] & pitched])

    def found(name):
        day = eligible[name].to_numpy(dtype=float, na_value=NEVER)
        return np.where(day <= last_day, day, NEVER).astype(int)

    own = np.where(found("opener_day") < found("answered_day"), found("opener_day"), NEVER)
    replied = (eligible["hours_to_reply"] <= 14 * 24).to_numpy() & (found("pitch_day") < NEVER)
    days = eligible["time_zero"].to_numpy(dtype="datetime64[D]").astype(int)
    got = np.column_stack([days, found("pitch_day"), own, found("answered_day"), replied])
    assert len(eligible) == n
    assert sorted(map(tuple, got.tolist())) == sorted(map(tuple, expected.tolist()))


def test_rows_and_people_do_not_depend_on_the_order_of_the_input(label_dataset):
    dataset = simulate("H", n=200, seed=3)
    rows, rng = label_dataset(dataset), np.random.default_rng(0)
    options = {"observed_until": dataset.observed_until, "ego": dataset.ego, "plan": Plan()}
    plain = tabulate_dyads(rows, dataset.connections, **options)
    shuffled = tabulate_dyads(
        rows.iloc[rng.permutation(len(rows))].reset_index(drop=True),
        dataset.connections.sample(frac=1, random_state=1),
        **options,
    )
    pd.testing.assert_frame_equal(plain, shuffled)


def test_the_callers_tables_are_left_alone(label_dataset):
    dataset = simulate("D", n=50, seed=3)
    rows = label_dataset(dataset)
    copies = rows.copy(deep=True), dataset.connections.copy(deep=True)
    tabulate_dyads(rows, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=Plan())
    pd.testing.assert_frame_equal(rows, copies[0])
    pd.testing.assert_frame_equal(dataset.connections, copies[1])


def test_missing_columns_and_unknown_levels_are_named():
    rows = messages((*ME, "2024-05-01 08:00", "hard"))
    links = connections(("me", "you", "2024-05-01"))
    options = {"observed_until": UNTIL, "ego": "me", "plan": PLAN}
    with pytest.raises(SchemaError, match="labelled messages table has no column 'has_text'"):
        tabulate_dyads(rows.drop(columns="has_text"), links, **options)
    with pytest.raises(SchemaError, match="'pitch_level' holds 'harsh'"):
        tabulate_dyads(rows.assign(pitch_level="harsh"), links, **options)
    with pytest.raises(SchemaError, match="observed_until is missing"):
        tabulate_dyads(rows, links, observed_until=pd.NaT, ego="me", plan=PLAN)


def test_flow_accounts_for_every_dyad(simulated_dyads):
    dyads, plan = simulated_dyads("S", 600, 2), Plan()
    table = flow(dyads, plan).set_index(["stage", "reason"])["n"]
    by_stage = table.groupby("stage").sum()
    assert by_stage["dyads"] == len(dyads) == by_stage["excluded"] + by_stage["eligible"]
    assert by_stage["pitched"] == by_stage["eligible"] == 600
    assert table["dyads", "no longer listed, kept from their messages"] > 0


def test_flow_counts_textless_dyads_by_arm():
    rows = messages((*ME, "2024-05-01 08:00", None)).assign(has_text=False)
    dyads = tabulate_dyads(rows, connections(("me", "you", "2024-05-01")), observed_until=UNTIL, ego="me", plan=PLAN)
    line = flow(dyads, PLAN).set_index("reason").loc["text_missing"]
    assert (line["n"], line["n_now"], line["n_later"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contact": 0}, "sender and contact occur in an earlier row"),
        ({"pitch_day": -1}, "pitch_day is negative"),
        ({"answered_day": 50}, "answered_day is after pitch_day"),
        ({"hours_to_reply": -2.0}, "hours_to_reply is negative"),
        ({"pitch_day": None, "hours_to_reply": 3.0}, "hours_to_reply without a pitch"),
        ({"exclusion": "dull"}, "unknown exclusion; expected one of no_date"),
    ],
)
def test_check_dyads_names_the_row(change, message):
    good = pd.DataFrame(
        {
            "sender": 0,
            "contact": [0, 1],
            "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
            "pitch_day": pd.array([3, 4], dtype="Int64"),
            "opener_day": pd.array([1, None], dtype="Int64"),
            "answered_day": pd.array([2, None], dtype="Int64"),
            "hours_to_reply": [1.0, np.nan],
            "followup_days": 90.0,
            "exclusion": pd.array([None, None], dtype="str"),
        }
    )
    check_dyads(good)
    bad = good.copy()
    for name, value in change.items():
        bad.loc[1, name] = value
    with pytest.raises(SchemaError, match=f"dyads, row 1: {message}"):
        check_dyads(bad)
