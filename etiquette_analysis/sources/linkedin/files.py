"""Which file of a LinkedIn archive is which.

Only ``messages.csv`` is mail between people: the archive also holds guide, coach and role-play conversations with a
machine, in files whose names end alike. Names vary in case, spaces and underscores, and since 2026 some carry a
number (``messages_123456.csv``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.rows import split_line

MESSAGES: Final = "messages.csv"
CONNECTIONS: Final = "Connections.csv"
INVITATIONS: Final = "Invitations.csv"
PROFILE: Final = "Profile.csv"
ROLES: Final = (MESSAGES, CONNECTIONS, INVITATIONS, PROFILE)

_ROLE_OF: Final = {role.removesuffix(".csv").casefold(): role for role in ROLES}
_MACHINE_MAIL: Final = ("guide", "learning", "coach", "roleplay")
#: A few files that only LinkedIn writes; two of them mark an archive without mail as LinkedIn's.
_COMPANIONS: Final = {
    *("adtargeting", "companyfollows", "education", "emailaddresses", "languages", "logins", "phonenumbers"),
    *("endorsementgiveninfo", "endorsementreceivedinfo", "positions", "profile", "profilesummary", "registration"),
    *("recommendationsgiven", "recommendationsreceived", "richmedia", "savedjobalerts", "searchqueries", "skills"),
    *("comments", "invitations", "reactions", "shares", "votes"),
}
_MESSAGE_HEADERS: Final = ({"from", "to", "date", "content"}, {"conversation id", "from", "date"})
_CONNECTION_HEADER: Final = {"first name", "last name", "connected on"}

_FIRST_PART: Final = (
    "LinkedIn sends a first archive with profile files within minutes and the one with messages.csv up to a day "
    "later; wait for the second mail and pass that zip, or both in a list"
)


def plain_name(name: str) -> str:
    """Reduce a file name to what tells its role: no folder, case, spaces, underscores or numbers.

    >>> plain_name("Export/Messages_123456.csv"), plain_name("Guide Messages.csv"), plain_name("messages (1).csv")
    ('messages', 'guidemessages', 'messages')
    """
    stem = PurePosixPath(name.replace("\\", "/")).name.casefold()
    stem = re.sub(r"\.csv$", "", stem)
    stem = re.sub(r"(?:[\s_-]*\(\d+\)|[\s_-]+\d+)+$", "", stem)
    return re.sub(r"[\s_-]+", "", stem)


def role_of(member: Member) -> str | None:
    """Return the canonical name of a file that is read, None for all others."""
    if not member.name.casefold().endswith(".csv"):
        return None
    return _ROLE_OF.get(plain_name(member.name))


def looks_like_linkedin(members: Sequence[Member]) -> bool:
    """Tell whether these files are (part of) a LinkedIn archive."""
    if len(members) == 1 and not members[0].container:
        return _is_machine_mail(members[0]) or _role_by_content(members[0]) is not None
    names = {plain_name(member.name) for member in members if member.name.casefold().endswith(".csv")}
    return bool({"messages", "connections"} & names) or len(_COMPANIONS & names) >= 2


def pick_files(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Sort the files of an export by role.

    Raises
    ------
    SourceError
        Where there is no ``messages.csv``, or where one folder holds several exports.
    """
    picked: dict[str, list[Member]] = {role: [] for role in ROLES}
    for container in dict.fromkeys(member.container for member in members):
        inside = [member for member in members if member.container == container]
        for role in ROLES:
            picked[role] += _shallowest([m for m in inside if _role(m) == role], role)
    if not picked[MESSAGES]:
        raise SourceError(_no_messages(members))
    return picked


def _role(member: Member) -> str | None:
    """Role by name; a file that was passed by itself may have any name, and shows its role by its header."""
    if member.container or role_of(member) is not None:
        return role_of(member)
    return None if _is_machine_mail(member) else _role_by_content(member)


def _is_machine_mail(member: Member) -> bool:
    """Tell conversations with LinkedIn's assistants from mail between people."""
    name = plain_name(member.name)
    return name.endswith("messages") and name.startswith(_MACHINE_MAIL)


def _role_by_content(member: Member) -> str | None:
    """Recognise messages and connections by the names in their header."""
    for line in member.head(16_384).decode("utf-8-sig", errors="replace").splitlines():
        for delimiter in (",", ";", "\t"):
            cells = {cell.casefold() for cell in split_line(line, delimiter)}
            if any(header <= cells for header in _MESSAGE_HEADERS):
                return MESSAGES
            if cells >= _CONNECTION_HEADER:
                return CONNECTIONS
    return None


def _shallowest(found: list[Member], role: str) -> list[Member]:
    """Keep the files nearest to the top; the same role in two folders there means two exports."""
    if not found:
        return []
    depth = min(len(PurePosixPath(member.name).parts) for member in found)
    top = [member for member in found if len(PurePosixPath(member.name).parts) == depth]
    folders = sorted({str(PurePosixPath(member.name).parent) for member in top})
    if role == MESSAGES and len(folders) > 1:
        msg = (
            f"{top[0].container}: holds {len(folders)} exports ({', '.join(folders[:4])}); pass one of them, "
            "or a list of those that belong to one account"
        )
        raise SourceError(msg)
    return [member for member in top if str(PurePosixPath(member.name).parent) == folders[0]]


def _no_messages(members: Sequence[Member]) -> str:
    """Say what was found instead of ``messages.csv``, and what to do."""
    where = members[0].container or members[0].base_name
    zips = [member.base_name for member in members if member.name.casefold().endswith(".zip")]
    if zips:
        return f"{where}: holds no messages.csv but the zip {zips[0]}; pass that zip, or a list of both parts"
    if any(_is_machine_mail(member) for member in members if not member.container):
        return (
            f"{where}: conversations with LinkedIn's assistants, not mail between people; pass the whole archive, "
            "or its messages.csv"
        )
    found = sorted({member.base_name for member in members if member.name.casefold().endswith(".csv")})
    some = ", ".join(found[:5]) + (", …" if len(found) > 5 else "") if found else "no CSV file"
    return f"{where}: no messages.csv among its {len(members)} files ({some}). {_FIRST_PART}."
