"""Counts of people, and what is not shown of them.

A rate comes with Wilson's interval, and only of five people or more. Where a table of counts would tell of one to four
people, directly or by subtraction from a total beside it, cells are left out by the rule that :func:`find` is given
(``privacy.suppress_small``): this room may not reach into that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, overload

import pandas as pd

from etiquette_analysis.analysis.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Smaller groups are not shown: in so few people somebody may be recognised, and a rate would mean nothing.
SMALLEST_CELL: Final = 5


class Suppress(Protocol):
    """A rule that returns counts with their totals, null where a count is small or would give one away."""

    @overload
    def __call__(self, counts: pd.Series) -> pd.Series: ...
    @overload
    def __call__(self, counts: pd.DataFrame) -> pd.DataFrame: ...


def tally(n: int, n_replies: int, *, conf_level: float) -> dict[str, Any]:
    """Return a group's size, replies, rate and limits; all null below ``SMALLEST_CELL``.

    >>> tally(4, 2, conf_level=0.95)["rate"] is None, tally(10, 2, conf_level=0.95)["rate"]
    (True, 0.2)
    """
    if n < SMALLEST_CELL:
        return dict.fromkeys(("n", "n_replies", "rate", "low", "high"))
    low, high = wilson(n_replies, n, conf_level=conf_level)
    return {"n": n, "n_replies": n_replies, "rate": n_replies / n, "low": float(low), "high": float(high)}


def cell(n: int) -> int | None:
    """Return a count of people, null where it is above 0 and below ``SMALLEST_CELL``."""
    return None if 0 < n < SMALLEST_CELL else int(n)


def hide(counts: Mapping[str, int], suppress: Suppress) -> dict[str, int | None]:
    """Return the parts of one whole, null where the rule hides them; the whole itself is told elsewhere.

    >>> from etiquette_analysis.privacy import suppress_small
    >>> hide({"day 0": 40, "day 1": 3, "later": 12}, suppress_small)
    {'day 0': 40, 'day 1': None, 'later': None}
    """
    if not counts:
        return {}
    shown = suppress(pd.Series(dict(counts), dtype="int64"))
    return {name: None if pd.isna(shown[name]) else int(shown[name]) for name in counts}
