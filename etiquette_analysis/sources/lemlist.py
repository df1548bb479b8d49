r"""lemlist: the activities of an outreach tool, the one source that tells the second of an acceptance.

A LinkedIn export knows the day of a connection. lemlist writes an event when an invitation is accepted, with its
time, and events for what was sent and answered. It is a log of campaigns, not a mailbox: messages written by hand
outside a campaign are absent, so "no earlier message" means none in the tool.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import INSTANT, KEPT, NOTE_STAGE, READ, AuditLog, Dataset
from etiquette_analysis.sources.archive import Member, list_members
from etiquette_analysis.sources.chats import as_token
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.deliver import deliver, time_order
from etiquette_analysis.sources.instants import DateOptions, read_column
from etiquette_analysis.sources.json_stream import read_json
from etiquette_analysis.sources.load import Loaded, as_columns, load
from etiquette_analysis.sources.mail_text import own_words, without_tags
from etiquette_analysis.sources.numeric_dates import DateOrder
from etiquette_analysis.sources.rows import OnBadRow
from etiquette_analysis.sources.threads import Groups

_STAGE: Final = "activities"
_ACCEPTED: Final = "linkedinInviteAccepted"
_INVITED: Final = "linkedinInviteDone"
_MESSAGE: Final = re.compile(r"(emails|linkedin|whatsapp|sms)(?:Message)?(Sent|Replied)")
_TEXTS: Final = ("text", "message", "body")
_PERSON_KEYS: Final = ("leadId", "contactId", "leadEmail", "linkedinUrl")
_SENDER_KEYS: Final = ("sendUserEmail", "sendUserId", "sendUserName")
_REQUIRED: Final = ("type", "createdAt")
#: Types of activity that are counted each for itself.
_MOST_TYPES: Final = 60


def looks_like_lemlist(members: Sequence[Member]) -> bool:
    """Tell a single file of activities by the names of its fields."""
    if len(members) != 1 or not members[0].base_name.lower().endswith((".json", ".jsonl", ".ndjson", ".csv")):
        return False
    head = members[0].head(16_384)
    return all(re.search(rb"\b" + name + rb"\b", head) for name in (b"type", b"createdAt", b"leadId"))


def read_lemlist(
    path: str | os.PathLike[str],
    *,
    owner: str | None = None,
    date_order: DateOrder | None = None,
    on_bad_row: OnBadRow = "error",
    observed_until: object = None,
) -> Dataset:
    """Read lemlist activities.

    Parameters
    ----------
    path : path
        The activities as lemlist's interface gives them: a JSON list, JSON Lines, or a CSV with the same names.
        Required: ``type``, ``createdAt`` and one of ``leadId``, ``contactId``, ``leadEmail``, ``linkedinUrl``.
    owner : str, optional
        Who sent what names no sender; not needed where the file names one.
    date_order : {"dmy", "mdy", "ymd"}, optional
        Of a CSV that a spreadsheet saved again, where its dates leave it open.
    on_bad_row : {"error", "drop"}
        Whether a date that cannot be read stops the reading or is left out and counted.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest activity of any type.

    Returns
    -------
    Dataset
        ``linkedinInviteAccepted`` becomes a connection with resolution ``second`` (the earliest of a pair counts),
        ``...Sent`` and ``...Replied`` become messages, a ``linkedinInviteDone`` with a note an invitation; all other
        activities are counted by type. A lead is the address where one is known, else the contact or lead number;
        ``ego`` has all senders where there are several.

    Raises
    ------
    SourceError
        Where the file holds no activities, a date cannot be read, or nothing tells who sent them.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> types = ["linkedinInviteAccepted", "linkedinSent", "linkedinReplied"]
    >>> events = [{"type": kind, "createdAt": f"2024-03-0{day}T09:00:00.000Z", "leadId": "lea_1",
    ...            "sendUserEmail": "me@x.org"} for day, kind in enumerate(types, 1)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "activities.json").write_text(json.dumps(events))
    ...     dataset = read_lemlist(pathlib.Path(folder, "activities.json"))
    >>> dataset.messages[["sender", "recipient", "channel"]]
         sender recipient   channel
    0  me@x.org     lea_1  linkedin
    1     lea_1  me@x.org  linkedin
    >>> dataset.connections["resolution"].tolist(), dataset.ego
    (['second'], 'me@x.org')
    """
    dates = DateOptions(on_bad_row=on_bad_row, date_order=date_order)
    dates.check()
    until = as_observed_until(observed_until)
    log = AuditLog()
    loaded = _load(path, on_bad_row)
    _check_columns(loaded)
    loaded.log_read(log)
    rows = _read_rows(loaded, dates, log)
    latest = rows["at"].max()
    rows = _leave_out(rows, loaded, log)
    rows, senders = _name_senders(rows, owner, loaded)
    log.add(_STAGE, KEPT, len(rows))
    accepted = rows["role"] == "accepted"
    log.add(
        NOTE_STAGE, f"{_STAGE}: acceptance, read as a connection", int(accepted.sum()), example=loaded.example(accepted)
    )
    return deliver(
        _table(rows),
        _connections(rows, loaded, log),
        log,
        observed_until=latest if until is None else until,
        ego=senders[0] if len(senders) == 1 else tuple(senders) or None,
        source="lemlist",
        evidence="" if not senders else "given by the caller" if senders == [owner] else "named as sender",
    )


def _load(path: str | os.PathLike[str], on_bad_row: OnBadRow) -> Loaded:
    """Load the activities as a table."""
    member = list_members(path)[0]
    if not member.name.lower().endswith(".json"):
        return load(path, _STAGE, on_bad_row)
    value = read_json(member.read(), member.label, "save the activities again")
    if isinstance(value, dict):
        value = value.get("activities", value)
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        msg = f"{member.label}: a JSON {type(value).__name__}, expected a list of activities, each an object"
        raise SourceError(msg)
    return _records(value, member.label)


def _records(records: list[dict[str, Any]], label: str) -> Loaded:
    """Return objects as a table."""
    loaded = Loaded(
        as_columns(records, label), label, "activity", np.arange(1, len(records) + 1, dtype=np.int64), _STAGE
    )
    loaded._read.add(_STAGE, READ, len(records))
    return loaded


def _check_columns(loaded: Loaded) -> None:
    """Raise ``SourceError`` unless the activities have what makes them some."""
    missing = [name for name in _REQUIRED if name not in loaded.frame]
    if not any(name in loaded.frame for name in _PERSON_KEYS):
        missing.append("leadId")
    if missing:
        has = ", ".join(map(repr, loaded.frame.columns)) or "nothing"
        msg = f"{loaded.where}: no {', '.join(map(repr, missing))} among its fields; it has {has}"
        raise SourceError(f"{msg}; pass activities as lemlist's interface gives them")


def _read_rows(loaded: Loaded, dates: DateOptions, log: AuditLog) -> pd.DataFrame:
    """Return type, time, person, sender and text of each activity."""
    frame = loaded.frame
    created = read_column(frame["createdAt"], "createdAt", loaded, dates, log)
    sender = _texts(frame, _SENDER_KEYS[0])
    for name in _SENDER_KEYS[1:]:
        sender = sender.fillna(_texts(frame, name))
    text = _texts(frame, _TEXTS[0])
    for name in _TEXTS[1:]:
        text = text.fillna(_texts(frame, name))
    return pd.DataFrame(
        {
            "type": _texts(frame, "type").fillna("without a type"),
            "at": created.instant,
            "is_bad": created.bad,
            "id": _texts(frame, "_id"),
            "person": _people(frame),
            "sender": sender,
            "campaign": _texts(frame, "campaignId"),
            "text": text.map(_own, na_action="ignore").astype("str"),
        }
    )


def _texts(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return one field as text; blank, and what is no text or number, is null."""
    if name not in frame:
        return pd.Series(None, index=frame.index, dtype="str")
    told = [str(v).strip() if isinstance(v, str | int) and not isinstance(v, bool) else "" for v in frame[name]]
    return pd.Series([value or None for value in told], index=frame.index, dtype="str")


