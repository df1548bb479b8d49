"""The tables: what a message, a connection and an audit row are, and the checks that hold everywhere.

A study stands on its tables, so their columns, types, units and keys are named once, here. Every source
delivers a :class:`Dataset` in this form and every later room relies on it. Instants are
``datetime64[us, UTC]``; identifiers of people stay verbatim; nothing known is ever written as a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd

from etiquette_analysis.errors import DesignError, SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTANT: Final = "datetime64[us, UTC]"

#: Kinds of message that enter turns; all the others are counted and left out (CODEBOOK, "Turn").
TURN_KINDS: Final = ("message", "invitation", "inmail")
LEFT_OUT_KINDS: Final = ("group", "sponsored", "draft", "spam", "auto_reply")
KINDS: Final = TURN_KINDS + LEFT_OUT_KINDS

TIMINGS: Final = ("before", "immediate", "first_week", "first_month", "later")
RAPPORTS: Final = ("none", "acknowledged", "exchange")
PITCH_LEVELS: Final = ("none", "soft", "moderate", "hard")
REPLY_STATUSES: Final = ("replied", "no_reply", "censored")
RESOLUTIONS: Final = ("day", "second")

TIMING_DTYPE: Final = pd.CategoricalDtype(list(TIMINGS), ordered=True)
RAPPORT_DTYPE: Final = pd.CategoricalDtype(list(RAPPORTS), ordered=True)
PITCH_LEVEL_DTYPE: Final = pd.CategoricalDtype(list(PITCH_LEVELS), ordered=True)
REPLY_STATUS_DTYPE: Final = pd.CategoricalDtype(list(REPLY_STATUSES), ordered=False)

#: Column name -> pandas dtype, in the order in which every table shows them.
MESSAGES: Final = {
    "message_id": "int64",
    "conversation_id": "str",
    "sender": "str",
    "recipient": "str",
    "sent_at": INSTANT,
    "text": "str",
    "channel": "str",
    "kind": "str",
}
#: The first four are required; the rest is what a source may know at the moment of connection.
CONNECTIONS: Final = {
    "person_a": "str",
    "person_b": "str",
    "connected_at": INSTANT,
    "resolution": "str",
    "invited_by": "str",
    "invited_at": INSTANT,
    "position": "str",
}
AUDIT: Final = {"stage": "str", "reason": "str", "n": "int64", "example": "Int64"}

#: Reasons that are not losses: in each stage n("read") = n("kept") + all other reasons. Stage "note" holds
#: counts of things that were done to rows which were kept (a naive time taken as UTC, say).
READ: Final = "read"
KEPT: Final = "kept"
NOTE_STAGE: Final = "note"
#: Where fewer than one in so many pairs that write to each other stand in the table of connections, the audit says so.
FEW_CONNECTED: Final = 10


@dataclass
class AuditLog:
    """Collects what happened to rows while a source is read; ``frame()`` gives the table.

    >>> log = AuditLog()
    >>> log.add("messages.csv", "read", 3)
    >>> log.add("messages.csv", "no date", 1, example=2)
    >>> log.add("messages.csv", "kept", 2)
    >>> log.frame()
              stage   reason  n  example
    0  messages.csv     read  3     <NA>
    1  messages.csv  no date  1        2
    2  messages.csv     kept  2     <NA>
    """

    rows: list[tuple[str, str, int, int | None]] = field(default_factory=list)

    def add(self, stage: str, reason: str, n: int, *, example: int | None = None) -> None:
        """Record ``n`` rows of ``stage`` under ``reason``; ``example`` is a row number, never a text."""
        if n or reason in (READ, KEPT):
            self.rows.append((stage, reason, int(n), None if example is None else int(example)))

    def frame(self) -> pd.DataFrame:
        """Return the audit table, in the order in which it was written."""
        return pd.DataFrame(self.rows, columns=list(AUDIT)).astype(AUDIT)


def check_audit(audit: pd.DataFrame) -> None:
    """Raise ``SchemaError`` unless, in every stage, rows read = rows kept + rows left out with a reason."""
    for stage, rows in audit[audit["stage"] != NOTE_STAGE].groupby("stage", sort=False):
        n = rows.groupby("reason")["n"].sum()
        left_out = int(n.drop([READ, KEPT], errors="ignore").sum())
        read, kept = int(n.get(READ, 0)), int(n.get(KEPT, 0))
        if read != kept + left_out:
            msg = f"audit of {stage}: {read} rows read, but {kept} kept + {left_out} left out = {kept + left_out}"
            raise SchemaError(msg)


def check_observed_until(until: pd.Timestamp, first: pd.Timestamp) -> None:
    """Raise ``DesignError`` where observation ended before the first message, so that none could be answered."""
    if not pd.isna(until) and not pd.isna(first) and until < first:
        msg = (
            f"observed_until {until:%Y-%m-%d} lies before every message (the first is of {first:%Y-%m-%d}); expected "
            "the end of observation, when the export was made, or nothing for the latest message"
        )
        raise DesignError(msg)


def count_of(n: int, one: str, many: str) -> str:
    """Return a number with its noun, which agrees with it.

    >>> count_of(1, "row was", "rows were"), count_of(1200, "row was", "rows were")
    ('1 row was', '1,200 rows were')
    """
    return f"{n:,} {one if n == 1 else many}"


def losses(audit: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an audit that count what was left out, in its order."""
    return audit[(audit["stage"] != NOTE_STAGE) & ~audit["reason"].isin([READ, KEPT])]


