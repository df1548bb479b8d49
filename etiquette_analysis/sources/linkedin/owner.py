"""Whose export it is.

Direction, and with it everything the study counts, follows from the owner, and no file of the archive says it
outright. The evidence is tried from the strongest to the weakest, the sentence that names it is kept in the
Dataset, and where none is left the reader asks instead of guessing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.linkedin.invitations import name_invitations
from etiquette_analysis.sources.linkedin.people import People, name_key, normalise_url
from etiquette_analysis.sources.linkedin.sides import read_sides
from etiquette_analysis.sources.rows import header_with, read_rows

#: Share of the conversations in which the owner of an export is expected: "nearly all".
NEARLY_ALL: Final = 0.9
#: Share below which a candidate of any other evidence is not believed.
_AT_LEAST: Final = 0.5
_ASK: Final = 'pass owner="your name or profile address" (--owner on the command line)'


@dataclass(frozen=True)
class Presence:
    """In how many conversations each person takes part."""

    conversations: Counter[str]
    n_conversations: int

    def share(self, person: str) -> float:
        """Return the share of conversations in which ``person`` takes part."""
        return self.conversations[person] / self.n_conversations if self.n_conversations else 0.0


def find_owner(
    given: str | None,
    *,
    rows: pd.DataFrame,
    people: People,
    contacts: pd.DataFrame,
    invitations: pd.DataFrame,
    profile: str,
) -> tuple[str, str]:
    """Return the owner's identifier and a sentence on the evidence.

    Parameters
    ----------
    given : str or None
        Name or profile address from the caller; it wins.
    rows, contacts, invitations : DataFrame
        Rows of the three files.
    people : People
        Who bears which name.
    profile : str
        Name in Profile.csv, "" where there is none.

    Raises
    ------
    SourceError
        Where nothing tells the owner, or where the given owner cannot be it.
    """
    told = ["conversation", "from_name", "from_url", "to_names", "to_urls", "direction"]
    rows = rows.drop_duplicates(told)
    sides = read_sides(rows, people)
    presence = _count_presence(sides.thread, sides.sender, sides.recipients)
    connected = set(contacts["url"].dropna())
    if given is not None:
        return _check_given(given, people, presence, connected), "given by the caller"
    outgoing = rows["direction"].str.strip().str.upper() == "OUTGOING"
    marked = pd.Series(sides.sender, index=rows.index, dtype="str")[outgoing].tolist()
    for candidate, evidence in _candidates(people, presence, name_invitations(invitations, people), marked, profile):
        if candidate not in connected and presence.share(candidate) >= _AT_LEAST:
            people.ambiguous.clear()
            return candidate, evidence
    by_name = {people.identify(name, None, "") for name in contacts.loc[contacts["url"].isna(), "name"]}
    people.ambiguous.clear()
    return _most_present(presence, connected | by_name)


def _count_presence(threads: list[str], senders: list[str], recipients: list[list[str]]) -> Presence:
    """Count conversations per person over the rows of messages.csv."""
    taking_part = {
        (thread, person)
        for thread, sender, others in zip(threads, senders, recipients, strict=True)
        for person in (sender, *others)
    }
    return Presence(Counter(person for _, person in taking_part), len(set(threads)))


def _candidates(
    people: People, presence: Presence, invitations: pd.DataFrame, marked: list[str], profile: str
) -> Iterator[tuple[str, str]]:
    """Yield candidates with their evidence, the strongest first."""
    outgoing = invitations.loc[invitations["direction"] == "OUTGOING", "inviter"]
    incoming = invitations.loc[invitations["direction"] == "INCOMING", "invitee"]
    votes = Counter([*outgoing, *incoming])
    for person, n in votes.most_common(1):
        yield person, f"sender of the outgoing and recipient of the incoming in {n} of {votes.total()} invitations"
    senders = Counter(marked)
    for person, _ in senders.most_common(1):
        yield person, "sender of the messages marked OUTGOING"
    if profile:
        yield _by_name(profile, people, presence), "the person named in Profile.csv"


def _by_name(name: str, people: People, presence: Presence) -> str:
    """Return who of that name takes part in most conversations."""
    of_that_name = people.urls.get(name_key(name), set()) or {people.known.get(name_key(name), name)}
    return max(sorted(of_that_name), key=presence.share)


def _most_present(presence: Presence, connected: set[str]) -> tuple[str, str]:
    """Return the one person who takes part in nearly all conversations and is no connection."""
    n_all = presence.n_conversations
    nearly_all = sorted(
        person
        for person, n in presence.conversations.items()
        if n >= NEARLY_ALL * n_all and person not in connected and not person.startswith("linkedin-member:")
    )
    if len(nearly_all) == 1:
        n = presence.conversations[nearly_all[0]]
        return nearly_all[0], f"the one person in {n} of {n_all} conversations who is no connection"
    if nearly_all:
        who = f"{len(nearly_all)} people take part in nearly all conversations ({', '.join(nearly_all[:5])})"
    else:
        who = f"nobody outside Connections.csv takes part in nearly all of the {n_all} conversations"
    raise SourceError(f"messages.csv: cannot tell whose export this is, as {who}; {_ASK}")


def _check_given(given: str, people: People, presence: Presence, connected: set[str]) -> str:
    """Return the identifier of the owner that the caller named, if that can be the owner."""
    url = normalise_url(given)
    owner = url if url is not None else _by_name(given, people, presence)
    people.ambiguous.clear()
    if owner in connected:
        raise SourceError(f"owner={given!r} is listed in Connections.csv, and an export never lists its owner; {_ASK}")
    if not presence.conversations[owner]:
        likely = ", ".join(person for person, _ in presence.conversations.most_common(3))
        msg = (
            f"owner={given!r} takes part in none of the {presence.n_conversations} conversations "
            f"(most often: {likely}); {_ASK}"
        )
        raise SourceError(msg)
    return owner


def profile_name(members: list[Member]) -> str:
    """Return the owner's full name from Profile.csv, "" where that cannot be read."""
    find = header_with("first name", "last name")
    for member in members:
        try:
            part = read_rows(member, find_header=find, expected="First Name and Last Name", on_bad_row="drop")
        except SourceError:
            continue
        theirs = {name.casefold(): part.frame[name] for name in part.frame.columns}
        if len(part.frame):
            return f"{theirs['first name'].iloc[0]} {theirs['last name'].iloc[0]}".strip()
    return ""
