"""Telegram Desktop's ``result.json``: a full account, or single chats.

The file says who its owner is and gives every message an exact time, but no connection a date. It reaches
gigabytes, mostly of groups and channels that no study of two people uses: these are counted and passed over
message by message, and only what two people wrote to each other is kept.
"""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member, list_members
from etiquette_analysis.sources.chats import Counts, as_token, deliver_chats, find_by_name
from etiquette_analysis.sources.dates import PLAUSIBLE_YEARS, as_observed_until
from etiquette_analysis.sources.growing import Codes, Texts, spread
from etiquette_analysis.sources.json_stream import JsonStream
from etiquette_analysis.sources.progress import expecting

STAGE: Final = "result.json"
_PERSONAL: Final = "personal_chat"
_NOTICES: Final = "user777000"
_NOBODY: Final = "telegram-owner"
_FIRST, _LAST = (pd.Timestamp(f"{year}-01-01", tz="UTC").timestamp() for year in (*PLAUSIBLE_YEARS,))
_ASK_JSON: Final = (
    'export again in Telegram Desktop (Settings, Advanced, "Export Telegram data") with the format '
    '"Machine-readable JSON" and pass the result.json'
)


@dataclass
class _Chat:
    """One conversation: what the file says of it, and who wrote in it under which names."""

    kind: str | None = None
    id: int | str | None = None
    file: int = 0
    people: dict[str, set[str]] = field(default_factory=dict)
    n_rows: int = 0

    @property
    def contact(self) -> str | None:
        """The other person's identifier: a personal chat bears the number of the other person."""
        return None if self.id is None else f"user{self.id}"


def read_telegram(path: ExportPath, *, owner: str | int | None = None, observed_until: object = None) -> Dataset:
    """Read Telegram Desktop's JSON export.

    Parameters
    ----------
    path : path or list of paths
        ``result.json``, its folder or a zip of it; a full account or single chats.
    owner : str or int, optional
        Whose export it is, as number, ``user<number>`` or name; needed only for a single chat that does not tell.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest dated row read, groups and channels included.

    Returns
    -------
    Dataset
        ``messages`` of personal chats with ``channel`` "telegram"; a person is ``user<number>``, or the name where the
        file has no numbers. A message without words has a null text. ``connections`` is empty. ``audit`` examples
        are the number of the message over all files.

    Raises
    ------
    SourceError
        For the HTML export, a file that is no such JSON or is cut short, and where no personal message is found.

    Examples
    --------
    >>> import json, tempfile
    >>> chat = {"name": "Ben", "type": "personal_chat", "id": 2, "messages": [
    ...     {"id": 1, "type": "message", "date_unixtime": "1709582770", "from": "Ben", "from_id": "user2",
    ...      "text": "Hi"},
    ...     {"id": 2, "type": "message", "date_unixtime": "1709582820", "from": "Ada", "from_id": "user1",
    ...      "text": ["See ", {"type": "link", "text": "https://example.com"}]}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "result.json").write_text(json.dumps(chat))
    ...     dataset = read_telegram(folder)
    >>> dataset.messages["text"].tolist(), dataset.ego, dataset.has_connection_dates
    (['Hi', 'See https://example.com'], 'user1', False)
    """
    until = as_observed_until(observed_until)
    refuse_html(path)
    members = _pick_files(list_members(path))
    reading = _Reading()
    with expecting(members):
        for number, member in enumerate(members):
            reading.read_file(member, number)
    return _assemble(reading, members[0].label, owner, until)


def looks_like_telegram(members: Sequence[Member]) -> bool:
    """Tell Telegram's JSON by its first keys, and its HTML export by the names of its files."""
    names = {member.base_name.casefold() for member in members}
    return any(_is_result(member) for member in members) or _is_html(names)


def refuse_html(path: ExportPath) -> None:
    """Raise ``SourceError`` for a page of Telegram's HTML export passed by itself."""
    if isinstance(path, str | os.PathLike) and Path(path).suffix.casefold() in {".html", ".htm"}:
        file = Path(path).expanduser()
        if file.is_file():
            with file.open("rb") as stream:
                head = stream.read(4096)
            if b"Exported Data" in head or file.name.casefold().startswith(("messages", "export_results")):
                raise SourceError(f"{file.name}: a page of Telegram's HTML export, which leaves out times; {_ASK_JSON}")


