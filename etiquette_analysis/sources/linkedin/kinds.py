"""Which rows are messages from one person to one other, and which only look like it.

A draft counted as failed outreach, a group counted as a won reply and an advertisement counted as a message are
errors that other tools made. Every row keeps its place and carries its kind; later rooms leave kinds out.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.schema import NOTE_STAGE, AuditLog
from etiquette_analysis.sources.linkedin.files import MESSAGES
from etiquette_analysis.sources.linkedin.sides import Sides
from etiquette_analysis.sources.rows import first_line

_YES: Final = ("yes", "true", "1", "y")
_NO: Final = ("no", "false", "0", "n", "")
_ADVERTISEMENT: Final = r"<\w+[^>]*spinmail-quill-editor"
Mask = npt.NDArray[np.bool_]


def find_drafts(rows: pd.DataFrame, sides: Sides, log: AuditLog) -> Mask:
    """Return which rows were never sent.

    A message flag says it of a row. A conversation flag says it of a thread, so it cannot hold where somebody else
    has written there too.
    """
    message, conversation = (rows[c].str.strip().str.casefold() for c in ("message_draft", "conversation_draft"))
    odd = ~message.isin([*_YES, *_NO]) | ~conversation.isin([*_YES, *_NO])
    log.add(
        NOTE_STAGE,
        f"{MESSAGES}: draft flag not understood, taken as sent",
        int(odd.sum()),
        example=first_line(rows, odd),
    )
    senders: defaultdict[str, set[str]] = defaultdict(set)
    for thread, sender in zip(sides.thread, sides.sender, strict=True):
        senders[thread].add(sender)
    alone = np.fromiter((len(senders[thread]) == 1 for thread in sides.thread), bool, len(sides.thread))
    return np.asarray(message.isin(_YES) | (conversation.isin(_YES) & alone), dtype=bool)


def find_groups(sides: Sides, draft: Mask) -> Mask:
    """Return which rows belong to a thread of more than two people; drafts add nobody to a thread."""
    taking_part: defaultdict[str, set[str]] = defaultdict(set)
    for thread, sender, recipients, unsent in zip(sides.thread, sides.sender, sides.recipients, draft, strict=True):
        if not unsent:
            taking_part[thread].update([sender, *recipients])
    return np.fromiter(
        (len(r) > 1 or len(taking_part[t]) > 2 for t, r in zip(sides.thread, sides.recipients, strict=True)),
        bool,
        len(sides.thread),
    )


def find_kinds(
    rows: pd.DataFrame, sides: Sides, connected_at: dict[str, pd.Timestamp] | None, unsure: set[str], log: AuditLog
) -> pd.Series:
    """Return the kind of each row: draft, spam, sponsored, group, inmail or message, the first that holds.

    Parameters
    ----------
    rows, sides
        The messages and who wrote to whom.
    connected_at : dict or None
        Day of connection of each contact; None where the export holds no Connections.csv, so that a subject tells
        nothing.
    unsure : set of str
        People who may or may not be connections (a name that several bear).
    """
    draft = find_drafts(rows, sides, log)
    group = find_groups(sides, draft)
    spam = np.asarray(rows["folder"].str.strip().str.casefold() == "spam", dtype=bool)
    title = rows["title"].str.strip().str.casefold() == "sponsored conversation"
    sponsored = np.asarray(title | rows["text"].str.contains(_ADVERTISEMENT, regex=True), dtype=bool)
    subject = np.asarray(rows["subject"].str.strip() != "", dtype=bool)
    inmail = subject & ~draft & ~group & ~spam & ~sponsored
    if connected_at is None:
        log.add(
            NOTE_STAGE, f"{MESSAGES}: subject, but no Connections.csv to tell InMail from messages", int(inmail.sum())
        )
        inmail[:] = False
    else:
        inmail = _not_yet_connected(rows, sides, inmail, connected_at, unsure)
    kinds = np.select(
        [draft, spam, sponsored, group, inmail], ["draft", "spam", "sponsored", "group", "inmail"], default="message"
    )
    return pd.Series(kinds, index=rows.index, dtype="str")


def _not_yet_connected(
    rows: pd.DataFrame, sides: Sides, asked: Mask, connected_at: dict[str, pd.Timestamp], unsure: set[str]
) -> Mask:
    """Return where ``asked`` holds and the two were not connected by then, as far as the export knows."""
    result = np.zeros(len(rows), dtype=bool)
    sent_at = rows["sent_at"]
    for row in np.flatnonzero(asked):
        pair = [sides.sender[row], *sides.recipients[row]]
        known = [connected_at[person] for person in pair if person in connected_at]
        if known:
            result[row] = sent_at.iloc[row] < min(known)
        else:
            result[row] = not any(person in unsure for person in pair)
    return result
