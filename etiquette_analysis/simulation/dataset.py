"""From a course of events to the tables that a real source would deliver.

Contacts become connections (with only the day known, as in a LinkedIn export), events become messages with
a time of day: openers in the morning, answers at noon, pitches in the afternoon. A fringe of contacts too old or too
recent to be judged stands around the ``n`` that count, because every real export has one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import (
    CONNECTIONS,
    INSTANT,
    KEPT,
    MESSAGES,
    PITCH_LEVEL_DTYPE,
    READ,
    AuditLog,
    Dataset,
)
from etiquette_analysis.simulation.people import address
from etiquette_analysis.simulation.worlds import NEVER, Contacts, Course, World, draw_contacts, get_world, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The export's day; nothing in a simulated world happens after it.
OBSERVED_UNTIL: Final = np.datetime64("2025-06-30T18:00:00", "us")
HISTORY_DAYS: Final = 730
FOLLOW_UP_DAYS: Final = 46
HISTORY_START_DAYS: Final = 40
HOUR: Final = np.timedelta64(3_600_000_000, "us")
DAY: Final = np.timedelta64(86_400_000_000, "us")

POSITIONS: Final = {
    True: ("Impiegato", "Responsabile vendite", "Titolare"),
    False: ("Account Executive", "Head of Marketing", "Founder & CEO"),
}


@dataclass(frozen=True, repr=False)
class SimulatedDataset(Dataset):
    """A ``Dataset`` whose truth is known.

    Attributes
    ----------
    levels : Series
        The true pitch level of every message, indexed by ``message_id`` (ordered categorical).
    world : World
        The parameters; ``true_values(world)`` gives the truth.
    """

    levels: pd.Series = None  # type: ignore[assignment]
    world: World = None  # type: ignore[assignment]


@dataclass(frozen=True)
class _Events:
    """One kind of event for some of the contacts: who, when, by whom, and what it says."""

    contact: NDArray[np.int64]
    at: NDArray[np.datetime64]
    by_sender: bool
    act: NDArray[np.str_]
    kind: str = "message"


def simulate(world: str | World, *, n: int, seed: int, texts: bool = False) -> SimulatedDataset:
    """Invent the messages and connections of ``n`` contacts in a world with a known truth.

    Parameters
    ----------
    world : str or World
        A letter of ``WORLDS`` ("A" null, "B" harm, "D" null with the selection trap, ...) or parameters.
    n : int
        Connections that can be judged; a fringe of about 8 % more is too early or too recent.
    seed : int
        The same seed gives the same rows.
    texts : bool
        Whether to write texts (Italian and English); without them ``text`` is null and ``levels`` holds the coding.

    Returns
    -------
    SimulatedDataset
        A ``Dataset`` with ``.levels`` and ``.world``; ``ego`` is the sender, or a tuple of them.

    Raises
    ------
    DesignError
        Where the world is unknown or ``n`` is not positive.

    Examples
    --------
    >>> ds = simulate("D", n=200, seed=1)
    >>> len(ds.connections), ds.ego
    (216, 'sender-00')
    """
    w = get_world(world)
    if n < 1:
        msg = f"n={n}: a world needs at least one contact"
        raise DesignError(msg)
    rng = np.random.default_rng(seed)
    n_fringe = max(4, round(0.08 * n))
    contacts = draw_contacts(w, n + n_fringe, rng)
    connected = _connection_days(n, n_fringe, rng)
    course = run(contacts)
    events = _events(contacts, course, connected, rng)
    return _assemble(contacts, course, connected, events, rng, texts=texts)


def _connection_days(n: int, n_fringe: int, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """Draw days so that exactly the first ``n`` contacts lie inside the window that can be judged."""
    last = OBSERVED_UNTIL.astype("datetime64[D]")
    ago = rng.integers(FOLLOW_UP_DAYS, HISTORY_DAYS - HISTORY_START_DAYS, n)
    n_early = n_fringe // 2
    early = rng.integers(HISTORY_DAYS - 8, HISTORY_DAYS, n_early)
    early[0] = HISTORY_DAYS
    recent = rng.integers(0, FOLLOW_UP_DAYS - 3, n_fringe - n_early)
    days: NDArray[np.datetime64] = last - np.concatenate([ago, early, recent])
    return days.astype("datetime64[us]")


def _at_hours(
    connected: NDArray[np.datetime64], day: NDArray[np.int64], low: float, high: float, rng: np.random.Generator
) -> NDArray[np.datetime64]:
    seconds = rng.integers(int(low * 3600), int(high * 3600), len(day))
    return connected + day * DAY + seconds * np.timedelta64(1_000_000, "us")


def _events(c: Contacts, course: Course, connected: NDArray[np.datetime64], rng: np.random.Generator) -> list[_Events]:
    n = len(c)
    who = np.arange(n)
    opened, answered, pitched = (x < NEVER for x in (course.opener_day, course.answered_day, course.pitch_day))
    # Every contact gets its own draws, used or not, so that one event never moves another's time.
    opener_at = _at_hours(connected, np.where(opened, course.opener_day, 0), 8.0, 10.5, rng)
    answer_at = _at_hours(connected, np.where(answered, course.answered_day, 0), 11.0, 14.0, rng)
    pitch_at = _at_hours(connected, np.where(pitched, course.pitch_day, 0), 15.0, 18.0, rng)
    delay = np.minimum(rng.standard_exponential(n) * 30.0 + 0.05, 13.9 * 24)
    reply_at = pitch_at + (delay * 3600).astype("int64") * np.timedelta64(1_000_000, "us")
    late_at = pitch_at + (rng.uniform(15, 40, n) * 86400).astype("int64") * np.timedelta64(1_000_000, "us")
    chase_at = pitch_at + (rng.uniform(3, 10, n) * 86400).astype("int64") * np.timedelta64(1_000_000, "us")
    late = pitched & ~course.reply & (rng.random(n) < 0.05)
    chase = pitched & (~course.reply | (reply_at > chase_at)) & (rng.random(n) < 0.3)
    thanks = answered & (rng.random(n) < 0.5)
    thanks_at = answer_at + (rng.uniform(0.05, 0.9, n) * 3600).astype("int64") * np.timedelta64(1_000_000, "us")
    refuses = rng.random(n) < 0.4
    invited_at = connected - (c.acceptance_days * 86400).astype("int64") * np.timedelta64(1_000_000, "us")
    level = np.where(course.hard, "hard", "moderate")
    answer = np.where(refuses, "refusal", "interest")
    return [
        _Events(who[c.has_note], invited_at[c.has_note], True, np.full(int(c.has_note.sum()), "note"), "invitation"),
        _Events(who[opened], opener_at[opened], True, np.full(int(opened.sum()), "opener")),
        _Events(who[answered], answer_at[answered], False, np.full(int(answered.sum()), "answer")),
        _Events(who[thanks], thanks_at[thanks], True, np.full(int(thanks.sum()), "chat")),
        _Events(who[pitched], pitch_at[pitched], True, level[pitched]),
        _Events(who[course.reply], reply_at[course.reply], False, answer[course.reply]),
        _Events(who[late], late_at[late], False, answer[late]),
        _Events(who[chase], chase_at[chase], True, np.full(int(chase.sum()), "chaser")),
    ]


def _assemble(
    c: Contacts,
    course: Course,
    connected: NDArray[np.datetime64],
    events: list[_Events],
    rng: np.random.Generator,
    *,
    texts: bool,
) -> SimulatedDataset:
    sender_id = np.array([f"sender-{k:02d}" for k in range(max(1, c.world.senders))])[c.sender]
    contact_id = np.array([f"contact-{k:07d}" for k in range(len(c))])
    who = np.concatenate([e.contact for e in events])
    at = np.concatenate([e.at for e in events])
    by_sender = np.concatenate([np.full(len(e.contact), e.by_sender) for e in events])
    act = np.concatenate([e.act for e in events])
    kind = np.concatenate([np.full(len(e.contact), e.kind) for e in events])
    seen = at <= OBSERVED_UNTIL
    order = np.lexsort((who, at))
    order = order[seen[order]]
    who, at, by_sender, act, kind = who[order], at[order], by_sender[order], act[order], kind[order]
    sender = np.where(by_sender, sender_id[who], contact_id[who])
    recipient = np.where(by_sender, contact_id[who], sender_id[who])
    # A generator of its own: with or without texts, everything else is the same.
    text = write_texts(act, c.italian[who], sender, recipient, rng.spawn(1)[0]) if texts else None
    messages = pd.DataFrame(
        {
            "message_id": np.arange(len(who)),
            "conversation_id": contact_id[who],
            "sender": sender,
            "recipient": recipient,
            "sent_at": pd.DatetimeIndex(at).tz_localize("UTC"),
            "text": pd.Series(text if texts else [None] * len(who), dtype="str"),
            "channel": "simulated",
            "kind": kind,
        }
    ).astype(MESSAGES)
    level = np.where(np.isin(act, ("hard", "moderate")), act, np.where(act == "chaser", "moderate", "none"))
    levels = pd.Series(
        pd.Categorical(level, dtype=PITCH_LEVEL_DTYPE),
        index=pd.Index(messages["message_id"], name="message_id"),
        name="pitch_level",
    )
    # A contact whose pitch went unanswered may disconnect: then the list of connections has lost them.
    unanswered = (course.pitch_day < NEVER) & ~course.reply
    leave = np.where(course.pitch_day <= 1, c.world.disconnect_now, c.world.disconnect_later)
    gone = unanswered & (rng.random(len(c)) < leave)
    log = AuditLog()
    for stage, size in (("messages", len(messages)), ("connections", int((~gone).sum()))):
        log.add(stage, READ, size)
        log.add(stage, KEPT, size)
    senders = tuple(sorted(map(str, set(sender_id))))
    return SimulatedDataset(
        messages=messages,
        connections=_connections(c, connected, sender_id, contact_id)[~gone].reset_index(drop=True),
        audit=log.frame(),
        observed_until=pd.Timestamp(OBSERVED_UNTIL, tz="UTC"),
        ego=senders[0] if len(senders) == 1 else senders,
        source="simulation",
        evidence="invented",
        levels=levels,
        world=c.world,
    )


def _connections(
    c: Contacts,
    connected: NDArray[np.datetime64],
    sender_id: NDArray[np.str_],
    contact_id: NDArray[np.str_],
) -> pd.DataFrame:
    waited = (c.acceptance_days * 86400).astype("int64") * np.timedelta64(1_000_000, "us")
    titles = np.array([POSITIONS[False], POSITIONS[True]])
    return pd.DataFrame(
        {
            "person_a": sender_id,
            "person_b": contact_id,
            "connected_at": pd.DatetimeIndex(connected).tz_localize("UTC"),
            "resolution": "day",
            "invited_by": np.where(c.contact_invited, contact_id, sender_id),
            "invited_at": pd.DatetimeIndex(connected - waited).tz_localize("UTC").floor("s"),
            "position": titles[c.italian.astype(int), c.seniority],
        }
    ).astype({**CONNECTIONS, "connected_at": INSTANT, "invited_at": INSTANT})


def text_bank() -> dict[str, dict[str, list[str]]]:
    """Return the texts of the simulation, by language and act; all of them written for this project."""
    source = resources.files("etiquette_analysis.simulation").joinpath("texts.json")
    bank: dict[str, dict[str, list[str]]] = json.loads(source.read_text(encoding="utf-8"))
    return bank


def write_texts(
    act: NDArray[np.str_],
    italian: NDArray[np.bool_],
    sender: NDArray[np.str_],
    recipient: NDArray[np.str_],
    rng: np.random.Generator,
) -> NDArray[np.object_]:
    """Give every event a text of its act, in the language of the contact, with the first names filled in."""
    bank = text_bank()
    draws = rng.random(len(act))
    out = np.empty(len(act), dtype=object)
    for language, mask in (("it", italian), ("en", ~italian)):
        for a in np.unique(act):
            rows = np.flatnonzero(mask & (act == a))
            choices = bank[language][str(a)]
            for row, choice in zip(rows, (draws[rows] * len(choices)).astype(int), strict=True):
                out[row] = address(choices[choice], sender=str(sender[row]), recipient=str(recipient[row]))
    return out
