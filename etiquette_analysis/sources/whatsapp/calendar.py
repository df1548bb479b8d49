"""Which number of a WhatsApp date is the day: told by the whole file, or asked.

``04/03/24`` is the fourth of March in Rome and the third of April in Boston, and a chat holds no word on where it
was written. A number above 12 settles it, or that time does not run backwards; where neither does, the caller
must say. Dates with dots are day first in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.whatsapp.lines import Entry

#: WhatsApp began in 2009; a year before is a misreading.
_FIRST_YEAR: Final = 2009
_LAST_YEAR: Final = 2099
_PLACES: Final[dict[str, tuple[int, int, int]]] = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}


def read_days(entries: Sequence[Entry], label: str, date_order: str | None = None) -> tuple[list[date], str]:
    """Return the day of every entry, and a note where the order rests on an assumption or the caller.

    Raises
    ------
    SourceError
        Where no order fits all dates, or more than one does.
    """
    orders = _possible(entries) if date_order is None else [date_order]
    fitting = {order: days for order in orders if (days := _days(entries, order)) is not None}
    if not fitting:
        raise _no_order(entries, label, date_order)
    if date_order is not None:
        return fitting[date_order], ""
    if len(fitting) > 1:
        back = {order: _n_backward(days) for order, days in fitting.items()}
        fitting = {order: days for order, days in fitting.items() if back[order] == 0} or fitting
    if len({tuple(days) for days in fitting.values()}) == 1:
        return next(iter(fitting.values())), ""
    if entries[0].mark == "." and "dmy" in fitting:
        return fitting["dmy"], "dates with dots taken as day first, though they could be month first"
    raise _ambiguous(entries, label, fitting)


def _possible(entries: Sequence[Entry]) -> list[str]:
    """Return the orders that the form of the dates allows."""
    if all(entry.n_digits[0] == 4 for entry in entries):
        return ["ymd"]
    two_digits = any(entry.n_digits[1] <= 2 for entry in entries)
    return ["dmy", "mdy", "ymd"] if two_digits and entries[0].mark == "-" else ["dmy", "mdy"]


def _days(entries: Sequence[Entry], order: str) -> list[date] | None:
    """Read all dates in one order, None where that is impossible for one of them."""
    days = []
    for entry in entries:
        day = _day(entry, order)
        if day is None:
            return None
        days.append(day)
    return days


def _day(entry: Entry, order: str) -> date | None:
    """Read one date in one order."""
    year, month, day = (entry.numbers[place] for place in _PLACES[order])
    year += 2000 if year < 100 else 0
    try:
        return date(year, month, day) if _FIRST_YEAR <= year <= _LAST_YEAR else None
    except ValueError:
        return None


def _n_backward(days: Sequence[date]) -> int:
    """Count the steps back in time between neighbours."""
    return sum(later < earlier for earlier, later in pairwise(days))


def _written(entry: Entry) -> str:
    """Write a date as the file does."""
    return entry.mark.join(str(number) for number in entry.numbers)


def _no_order(entries: Sequence[Entry], label: str, date_order: str | None) -> SourceError:
    """Name the first date that does not fit."""
    tried = [date_order] if date_order else _possible(entries)
    reach = {order: next((e for e in entries if _day(e, order) is None), entries[0]) for order in tried}
    worst = max(reach.values(), key=lambda entry: entry.line)
    remedy = "pass another date_order" if date_order else "check that the file is one chat, as WhatsApp exported it"
    return SourceError(
        f"{label}, line {worst.line}: {_written(worst)} fits no order of the numbers that all lines share "
        f"(tried {', '.join(tried)}); {remedy}"
    )


def _ambiguous(entries: Sequence[Entry], label: str, fitting: dict[str, list[date]]) -> SourceError:
    """Ask for the order, showing what one date would be in each."""
    place = next(i for i in range(len(entries)) if len({days[i] for days in fitting.values()}) > 1)
    readings = " or ".join(f'{days[place]:%d %b %Y} (date_order="{order}")' for order, days in fitting.items())
    return SourceError(
        f"{label}, line {entries[place].line}: nothing in the file tells day from month; {_written(entries[place])} is "
        f"{readings}; pass date_order (--date-order on the command line)"
    )
