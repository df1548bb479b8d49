"""A Slack workspace's export: what two people wrote to each other directly.

The export files messages by conversation and day of the workspace's own clock; only ``ts`` tells the time. Channels
and group conversations are public or shared talk, so their rows are read and counted, and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member, list_members
from etiquette_analysis.sources.chats import Counts, as_token, deliver_chats, find_by_name
from etiquette_analysis.sources.dates import PLAUSIBLE_YEARS, as_observed_until
from etiquette_analysis.sources.json_stream import read_json
from etiquette_analysis.sources.progress import expecting

STAGE: Final = "conversations"
_USERS: Final = "users.json"
_DIRECT: Final = "dms.json"
_LISTS: Final = {
    "channels.json": "channel, not a direct message",
    "groups.json": "private channel, not a direct message",
    "mpims.json": "group conversation, not a direct message",
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
_TS: Final = re.compile(r"(\d{1,11})(?:\.(\d{1,6}))?")
_REFERENCE: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_SLACKBOT: Final = "USLACKBOT"
_FIRST, _LAST = (pd.Timestamp(f"{year}-01-01", tz="UTC").timestamp() for year in (*PLAUSIBLE_YEARS,))
_ASK: Final = (
    "a standard export holds public channels only; ask an owner of the workspace for an export of all conversations"
)


def read_slack(path: ExportPath, *, owner: str | None = None, observed_until: object = None) -> Dataset:
    """Read the direct messages of a Slack export.

    Parameters
    ----------
    path : path or list of paths
        The zip or the unpacked folder.
    owner : str, optional
        Whose messages are studied: id, name, display name, full name or address; conversations without that person
        are left out. By default the one person in all of several direct conversations; where nothing tells, ``ego`` is
        None and the audit says so.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest dated row read, channels included.

    Returns
    -------
    Dataset
        ``messages`` with ``channel`` "slack"; a person is the id of users.json. Texts are unescaped, a link shows its
        label. ``connections`` is empty. ``audit`` examples are the number of the row over all files.

    Raises
    ------
    SourceError
        Where the path is no such export or holds no direct message.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> files = {"users.json": [{"id": "U1", "name": "ada"}, {"id": "U2", "name": "ben"}],
    ...          "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
    ...          "D1/2024-03-04.json": [{"type": "message", "user": "U1", "ts": "1709582100.000100",
    ...                                  "text": "See <https://example.com|this> &amp; that"}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pathlib.Path(folder, "D1").mkdir()
    ...     for name, content in files.items():
    ...         _ = pathlib.Path(folder, name).write_text(json.dumps(content))
    ...     dataset = read_slack(folder, owner="ada")
    >>> dataset.messages[["sender", "recipient", "text"]].values.tolist()
    [['U1', 'U2', 'See this & that']]
    """
    until = as_observed_until(observed_until)
    reading = _Reading(list_members(path))
    reading.read_days()
    return _assemble(reading, owner, until)


def looks_like_slack(members: Sequence[Member]) -> bool:
    """Tell the lists that lie at the top of an export."""
    names = {member.base_name for member in members}
    return _USERS in names and bool({_DIRECT, *_LISTS} & names)


def unescape(text: str) -> str:
    """Return a text as people saw it: links by their label, mentions by id, no entities.

    >>> unescape("<@U02>, <https://example.com|qui> or <https://example.com> &lt;3 &amp;amp; <!here>")
    '@U02, qui or https://example.com <3 &amp; @here'
    """
    plain = _REFERENCE.sub(_shown, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(match: re.Match[str]) -> str:
    """Return what one ``<...>`` shows."""
    target, label = match[1], match[2]
    sign = target[:1]
    if sign == "#":
        return f"#{label or target[1:]}"
    if sign in {"@", "!"}:
        name = label or target[1:].split("^")[0]
        return name if name.startswith("@") or (label and sign == "!") else f"@{name}"
    return label or target.removeprefix("mailto:")


class _Reading:
    """The rows of an export, and who and what its lists name."""

    def __init__(self, members: Sequence[Member]) -> None:
        lists = [member for member in members if member.base_name == _USERS]
        self.where = members[0].container or members[0].base_name
        if not lists:
            raise SourceError(f"{self.where}: no users.json of Slack; pass the export's zip or its folder, unchanged")
        top = min((PurePosixPath(member.name).parent for member in lists), key=lambda folder: len(folder.parts))
        self._files = {str(PurePosixPath(m.name).relative_to(top)): m for m in members if _is_under(m, top)}
        if _DIRECT not in self._files:
            raise SourceError(f"{self.where}: no dms.json, so the export has no direct messages; {_ASK}")
        self.names: dict[str, set[str]] = {}
        self.bots: set[str] = {_SLACKBOT}
        self._learn_users()
        self.pairs = {str(dm["id"]): _pair(dm) for dm in self._entries(_DIRECT) if dm.get("id")}
        self._kinds = {
            str(folder): reason
            for file, reason in _LISTS.items()
            for conversation in self._entries(file)
            for folder in (conversation.get("id"), conversation.get("name"))
            if folder
        }
        self.counts = Counts()
        self.latest = 0
        self.rows: list[tuple[int, str, str, str, int, str | None]] = []
        self._seen: set[tuple[str, str, int]] = set()

    def _entries(self, name: str) -> list[dict[str, Any]]:
        """Return the objects of one file, [] where the export has no such file."""
        member = self._files.get(name)
        return [entry for entry in _load(member) if isinstance(entry, dict)] if member is not None else []

    def _learn_users(self) -> None:
        """Learn the names that people bear, and which accounts are no people."""
        for user in self._entries(_USERS):
            person = str(user.get("id"))
            given = user.get("profile")
            profile = given if isinstance(given, dict) else {}
            borne = [user.get("name"), user.get("real_name")]
            borne += [profile.get(key) for key in ("real_name", "display_name", "email")]
            self.names[person] = {str(name) for name in borne if name}
            if user.get("is_bot"):
                self.bots.add(person)

    def read_days(self) -> None:
        """Read every day of every conversation."""
        days = list(self._days())
        with expecting([member for _, member in days]):
            for folder, member in days:
                for entry in _load(member):
                    self._read_row(entry, folder)

    def _days(self) -> Iterator[tuple[str, Member]]:
        """Yield the files of days with the folder they lie in, in the order of days."""
        for name in sorted(self._files):
            place = PurePosixPath(name)
            if len(place.parts) == 2 and _DAY.fullmatch(place.name):
                yield place.parts[0], self._files[name]

    def _read_row(self, entry: Any, folder: str) -> None:
        """Keep one row, or count it with the reason why not."""
        row = self.counts.read()
        if not isinstance(entry, dict) or entry.get("type") != "message":
            self.counts.leave_out("not a message", row)
            return
        at = _microseconds(entry.get("ts"))
        self.latest = max(self.latest, at or 0)
        sender = str(entry.get("user") or "")
        reason = self._reason(entry, folder, sender, at)
        if reason is not None or at is None:
            self.counts.leave_out(reason or "", row)
            return
        self._seen.add((folder, sender, at))
        recipient = next(person for person in self.pairs[folder] if person != sender)
        text = unescape(str(entry.get("text") or "")) or None
        self.rows.append((row, folder, sender, recipient, at, text))

    def _reason(self, entry: dict[str, Any], folder: str, sender: str, at: int | None) -> str | None:
        """Return why a row is left out, None where it is kept."""
        if entry.get("subtype"):
            return f"subtype {as_token(entry['subtype'])}"
        if entry.get("bot_id") or sender in self.bots:
            return "bot"
        if folder not in self.pairs:
            return self._kinds.get(folder, "conversation that no list names")
        if at is None:
            return "no date" if entry.get("ts") is None else "unreadable date"
        pair = self.pairs[folder]
        if len(pair) == 1:
            return "message to oneself"
        if len(pair) != 2 or self.bots.intersection(pair):
            return "direct conversation with a bot" if self.bots.intersection(pair) else "not two people"
        if sender not in pair:
            return "sender is neither of the two" if sender else "no sender"
        return "repeated row" if (folder, sender, at) in self._seen else None


def _is_under(member: Member, top: PurePosixPath) -> bool:
    """Tell a file below the folder of the lists."""
    return PurePosixPath(member.name).is_relative_to(top)


def _pair(conversation: dict[str, Any]) -> tuple[str, ...]:
    """Return the members of a direct conversation, each once."""
    members = conversation.get("members")
    return tuple(dict.fromkeys(str(m) for m in members)) if isinstance(members, list) else ()


def _load(member: Member) -> list[Any]:
    """Read one small file, which holds a list."""
    found = read_json(member.read(), f"{member.label} ({member.name})", "download the export again")
    if not isinstance(found, list):
        raise SourceError(f"{member.label} ({member.name}): holds no list, so it is no file of a Slack export")
    return found


def _microseconds(ts: object) -> int | None:
    """Return ``ts`` in microseconds since 1970, exactly; None where it is no time.

    >>> _microseconds("1709582100.000100")
    1709582100000100
    """
    match = _TS.fullmatch(str(ts))
    if match is None or not _FIRST <= int(match[1]) < _LAST:
        return None
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def _assemble(reading: _Reading, owner: str | None, until: pd.Timestamp | None) -> Dataset:
    """Find the owner, leave out conversations of others, and hand over."""
    log = AuditLog()
    columns = ["row", "conversation_id", "sender", "recipient", "microseconds", "text"]
    rows = pd.DataFrame(reading.rows, columns=columns).astype({"sender": "str", "recipient": "str", "text": "str"})
    ego, evidence = _find_owner(reading, owner)
    if ego is not None:
        others = (rows["sender"] != ego) & (rows["recipient"] != ego)
        rows = reading.counts.leave_out_rows("direct message between others than the owner", rows, others)
    reading.counts.refuse_nothing(len(rows), reading.where, _ASK)
    reading.counts.write(log, STAGE, kept=len(rows))
    log.add(NOTE_STAGE, f"{STAGE}: message without words (files), text null", int(rows["text"].isna().sum()))
    at = pd.to_datetime(rows["microseconds"], unit="us", utc=True).astype(INSTANT)
    return deliver_chats(
        rows.assign(sent_at=at, kind="message"),
        log,
        source="slack",
        ego=ego,
        evidence=evidence,
        observed_until=pd.Timestamp(reading.latest, unit="us", tz="UTC") if until is None else until,
    )


def _find_owner(reading: _Reading, given: str | None) -> tuple[str | None, str]:
    """Return the owner and the evidence, None where nothing tells."""
    pairs = [pair for pair in reading.pairs.values() if len(pair) == 2]
    if given is not None:
        present = {person for pair in pairs for person in pair}
        return find_by_name(given, {p: reading.names.get(p, set()) for p in present}, "dms.json"), "given by the caller"
    common = set.intersection(*map(set, pairs)) if len(pairs) > 1 else set()
    if len(common) == 1:
        return common.pop(), f"the one person in all of {len(pairs)} direct conversations"
    return None, ""
