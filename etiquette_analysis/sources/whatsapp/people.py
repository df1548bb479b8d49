"""Who is who in a WhatsApp chat: the file names writers, but neither its owner nor a contact who never wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.chats import name_group

_WITH: Final = r"with|con|mit|com|met|avec|med|z|s|kanssa"
_IN_NAME: Final = re.compile(
    rf"(?:whatsapp[ _-]?chat|chat (?:de |di )?whatsapp|conversa do whatsapp|discussion whatsapp)[ _]?"
    rf"(?:[-–]|{_WITH})[ _](?P<name>.+?)(?: ?\(\d+\))?\.(?:txt|zip)",
    re.IGNORECASE,
)


def contact_in_name(member: Member) -> str | None:
    """Return the contact that a file or its zip is named after, None where the name tells none."""
    for name in (member.base_name, member.container):
        found = name_in(name)
        if found is not None:
            return found
    return None


def name_in(name: str) -> str | None:
    """Read a contact out of a file's name.

    >>> name_in("WhatsApp Chat with Ben Low (1).txt"), name_in("Chat WhatsApp con Zoë.zip"), name_in("_chat.txt")
    ('Ben Low', 'Zoë', None)
    """
    match = _IN_NAME.fullmatch(name)
    return match["name"].strip() if match else None


def find_owner(chats: Sequence[tuple[Sequence[str], str | None]], given: str | None) -> tuple[str | None, str]:
    """Return the owner of the phone and the evidence, None where nothing tells.

    Parameters
    ----------
    chats : list of (people, contact)
        Who writes in each chat, and whom its file is named after.
    given : str or None
        What the caller says.

    Examples
    --------
    >>> find_owner([(["Ada", "Ben"], None), (["Cleo", "Ada"], None)], None)
    ('Ada', 'the one writer in all of 2 chats')
    """
    if given is not None:
        return given, "given by the caller"
    others = [
        {p for p in people if p != contact} for people, contact in chats if contact in people and len(people) == 2
    ]
    if others and len(set.union(*others)) == 1:
        return others[0].pop(), "the writer who is not the contact that the file is named after"
    writing = [set(people) for people, _ in chats if len(people) > 1]
    common = set.intersection(*writing) if len(writing) > 1 else set()
    if len(common) == 1:
        return common.pop(), f"the one writer in all of {len(writing)} chats"
    return None, ""


def recipients_of(people: Sequence[str], contact: str | None, ego: str | None, number: int) -> dict[str, str]:
    """Return to whom each writer of a chat writes; of a group, all others joined by ``"; "``.

    >>> recipients_of(["Ada"], None, "Ada", 0)
    {'Ada': 'whatsapp-contact:1'}
    """
    if len(people) > 1:
        return {person: name_group(people, person) for person in people}
    if not people:
        return {}
    (person,) = people
    if ego is not None and person != ego:
        return {person: ego}
    return {person: contact if contact is not None and contact != person else f"whatsapp-contact:{number + 1}"}
