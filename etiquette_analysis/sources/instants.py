"""Dates of a table of unknown origin: typed dates as they are, texts in ISO 8601 or in three numbers, no others.

Numbers could be seconds, milliseconds or spreadsheet days, so they are refused. ``03/04/2024`` is two different days:
it is read where the caller or the other dates of its column say which, else the error shows what settles it.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError, as_shown
from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog, as_instant
from etiquette_analysis.sources.dates import PLAUSIBLE_YEARS, Instants, plain_spaces, read_instants, unreadable
from etiquette_analysis.sources.load import Loaded
from etiquette_analysis.sources.numeric_dates import (
    IN_WORDS,
    DateOrder,
    as_iso,
    check_date_order,
    orders_of,
    settled_order,
)
from etiquette_analysis.sources.rows import OnBadRow, check_on_bad_row

_EXAMPLE = "2024-02-28T09:15:00Z"


@dataclass(frozen=True)
class DateOptions:
    """How the caller wants dates to be read: the zone of those without one, what to do with bad ones, the order."""

    timezone: str = "UTC"
    on_bad_row: OnBadRow = "error"
    date_order: DateOrder | None = None

    def check(self) -> None:
        """Raise ``DesignError`` unless every option has a value that is known."""
        check_on_bad_row(self.on_bad_row)
        check_date_order(self.date_order)
        check_timezone(self.timezone)


@dataclass(frozen=True)
class Column(Instants):
    """One column of dates: instants, and ``written``, the same as if every time were UTC."""

    written: pd.Series

    @property
    def only_days(self) -> bool:
        """Whether no value tells an hour."""
        dated = self.written.dropna()
        return bool((dated == dated.dt.floor("D")).all())


@dataclass(frozen=True)
class Connected:
    """Dates of connection: instants, ``day`` or ``second`` for each, and where a date cannot be read."""

    instant: pd.Series
    resolution: pd.Series
    bad: pd.Series


def check_timezone(timezone: str) -> None:
    """Raise ``DesignError`` unless the name is a known time zone."""
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DesignError(f'timezone={timezone!r} is not known; expected a name such as "Europe/Rome"') from error


def read_column(values: pd.Series, column: str, loaded: Loaded, options: DateOptions, log: AuditLog) -> Column:
    """Read one column of dates; those without a zone are counted and taken in ``options.timezone``.

    Raises
    ------
    SourceError
        For numbers, and for a text that is no date or leaves the order open, unless such rows are dropped.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("object")
    texts = _texts(values, column, loaded)
    if texts is None:
        order, instants = None, _typed(values, column)
    else:
        order = options.date_order or settled_order(texts)
        instants = _of_texts(texts, column, order, options, loaded, log)
    if options.on_bad_row == "error" and instants.bad.any():
        raise _unreadable(values, instants.bad, column, order, loaded)
    log.add(
        NOTE_STAGE,
        f"{loaded.stage}: {column} without a zone, taken as {options.timezone}",
        int(instants.naive.sum()),
        example=loaded.example(instants.naive),
    )
    return Column(_in_zone(instants, options.timezone), instants.naive, instants.bad, instants.instant)