def _is_result(member: Member) -> bool:
    """Tell one file of Telegram's JSON."""
    if not member.name.casefold().endswith(".json"):
        return False
    head = member.head(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"{"):
        return False
    return b'"date_unixtime"' in head or (
        (b'"messages"' in head and b'"type"' in head and b'"id"' in head)
        or (b'"personal_information"' in head or b'"chats"' in head)
    )


def _is_html(names: set[str]) -> bool:
    """Tell the HTML export by its files."""
    return "export_results.html" in names or "messages.html" in names


def _pick_files(members: Sequence[Member]) -> list[Member]:
    """Return the JSON files, those in the top folder first, or say what was found instead."""
    picked = [member for member in members if _is_result(member)]
    alone = [m for m in members if not m.container and m.name.casefold().endswith(".json")]
    picked += [member for member in alone if member not in picked]
    if picked:
        return picked
    where = members[0].container or members[0].base_name
    if _is_html({member.base_name.casefold() for member in members}):
        raise SourceError(f"{where}: Telegram's HTML export, which leaves out times; {_ASK_JSON}")
    raise SourceError(f"{where}: no result.json of Telegram among its {len(members)} files; {_ASK_JSON}")


class _Reading:
    """Collects the messages of personal chats, column by column so that a large file stays small in memory."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.chats: list[_Chat] = []
        self.owner_id: object = None
        self.latest = float("nan")
        self.n_local_only = 0
        self.senders: Codes[str] = Codes()
        self.texts = Texts()
        self._numbers, self._ids, self._seconds, self._chat_of = array("q"), array("q"), array("q"), array("i")

    def read_file(self, member: Member, number: int) -> None:
        """Read one file: an account with its chats, or one chat."""
        with member.open() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict")
            try:
                self._read_root(JsonStream(text, member.label), number)
            except UnicodeDecodeError as error:
                msg = f"{member.label}: not UTF-8, so another program has saved this file again; {_ASK_JSON}"
                raise SourceError(msg) from error
            finally:
                text.detach()

    def _read_root(self, stream: JsonStream, number: int) -> None:
        """Walk through the top of the file."""
        root = _Chat(file=number)
        for key in stream.entries():
            if key == "personal_information" and stream.peek() == "{":
                self.owner_id = stream.value().get("user_id", self.owner_id)
            elif key in {"chats", "left_chats"} and stream.peek() == "{":
                self._read_list(stream, number)
            else:
                self._read_entry(stream, key, root)
        self._close(root)

    def _read_list(self, stream: JsonStream, number: int) -> None:
        """Read ``chats`` or ``left_chats``."""
        for key in stream.entries():
            if key != "list" or stream.peek() != "[":
                stream.skip()
                continue
            for _ in stream.items():
                chat = _Chat(file=number)
                for entry in stream.entries():
                    self._read_entry(stream, entry, chat)
                self._close(chat)

    def _read_entry(self, stream: JsonStream, key: str, chat: _Chat) -> None:
        """Read one entry of a chat."""
        if key == "type":
            chat.kind = as_token(stream.value())
        elif key == "id":
            chat.id = stream.value()
        elif key == "messages" and stream.peek() == "[":
            self.chats.append(chat)
            for _ in stream.items():
                self._read_message(stream.value(), chat)
        else:
            stream.skip()

    def _read_message(self, message: Any, chat: _Chat) -> None:
        """Keep one message, or count it with the reason why not."""
        row = self.counts.read()
        if not isinstance(message, dict):
            self.counts.leave_out("not a message", row)
            return
        seconds = _seconds(message.get("date_unixtime"))
        if seconds is not None and not self.latest >= seconds:
            self.latest = seconds
        sender = _sender(message)
        reason = self._reason(message, chat, seconds, sender)
        if reason is not None or seconds is None or sender is None:
            self.counts.leave_out(reason or "", row)
            return
        name = message.get("from")
        chat.people.setdefault(sender, set()).update({name} if name and isinstance(name, str) else ())
        chat.n_rows += 1
        self._numbers.append(row)
        self._chat_of.append(len(self.chats) - 1)
        self._ids.append(_number(message.get("id")))
        self._seconds.append(seconds)
        self.senders.append(sender)
        self.texts.append(_text(message))

    def _reason(self, message: dict[str, Any], chat: _Chat, seconds: int | None, sender: str | None) -> str | None:
        """Return why a message is left out, None where it is kept."""
        if chat.kind not in {_PERSONAL, None}:
            return f"not a personal chat: {chat.kind}"
        if chat.contact == _NOTICES or sender == _NOTICES:
            return "notices of Telegram itself"
        if message.get("type") != "message":
            return "service row"
        if seconds is None:
            self.n_local_only += "date" in message and "date_unixtime" not in message
            return "no date_unixtime" if message.get("date_unixtime") is None else "unreadable date"
        return "no sender" if sender is None else None

    def _close(self, chat: _Chat) -> None:
        """Forget nothing of a chat but the type that came after its messages, if it did."""
        if chat.n_rows and chat.kind is None and len(chat.people) > 2:
            chat.kind = "no type, and more than two people write"

    def rows(self) -> pd.DataFrame:
        """Return all rows but their texts, those of chats that turned out not to be personal left out.

        ``sender`` is a code of ``senders``; the index is the place of each row in ``texts``.
        """
        columns = {"row": self._numbers, "chat": self._chat_of, "id": self._ids, "seconds": self._seconds}
        rows = pd.DataFrame({name: np.array(column) for name, column in columns.items()})
        rows["sender"] = self.senders.codes
        for column in columns.values():
            del column[:]
        kinds = np.array([chat.kind if chat.kind not in {_PERSONAL, None} else "" for chat in self.chats], dtype=object)
        kind = pd.Series(kinds[rows["chat"]], index=rows.index, dtype="str")
        for name in kind.unique():
            if name:
                rows = self.counts.leave_out_rows(f"not a personal chat: {name}", rows, kind[rows.index] == name)
        return rows


def _seconds(value: object) -> int | None:
    """Return ``date_unixtime`` as a number, None where it is absent or no plausible time."""
    try:
        seconds = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return int(seconds) if _FIRST <= seconds < _LAST else None


def _number(value: object) -> int:
    """Return the number of a message in its chat, -1 where it has none that a number of the table can be."""
    return value if isinstance(value, int) and 0 <= value < 2**63 else -1


def _sender(message: dict[str, Any]) -> str | None:
    """Return the writer's identifier: ``from_id`` stays where the account is deleted; older files have a number."""
    sender = message.get("from_id")
    if isinstance(sender, int) and not isinstance(sender, bool):
        return f"user{sender}"
    return str(sender or message.get("from") or "") or None


