"""Dates of a table of unknown origin: typed dates as they are, texts in ISO 8601, anything else refused.

Numbers could be seconds, milliseconds or spreadsheet days, and ``03/04/2024`` is two different days, so neither is
read; the error shows the one line that settles it.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError, as_shown
from etiquette_analysis.schema import INSTANT, NOTE_STAGE, AuditLog, as_instant
from etiquette_analysis.sources.dates import PLAUSIBLE_YEARS, Instants, read_instants, unreadable
from etiquette_analysis.sources.load import Loaded
from etiquette_analysis.sources.rows import OnBadRow

_EXAMPLE = "2024-02-28T09:15:00Z"


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


def read_column(
    values: pd.Series, column: str, loaded: Loaded, timezone: str, on_bad_row: OnBadRow, log: AuditLog
) -> Instants:
    """Read one column of dates; those without a zone are counted and taken in ``timezone``.

    Raises
    ------
    SourceError
        For numbers, and for a text that is not ISO 8601 unless such rows are dropped.
    """
    instants = _typed(values, column, loaded)
    if on_bad_row == "error" and instants.bad.any():
        place = loaded.place_of(instants.bad)
        text = str(values[instants.bad].iloc[0])
        remedy = "Write the column as ISO 8601 (year first), or skip"
        raise unreadable(f"{loaded.where}, {loaded.unit} {place}", column, text, _EXAMPLE, remedy)
    n = int(instants.naive.sum())
    log.add(
        NOTE_STAGE,
        f"{loaded.stage}: {column} without a zone, taken as {timezone}",
        n,
        example=loaded.example(instants.naive),
    )
    return Instants(_in_zone(instants, timezone), instants.naive, instants.bad)


def _typed(values: pd.Series, column: str, loaded: Loaded) -> Instants:
    """Read a column according to what it holds."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("object")
    none = pd.Series(False, index=values.index)
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or bool(values.isna().all()):
        at, n_naive = as_instant(values, column=column)
        bad = at.notna() & ~at.dt.year.between(*PLAUSIBLE_YEARS)
        at = at.mask(bad)
        return Instants(at, at.notna() if n_naive else none, bad)
    if pd.api.types.is_numeric_dtype(values.dtype):
        raise _numbers(values, column, loaded)
    texts = values.map(_as_text, na_action="ignore").astype("str").fillna("")
    digits = texts.str.fullmatch(r"\s*-?\d{5,}(?:\.\d+)?\s*")
    if digits.any():
        raise _numbers(values[digits], column, loaded)
    return read_instants(texts)


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


def read_connected(rows: pd.DataFrame, loaded: Loaded, timezone: str, on_bad_row: OnBadRow, log: AuditLog) -> Connected:
    """Read ``connected_at`` with its resolution: as the table says, else ``day`` where no value tells an hour.

    A day is that day's midnight UTC, whatever the zone of times.
    """
    exact = read_column(rows["connected_at"], "connected_at", loaded, timezone, on_bad_row, log)
    as_written = _typed(rows["connected_at"], "connected_at", loaded)
    day = as_written.instant.dt.floor("D")
    whole_days = bool((as_written.instant == day)[as_written.instant.notna()].all())
    resolution = pd.Series("day" if whole_days else "second", index=rows.index, dtype="str")
    if "resolution" in rows:
        given = rows["resolution"].astype("str").str.strip()
        resolution = given.where(given.notna() & (given != ""), resolution)
    return Connected(day.where(resolution == "day", exact.instant), resolution, exact.bad)