def _texts(values: pd.Series, column: str, loaded: Loaded) -> pd.Series | None:
    """Return a column of texts, "" where there is none; None for a column of dates, or of nothing at all."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or bool(values.isna().all()):
        return None
    if pd.api.types.is_numeric_dtype(values.dtype):
        raise _numbers(values, column, loaded)
    texts = plain_spaces(values.map(_as_text, na_action="ignore").astype("str").fillna(""))
    digits = texts.str.fullmatch(r"-?\d{5,}(?:\.\d+)?")
    if digits.any():
        raise _numbers(values[digits], column, loaded)
    return texts


def _typed(values: pd.Series, column: str) -> Instants:
    """Take dates as they are."""
    at, n_naive = as_instant(values, column=column)
    bad = at.notna() & ~at.dt.year.between(*PLAUSIBLE_YEARS)
    at = at.mask(bad)
    return Instants(at, at.notna() if n_naive else pd.Series(False, index=values.index), bad)


def _of_texts(
    texts: pd.Series, column: str, order: DateOrder | None, options: DateOptions, loaded: Loaded, log: AuditLog
) -> Instants:
    """Read ISO 8601, and dates in three numbers in that order; how these were read is noted."""
    iso = texts.map(lambda text: as_iso(text, order)).astype("str")
    instants = read_instants(iso)
    if order is not None:
        placed = (iso != texts) & instants.instant.notna() & ~texts.str.match(r"\d{4}")
        why = "as date_order says" if options.date_order else "the one order in which all can be read"
        note = f"{loaded.stage}: {column}: dates read {IN_WORDS[order]}, {why}"
        log.add(NOTE_STAGE, note, int(placed.sum()), example=loaded.example(placed))
    return instants


def _unreadable(values: pd.Series, bad: pd.Series, column: str, order: DateOrder | None, loaded: Loaded) -> SourceError:
    """Return the error for the first date that cannot be read."""
    text = str(values[bad].iloc[0])
    orders = plain_spaces(values[bad].map(str).astype("str")).map(orders_of)
    possible = orders.iloc[0]
    what, remedy = "is not a date", "Write the column as ISO 8601 (year first), or skip"
    if possible and order not in possible:
        remedy = 'Say which number comes first with date_order="dmy" or "mdy" (--date-order dmy), or skip'
        against = orders.map(lambda others: bool(others) and set(possible).isdisjoint(others))
        if order is not None:
            what = f"is not {IN_WORDS[order]}, as the column is read"
        elif against.any():
            what = f"is {IN_WORDS[possible[0]]}, which {loaded.unit} {loaded.place_of(against)} is not"
        else:
            what = "is ambiguous: nothing in the column says which number is the day and which the month"
    return unreadable(f"{loaded.where}, {loaded.unit} {loaded.place_of(bad)}", column, text, _EXAMPLE, what, remedy)


def _as_text(value: object) -> str:
    """Write dates that came as Python objects in ISO 8601."""
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _numbers(values: pd.Series, column: str, loaded: Loaded) -> SourceError:
    """Say that a number is no date, and how to make it one."""
    first = values.dropna()
    place = int(loaded.places[int(first.index[0])])
    return SourceError(
        f"{loaded.where}, {loaded.unit} {place}: {column} {as_shown(str(first.iloc[0]))} is a number, and nothing says "
        "whether it counts seconds, milliseconds or days; convert it first, e.g. "
        f'pandas.to_datetime(table["{column}"], unit="s", utc=True).'
    )


def _in_zone(instants: Instants, timezone: str) -> pd.Series:
    """Move instants that named no zone from UTC to the zone they were written in."""
    if timezone == "UTC" or not instants.naive.any():
        return instants.instant
    local = instants.instant[instants.naive].dt.tz_localize(None)
    first = pd.Series(True, index=local.index).to_numpy()
    placed = local.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward").dt.tz_convert("UTC")
    at = instants.instant.copy()
    at.loc[placed.index] = placed.astype(INSTANT)
    return at


def read_connected(rows: pd.DataFrame, loaded: Loaded, options: DateOptions, log: AuditLog) -> Connected:
    """Read ``connected_at`` with its resolution: as the table says, else ``day`` where no value tells an hour.

    A day is that day's midnight UTC, whatever the zone of times.
    """
    column = read_column(rows["connected_at"], "connected_at", loaded, options, log)
    resolution = pd.Series("day" if column.only_days else "second", index=rows.index, dtype="str")
    if "resolution" in rows:
        given = rows["resolution"].astype("str").str.strip()
        resolution = given.where(given.notna() & (given != ""), resolution)
    day = column.written.dt.floor("D")
    return Connected(day.where(resolution == "day", column.instant), resolution, column.bad)
