"""Dates as exports write them, read without ever guessing an order of day and month.

A day read as a month moves a message by weeks and no later step can notice. So only forms that leave one reading
are accepted: ISO 8601, the American form with AM or PM that LinkedIn documents for invitations, and days with the
month in words. Everything else is an error that names the row, or a counted loss where the user asked for that.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError, as_shown
from etiquette_analysis.schema import INSTANT

#: Years outside are sentinels or typing errors ("0001-01-01", "9999-12-31").
PLAUSIBLE_YEARS: Final = (1800, 2199)

_ISO: Final = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?(?:UTC|GMT|Z|[+-]\d{2}(?::?\d{2})?))?)?"
_ZONE: Final = r"(?:UTC|GMT|Z|:\d{2}(?:\.\d+)? ?[+-]\d{2}(?::?\d{2})?)$"
_NUMERIC: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{1,4})\b")
_US_12_HOUR: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2}),? (\d{1,2}):(\d{2})(?::(\d{2}))? ?([ap])\.? ?m\.?", re.IGNORECASE
)
_WORDS_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})(?:\.|º|°|er|st|nd|rd|th)?[\s-]+(?:de\s+)?([^\W\d_]+)\.?,?[\s-]+(?:de\s+)?(\d{4}|\d{2})"
)
_WORDS_MONTH_FIRST: Final = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")

#: English, Italian, Spanish, French, German and Portuguese, without accents; a name of three letters or more may
#: be cut short as long as it stays clear.
_MONTHS: Final = (
    "january jan gennaio gen enero ene janvier janv januar janner jaenner janeiro",
    "february feb febbraio febrero fevrier fevr fev februar fevereiro",
    "march mar marzo mars marz maerz mrz marco",
    "april apr aprile abril abr avril avr",
    "may maggio mag mayo mai maio",
    "june jun giugno giu junio juin juni junho",
    "july jul luglio lug julio juillet juil juli julho",
    "august aug agosto ago aout aou",
    "september sep sept settembre set septiembre septembre setembro",
    "october oct ottobre ott octubre octobre oktober okt outubro out",
    "november nov novembre noviembre novembro",
    "december dec dicembre dic diciembre decembre dezember dez dezembro",
)
MONTH_NUMBER: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}


@dataclass(frozen=True)
class Instants:
    """Dates read from text.

    Attributes
    ----------
    instant : Series of datetime64[us, UTC]
        NaT where the text is empty or cannot be read.
    naive : Series of bool
        True where the text names no zone, so UTC was assumed.
    bad : Series of bool
        True where there is a text and it cannot be read.
    """

    instant: pd.Series
    naive: pd.Series
    bad: pd.Series


def read_instants(texts: pd.Series, *, us_12_hour: bool = False) -> Instants:
    """Read instants from text; those without a zone are taken as UTC and flagged.

    Parameters
    ----------
    texts : Series of str
        ISO 8601 with a space or ``T``, with or without seconds, fractions and zone; "" is no date.
    us_12_hour : bool
        Accept ``1/29/26, 2:37 PM`` as well, the form of LinkedIn's Invitations.csv (month first).

    Examples
    --------
    >>> read = read_instants(pd.Series(["2024-02-28 09:15:00 UTC", "2024-02-28 09:15", "31/02/2024", ""]))
    >>> [str(at) for at in read.instant]
    ['2024-02-28 09:15:00+00:00', '2024-02-28 09:15:00+00:00', 'NaT', 'NaT']
    >>> read.naive.tolist(), read.bad.tolist()
    ([False, True, False, False], [False, False, True, False])
    """
    clean = plain_spaces(texts)
    iso = clean.str.fullmatch(_ISO)
    naive = ~clean.str.contains(_ZONE, regex=True)
    at = _iso_to_instant(clean.where(iso))
    if us_12_hour:
        rest = clean[~iso & (clean != "")]
        american = pd.Series([_us_12_hour(text) for text in rest], index=rest.index, dtype="object")
        at.loc[rest.index] = pd.to_datetime(american, utc=True).astype(INSTANT)
    at = at.where(at.dt.year.between(*PLAUSIBLE_YEARS))
    return Instants(at, naive & at.notna(), at.isna() & (clean != ""))


def plain_spaces(texts: pd.Series) -> pd.Series:
    """Trim, and turn the no-break spaces that stand before AM and PM into plain ones."""
    return texts.str.replace(r"[\u00a0\u202f\u2009]", " ", regex=True).str.strip()


def _iso_to_instant(texts: pd.Series) -> pd.Series:
    """Convert texts that look like ISO 8601; what is no calendar date becomes NaT."""
    plain = texts.str.replace(r" ?(?:UTC|GMT)$", "Z", regex=True)
    plain = plain.str.replace(r"(\.\d{6})\d+", r"\1", regex=True)
    return pd.to_datetime(plain, format="ISO8601", utc=True, errors="coerce").astype(INSTANT)


def _us_12_hour(text: str) -> datetime | None:
    """Read ``1/29/26, 2:37 PM``, month first."""
    match = _US_12_HOUR.fullmatch(text)
    if match is None:
        return None
    month, day, year, hour, minute = (int(match[i]) for i in range(1, 6))
    if not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if match[7].lower() == "p" else 0)
    try:
        return datetime(full_year(year), month, day, hour, minute, int(match[6] or 0), tzinfo=UTC)
    except ValueError:
        return None


def full_year(year: int) -> int:
    """Two digits are of this century: no export is older."""
    return year + 2000 if year < 100 else year


@lru_cache(maxsize=65_536)
def read_day(text: str) -> date | None:
    """Read a calendar day, or None where the text leaves more than one reading or none.

    >>> read_day("05 Jan 2024"), read_day("4-Apr-21"), read_day("12 de março de 2024")
    (datetime.date(2024, 1, 5), datetime.date(2021, 4, 4), datetime.date(2024, 3, 12))
    >>> read_day("03/04/2024") is None
    True
    """
    plain = re.sub(r"[\u00a0\u202f\u2009]", " ", text).strip()
    american = _us_12_hour(plain)
    if american is not None:
        return _plausible(american.date())
    folded = "".join(c for c in unicodedata.normalize("NFKD", plain.casefold()) if not unicodedata.combining(c))
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})(?:[t ].*)?", folded)
    if match is not None:
        return _calendar_day(int(match[1]), int(match[2]), int(match[3]))
    match = _WORDS_DAY_FIRST.fullmatch(folded)
    if match is not None:
        return _calendar_day(full_year(int(match[3])), MONTH_NUMBER.get(match[2], 0), int(match[1]))
    match = _WORDS_MONTH_FIRST.fullmatch(folded)
    if match is not None:
        return _calendar_day(int(match[3]), MONTH_NUMBER.get(match[1], 0), int(match[2]))
    return None


def _calendar_day(year: int, month: int, day: int) -> date | None:
    """Return the day, or None where the calendar has no such day."""
    try:
        return _plausible(date(year, month, day))
    except ValueError:
        return None


def _plausible(day: date) -> date | None:
    """Return the day, or None outside the plausible years."""
    low, high = PLAUSIBLE_YEARS
    return day if low <= day.year <= high else None


def unreadable(where: str, column: str, text: str, expected: str, what: str = "", remedy: str = "") -> SourceError:
    """Return the error for one date that cannot be read; what is wrong with it can be told from its form.

    >>> print(unreadable("messages.csv, line 214", "DATE", "31/02/2024", "2024-02-28 09:15:00 UTC"))
    messages.csv, line 214: DATE "31/02/2024" is not a date; expected e.g. "2024-02-28 09:15:00 UTC". Skip such rows
    with on_bad_row="drop".
    """
    match = _NUMERIC.match(text.strip())
    numbers = [int(match[i]) for i in (1, 2)] if match else []
    if what:
        remedy = remedy or "Skip"
    elif match and all(1 <= number <= 12 for number in numbers):
        what = "is ambiguous: nothing says which number is the day and which the month"
        remedy = remedy or "Pass the file as it was downloaded, not one that a spreadsheet saved again, or skip"
    else:
        what = "is not a date"
        remedy = remedy or "Skip"
    return SourceError(
        f'{where}: {column} "{as_shown(text)}" {what}; expected e.g. "{expected}". {remedy} such rows with '
        'on_bad_row="drop".'
    )


def as_observed_until(value: object) -> pd.Timestamp | None:
    """Return the caller's end of observation as a UTC instant, naive input taken as UTC.

    >>> as_observed_until("2024-05-14")
    Timestamp('2024-05-14 00:00:00+0000', tz='UTC')
    """
    if value is None:
        return None
    try:
        at = pd.Timestamp(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        msg = f'observed_until={value!r} is not a date; expected e.g. "2024-05-14 18:00:00"'
        raise DesignError(msg) from error
    if pd.isna(at) or not PLAUSIBLE_YEARS[0] < at.year < PLAUSIBLE_YEARS[1]:
        raise DesignError(f'observed_until={value!r} is not a date; expected e.g. "2024-05-14 18:00:00"')
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")
