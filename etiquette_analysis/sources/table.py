"""Any other source: a table of messages, and perhaps one of connections.

CSV, Parquet, JSON Lines or a DataFrame. What has a known format has its own reader; here the caller says which
column is which, and where the dates of a column leave it open, which number is the day.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import KEPT, NOTE_STAGE, READ, AuditLog, Dataset, note_match
from etiquette_analysis.sources.columns import (
    EXTRAS,
    REQUIRED,
    REQUIRED_CONNECTIONS,
    check_mapped,
    check_mapping,
    rename,
    require,
)
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.deliver import deliver, time_order
from etiquette_analysis.sources.instants import DateOptions, read_column, read_connected
from etiquette_analysis.sources.load import Loaded, load
from etiquette_analysis.sources.numeric_dates import DateOrder
from etiquette_analysis.sources.rows import OnBadRow

TableLike = str | os.PathLike[str] | pd.DataFrame
_MESSAGES: Final = "messages"
_CONNECTIONS: Final = "connections"
_MOST_COVARIATES: Final = 200


def read_table(
    messages: TableLike,
    connections: TableLike | None = None,
    *,
    mapping: Mapping[str, str] | None = None,
    observed_until: object = None,
    owner: str | Sequence[str] | None = None,
    timezone: str = "UTC",
    date_order: DateOrder | None = None,
    encoding: str = "utf-8",
    on_bad_row: OnBadRow = "error",
) -> Dataset:
    """Read messages, and connections where there are any, from tables.

    Parameters
    ----------
    messages : path or DataFrame
        CSV (or TSV), Parquet or JSON Lines. Required: ``sender``, ``recipient``, ``sent_at``. Known besides: the other
        columns of the schema, and ``connected_at``, ``resolution`` where there is no table of connections (several
        dates of one pair: the earliest counts).
    connections : path or DataFrame, optional
        Required: ``person_a``, ``person_b``, ``connected_at``. Kept besides: ``resolution``, ``invited_by``,
        ``invited_at``, ``position``, ``campaign`` and numeric ``x_*``.
    mapping : dict, optional
        {our_name: their_name}, for columns that have another name; it serves both tables.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest ``sent_at`` of any dated row read.
    owner : str or list of str, optional
        The owner of the mail, or the members of a team.
    timezone : str
        Zone of times that name none, e.g. "Europe/Rome"; they are counted in the audit.
    date_order : {"dmy", "mdy", "ymd"}, optional
        Which number comes first in dates such as ``10/03/2025``; by default what the dates of a column say together,
        where they do (25/03/2025 is no month first). ISO 8601 is read as such whatever is given here.
    encoding : str
        Of CSV and TSV files, e.g. "cp1252" for what Excel saves as plain CSV on Windows in western Europe.
    on_bad_row : {"error", "drop"}
        Whether a date that cannot be read stops the reading or is left out and counted.

    Returns
    -------
    Dataset
        ``message_id`` as given where all are different whole numbers, else numbered in time order. ``resolution`` is
        ``day`` where every connection date is a bare day or midnight, else ``second``, unless the table says.

    Raises
    ------
    SourceError, SchemaError
        Where columns or dates cannot be told; where a ``message_id`` occurs twice or a ``kind`` is unknown.

    Examples
    --------
    >>> table = pd.DataFrame({"Von": ["ada", "ben"], "An": ["ben", "ada"],
    ...                       "sent_at": ["2024-03-01T09:00:00Z", "2024-03-02T10:00:00Z"]})
    >>> dataset = read_table(table, mapping={"sender": "Von", "recipient": "An"}, owner="ada")
    >>> dataset.messages["kind"].tolist(), dataset.has_connection_dates
    (['message', 'message'], False)
    """
    dates = DateOptions(timezone, on_bad_row, date_order)
    dates.check()
    until = as_observed_until(observed_until)
    names = check_mapping(mapping)
    loaded = load(messages, _MESSAGES, on_bad_row, encoding)
    others = None if connections is None else load(connections, _CONNECTIONS, on_bad_row, encoding)
    check_mapped(names, [(part.where, part.frame) for part in (loaded, others) if part is not None])
    return _read(loaded, others, names, until, owner, dates)


def _read(
    loaded: Loaded,
    others: Loaded | None,
    names: Mapping[str, str],
    until: pd.Timestamp | None,
    owner: str | Sequence[str] | None,
    dates: DateOptions,
) -> Dataset:
    """Read the loaded tables and put them together."""
    log = AuditLog()
    rows, table, latest = _read_messages(loaded, names, dates, log)
    if others is not None:
        pairs = _read_connections(others, names, dates, log)
        _match(table, pairs, log)
    else:
        pairs = _connections_of_messages(rows, loaded, dates, log)
    return deliver(
        table,
        pairs,
        log,
        observed_until=latest if until is None else until,
        ego=_check_owner(owner, table),
        source="table",
        evidence="" if owner is None else "given by the caller",
    )


def _read_messages(
    loaded: Loaded, names: Mapping[str, str], dates: DateOptions, log: AuditLog
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """Return the kept rows with our columns, the message table made of them, and the latest date of any row."""
    rows = rename(loaded.frame, names)
    require(rows, loaded.frame, REQUIRED, loaded.where)
    loaded.log_read(log)
    sent_at = read_column(rows["sent_at"], "sent_at", loaded, dates, log)
    if sent_at.only_days:
        note = f"{_MESSAGES}: sent_at tells days without hours, so hours_to_reply are multiples of 24"
        log.add(NOTE_STAGE, note, int(sent_at.instant.notna().sum()))
    rows = rows.assign(sender=people(rows["sender"]), recipient=people(rows["recipient"]), sent_at=sent_at.instant)
    undated = rows["sent_at"].isna() & ~sent_at.bad
    nobody = rows["sent_at"].notna() & (rows["sender"].isna() | rows["recipient"].isna())
    for reason, mask in {"unreadable date": sent_at.bad, "no date": undated, "no sender or recipient": nobody}.items():
        log.add(_MESSAGES, reason, int(mask.sum()), example=loaded.example(mask))
    latest = rows["sent_at"].max()
    rows = rows[rows["sent_at"].notna() & ~nobody]
    log.add(_MESSAGES, KEPT, len(rows))
    return rows, _message_table(rows, log), latest


def _message_table(rows: pd.DataFrame, log: AuditLog) -> pd.DataFrame:
    """Fill in what the schema wants and the rows do not say."""
    nothing = pd.Series(None, index=rows.index, dtype="str")
    table = pd.DataFrame(
        {
            name: people(rows[name]) if name in rows else nothing
            for name in ("conversation_id", "sender", "recipient", "channel", "kind")
        }
    )
    text = as_text(rows["text"]) if "text" in rows else nothing
    table = table.assign(
        sent_at=rows["sent_at"], text=text.where(text != ""), kind=table["kind"].fillna("message"), message_id=0
    )
    given = _whole_numbers(rows["message_id"]) if "message_id" in rows else None
    if given is not None:
        return table.assign(message_id=given)
    if "message_id" in rows:
        log.add(
            NOTE_STAGE, "messages: message_id is not a whole number everywhere; renumbered in time order", len(rows)
        )
    order = time_order(table["sent_at"], thread=table["conversation_id"])
    return table.iloc[order].assign(message_id=np.arange(len(table), dtype=np.int64))


def people(values: pd.Series) -> pd.Series:
    """Return identifiers as text, verbatim; whole numbers without a decimal point, blanks as null.

    >>> people(pd.Series([7.0, None, 8.0])).tolist()
    ['7', nan, '8']
    """
    if pd.api.types.is_float_dtype(values.dtype):
        told = values.dropna()
        whole = (told % 1 == 0) & (told.abs() < 2**63)
        values = values.astype("Int64") if bool(whole.all()) else values
    texts = as_text(values)
    return texts.where(texts.str.strip() != "")


def as_text(values: pd.Series) -> pd.Series:
    """Return values as text, nulls as null."""
    return values if values.dtype == "str" else values.map(str, na_action="ignore").astype("str")


def _whole_numbers(values: pd.Series) -> pd.Series | None:
    """Return ids as int64, None unless every one is a whole number that fits."""
    if values.isna().any() or pd.api.types.is_bool_dtype(values.dtype):
        return None
    try:
        numbers = [int(value) if isinstance(value, str) else _exact(value) for value in values.tolist()]
        return pd.Series(np.array(numbers, dtype=np.int64), index=values.index)
    except (ValueError, TypeError, OverflowError):
        return None


def _exact(value: object) -> int:
    """Return a number as a whole number; beyond 2**53 a float no longer tells neighbours apart."""
    number = int(value)  # type: ignore[call-overload]
    if number != value or (isinstance(value, float) and abs(number) > 2**53):
        raise ValueError(value)
    return int(number)


def _read_connections(loaded: Loaded, names: Mapping[str, str], dates: DateOptions, log: AuditLog) -> pd.DataFrame:
    """Read a table of connections."""
    rows = rename(loaded.frame, names)
    require(rows, loaded.frame, REQUIRED_CONNECTIONS, loaded.where)
    loaded.log_read(log)
    return _pairs(rows, loaded, dates, log)


def _match(messages: pd.DataFrame, connections: pd.DataFrame, log: AuditLog) -> None:
    """Say in the log where hardly any or none of the pairs in the messages is connected."""
    written = _distinct_pairs(messages["sender"], messages["recipient"])
    listed = _distinct_pairs(connections["person_a"], connections["person_b"])
    note_match(log, n_pairs=len(written), n_found=len(written.intersection(listed)))


def _distinct_pairs(a: pd.Series, b: pd.Series) -> pd.MultiIndex:
    """Return the pairs of two people in two columns, either way round, once each."""
    is_pair = a.notna() & b.notna() & (a != b)
    a, b = a[is_pair], b[is_pair]
    return pd.MultiIndex.from_arrays([a.where(a < b, b), b.where(a < b, a)]).unique()


def _connections_of_messages(rows: pd.DataFrame, loaded: Loaded, dates: DateOptions, log: AuditLog) -> pd.DataFrame:
    """Read connections that stand as columns beside the messages; empty where there are none."""
    if "connected_at" not in rows:
        log.add(NOTE_STAGE, "connections: none given, so no date of connection is known", 1)
        return pd.DataFrame(columns=[*REQUIRED_CONNECTIONS, "resolution"])
    given = rows["connected_at"].notna() & (rows["connected_at"].astype("str").str.strip() != "")
    rows = rows[given].assign(person_a=rows["sender"], person_b=rows["recipient"])
    # The same date beside every message of a pair is one connection told several times.
    pair = rows[["person_a", "person_b"]]
    told = pd.DataFrame({"low": pair.min(axis=1), "high": pair.max(axis=1), "at": rows["connected_at"]})
    rows = rows[~told.duplicated()]
    log.add(_CONNECTIONS, READ, len(rows))
    return _pairs(rows, loaded, dates, log)


def _pairs(rows: pd.DataFrame, loaded: Loaded, dates: DateOptions, log: AuditLog) -> pd.DataFrame:
    """Return one row per pair, the earliest date, with what is known at connection."""
    connected = read_connected(rows, loaded, dates, log)
    table = pd.DataFrame(
        {
            "person_a": people(rows["person_a"]),
            "person_b": people(rows["person_b"]),
            "connected_at": connected.instant,
            "resolution": connected.resolution,
        }
    )
    table = table.assign(**_known_at_connection(rows, loaded, dates, log))
    nobody = table["person_a"].isna() | table["person_b"].isna()
    undated = table["connected_at"].isna() & ~connected.bad & ~nobody
    bad = connected.bad & ~nobody
    low = table["person_a"].where(table["person_a"] < table["person_b"], table["person_b"])
    high = table["person_b"].where(table["person_a"] < table["person_b"], table["person_a"])
    dated = table.assign(low=low, high=high)[table["connected_at"].notna() & ~nobody]
    later = (
        dated.sort_values("connected_at", kind="stable")
        .duplicated(["low", "high"])
        .reindex(table.index, fill_value=False)
    )
    reasons = {
        "no person": nobody,
        "unreadable date": bad,
        "no date": undated,
        "another date of the same pair; the earliest counts": later,
    }
    for reason, mask in reasons.items():
        log.add(_CONNECTIONS, reason, int(mask.sum()), example=loaded.example(mask))
    table = table[table["connected_at"].notna() & ~nobody & ~later]
    log.add(_CONNECTIONS, KEPT, len(table))
    return table


def _known_at_connection(rows: pd.DataFrame, loaded: Loaded, dates: DateOptions, log: AuditLog) -> dict[str, pd.Series]:
    """Return the columns beyond the fourth: ``invited_by`` and the like, and numeric ``x_*``."""
    known: dict[str, pd.Series] = {}
    for name in EXTRAS:
        if name in rows and name == "invited_at":
            known[name] = read_column(rows[name], name, loaded, dates, log).instant
        elif name in rows:
            known[name] = people(rows[name])
    covariates = [name for name in rows.columns if name.startswith("x_")]
    if len(covariates) > _MOST_COVARIATES:
        msg = f"{loaded.where}: {len(covariates):,} columns called x_..., expected at most {_MOST_COVARIATES}"
        raise SourceError(f"{msg}; leave out those that no analysis uses")
    for name in covariates:
        given = rows[name].notna() & (rows[name].astype("str").str.strip() != "")
        numbers = pd.to_numeric(rows[name].where(given), errors="coerce")
        lost = numbers.isna() & given
        log.add(
            NOTE_STAGE,
            f"connections: {name} is not a number, taken as missing",
            int(lost.sum()),
            example=loaded.example(lost),
        )
        known[name] = numbers.astype("float64")
    return known


def _check_owner(owner: str | Sequence[str] | None, table: pd.DataFrame) -> str | tuple[str, ...] | None:
    """Return the owner or owners as text, having checked that one of them writes or is written to."""
    if owner is None:
        return None
    several = not isinstance(owner, str | int)
    owners = tuple(str(person) for person in owner) if several else (str(owner),)
    present = set(table["sender"]) | set(table["recipient"])
    if len(table) and not present.intersection(owners):
        raise DesignError(
            f"owner={owner!r} takes part in no message; expected an identifier of the sender or recipient column"
        )
    return owners if several else owners[0]
