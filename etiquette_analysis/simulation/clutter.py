"""What every real mailbox holds besides the messages under study.

A reader that works on clean rows only has not been tested. These rows go into the sample export: each kind is one that
a tool has counted wrongly before (FORMATS.md, "Traps"). None of them changes who was pitched when or who replied,
so the truth of the world stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.simulation.dataset import POSITIONS, SimulatedDataset, text_bank
from etiquette_analysis.simulation.people import Person, address, person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

N_SPONSORED: Final = 8
N_SPAM: Final = 6
N_DELETED: Final = 7
N_INBOUND: Final = 24
N_HIDDEN_CONNECTIONS: Final = 19
N_DRAFTS: Final = 9
AUTO_REPLY_SHARE: Final = 0.03
ATTACHMENT_SHARE: Final = 0.25

_SPONSORED: Final = (
    '<p class="spinmail-quill-editor__spin-break">Hi %FIRSTNAME%,</p><p>Our <strong>report on remote work</strong> is '
    "free &amp; online: https://report-sample.example</p>",
    '<p class="spinmail-quill-editor__spin-break">Ciao %FIRSTNAME%,</p><p>il <strong>master serale</strong> riparte a '
    "ottobre. Scarica la brochure: https://master-prova.example</p>",
)
_GROUPS: Final = (
    ("Cena di classe", ("Chi prenota il tavolo?", "Ci penso io, siamo in nove?", "Otto, Carla ha il turno di notte.")),
    ("Panel on Thursday", ("Shall we meet ten minutes early?", "Works for me.", "Same here, by the coffee stand.")),
    ("Regalo per la pensione", ("Metto anch'io la mia parte, dite quanto.", "Dieci euro a testa direi.")),
)
_SUBJECTS: Final = ("Una proposta", "Quick question", "Collaborazione", "Opportunity")
_HIDDEN_MEMBER: Final = Person("LinkedIn", "Member", "", "")


@dataclass(frozen=True)
class MessageRow:
    """One row of messages.csv, before it is spelled out."""

    conversation: str
    sender: Person
    recipients: tuple[Person, ...]
    sent_at: pd.Timestamp
    text: str
    title: str = ""
    subject: str = ""
    folder: str = "INBOX"
    attachments: str = ""
    is_draft: bool = False


def clutter_messages(
    dataset: SimulatedDataset, owner: str, rng: np.random.Generator, *, drafts: bool
) -> list[MessageRow]:
    """Return the rows that a mailbox has besides; ``drafts`` only where the layout can mark them."""
    rows = [
        *_unasked(dataset, owner, rng),
        *_groups(dataset, owner, rng),
        *_auto_replies(dataset, rng),
        *_attachments(dataset, rng),
    ]
    return [*rows, *_drafts(dataset, rng)] if drafts else rows


def clutter_connections(dataset: SimulatedDataset, rng: np.random.Generator) -> list[tuple[pd.Timestamp, list[str]]]:
    """Return connections of hidden or closed accounts: a day and nothing else."""
    days = pd.DatetimeIndex(dataset.connections["connected_at"])
    return [(days[i], [""] * 6) for i in rng.integers(0, len(days), N_HIDDEN_CONNECTIONS)]


def _moments(dataset: SimulatedDataset, n: int, rng: np.random.Generator) -> list[pd.Timestamp]:
    """Draw n times over the history, to the second."""
    start, end = dataset.messages["sent_at"].min().floor("s"), dataset.observed_until
    span = int((end - start).total_seconds())
    return [start + pd.Timedelta(seconds=int(s)) for s in rng.integers(0, span, n)]


def _unasked(dataset: SimulatedDataset, owner: str, rng: np.random.Generator) -> Iterator[MessageRow]:
    """Yield mail to the owner from people who are no connections: adverts, spam, deleted members, InMail."""
    me = person(owner)
    bank = text_bank()
    pitches = [text for language in ("it", "en") for act in ("moderate", "hard") for text in bank[language][act]]
    # The last advert comes at the moment of the export, so that a reader sees until when replies could have come.
    adverts = [*_moments(dataset, N_SPONSORED - 1, rng), dataset.observed_until]
    for i, at in enumerate(adverts):
        sender = Person(person(f"sponsor-{i}").first, person(f"sponsor-{i}").last, "", "")
        yield MessageRow(f"sponsored-{i}", sender, (me,), at, _SPONSORED[i % 2], title="Sponsored Conversation")
    for kind, n in (("spam", N_SPAM), ("deleted", N_DELETED), ("inbound", N_INBOUND)):
        for i, at in enumerate(_moments(dataset, n, rng)):
            who = f"{kind}-{i}"
            text = address(pitches[int(rng.integers(len(pitches)))], sender=who, recipient=owner)
            sender = _HIDDEN_MEMBER if kind == "deleted" else person(who)
            folder = "SPAM" if kind == "spam" else "ARCHIVE" if i % 5 == 0 else "INBOX"
            subject = _SUBJECTS[i % len(_SUBJECTS)] if kind == "inbound" else ""
            yield MessageRow(who, sender, (me,), at, text, subject=subject, folder=folder)


def _groups(dataset: SimulatedDataset, owner: str, rng: np.random.Generator) -> Iterator[MessageRow]:
    """Yield threads of the owner with two connections."""
    contacts = dataset.connections["person_b"].to_numpy()
    for (title, texts), at in zip(_GROUPS, _moments(dataset, len(_GROUPS), rng), strict=True):
        members = [person(owner), *(person(str(c)) for c in rng.choice(contacts, 2, replace=False))]
        for i, text in enumerate(texts):
            sender = members[i % 3]
            others = tuple(who for who in members if who is not sender)
            yield MessageRow(f"group {title}", sender, others, at + pd.Timedelta(minutes=7 * i), text, title=title)


def _auto_replies(dataset: SimulatedDataset, rng: np.random.Generator) -> Iterator[MessageRow]:
    """Yield out-of-office notices, within two minutes of a pitch."""
    m = dataset.messages
    is_pitch = _is_pitch(dataset)
    pitches = m[is_pitch & (rng.random(len(m)) < AUTO_REPLY_SHARE)]
    is_italian = dataset.connections.set_index("person_b")["position"].isin(POSITIONS[True])
    bank = text_bank()
    for ego, contact, at, thread in _columns(pitches):
        texts = bank["it" if is_italian.get(contact, True) else "en"]["auto_reply"]
        text = texts[int(rng.integers(len(texts)))]
        later = at + pd.Timedelta(seconds=int(rng.integers(1, 120)))
        if later <= dataset.observed_until:
            yield MessageRow(thread, person(contact), (person(ego),), later, text)


def _attachments(dataset: SimulatedDataset, rng: np.random.Generator) -> Iterator[MessageRow]:
    """Yield files without a word that the owner sends after the last message of a contact who was pitched."""
    m = dataset.messages
    pitched = set(m["recipient"][_is_pitch(dataset)])
    last = m.drop_duplicates("conversation_id", keep="last")
    last = last[last["sender"].isin(pitched)]
    for contact, ego, at, thread in _columns(last[rng.random(len(last)) < ATTACHMENT_SHARE]):
        sent_at = at + pd.Timedelta(seconds=int(rng.integers(300, 3000)))
        number = int(rng.integers(10**6))
        link = f"https://www.linkedin.com/dms/prv/document/fictional-{number:06d}/0?e=1&v=beta"
        if sent_at <= dataset.observed_until:
            yield MessageRow(thread, person(ego), (person(contact),), sent_at, "", attachments=link)


def _drafts(dataset: SimulatedDataset, rng: np.random.Generator) -> Iterator[MessageRow]:
    """Yield messages begun and never sent, to connections of the last year."""
    texts = text_bank()["it"]["chaser"]
    c = dataset.connections
    chosen: NDArray[np.int64] = rng.integers(0, len(c), N_DRAFTS)
    for i, contact in zip(chosen, c["person_b"].to_numpy()[chosen], strict=True):
        at = c["connected_at"].iloc[int(i)] + pd.Timedelta(hours=20, seconds=int(rng.integers(3600)))
        text = address(texts[int(i) % len(texts)], sender=str(dataset.ego), recipient=contact)
        if at <= dataset.observed_until:
            yield MessageRow(contact, person(str(dataset.ego)), (person(contact),), at, text, is_draft=True)


def _is_pitch(dataset: SimulatedDataset) -> NDArray[np.bool_]:
    """Tell the pitches; in a simulated world, only senders make them."""
    return dataset.levels.isin(["moderate", "hard"]).to_numpy(dtype=bool)


def _columns(m: pd.DataFrame) -> Iterator[tuple[str, str, pd.Timestamp, str]]:
    """Yield sender, recipient, time and thread of every row."""
    return zip(m["sender"], m["recipient"], m["sent_at"], m["conversation_id"], strict=True)
