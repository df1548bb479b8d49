"""Connections.csv: who became a contact on which day.

``Connected On`` is a day without hour or zone; nothing finer is invented. Rows with only a date are members who hid
or closed their profile. Position and company are as of the export, not of the connection; removed connections are
absent. A name without an address joins a person only where nobody else bears it: two contacts of one name are
counted and left out rather than joined to the first.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.dates import read_day, unreadable
from etiquette_analysis.sources.linkedin.files import CONNECTIONS
from etiquette_analysis.sources.linkedin.people import People, clean_name, name_key, normalise_url
from etiquette_analysis.sources.rows import OnBadRow, Rows, first_line, header_with, log_rows, read_rows

_DATE_EXAMPLE: Final = "05 Jan 2024"
AMBIGUOUS: Final = "ambiguous name: several people bear it and the row has no profile address"


def read_connection_rows(members: list[Member], log: AuditLog, on_bad_row: OnBadRow) -> pd.DataFrame:
    """Read every connections file into one table.

    Returns
    -------
    DataFrame
        ``name``, ``url`` (normalised or None), ``connected_at`` (midnight UTC of the day), ``position``, ``company``,
        ``line``; rows that name nobody or no day are left out and counted.
    """
    find = header_with("first name", "connected on")
    parts = [
        read_rows(m, find_header=find, expected="First Name and Connected On", on_bad_row=on_bad_row) for m in members
    ]
    log_rows(log, CONNECTIONS, parts)
    tables = [_by_name(part) for part in parts]
    for part, table in zip(parts, tables, strict=True):
        if on_bad_row == "error" and table["bad"].any():
            row = table[table["bad"]].iloc[0]
            raise unreadable(f"{part.file}, line {row['line']}", "Connected On", row["text"], _DATE_EXAMPLE)
    rows = pd.concat(tables, ignore_index=True) if tables else _empty()
    nobody = (rows["name"] == "") & rows["url"].isna()
    reasons = {
        "unreadable date": rows["bad"],
        "no date": rows["connected_at"].isna() & ~rows["bad"],
        "only a date: hidden or closed member": nobody & rows["connected_at"].notna(),
    }
    for reason, mask in reasons.items():
        log.add(CONNECTIONS, reason, int(mask.sum()), example=first_line(rows, mask))
    spreadsheet = rows["text"].str.fullmatch(r"\d{1,2}-[^\W\d_]+-\d{2}").fillna(False)
    log.add(NOTE_STAGE, f"{CONNECTIONS}: date as a spreadsheet rewrites it (4-Apr-21)", int(spreadsheet.sum()))
    return rows[rows["connected_at"].notna() & ~nobody].reset_index(drop=True)


def _empty() -> pd.DataFrame:
    """Return the table of an export without Connections.csv."""
    columns = {"name": "str", "url": "object", "text": "str", "connected_at": INSTANT, "bad": "bool"}
    columns |= {"position": "str", "company": "str", "line": "int64"}
    return pd.DataFrame(columns=list(columns)).astype(columns)


def _by_name(part: Rows) -> pd.DataFrame:
    """Select the columns by trimmed, case-folded name and read the days."""
    theirs = {name.casefold(): part.frame[name] for name in reversed(part.frame.columns)}
    blank = pd.Series("", index=part.frame.index, dtype="str")
    first, last = theirs["first name"], theirs.get("last name", blank)
    text = theirs["connected on"].str.strip()
    days = [read_day(value) for value in text]
    at = pd.to_datetime(pd.Series(days, index=text.index, dtype="object"), utc=True).astype(INSTANT)
    return pd.DataFrame(
        {
            "name": pd.Series([clean_name(f"{a} {b}") for a, b in zip(first, last, strict=True)], dtype="str"),
            "url": pd.Series([normalise_url(url) for url in theirs.get("url", blank)], dtype="object"),
            "text": text,
            "connected_at": at,
            "bad": at.isna() & (text != ""),
            "position": theirs.get("position", blank),
            "company": theirs.get("company", blank),
            "line": part.lines,
        }
    )


def learn_connections(rows: pd.DataFrame, people: People) -> None:
    """Learn names and addresses of connections; a name listed twice without address is two people."""
    seen: set[tuple[str, pd.Timestamp, str, str]] = set()
    for name, url, at, position, company in zip(
        rows["name"], rows["url"], rows["connected_at"], rows["position"], rows["company"], strict=True
    ):
        people.learn(name, url)
        row = (name_key(name), at, position, company)
        if url is None and row not in seen:
            seen.add(row)
            people.connected[name_key(name)] += 1


def join_connections(rows: pd.DataFrame, people: People, log: AuditLog) -> pd.DataFrame:
    """Name the person of each connection, leave out what no single person can be joined to, keep the earliest day.

    Returns
    -------
    DataFrame
        ``person_a`` (the owner), ``person_b``, ``connected_at``, ``resolution``, ``position``, ``company``.
    """
    ambiguous = pd.Series(
        [url is None and people.bearers(name) > 1 for name, url in zip(rows["name"], rows["url"], strict=True)],
        index=rows.index,
        dtype="bool",
    )
    log.add(CONNECTIONS, AMBIGUOUS, int(ambiguous.sum()), example=first_line(rows, ambiguous))
    rows = rows[~ambiguous]
    person = [people.identify(name, url, "") for name, url in zip(rows["name"], rows["url"], strict=True)]
    rows = rows.assign(person_b=pd.Series(person, index=rows.index, dtype="str"))
    ordered = rows.sort_values("connected_at", kind="stable")
    repeated = ordered["person_b"].duplicated().reindex(rows.index)
    log.add(
        CONNECTIONS,
        "repeats a connection; the earliest day counts",
        int(repeated.sum()),
        example=first_line(rows, repeated),
    )
    rows = rows[~repeated].reset_index(drop=True)
    by_name = rows["url"].isna()
    log.add(
        NOTE_STAGE, f"{CONNECTIONS}: joined by full name alone", int(by_name.sum()), example=first_line(rows, by_name)
    )
    position, company = (rows[column].str.strip() for column in ("position", "company"))
    return pd.DataFrame(
        {
            "person_a": pd.Series(people.owner, index=rows.index, dtype="str"),
            "person_b": rows["person_b"],
            "connected_at": rows["connected_at"],
            "resolution": pd.Series("day", index=rows.index, dtype="str"),
            "position": position.where(position != ""),
            "company": company.where(company != ""),
        }
    )
