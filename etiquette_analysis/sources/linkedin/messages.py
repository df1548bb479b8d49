"""Rows of messages.csv in one table, whatever their era.

Columns are found by name, since their number and order changed with every layout from 2017 to 2026. DATE is UTC and
stays UTC. A row without a date or without a sender cannot be placed and is left out, counted.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import NOTE_STAGE, AuditLog
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.dates import read_instants, unreadable
from etiquette_analysis.sources.linkedin.files import MESSAGES
from etiquette_analysis.sources.rows import OnBadRow, Rows, first_line, header_with, log_rows, read_rows

#: Our name -> LinkedIn's, lower case.
_COLUMNS: Final = {
    "conversation": "conversation id",
    "title": "conversation title",
    "from_name": "from",
    "from_url": "sender profile url",
    "to_names": "to",
    "to_urls": "recipient profile urls",
    "date": "date",
    "subject": "subject",
    "text": "content",
    "folder": "folder",
    "direction": "direction",
    "attachments": "attachments",
    "message_draft": "is message draft",
    "conversation_draft": "is conversation draft",
}
#: Columns that a spreadsheet user may have deleted, and what that costs.
_DROPPED: Final = {
    "conversation id": "every row is its own thread",
    "content": "no message has a text",
    "folder": "spam cannot be told from mail",
}
_DATE_EXAMPLE: Final = "2024-02-28 09:15:00 UTC"
_DOUBLE_ENCODED: Final = r"Ã[\u0080-\u00bf]|â€[\u0098-\u00a6™œ]"


def read_message_rows(members: list[Member], log: AuditLog, on_bad_row: OnBadRow) -> pd.DataFrame:
    """Read every messages file into one table of strings with ``sent_at``, and account for rows left out.

    Returns
    -------
    DataFrame
        Columns of ``_COLUMNS`` ("" where the file has none), ``part`` (number of the file), ``line``, ``sent_at``, and
        ``named``: False for rows without a sender, which only tell until when the export reaches.

    Raises
    ------
    SourceError
        For a date that cannot be read (unless dropped), or where no row is left.
    """
    parts = [
        read_rows(m, find_header=header_with("from", "date"), expected="FROM and DATE", on_bad_row=on_bad_row)
        for m in members
    ]
    log_rows(log, MESSAGES, parts)
    tables = [_date_rows(_by_name(part, number, log), part, log, on_bad_row) for number, part in enumerate(parts)]
    rows = pd.concat(tables, ignore_index=True)
    if rows.empty:
        n_read = sum(part.n_read for part in parts)
        lost = "its only row was" if n_read == 1 else f"all {n_read} rows were"
        what = f"{lost} left out" if n_read else "a header but no message below it"
        msg = f"{parts[0].file}: {what}; check that the archive was asked for with messages and is complete"
        raise SourceError(msg)
    return rows


def _by_name(part: Rows, number: int, log: AuditLog) -> pd.DataFrame:
    """Select the columns by trimmed, case-folded name; absent ones are empty."""
    theirs = {name.casefold(): name for name in reversed(part.frame.columns)}
    if not {"to", "recipient profile urls"} & set(theirs):
        msg = (
            f"{part.file}: neither TO nor RECIPIENT PROFILE URLS among its columns; pass the file as it was downloaded"
        )
        raise SourceError(msg)
    for column, then in _DROPPED.items():
        if column not in theirs:
            log.add(NOTE_STAGE, f"{MESSAGES}: no column {column.upper()}, so {then}", part.n_read)
    blank = pd.Series("", index=part.frame.index, dtype="str")
    table = pd.DataFrame({our: part.frame[theirs[name]] if name in theirs else blank for our, name in _COLUMNS.items()})
    return table.assign(part=number, line=part.lines)


def _date_rows(table: pd.DataFrame, part: Rows, log: AuditLog, on_bad_row: OnBadRow) -> pd.DataFrame:
    """Add ``sent_at``; rows without a date or without a sender are left out."""
    dates = read_instants(table["date"], us_12_hour=True)
    if on_bad_row == "error" and dates.bad.any():
        row = table[dates.bad].iloc[0]
        raise unreadable(f"{part.file}, line {row['line']}", "DATE", row["date"], _DATE_EXAMPLE)
    empty = dates.instant.isna() & ~dates.bad
    nobody = ~dates.instant.isna() & (table["from_name"].str.strip() == "") & (table["from_url"].str.strip() == "")
    for reason, mask in (("unreadable date", dates.bad), ("no date", empty), ("no sender", nobody)):
        log.add(MESSAGES, reason, int(mask.sum()), example=first_line(table, mask))
    kept = dates.instant.notna() & ~nobody
    naive = dates.naive & kept
    garbled = table["text"].str.contains(_DOUBLE_ENCODED, regex=True)
    log.add(
        NOTE_STAGE,
        f"{MESSAGES}: text looks garbled by a wrong encoding",
        int(garbled.sum()),
        example=first_line(table, garbled),
    )
    log.add(
        NOTE_STAGE, f"{MESSAGES}: DATE without a zone, taken as UTC", int(naive.sum()), example=first_line(table, naive)
    )
    table = table.assign(sent_at=dates.instant, named=~nobody)
    return table[dates.instant.notna()]