def note_match(log: AuditLog, *, n_pairs: int, n_found: int) -> None:
    """Note in the log that few of the pairs that write to each other were found in the table of connections.

    Parameters
    ----------
    log : AuditLog
        Gets the note where fewer than one in ten were found; where none was, it asks the usual question.
    n_pairs, n_found : int
        Pairs in the messages, and those of them that are in the table of connections.

    Examples
    --------
    >>> log = AuditLog()
    >>> note_match(log, n_pairs=30, n_found=2)
    >>> log.rows
    [('note', 'pairs that write to each other and are not in the table of connections', 28, None)]
    """
    if n_found * FEW_CONNECTED < n_pairs:
        question = "" if n_found else " (all of them: do both tables name people alike?)"
        reason = f"pairs that write to each other and are not in the table of connections{question}"
        log.add(NOTE_STAGE, reason, n_pairs - n_found)


def require_complete(audit: pd.DataFrame) -> None:
    """Raise ``SourceError``, naming stage, reason, count and example, where any row was left out.

    >>> log = AuditLog([("messages", READ, 3, None), ("messages", "no date", 1, 2), ("messages", KEPT, 2, None)])
    >>> require_complete(log.frame())
    Traceback (most recent call last):
    etiquette_analysis.errors.SourceError: 1 row was left out, and none may be: messages: 1 no date (e.g. row 2);
    correct the file, or read it without strict
    """
    lost = losses(audit)
    if lost.empty:
        return
    n = int(lost["n"].sum())
    few = lost.head(5)
    examples = [f" (e.g. row {i})" if i >= 0 else "" for i in few["example"].fillna(-1).astype("int64")]
    columns = (few["stage"], few["reason"], few["n"], examples)
    told = [f"{stage}: {n_rows:,} {reason}{example}" for stage, reason, n_rows, example in zip(*columns, strict=True)]
    more = [f"and {len(lost) - 5:,} more"] if len(lost) > 5 else []
    msg = f"{count_of(n, 'row was', 'rows were')} left out, and none may be: {', '.join(told + more)}"
    raise SourceError(f"{msg}; correct the file, or read it without strict")


