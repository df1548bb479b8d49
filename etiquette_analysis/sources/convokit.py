"""ConvoKit corpora: the exchange format of research on conversations, in and out.

A corpus says who spoke when in which conversation and to which utterance this replies; it does not say to whom. So
the recipient is read from the reply, and where a conversation begins, from who else takes part. What this package
knows besides (kind, channel, dates of connection) travels in the ``meta`` fields, so that a dataset written and read
again is the same. See https://convokit.cornell.edu/documentation/data_format.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import CONNECTIONS, INSTANT, KEPT, KINDS, NOTE_STAGE, READ, AuditLog, Dataset
from etiquette_analysis.sources.archive import ExportPath, Member, list_members, numbered_lines
from etiquette_analysis.sources.chats import name_group
from etiquette_analysis.sources.convokit_write import OWN, write_convokit
from etiquette_analysis.sources.dates import PLAUSIBLE_YEARS, as_observed_until, read_instants
from etiquette_analysis.sources.deliver import deliver
from etiquette_analysis.sources.json_stream import read_json
from etiquette_analysis.sources.progress import expecting

__all__ = ["looks_like_convokit", "read_convokit", "write_convokit"]

_UTTERANCES: Final = "utterances.jsonl"
_STAGE: Final = "utterances"
#: Seconds since 1970 below this lie before March 1973: such numbers count from the start of a recording.
_EARLIEST: Final = 1e8
_AGAIN: Final = "write the corpus again"
_COMPANIONS: Final = {"speakers.json", "users.json", "conversations.json", "corpus.json", "index.json"}


@dataclass
class _Utterance:
    """One line of the corpus."""

    line: int
    id: str
    conversation: str | None
    speaker: str
    reply_to: str | None
    at: pd.Timestamp | None
    text: str | None
    meta: Mapping[str, Any]
    recipient: str | None = None
    kind: str = "message"


def looks_like_convokit(members: Sequence[Member]) -> bool:
    """Tell a folder or zip of a corpus by the names of its files."""
    names = {member.base_name for member in members}
    return _UTTERANCES in names and bool(names & _COMPANIONS)


def read_convokit(folder: ExportPath, *, observed_until: object = None) -> Dataset:
    r"""Read a ConvoKit corpus.

    Parameters
    ----------
    folder : path
        The folder, or a zip of it; only ``utterances.jsonl`` is required, and read line by line.
    observed_until : date-like, optional
        Until when replies could be seen; by default what the corpus says, else the latest dated utterance.

    Returns
    -------
    Dataset
        ``recipient``: as the corpus says (``meta`` of a corpus that :func:`write_convokit` wrote), else the speaker of
        the utterance replied to, else the other speaker of the conversation, else all others (kind ``group``), else
        one unknown person per conversation. Utterances without a date are left out and counted.

    Raises
    ------
    SourceError
        Where the folder holds no corpus, a line is none of its format, or no utterance has a date.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> lines = ('{"id": "a", "conversation_id": "a", "speaker": "ada", "text": "Hi", "reply-to": null, '
    ...          '"timestamp": 1700000000}\n{"id": "b", "conversation_id": "a", "speaker": "ben", "text": "Yes?", '
    ...          '"reply-to": "a", "timestamp": 1700000060}\n')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "utterances.jsonl").write_text(lines)
    ...     dataset = read_convokit(folder)
    >>> dataset.messages[["sender", "recipient", "text"]]
      sender recipient  text
    0    ada       ben    Hi
    1    ben       ada  Yes?
    """
    until = as_observed_until(observed_until)
    members = list_members(folder)
    found = [member for member in members if member.base_name == _UTTERANCES]
    if len(found) != 1:
        where = members[0].container or members[0].base_name
        raise SourceError(f"{where}: expected one {_UTTERANCES}, found {len(found)}; pass the folder of one corpus")
    log = AuditLog()
    with expecting(found):
        spoken = list(_read_utterances(found[0]))
    _find_recipients(spoken, log)
    kept = _keep_dated(spoken, found[0].label, log)
    own = _own_part(members)
    latest = max(u.at for u in kept if u.at is not None) if kept else pd.NaT
    written = as_observed_until(own.get("observed_until"))
    return deliver(
        _table(kept),
        _connections(own, log),
        log,
        observed_until=until or written or latest,  # type: ignore[arg-type]
        ego=_ego(own.get("ego")),
        source="convokit",
        evidence=str(own.get("evidence") or ""),
        has_connection_dates=dated if isinstance(dated := own.get("has_connection_dates"), bool) else None,
    )


def _ego(told: object) -> str | tuple[str, ...] | None:
    """Return the owner of the source as it was written, None for anything else."""
    if isinstance(told, list):
        return tuple(map(str, told)) or None
    return told if isinstance(told, str) else None


def _read_utterances(member: Member) -> Iterator[_Utterance]:
    """Yield the utterances, line by line."""
    with member.open() as stream:
        for number, line in numbered_lines(stream, member.label):
            if line.strip():
                yield _read_utterance(read_json(line, f"{member.label}, line {number}", _AGAIN), member.label, number)


def _read_utterance(record: Any, label: str, number: int) -> _Utterance:
    """Read one line; corpora of before 2020 say ``user`` and ``root``."""
    where = f"{label}, line {number}"
    if not isinstance(record, dict):
        raise SourceError(f"{where}: a JSON {type(record).__name__}, expected one utterance per line")
    speaker = record.get("speaker", record.get("user"))
    if isinstance(speaker, dict):
        speaker = speaker.get("id", speaker.get("name"))
    if record.get("id") is None or speaker is None:
        has = ", ".join(map(repr, record))
        raise SourceError(f"{where}: an utterance needs 'id' and 'speaker'; it has {has}; write the corpus again")
    conversation = record.get("conversation_id", record.get("root"))
    reply_to = record.get("reply-to", record.get("reply_to"))
    text, meta = record.get("text"), record.get("meta")
    return _Utterance(
        number,
        str(record["id"]),
        None if conversation is None else str(conversation),
        str(speaker),
        None if reply_to is None else str(reply_to),
        _instant(record.get("timestamp"), is_own=isinstance(meta, dict) and OWN in meta),
        text if isinstance(text, str) and text else None,
        meta if isinstance(meta, dict) else {},
    )


def _instant(value: object, *, is_own: bool) -> pd.Timestamp | None:
    """Read seconds since 1970, to the microsecond; None for anything else. What this package wrote may be older."""
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    earliest = (PLAUSIBLE_YEARS[0] - 1970) * 31_557_600 if is_own else _EARLIEST
    if isinstance(value, bool) or not earliest <= seconds < (PLAUSIBLE_YEARS[1] - 1970) * 31_557_600:
        return None
    return pd.Timestamp(round(seconds * 1_000_000), unit="us", tz="UTC")


def _find_recipients(spoken: list[_Utterance], log: AuditLog) -> None:
    """Find to whom each utterance is addressed, and its kind."""
    speaker_of = {utterance.id: utterance.speaker for utterance in spoken}
    speakers: dict[str | None, dict[str, None]] = {}
    for utterance in spoken:
        speakers.setdefault(utterance.conversation, {})[utterance.speaker] = None
    n_unknown = n_others = 0
    for utterance in spoken:
        kind, told = utterance.meta.get("kind"), utterance.meta.get("recipient")
        answered = speaker_of.get(utterance.reply_to or "")
        taking_part = speakers[utterance.conversation]
        if isinstance(told, str):
            utterance.recipient = told
        elif answered is not None and answered != utterance.speaker:
            utterance.recipient = answered
        elif len(taking_part) > 1:
            utterance.recipient = name_group(taking_part, utterance.speaker)
            utterance.kind = "group" if len(taking_part) > 2 else "message"
            n_others += 1
        else:
            utterance.recipient = f"unknown:{utterance.conversation or utterance.id}"
            n_unknown += 1
        utterance.kind = kind if kind in KINDS else utterance.kind
    log.add(NOTE_STAGE, f"{_STAGE}: no reply named, addressed to the others of its conversation", n_others)
    log.add(NOTE_STAGE, f"{_STAGE}: nobody else in the conversation, addressed to one unknown person", n_unknown)


def _keep_dated(spoken: list[_Utterance], label: str, log: AuditLog) -> list[_Utterance]:
    """Leave out what has no date, and ids that occur again."""
    seen: set[str] = set()
    kept: list[_Utterance] = []
    left_out: dict[str, list[int]] = {"repeats an id": [], "no date": []}
    for utterance in spoken:
        if utterance.id in seen:
            left_out["repeats an id"].append(utterance.line)
        elif utterance.at is None:
            left_out["no date"].append(utterance.line)
        else:
            kept.append(utterance)
        seen.add(utterance.id)
    log.add(_STAGE, READ, len(spoken))
    for reason, lines in left_out.items():
        log.add(_STAGE, reason, len(lines), example=lines[0] if lines else None)
    log.add(_STAGE, KEPT, len(kept))
    if spoken and not kept:
        msg = f"{label}: none of its {len(spoken)} utterances has a timestamp in seconds since 1970"
        raise SourceError(f"{msg}; without dates nothing can be said about timing")
    return kept


def _table(kept: list[_Utterance]) -> pd.DataFrame:
    """Return the message table: numbers as the corpus gives them where all do, else in time order."""
    own = [_own_conversation(utterance) for utterance in kept]
    channels = [utterance.meta.get("channel") for utterance in kept]
    table = pd.DataFrame(
        {
            "conversation_id": pd.Series(own, dtype="str"),
            "sender": pd.Series([utterance.speaker for utterance in kept], dtype="str"),
            "recipient": pd.Series([utterance.recipient for utterance in kept], dtype="str"),
            "sent_at": pd.Series([utterance.at for utterance in kept], dtype=INSTANT),
            "text": pd.Series([utterance.text for utterance in kept], dtype="str"),
            "channel": pd.Series([c if isinstance(c, str) else None for c in channels], dtype="str"),
            "kind": pd.Series([utterance.kind for utterance in kept], dtype="str"),
        }
    )
    numbers = [utterance.meta.get("message_id") for utterance in kept]
    if all(isinstance(number, int) for number in numbers):
        return table.assign(message_id=pd.Series(numbers, dtype="int64"))
    order = np.argsort(table["sent_at"].to_numpy(), kind="stable")  # a corpus lists the oldest first
    return table.iloc[order].assign(message_id=np.arange(len(table), dtype=np.int64))


def _own_conversation(utterance: _Utterance) -> str | None:
    """Return the conversation: as the dataset called it where this package wrote the corpus."""
    if OWN in utterance.meta:
        told = utterance.meta[OWN]
        return told if isinstance(told, str) else None
    return utterance.conversation


def _own_part(members: Sequence[Member]) -> dict[str, Any]:
    """Return what :func:`write_convokit` added to ``corpus.json``; empty where another program wrote the corpus."""
    for member in members:
        if member.base_name == "corpus.json":
            meta = read_json(member.read(), member.label, _AGAIN)
            own = meta.get(OWN) if isinstance(meta, dict) else None
            return own if isinstance(own, dict) else {}
    return {}


def _column(name: str, values: object) -> pd.Series:
    """Return one column of connections; ``ValueError`` where it cannot be one."""
    if not isinstance(values, list):
        raise ValueError(f"{name!r} is no list")
    column = pd.Series(values, dtype="object")
    if name.startswith("x_"):
        return column.astype("float64")
    texts = column.map(str, na_action="ignore").astype("str")
    if CONNECTIONS.get(name) != INSTANT:
        return texts
    instants = read_instants(texts.fillna(""))
    if instants.bad.any():
        raise ValueError(f"{name!r} holds what is no instant")
    return instants.instant


def _connections(own: Mapping[str, Any], log: AuditLog) -> pd.DataFrame:
    """Return the connections that the corpus carries, if any."""
    columns = own.get("connections")
    if not isinstance(columns, dict):
        log.add(NOTE_STAGE, "connections: none given, so no date of connection is known", 1)
        return pd.DataFrame(columns=list(CONNECTIONS)[:4])
    try:
        table = pd.DataFrame({name: _column(name, values) for name, values in columns.items()})
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"corpus.json: its connections are not as this package writes them ({error}); {_AGAIN}"
        raise SourceError(msg) from error
    log.add("connections", READ, len(table))
    log.add("connections", KEPT, len(table))
    return table
