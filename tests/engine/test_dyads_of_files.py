"""Dyads made from files a few pairs at a time are those that a dataset in memory gives, every column of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.engine import dyads as engine_dyads
from etiquette_analysis.errors import SchemaError, SourceError
from etiquette_analysis.sources import read_table

TEXTS = np.array(
    ["20% off until Friday, book your demo here", "Thanks for connecting!", "Ciao, come va?", "", None], "O"
)
KINDS = np.array(["message"] * 6 + ["inmail", "invitation", "group", "auto_reply"])
AUTOMATIC = "Automatic reply: I am out of office until 9 May."


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setitem(engine_dyads.reduce_to_dyads.__kwdefaults__, "part_rows", 40)


def world(seed, n=600, n_people=40):
    """Return messages and connections with orphans, notes, groups, repeats, lost dates and mail to oneself."""
    rng = np.random.default_rng(seed)
    people = np.array([f"Person {i:02d} é" for i in rng.permutation(n_people)], dtype=object)
    start = pd.Timestamp("2024-01-01", tz="UTC")
    own, other = people[rng.integers(0, 3, n)], people[rng.integers(0, n_people, n)]
    turned = rng.random(n) < 0.4
    texts = TEXTS[rng.integers(0, len(TEXTS), n)]
    texts[rng.random(n) < 0.05] = AUTOMATIC
    messages = pd.DataFrame(
        {
            "message_id": rng.permutation(n) + 7,
            "sender": np.where(turned, other, own),
            "recipient": np.where(turned, own, other),
            "sent_at": start + pd.to_timedelta(rng.integers(0, 150 * 24, n), unit="h"),
            "kind": KINDS[rng.integers(0, len(KINDS), n)],
            "text": texts,
        }
    )
    m = 90
    connections = pd.DataFrame(
        {
            "person_a": people[rng.integers(0, 4, m)],
            "person_b": people[rng.integers(0, n_people, m)],
            "connected_at": start + pd.to_timedelta(rng.integers(0, 100, m), unit="D"),
            "invited_by": np.where(rng.random(m) < 0.5, people[rng.integers(0, n_people, m)], None),
            "invited_at": np.where(rng.random(m) < 0.5, "2024-01-05", None),
            "position": np.where(rng.random(m) < 0.5, "Head of Sales", None),
            "x_warm": rng.random(m),
        }
    )
    connections.loc[connections.index % 17 == 3, "connected_at"] = pd.NaT
    return messages, connections


def in_memory(dataset, plan=None):
    """Return the dyads of a dataset as files give them: mass-sent texts are told apart in memory only."""
    dyads = ea.build_dyads(dataset, plan)
    return dyads.assign(template=pd.Series(pd.NA, index=dyads.index, dtype="str"))


def both(folder, messages, connections, plan=None, owner=None, **keywords):
    """Return dyads from memory and from files."""
    paths = [folder / "messages.parquet", folder / "connections.parquet"]
    for table, path in zip((messages, connections), paths, strict=True):
        table.to_parquet(path, index=False)
    made = ea.build_dyads_file(*paths, folder / "dyads.parquet", plan, owner=owner, **keywords)
    dataset = read_table(messages, connections, owner=owner)
    found, expected = pd.read_parquet(made.path), in_memory(dataset, plan)
    assert made.n_rows == len(expected)
    assert made.observed_until == dataset.observed_until
    return found, expected


@pytest.mark.parametrize("owners", [0, 1, 3])
@pytest.mark.parametrize("seed", [1])
def test_every_column_is_that_of_build_dyads(seed, owners, small_parts, tmp_path):
    messages, connections = world(seed)
    owner = None if not owners else sorted(set(connections["person_a"]))[:owners]
    found, expected = both(tmp_path, messages, connections, owner=owner, threads=1 + seed % 2)
    assert expected["exclusion"].nunique() >= 2
    assert {"first_evidence", "connection"} <= set(expected["time_zero_source"])
    assert expected["sender"].nunique() == owners if owners == 1 else expected["sender"].nunique() > 2
    pd.testing.assert_frame_equal(found, expected)


def test_windows_of_the_plan_count(small_parts, tmp_path):
    plan = Plan(window_days=7, history_days=30, pitch_level="soft", follow_up_gap_hours=5, deferred=(5, 20))
    found, expected = both(tmp_path, *world(3), plan=plan)
    assert (expected["exclusion"] == "before_history").any()
    pd.testing.assert_frame_equal(found, expected)


def test_connection_dates_may_be_columns_of_the_messages(small_parts, tmp_path):
    messages, _ = world(4)
    messages = messages.assign(connected_at=messages.groupby("recipient")["sent_at"].transform("min").dt.floor("D"))
    messages.to_parquet(tmp_path / "messages.parquet")
    made = ea.build_dyads_file(tmp_path / "messages.parquet", None, tmp_path / "dyads.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(made.path), in_memory(read_table(messages)))


def test_analysis_takes_the_file(small_parts, tmp_path):
    dataset = ea.simulate("B", n=300, seed=5, texts=True)
    plan = Plan(history_days=0)
    dataset.messages.to_parquet(tmp_path / "m.parquet")
    dataset.connections.to_parquet(tmp_path / "c.parquet")
    made = ea.build_dyads_file(
        tmp_path / "m.parquet",
        tmp_path / "c.parquet",
        tmp_path / "dyads.parquet",
        plan,
        owner=dataset.ego,
        observed_until=dataset.observed_until,
    )
    dyads, expected = pd.read_parquet(made.path), in_memory(dataset, plan)
    pd.testing.assert_frame_equal(dyads, expected)
    assert ea.check_design(dyads, plan).level == ea.check_design(expected, plan).level
    pd.testing.assert_frame_equal(ea.compare(dyads, plan).frame, ea.compare(expected, plan).frame)


def test_no_result_depends_on_the_names_that_order_the_rows(small_parts, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    dataset = ea.simulate("B", n=600, seed=2)
    # Several people on the sender's side, so that their numbers count too.
    owners = tuple(f"{dataset.ego} {k}" for k in range(8))
    contacts = dataset.connections["person_b"]
    connections = dataset.connections.assign(person_a=np.take(owners, pd.factorize(contacts)[0] % 8))
    owner_of = connections.set_index("person_b")["person_a"]
    messages = dataset.messages
    for column, other in (("sender", "recipient"), ("recipient", "sender")):
        own = dataset.messages[column] == dataset.ego
        messages = messages.assign(**{column: messages[column].mask(own, dataset.messages[other].map(owner_of))})
    spread = replace(dataset, messages=messages, connections=connections, ego=owners)
    named, hidden = (ea.build_dyads(spread, levels=dataset.levels, identify=i) for i in (True, False))
    assert not hidden.equals(named)
    assert named["sender"].nunique() == hidden["sender"].nunique() == 8
    plan = Plan()
    for analyse in (ea.compare, ea.secondary):
        found, expected = analyse(hidden, plan).frame, analyse(named, plan).frame
        pd.testing.assert_frame_equal(found, expected, rtol=1e-10, atol=1e-10)  # sums in another order
    assert ea.compare(named, plan).level == 2


def test_no_name_and_no_text_is_in_the_file(tmp_path):
    messages, connections = world(5)
    both(tmp_path, messages, connections)
    content = (tmp_path / "dyads.parquet").read_bytes()
    assert b"Person" not in content
    assert b"Friday" not in content
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "connections.parquet",
        "dyads.parquet",
        "messages.parquet",
    ]


class Stopped(BaseException):
    """Stands for a kill."""


def test_stopped_and_taken_up_again_gives_the_same_bytes(small_parts, tmp_path):
    messages, connections = world(6)
    both(tmp_path, messages, connections)
    expected = (tmp_path / "dyads.parquet").read_bytes()
    (tmp_path / "dyads.parquet").unlink()
    paths = tmp_path / "messages.parquet", tmp_path / "connections.parquet", tmp_path / "dyads.parquet"
    said = []
    for n in (1, 5):
        told = []

        def stop(*what, told=told, n=n):
            told.append(what)
            if len(told) > n:
                raise Stopped

        with pytest.raises(Stopped):
            ea.build_dyads_file(*paths, progress=stop, say=said.append)
    ea.build_dyads_file(*paths, say=said.append)
    assert said == ["going on with the unfinished dyads.parquet"] * 2
    assert paths[2].read_bytes() == expected


def test_what_makes_no_sense_is_refused(tmp_path):
    messages, connections = world(7)
    with pytest.raises(SchemaError, match="none of the owners occurs in the messages or connections"):
        both(tmp_path, messages, connections, owner="nobody at all")
    paths = tmp_path / "messages.parquet", tmp_path / "connections.parquet"
    with pytest.raises(SourceError, match=r"dyads are one file; expected a name ending in \.parquet"):
        ea.build_dyads_file(*paths, tmp_path / "dyads")
    connections.assign(invited_at="soon").to_parquet(paths[1])
    with pytest.raises(SourceError, match="invited_at 'soon' is not a date"):
        ea.build_dyads_file(*paths, tmp_path / "dyads.parquet")
