"""Dates in three numbers, ``10/03/2025 14:05``: which is the day is told by the caller or by the column, never guessed.

A number above 12 is no month, so one such date settles the order for a column whose other dates agree with it. Four
digits in front are a year in every country, and what follows them is the month.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, get_args

from etiquette_analysis.errors import DesignError
from etiquette_analysis.sources.dates import full_year

DateOrder = Literal["dmy", "mdy", "ymd"]
#: What errors and the audit call them.
IN_WORDS: Final[dict[DateOrder, str]] = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
#: ``25/03/10`` may begin with its year; a reading that spreads a column over more years than this gives way to one
#: that does not.
_MOST_YEARS: Final = 10
_FORM: Final = re.compile(
    r"(\d{4}|\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{1,2})"
    r"(?:(?:,? +|T)(\d{1,2})[:.](\d{2})(?:[:.](\d{2}(?:\.\d+)?))? ?(?:([AaPp])\.? ?[Mm]\.?)?"
    r"( ?(?:UTC|GMT|Z|[+-]\d{2}(?::?\d{2})?))?)?"
)
_Numbers = tuple[str, str, str]


def check_date_order(date_order: str | None) -> None:
    """Raise ``DesignError`` unless the option has one of its values."""
    if date_order is not None and date_order not in get_args(DateOrder):
        raise DesignError(f"date_order={date_order!r} is not known; expected 'dmy', 'mdy' or 'ymd'")


def orders_of(text: str) -> tuple[DateOrder, ...]:
    """Return the orders in which a text in three numbers can be a date; none where it begins with four digits.

    >>> orders_of("10/03/2025 14:05"), orders_of("25.03.2025"), orders_of("04-03-25")
    (('dmy', 'mdy'), ('dmy',), ('dmy', 'mdy', 'ymd'))
    >>> orders_of("2025/3/9"), orders_of("31/31/2025"), orders_of("soon")
    ((), (), ())
    """
    match = _FORM.fullmatch(text)
    return () if match is None or len(match[1]) == 4 else _possible((match[1], match[3], match[4]))


def _possible(numbers: _Numbers) -> tuple[DateOrder, ...]:
    orders: tuple[DateOrder, ...] = get_args(DateOrder)
    if len(numbers[0]) == 4:
        orders = ("ymd",)
    elif len(numbers[2]) == 4:
        orders = ("dmy", "mdy")
    return tuple(order for order in orders if _part(numbers, order, "m") <= 12 and _part(numbers, order, "d") <= 31)


def _part(numbers: _Numbers, order: DateOrder, part: str) -> int:
    return int(numbers[order.index(part)])


def settled_order(texts: Iterable[str]) -> DateOrder | None:
    """Return the one order in which all dates of a column can be read; None where there are several or none.

    >>> settled_order(["10/03/2025", "25/03/2025 09:00"]), settled_order(["3/10/25 2:05 PM", "3/25/25 9:00 AM"])
    ('dmy', 'mdy')
    >>> settled_order(["10/03/2025", "04/03/2025"]) is settled_order(["25/03/2025", "03/25/2025"]) is None
    True
    """
    matches = map(_FORM.fullmatch, texts)
    dates = {(match[1], match[3], match[4]) for match in matches if match is not None and len(match[1]) < 4}
    told = {numbers: possible for numbers in dates if (possible := _possible(numbers))}
    fitting = [order for order in IN_WORDS if told and all(order in possible for possible in told.values())]
    if len(fitting) > 1:
        years = {order: [_part(numbers, order, "y") for numbers in told] for order in fitting}
        fitting = [order for order in fitting if max(years[order]) - min(years[order]) <= _MOST_YEARS]
    return fitting[0] if len(fitting) == 1 else None


def as_iso(text: str, order: DateOrder | None) -> str:
    """Write a date in three numbers as ISO 8601; return the text as it is where it is none in that order.

    >>> as_iso("10/03/2025 14:05", "dmy"), as_iso("3/10/25, 2:05 PM", "mdy"), as_iso("04.03.25", "dmy")
    ('2025-03-10 14:05:00', '2025-03-10 14:05:00', '2025-03-04')
    >>> as_iso("10/03/2025", None), as_iso("10/13/2025", "dmy"), as_iso("2025/3/9", None)
    ('10/03/2025', '10/13/2025', '2025-03-09')
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return text
    numbers = match[1], match[3], match[4]
    order = "ymd" if len(numbers[0]) == 4 else order
    if order is None or order not in _possible(numbers):
        return text
    year, month, day = (_part(numbers, order, part) for part in "ymd")
    year = year if len(numbers[0]) == 4 else full_year(year)
    iso = f"{year:04}-{month:02}-{day:02}"
    if match[5] is None:
        return iso
    hour = int(match[5])
    if match[8] is not None:
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + (12 if match[8] in "Pp" else 0)
    return f"{iso} {hour:02}:{match[6]}:{match[7] or '00'}{match[9] or ''}"