@dataclass(frozen=True)
class Dataset:
    """Messages and connections of one source, with the audit of how they were read.

    Attributes
    ----------
    messages : DataFrame
        One row per message, columns as in ``MESSAGES``.
    connections : DataFrame
        One row per connected pair, columns as in ``CONNECTIONS`` (those beyond the fourth where known).
    audit : DataFrame
        Columns as in ``AUDIT``: rows read = rows kept + rows left out with a reason, per stage.
    observed_until : Timestamp
        The latest ``sent_at`` of any dated row that was read, left-out rows included, or what the caller gave.
    ego : str or tuple of str or None
        Identifier of the owner of the export (several for a team), None where the source has no owner.
    source : str
        The format, as ``linkedin``, ``table`` ...
    has_connection_dates : bool
        False where time zero can only be the first contact: another question, and the report says so.
    evidence : str
        How the owner was found, in words, without a name.
    """

    messages: pd.DataFrame
    connections: pd.DataFrame
    audit: pd.DataFrame
    observed_until: pd.Timestamp
    ego: str | tuple[str, ...] | None = None
    source: str = "table"
    has_connection_dates: bool = True
    evidence: str = ""

    def require_complete(self) -> Dataset:
        """Return the dataset, or raise ``SourceError`` where reading left out any row: strict reading.

        >>> import etiquette_analysis as ea
        >>> ea.read(pd.DataFrame({"sender": ["ada"], "recipient": ["ben"], "sent_at": [None]})).require_complete()
        Traceback (most recent call last):
        etiquette_analysis.errors.SourceError: 1 row was left out, and none may be: messages: 1 no date (e.g. row 1);
        correct the file, or read it without strict
        """
        require_complete(self.audit)
        return self

    def __repr__(self) -> str:
        """Describe the dataset in four short lines, without a name or a text in them."""
        m, c = self.messages, self.connections
        until = "unknown" if pd.isna(self.observed_until) else f"{self.observed_until:%Y-%m-%d}"
        since = "unknown" if m.empty or m["sent_at"].isna().all() else f"{m['sent_at'].min():%Y-%m-%d}"
        left_out = losses(self.audit)["n"].sum()
        owner = "no owner" if self.ego is None else f"owner known ({self.evidence or 'given'})"
        return (
            f"<Dataset from {self.source}: {count_of(len(m), 'message', 'messages')}, "
            f"{count_of(len(c), 'connection', 'connections')}>\n"
            f"  {since} to {until}\n"
            f"  {owner}\n"
            f"  {count_of(int(left_out), 'row', 'rows')} left out, each with its reason in .audit"
        )


def as_instant(values: pd.Series, *, column: str) -> tuple[pd.Series, int]:
    """Return ``values`` as UTC instants in microseconds, and how many were naive and taken as UTC.

    Raises
    ------
    SchemaError
        Where the column does not hold dates (text is the business of a source, which knows its format).
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC").astype(INSTANT), 0
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return values.dt.tz_localize("UTC").astype(INSTANT), int(values.notna().sum())
    if values.isna().all():
        return pd.Series(pd.NaT, index=values.index, name=values.name).dt.tz_localize("UTC").astype(INSTANT), 0
    msg = f"column {column!r} holds {values.dtype}, not dates; convert it, e.g. with pandas.to_datetime(..., utc=True)"
    raise SchemaError(msg)


def require_columns(table: pd.DataFrame, columns: Iterable[str], *, table_name: str) -> None:
    """Raise ``SchemaError``, naming what is missing and what is there, unless all ``columns`` are present."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        msg = (
            f"the {table_name} table has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, table.columns))}. Name yours with mapping={{our_name: their_name}}."
        )
        raise SchemaError(msg)


def check_messages(messages: pd.DataFrame) -> None:
    """Raise ``SchemaError`` where the message table breaks a rule of the schema."""
    require_columns(messages, MESSAGES, table_name="messages")
    repeated = messages["message_id"].duplicated()
    if repeated.any():
        msg = (
            f"message_id {messages.loc[repeated, 'message_id'].iloc[0]} occurs more than once "
            f"({int(repeated.sum())} repeats); message_id must be unique"
        )
        raise SchemaError(msg)
    unknown = set(messages["kind"].unique()) - set(KINDS)
    if unknown:
        msg = f"unknown kind {sorted(map(str, unknown))}; expected one of {', '.join(KINDS)}"
        raise SchemaError(msg)


def check_connections(connections: pd.DataFrame) -> None:
    """Raise ``SchemaError`` where the connection table breaks a rule of the schema."""
    require_columns(connections, list(CONNECTIONS)[:4], table_name="connections")
    unknown = set(connections["resolution"].dropna().unique()) - set(RESOLUTIONS)
    if unknown:
        msg = f"unknown resolution {sorted(map(str, unknown))}; expected 'day' or 'second'"
        raise SchemaError(msg)


def check_levels(levels: pd.Series, *, name: str) -> None:
    """Raise ``SchemaError`` where a coding repeats an id or holds something that is no pitch level."""
    if levels.index.has_duplicates:
        msg = (
            f"{name} has the id {levels.index[levels.index.duplicated()][0]!r} more than once; expected one level each"
        )
        raise SchemaError(msg)
    unknown = set(levels.dropna().astype(str)) - set(PITCH_LEVELS)
    if unknown:
        msg = f"{name} holds {sorted(unknown)}; expected {', '.join(PITCH_LEVELS)} or null"
        raise SchemaError(msg)