def _own(text: str) -> str | None:
    """Return what the writer added; replies by mail carry the mail they answer, and mail is HTML."""
    return own_words(without_tags(text) if re.search(r"<(?:br|p|div|a|span)\b", text, re.IGNORECASE) else text) or None


def _people(frame: pd.DataFrame) -> pd.Series:
    """Return who the other person of each activity is: one person has a lead number per campaign."""
    groups = Groups()
    keys = {name: _texts(frame, name) for name in _PERSON_KEYS}
    keys["leadEmail"] = keys["leadEmail"].str.lower()
    known: list[list[str]] = []
    for row in zip(*keys.values(), strict=True):
        known.append([f"{name}:{value}" for name, value in zip(keys, row, strict=True) if isinstance(value, str)])
        for other in known[-1][1:]:
            groups.join(other, known[-1][0])
    rank = {name: place for place, name in enumerate(("leadEmail", "contactId", "leadId", "linkedinUrl"))}
    best: dict[str, str] = {}
    for key in dict.fromkeys(key for row_keys in known for key in row_keys):
        top = groups.of(key)
        if top not in best or rank[key.partition(":")[0]] < rank[best[top].partition(":")[0]]:
            best[top] = key
    names = [best[groups.of(row_keys[0])].partition(":")[2] if row_keys else None for row_keys in known]
    return pd.Series(names, index=frame.index, dtype="str")


@dataclass(frozen=True)
class _Role:
    """What an activity is in the study."""

    role: str
    channel: str | None = None


def _role(kind: str, has_text: bool) -> _Role | None:
    """Tell what an activity is; None for visits, opens, clicks and the like."""
    found = _MESSAGE.fullmatch(kind)
    if found is not None:
        return _Role("sent" if found[2] == "Sent" else "replied", "email" if found[1] == "emails" else found[1])
    if kind == _ACCEPTED:
        return _Role("accepted")
    return _Role("invited", "linkedin") if kind == _INVITED and has_text else None


