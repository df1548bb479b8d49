"""Simulated tables, and the texts that go into them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import CONNECTIONS, MESSAGES, check_audit, check_connections, check_messages
from etiquette_analysis.simulation import simulate
from etiquette_analysis.simulation.dataset import (
    FOLLOW_UP_DAYS,
    HISTORY_DAYS,
    HISTORY_START_DAYS,
    OBSERVED_UNTIL,
    text_bank,
)
from etiquette_analysis.simulation.people import person

SIZES = {"opener": 40, "answer": 40, "moderate": 40, "hard": 40, "auto_reply": 8}
SIZES |= dict.fromkeys(("note", "chat", "chaser", "refusal", "interest"), 25)
PITCHES = ("moderate", "hard", "chaser")
CELLS = [(language, act) for language in ("it", "en") for act in SIZES]


def tables(dataset):
    return dataset.messages, dataset.connections, dataset.audit, dataset.levels.reset_index()


def assert_same(one, other):
    for left, right in zip(tables(one), tables(other), strict=True):
        pd.testing.assert_frame_equal(left, right)


@pytest.fixture(scope="module")
def dataset():
    return simulate("D", n=300, seed=5, texts=True)


def test_same_seed_same_rows(dataset):
    assert_same(dataset, simulate("D", n=300, seed=5, texts=True))


def test_another_seed_other_rows(dataset):
    assert not dataset.messages.equals(simulate("D", n=300, seed=6, texts=True).messages)


@pytest.mark.parametrize("world", ["E", "S"])
def test_texts_change_nothing_else(world):
    # World S draws who disconnects after the texts are written.
    written, silent = simulate(world, n=300, seed=5, texts=True), simulate(world, n=300, seed=5)
    assert silent.messages["text"].isna().all()
    pd.testing.assert_frame_equal(written.messages.drop(columns="text"), silent.messages.drop(columns="text"))
    pd.testing.assert_frame_equal(written.connections, silent.connections)


def test_tables_keep_the_schema(dataset):
    check_messages(dataset.messages)
    check_connections(dataset.connections)
    check_audit(dataset.audit)
    assert dict(dataset.messages.dtypes.astype(str)) == MESSAGES
    assert list(dataset.connections) == list(CONNECTIONS)
    assert dataset.levels.index.tolist() == dataset.messages["message_id"].tolist()


def test_first_n_contacts_lie_inside_the_window_and_the_fringe_outside(dataset):
    days_ago = (pd.Timestamp(OBSERVED_UNTIL, tz="UTC").normalize() - dataset.connections["connected_at"]).dt.days
    number = dataset.connections["person_b"].str[-7:].astype(int)
    inside = days_ago.between(FOLLOW_UP_DAYS, HISTORY_DAYS - HISTORY_START_DAYS - 1)
    assert (inside == (number < 300)).all()


def test_nothing_happens_after_the_export(dataset):
    assert dataset.messages["sent_at"].max() <= dataset.observed_until
    assert dataset.messages["sent_at"].is_monotonic_increasing


def test_only_notes_precede_the_connection(dataset):
    day = dataset.connections.set_index("person_b")["connected_at"]
    m = dataset.messages
    early = m["sent_at"].to_numpy() < day.reindex(m["conversation_id"]).to_numpy()
    assert (m["kind"].eq("invitation") == early).all()


def test_only_the_sender_pitches(dataset):
    pitching = dataset.levels.ne("none").to_numpy()
    assert pitching.any()
    assert dataset.messages.loc[pitching, "sender"].eq(dataset.ego).all()


def test_several_senders_make_a_tuple():
    ego = simulate("H", n=400, seed=1).ego
    assert len(ego) == 40
    assert type(ego[0]) is str


def test_disconnected_contacts_are_missing_from_the_connections():
    assert len(simulate("S", n=400, seed=1).connections) < len(simulate("E", n=400, seed=1).connections)


def test_a_world_needs_a_contact():
    with pytest.raises(DesignError, match="n=0: a world needs at least one contact"):
        simulate("A", n=0, seed=1)


def test_texts_come_from_the_bank_at_their_level(dataset):
    def shape(text: str) -> str:
        return re.sub(r"\\\{(name|me)\\\}", r"\\w+", re.escape(text))

    acts = {"moderate": ("moderate", "chaser"), "hard": ("hard",)}
    bank = text_bank()
    for level, own in acts.items():
        allowed = re.compile("|".join(shape(t) for language in bank for act in own for t in bank[language][act]))
        texts = dataset.messages["text"][dataset.levels.eq(level).to_numpy()]
        assert len(texts) > 20
        assert texts.map(lambda t, rule=allowed: rule.fullmatch(t) is not None).all()


def test_first_names_are_filled_in(dataset):
    m = dataset.messages
    assert not m["text"].str.contains("{", regex=False).any()
    greeted = m[m["text"].str.match(r"(?:Ciao|Hi) [A-Z]\w+[ ,!]")]
    named = greeted["text"].str.extract(r"(?:Ciao|Hi) ([A-Z]\w+)")[0]
    assert len(greeted) > 20
    assert (named == greeted["recipient"].map(lambda who: person(who).first)).all()


@pytest.mark.parametrize(("language", "act"), CELLS)
def test_bank_is_complete(language, act):
    texts = text_bank()[language][act]
    assert len(texts) == len(set(texts)) == SIZES[act]
    assert sum("{" in text for text in texts) <= len(texts) / 2
    assert set(re.findall(r"\{.*?\}", " ".join(texts))) <= {"{name}", "{me}"}
    assert all(text == text.strip() and text for text in texts)


def test_bank_has_no_other_acts():
    assert {language: set(acts) for language, acts in text_bank().items()} == {"it": set(SIZES), "en": set(SIZES)}


@pytest.mark.parametrize(("language", "act"), CELLS)
def test_links_lead_nowhere(language, act):
    for text in text_bank()[language][act]:
        assert all(host.endswith(".example") for host in re.findall(r"https?://([^/\s]+)", text))
        assert "www." not in text


@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("act", ["moderate", "chaser"])
def test_moderate_texts_hold_nothing_that_presses(language, act):
    # CODEBOOK, level 3: price, discount, deadline, demo, trial, sign-up, a calendar or a result.
    presses = re.compile(
        r"[€£$%]|\b(?:demo|sconto|euro|entro|iscriv\w*|prenot\w*|discount|sign up|book|trial|deadline|slot)\b"
        r"|\b\d+ ?(?:%|euro)|\b(?:today|tomorrow|oggi|domani)\b",
        re.IGNORECASE,
    )
    assert [text for text in text_bank()[language][act] if presses.search(text)] == []


@pytest.mark.parametrize(("language", "act"), [cell for cell in CELLS if cell[1] not in PITCHES])
def test_level_0_texts_show_no_trade(language, act):
    trade = re.compile(
        r"\b(?:mi occupo|ci occupiamo|la nostra (?:agenzia|azienda|societ\w+)|offriamo|vendiamo|"
        r"our (?:agency|product|service|clients)|we (?:help|offer|sell)|i run|i work in)\b",
        re.IGNORECASE,
    )
    assert [text for text in text_bank()[language][act] if trade.search(text)] == []


def test_people_are_the_same_everywhere_and_seldom_share_an_address():
    urls = [person(f"contact-{i:07d}").url for i in range(20_000)]
    assert np.unique(urls).size == len(urls)
    assert person("contact-0000007") == person("contact-0000007")