def _text(message: dict[str, Any]) -> str | None:
    """Return the text of a message, its formatted parts joined; None where it has no words.

    >>> _text({"text": ["See ", {"type": "link", "text": "https://example.com"}], "text_entities": []})
    'See https://example.com'
    """
    parts = message.get("text_entities") or message.get("text") or ""
    pieces = parts if isinstance(parts, list) else [parts]
    said = [piece.get("text") if isinstance(piece, dict) else piece for piece in pieces]
    return "".join(piece for piece in said if isinstance(piece, str)) or None


def _assemble(reading: _Reading, where: str, owner: str | int | None, until: pd.Timestamp | None) -> Dataset:
    """Find the owner, give every message its recipient, and hand over."""
    log = AuditLog()
    rows = reading.rows()
    if reading.n_local_only and rows.empty:
        msg = f"{where}: its messages have no date_unixtime, only local times without a zone; {_ASK_JSON}"
        raise SourceError(msg)
    ego, evidence = _find_owner(reading, owner, where)
    rows = rows.assign(recipient=_recipients(reading, rows, ego))
    rows = reading.counts.leave_out_rows("message to oneself", rows, rows["recipient"] == rows["sender"])
    rows = reading.counts.leave_out_rows("message that an earlier file holds as well", rows, _again(reading, rows))
    reading.counts.refuse_nothing(len(rows), where, "export personal chats as well")
    reading.counts.write(log, STAGE, kept=len(rows))
    rows = rows[["chat", "sender", "recipient", "seconds"]].sort_values("seconds", kind="stable")
    messages = _messages(reading, rows)
    _note(log, reading, messages)
    latest = pd.Timestamp(reading.latest, unit="s", tz="UTC")
    return deliver_chats(
        messages,
        log,
        source="telegram",
        ego=ego,
        evidence=evidence,
        observed_until=latest if until is None else until,
    )