def _leave_out(rows: pd.DataFrame, loaded: Loaded, log: AuditLog) -> pd.DataFrame:
    """Keep what becomes a message or a connection, and count the rest by reason."""
    roles = [_role(kind, isinstance(text, str)) for kind, text in zip(rows["type"], rows["text"], strict=True)]
    rows = rows.assign(
        role=pd.Series([r.role if r else None for r in roles], index=rows.index, dtype="str"),
        channel=pd.Series([r.channel if r else None for r in roles], index=rows.index, dtype="str"),
    )
    repeated = rows["id"].notna() & rows["id"].duplicated()
    undated = rows["at"].isna() & ~repeated
    nobody = rows["person"].isna() & rows["at"].notna() & ~repeated
    other = rows["role"].isna() & ~repeated & ~undated & ~nobody
    reasons = {
        "repeats an _id": repeated,
        "unreadable date": undated & rows["is_bad"],
        "no date": undated & ~rows["is_bad"],
        "no lead": nobody,
    }
    for reason, mask in reasons.items():
        log.add(_STAGE, reason, int(mask.sum()), example=loaded.example(mask))
    names = rows.loc[other, "type"].map(as_token).astype("str")
    frequent = names.value_counts(sort=False).head(_MOST_TYPES)
    names = names.where(names.isin(frequent.index), "one of many other types")
    for name in names.unique():
        mask = (names == name).reindex(rows.index, fill_value=False)
        log.add(_STAGE, f"{name}, no message", int(mask.sum()), example=loaded.example(mask))
    bounced = rows["type"] == "emailsBounced"
    log.add(NOTE_STAGE, f"{_STAGE}: bounced mails, which were sent but never arrived", int(bounced.sum()))
    invited = rows[(rows["type"] == _INVITED) & ~repeated & ~undated & ~nobody]
    rows = rows[~repeated & ~undated & ~nobody & ~other]
    first = invited.groupby("person")["at"].min().to_dict()
    when = [first.get(person, pd.NaT) for person in rows["person"]]
    return rows.assign(invited_at=pd.Series(when, index=rows.index, dtype=INSTANT))


def _name_senders(rows: pd.DataFrame, owner: str | None, loaded: Loaded) -> tuple[pd.DataFrame, list[str]]:
    """Fill in who sent: as named, else as another activity of the lead (in the campaign) names, else the only one."""
    sender = rows["sender"]
    for keys in (["person", "campaign"], ["person"]):
        told = rows.assign(sender=sender).dropna(subset=["sender"]).groupby(keys, dropna=False)["sender"].first()
        found = pd.Series(
            [told.get(key if len(keys) > 1 else key[0]) for key in rows[keys].itertuples(index=False, name=None)],
            index=rows.index,
            dtype="str",
        )
        sender = sender.fillna(found)
    named = [name for name, _ in Counter(sender.dropna()).most_common()]
    default = owner or (named[0] if len(named) == 1 else None)
    missing = sender.isna()
    if missing.any() and default is None:
        msg = f"{loaded.where}, {loaded.unit} {loaded.place_of(missing)}: nothing tells who sent it (no sendUserEmail)"
        raise SourceError(f'{msg}; pass owner="your@address" (--owner on the command line)')
    sender = sender.fillna(default) if default is not None else sender
    return rows.assign(sender=sender), list(dict.fromkeys(sender.tolist()))


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the message table in time order."""
    rows = rows[rows["role"] != "accepted"]
    incoming = rows["role"] == "replied"
    table = pd.DataFrame(
        {
            "conversation_id": rows["campaign"],
            "sender": rows["person"].where(incoming, rows["sender"]),
            "recipient": rows["sender"].where(incoming, rows["person"]),
            "sent_at": rows["at"],
            "text": rows["text"],
            "channel": rows["channel"],
            "kind": pd.Series("message", index=rows.index, dtype="str").where(rows["role"] != "invited", "invitation"),
        }
    )
    order = time_order(table["sent_at"])
    return table.iloc[order].assign(message_id=np.arange(len(table), dtype=np.int64))


def _connections(rows: pd.DataFrame, loaded: Loaded, log: AuditLog) -> pd.DataFrame:
    """Return one row per pair: the second of the earliest acceptance."""
    accepted = rows[rows["role"] == "accepted"].sort_values("at", kind="stable")
    later = accepted.duplicated(["sender", "person"])
    reason = "another acceptance of the same pair; the earliest counts"
    log.add("connections", READ, len(accepted))
    log.add("connections", reason, int(later.sum()), example=loaded.example(later))
    accepted = accepted[~later]
    log.add("connections", KEPT, len(accepted))
    return pd.DataFrame(
        {
            "person_a": accepted["sender"],
            "person_b": accepted["person"],
            "connected_at": accepted["at"],
            "resolution": pd.Series("second", index=accepted.index, dtype="str"),
            "invited_by": accepted["sender"],
            "invited_at": accepted["invited_at"],
        }
    )
