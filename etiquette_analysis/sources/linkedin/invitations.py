"""Invitations.csv: who asked whom, when, and with which note.

It is the best evidence of who the owner is. It may hold only pending or recent invitations, so acceptance rates
cannot be computed from it. A note may stand again as the first message of the thread: it is kept once, as an
invitation. Times have no zone and are taken as UTC.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.dates import read_instants, unreadable
from etiquette_analysis.sources.linkedin.files import INVITATIONS
from etiquette_analysis.sources.linkedin.people import People, normalise_url
from etiquette_analysis.sources.rows import OnBadRow, Rows, first_line, header_with, log_rows, read_rows

_DATE_EXAMPLE: Final = "1/29/26, 2:37 PM"
_COLUMNS: Final = {
    "from_name": "from",
    "to_name": "to",
    "text": "sent at",
    "note": "message",
    "direction": "direction",
    "from_url": "inviterprofileurl",
    "to_url": "inviteeprofileurl",
}
#: An invitation this long after the day of connection belongs to another connection: times have no zone.
_SLACK: Final = pd.Timedelta(days=2)


def read_invitation_rows(members: list[Member], log: AuditLog, on_bad_row: OnBadRow) -> pd.DataFrame:
    """Read every invitations file into one table.

    Returns
    -------
    DataFrame
        ``from_name``, ``to_name``, ``from_url``, ``to_url`` (normalised or None), ``note``, ``direction``
        (OUTGOING, INCOMING or what the file says), ``sent_at``, ``part``, ``line``.
    """
    find = header_with("from", "to", "sent at")
    parts = [read_rows(m, find_header=find, expected="From, To and Sent At", on_bad_row=on_bad_row) for m in members]
    log_rows(log, INVITATIONS, parts)
    tables = [_by_name(part, number, log, on_bad_row) for number, part in enumerate(parts)]
    if tables:
        return pd.concat(tables, ignore_index=True)
    columns = {name: "object" if name.endswith("_url") else "str" for name in _COLUMNS}
    columns |= {"sent_at": INSTANT, "part": "int64", "line": "int64"}
    return pd.DataFrame(columns=list(columns)).astype(columns)


def _by_name(part: Rows, number: int, log: AuditLog, on_bad_row: OnBadRow) -> pd.DataFrame:
    """Select columns by trimmed, case-folded name, read times, leave out rows that say too little."""
    theirs = {name.casefold(): part.frame[name] for name in reversed(part.frame.columns)}
    blank = pd.Series("", index=part.frame.index, dtype="str")
    rows = pd.DataFrame({our: theirs.get(name, blank) for our, name in _COLUMNS.items()}).assign(
        line=part.lines, part=number
    )
    dates = read_instants(rows["text"], us_12_hour=True)
    if on_bad_row == "error" and dates.bad.any():
        row = rows[dates.bad].iloc[0]
        raise unreadable(f"{part.file}, line {row['line']}", "Sent At", row["text"], _DATE_EXAMPLE)
    for column in ("from_url", "to_url"):
        rows[column] = pd.Series([normalise_url(url) for url in rows[column]], index=rows.index, dtype="object")
    nobody = _nobody(rows, "from") | _nobody(rows, "to")
    undated = dates.instant.isna() & ~dates.bad
    kept = dates.instant.notna() & ~nobody
    reasons = {
        "unreadable date": dates.bad,
        "no date": undated,
        "no sender or recipient": dates.instant.notna() & nobody,
    }
    for reason, mask in reasons.items():
        log.add(INVITATIONS, reason, int(mask.sum()), example=first_line(rows, mask))
    naive = dates.naive & kept
    log.add(
        NOTE_STAGE,
        f"{INVITATIONS}: Sent At without a zone, taken as UTC",
        int(naive.sum()),
        example=first_line(rows, naive),
    )
    return rows.assign(sent_at=dates.instant, direction=rows["direction"].str.strip().str.upper())[kept]


def _nobody(rows: pd.DataFrame, side: str) -> pd.Series:
    """Return where one side of an invitation has neither name nor address."""
    return (rows[f"{side}_name"].str.strip() == "") & rows[f"{side}_url"].isna()


def learn_invitations(rows: pd.DataFrame, people: People) -> None:
    """Learn names and addresses of both sides."""
    for side in ("from", "to"):
        for name, url in dict.fromkeys(zip(rows[f"{side}_name"], rows[f"{side}_url"], strict=True)):
            people.learn(name, url)


def name_invitations(rows: pd.DataFrame, people: People) -> pd.DataFrame:
    """Add ``inviter`` and ``invitee``, the identifiers of both sides."""
    inviter, invitee = [], []
    for n, row in enumerate(rows.itertuples(index=False)):
        place = f"without id, invitation {n + 1}"
        sender = people.identify(str(row.from_name), _url(row.from_url), place)
        inviter.append(sender)
        invitee.append(people.identify(str(row.to_name), _url(row.to_url), place, other_side=sender))
    names = {"inviter": inviter, "invitee": invitee}
    return rows.assign(**{column: pd.Series(values, index=rows.index, dtype="str") for column, values in names.items()})


def _url(value: object) -> str | None:
    """Return an address, None where the cell holds none."""
    return value if isinstance(value, str) else None


def drop_repeats(rows: pd.DataFrame, log: AuditLog) -> pd.DataFrame:
    """Leave out invitations that another part of the export holds too."""
    key = ["inviter", "invitee", "sent_at", "note"]
    count = rows.groupby([*key, "part"], dropna=False).cumcount()
    repeated = rows.assign(count=count).duplicated([*key, "count"])
    log.add(INVITATIONS, "repeats a row of another file", int(repeated.sum()), example=first_line(rows, repeated))
    return rows[~repeated].reset_index(drop=True)


def add_invitations(connections: pd.DataFrame, rows: pd.DataFrame, owner: str) -> pd.DataFrame:
    """Add ``invited_by`` and ``invited_at`` to connections: the latest invitation not after the connection."""
    other = rows["invitee"].where(rows["inviter"] == owner, rows["inviter"])
    known = pd.DataFrame({"person_b": other, "invited_by": rows["inviter"], "invited_at": rows["sent_at"]})
    known = known[(rows["inviter"] == owner) | (rows["invitee"] == owner)]
    pairs = connections.reset_index(names="row")[["row", "person_b", "connected_at"]].merge(known, on="person_b")
    pairs = pairs[pairs["invited_at"] < pairs["connected_at"] + _SLACK]
    latest = pairs.sort_values("invited_at", kind="stable").drop_duplicates("row", keep="last").set_index("row")
    return connections.assign(
        invited_by=latest["invited_by"].reindex(connections.index).astype("str"),
        invited_at=latest["invited_at"].reindex(connections.index).astype(INSTANT),
    )


def notes_as_messages(rows: pd.DataFrame, messages: pd.DataFrame, log: AuditLog) -> tuple[pd.DataFrame, pd.Series]:
    """Turn notes into messages of kind ``invitation`` and find the copies that threads hold of them.

    Returns
    -------
    tuple of DataFrame and Series of bool
        The notes, in the columns of messages, and which rows of ``messages`` repeat one of them: of each note the
        earliest message of the same sender to the same recipient with the same text.
    """
    notes = rows[rows["note"].str.strip() != ""]
    copies = pd.Series(False, index=messages.index)
    may_repeat = messages[messages["kind"].isin(["message", "inmail"]) & messages["text"].notna()]
    noted = set(zip(notes["inviter"], notes["invitee"], strict=True))
    pairs = zip(may_repeat["sender"].tolist(), may_repeat["recipient"].tolist(), strict=True)
    in_dyad = np.fromiter((pair in noted for pair in pairs), bool, len(may_repeat))
    may_repeat = may_repeat[in_dyad].sort_values("sent_at", kind="stable")
    by_text: dict[tuple[str, str, str], list[tuple[int, str | None]]] = {}
    for row, (sender, recipient, text, conversation) in zip(
        may_repeat.index,
        may_repeat[["sender", "recipient", "text", "conversation_id"]].itertuples(index=False, name=None),
        strict=True,
    ):
        by_text.setdefault((sender, recipient, _folded(text)), []).append((row, conversation))
    conversations: list[str | None] = []
    for inviter, invitee, note in zip(notes["inviter"], notes["invitee"], notes["note"], strict=True):
        found = by_text.get((inviter, invitee, _folded(note)))
        row, conversation = found.pop(0) if found else (None, None)
        conversations.append(conversation)
        if row is not None:
            copies[row] = True
    log.add(
        NOTE_STAGE,
        f"{INVITATIONS}: notes kept as messages of kind invitation",
        len(notes),
        example=first_line(notes, notes["note"] != ""),
    )
    result = pd.DataFrame(
        {"conversation_id": pd.Series(conversations, index=notes.index, dtype="str"), "sender": notes["inviter"]}
    )
    return result.assign(
        recipient=notes["invitee"], sent_at=notes["sent_at"], text=notes["note"], kind="invitation"
    ), copies


def _folded(text: str) -> str:
    """Return a text without its differences in white space."""
    return " ".join(text.split())