def _recipients(reading: _Reading, rows: pd.DataFrame, ego: str | None) -> npt.NDArray[np.int32]:
    """Return to whom each row is written, as a code of the senders: one answer for each writer of each chat."""
    n_senders = max(len(reading.senders.distinct), 1)
    pairs = rows["chat"].to_numpy().astype(np.int64) * n_senders + rows["sender"].to_numpy()
    keys, row_of = np.unique(pairs, return_inverse=True)
    found = [
        _recipient(reading.chats[key // n_senders], reading.senders.distinct[key % n_senders], ego)
        for key in keys.tolist()
    ]
    return np.array([reading.senders.code(person) for person in found], dtype=np.int32)[row_of]


def _again(reading: _Reading, rows: pd.DataFrame) -> pd.Series:
    """Find messages of a later file that an earlier one holds as well."""
    files = np.array([chat.file for chat in reading.chats], dtype=np.int64)
    if not files.any():
        return pd.Series(False, index=rows.index)
    key = rows.assign(chat=pd.factorize(np.array(_chat_ids(reading), dtype=object))[0][rows["chat"]])
    again = key.duplicated(["chat", "id", "sender", "seconds"]) & (rows["id"] >= 0)
    return again & (files[rows["chat"]] > 0)


def _chat_ids(reading: _Reading) -> list[str]:
    """Return the name of each chat: its number, else its place in the file."""
    return [str(number) if chat.id is None else str(chat.id) for number, chat in enumerate(reading.chats)]


def _messages(reading: _Reading, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the schema, in the order of the rows."""
    people = reading.senders.distinct
    at = pd.to_datetime(rows["seconds"].to_numpy(), unit="s", utc=True)
    return pd.DataFrame(
        {
            "conversation_id": spread(_chat_ids(reading), rows["chat"].to_numpy()),
            "sender": spread(people, rows["sender"].to_numpy()),
            "recipient": spread(people, rows["recipient"].to_numpy()),
            "sent_at": pd.Series(at).astype(INSTANT),
            "text": reading.texts.series(rows.index.to_numpy()),
            "kind": spread(["message"], np.zeros(len(rows), dtype=np.int64)),
        }
    )


def _note(log: AuditLog, reading: _Reading, rows: pd.DataFrame) -> None:
    """Write what was done to rows that were kept."""
    log.add(NOTE_STAGE, f"{STAGE}: message without words (media), text null", int(rows["text"].isna().sum()))
    untyped = sum(chat.kind is None and chat.n_rows > 0 for chat in reading.chats)
    log.add(NOTE_STAGE, f"{STAGE}: chat without a type, taken as personal as at most two people write", untyped)


def _find_owner(reading: _Reading, given: str | int | None, where: str) -> tuple[str | None, str]:
    """Return the owner and the evidence, None where nothing tells."""
    chats = [chat for chat in reading.chats if chat.kind in {_PERSONAL, None} and chat.n_rows]
    if given is not None:
        names: dict[str, set[str]] = {}
        for chat in chats:
            for person, borne in chat.people.items():
                names.setdefault(person, set()).update(borne, {person.removeprefix("user")})
        return find_by_name(str(given), names, where), "given by the caller"
    if reading.owner_id is not None:
        return f"user{reading.owner_id}", "personal_information.user_id"
    candidates = [_not_the_contact(chat) for chat in chats]
    common = set.intersection(*filter(None, candidates)) if any(candidates) else set()
    if len(common) == 1:
        return common.pop(), f"the one writer other than the contact in {sum(map(bool, candidates))} chat(s)"
    return None, ""


def _not_the_contact(chat: _Chat) -> set[str]:
    """Return who may own the chat: not the person whose number it bears, nor deleted accounts, which have no name."""
    return {person for person, names in chat.people.items() if person != chat.contact and names}


def _recipient(chat: _Chat, sender: str, ego: str | None) -> str:
    """Return to whom a writer of the chat writes."""
    others = list(islice((person for person in chat.people if person != sender), 2))
    if ego is not None and sender != ego:
        return ego
    if len(others) == 1 and (chat.contact is None or chat.contact not in chat.people):
        return others[0]
    if chat.contact is not None and (chat.contact != sender or sender == ego):
        return chat.contact
    return others[0] if len(others) == 1 else _NOBODY
