"""From rows, sides and invitations to the message table of the schema.

Three things are settled here: a message that two archives of one account both hold counts once, an invitation note
that the thread repeats counts once, and messages get their number in time order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etiquette_analysis.schema import LEFT_OUT_KINDS, NOTE_STAGE, AuditLog
from etiquette_analysis.sources.deliver import time_order
from etiquette_analysis.sources.linkedin.files import INVITATIONS, MESSAGES
from etiquette_analysis.sources.linkedin.invitations import notes_as_messages
from etiquette_analysis.sources.linkedin.people import People
from etiquette_analysis.sources.linkedin.sides import Sides
from etiquette_analysis.sources.rows import first_line, log_kept


def assemble(
    rows: pd.DataFrame, sides: Sides, kinds: pd.Series, invitations: pd.DataFrame, people: People, log: AuditLog
) -> pd.DataFrame:
    """Return the messages with their number in time order, and close the stages of messages and invitations."""
    messages = _table(rows, sides, kinds)
    repeated = _repeated(messages)
    log.add(MESSAGES, "repeats a row of another file", int(repeated.sum()), example=first_line(messages, repeated))
    messages = messages[~repeated]
    notes, copies = notes_as_messages(invitations, messages, log)
    log.add(MESSAGES, "repeats an invitation note", int(copies.sum()), example=first_line(messages, copies))
    messages = messages[~copies]
    log_kept(log, MESSAGES, len(messages))
    log_kept(log, INVITATIONS, len(invitations))
    _note(messages, people, log)
    messages = pd.concat([messages, notes.assign(part=-1)], ignore_index=True)
    order = time_order(messages["sent_at"], thread=messages["conversation_id"], part=messages["part"].to_numpy())
    messages = messages.iloc[order].reset_index(drop=True)
    return messages.assign(message_id=np.arange(len(messages), dtype=np.int64), channel="linkedin")


def _table(rows: pd.DataFrame, sides: Sides, kinds: pd.Series) -> pd.DataFrame:
    """Return the columns of the schema that rows give, and what the audit needs besides."""
    recipient = ["; ".join(recipients) for recipients in sides.recipients]
    return pd.DataFrame(
        {
            "conversation_id": rows["conversation"].where(rows["conversation"] != ""),
            "sender": pd.Series(sides.sender, index=rows.index, dtype="str"),
            "recipient": pd.Series(recipient, index=rows.index, dtype="str"),
            "sent_at": rows["sent_at"],
            "text": rows["text"].where(rows["text"] != ""),
            "kind": kinds,
            "part": rows["part"],
            "line": rows["line"],
            "has_attachment": rows["attachments"].str.strip() != "",
            "by_name": (rows["from_url"].str.strip() == "") | (rows["to_urls"].str.strip() == ""),
            "by_commas": sides.by_commas,
            "from_thread": sides.from_thread,
        }
    )


def _repeated(messages: pd.DataFrame) -> pd.Series:
    """Find rows that an earlier file holds as well; equal rows inside one file are two messages."""
    if messages["part"].nunique() < 2:
        return pd.Series(False, index=messages.index)
    no_thread = messages["recipient"].where(messages["conversation_id"].isna(), "")
    key = messages[["conversation_id", "sender", "sent_at", "text"]].assign(recipient=no_thread)
    nth = key.assign(part=messages["part"]).groupby([*key.columns, "part"], dropna=False, sort=False).cumcount()
    return key.assign(nth=nth).duplicated()


def _note(messages: pd.DataFrame, people: People, log: AuditLog) -> None:
    """Count what is true of rows that were kept."""
    sides = (messages["sender"], messages["recipient"])
    hidden = sides[0].str.startswith("linkedin-member:") | sides[1].str.startswith("linkedin-member:")
    unsure = sides[0].isin(people.ambiguous) | sides[1].isin(people.ambiguous)
    by_name = messages["by_name"] & ~hidden & ~unsure & (messages["kind"] != "sponsored")
    no_text = messages["text"].isna()
    notes = {f"kind {kind}, outside turns": messages["kind"] == kind for kind in LEFT_OUT_KINDS}
    notes |= {
        "message to oneself, outside turns": sides[0] == sides[1],
        "no text, with an attachment": no_text & messages["has_attachment"],
        "no text and no attachment": no_text & ~messages["has_attachment"],
        "deleted or hidden account, one unknown person per conversation": hidden,
        "ambiguous name, taken as one unknown person per conversation": unsure,
        "no profile address for one side, known by full name alone": by_name,
        "several recipients told apart by commas alone": messages["by_commas"],
        "no recipient named, taken from the thread": messages["from_thread"],
    }
    for note, mask in notes.items():
        log.add(NOTE_STAGE, f"{MESSAGES}: {note}", int(mask.sum()), example=first_line(messages, mask))
