"""One shape for every result: the same columns in every frame, and words beside the numbers.

A reader should be able to lay any two results side by side, so every analysis returns rows with the columns of
``RESULT_COLUMNS``. A refusal is a result too: its estimates are NaN and its ``reason`` is filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.plan import require_language

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etiquette_analysis.analysis.plan import Language

#: Column -> dtype of every table of results. ``plan`` is the first 12 digits of the plan's hash.
RESULT_COLUMNS: Final = {
    "estimand": "str",
    "method": "str",
    "scale": "str",
    "estimate": "float64",
    "low": "float64",
    "high": "float64",
    "se": "float64",
    "n_now": "Int64",
    "n_later": "Int64",
    "ess_now": "float64",
    "ess_later": "float64",
    "level": "Int64",
    "reason": "str",
    "plan": "str",
}
SCALES: Final = ("rate_now", "rate_later", "rd", "rr")
VERDICTS: Final = ("supports", "contradicts", "practically equal", "inconclusive", "not answerable")


def result_frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a table with the columns and types of ``RESULT_COLUMNS``; what a row lacks is null.

    Examples
    --------
    >>> rows = [{"estimand": "P", "scale": "rd", "estimate": -0.08, "n_now": 40}]
    >>> result_frame(rows)[["estimand", "estimate", "low"]]
      estimand  estimate  low
    0        P     -0.08  NaN
    """
    table = pd.DataFrame(list(rows), columns=list(RESULT_COLUMNS))
    for name, dtype in RESULT_COLUMNS.items():
        if dtype == "float64":
            table[name] = pd.to_numeric(table[name]).astype("float64")
        else:
            table[name] = table[name].astype(pd.api.types.pandas_dtype(dtype))
    return table


def read_verdict(low: float, high: float, *, sesoi: float) -> str:
    """Return what an interval for now minus later says about the claim that pitching at once lowers replies.

    Examples
    --------
    >>> intervals = (-0.12, -0.02), (0.01, 0.2), (-0.03, 0.04), (-0.09, 0.02)
    >>> [read_verdict(*interval, sesoi=0.05) for interval in intervals]
    ['supports', 'contradicts', 'practically equal', 'inconclusive']
    """
    if np.isnan(low) or np.isnan(high):
        return "not answerable"
    if high < 0:
        return "supports"
    if low > 0:
        return "contradicts"
    return "practically equal" if low > -sesoi and high < sesoi else "inconclusive"


@dataclass(frozen=True, repr=False)
class Result:
    """A table of numbers and the words for them; every analysis returns a subclass.

    Attributes
    ----------
    frame : DataFrame
        Columns as in ``RESULT_COLUMNS``.
    """

    frame: pd.DataFrame

    def text(self, language: Language = "en") -> str:
        """Return the result in words; paragraphs are separated by an empty line."""
        require_language(language)
        return ""

    def __repr__(self) -> str:
        """Show the English words."""
        return self.text("en")

    def _repr_html_(self) -> str:
        """Show words and table in a notebook."""
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in self.text("en").split("\n\n"))
        table = self.frame.to_html(index=False, float_format="{:.4f}".format, na_rep="")
        return f"<div>{paragraphs}{table}</div>"


#: Most decimals that a difference is written with so as not to look like zero.
_MOST_DIGITS: Final = 3


def digits_that_tell(value: float, digits: int) -> int:
    """Return how many decimals to write: more where so few would turn a number into zero, which it is not.

    Examples
    --------
    >>> digits_that_tell(0.04, 1), digits_that_tell(0.4, 1), digits_that_tell(0.0, 1)
    (2, 1, 1)
    """
    return next((n for n in range(digits, _MOST_DIGITS + 1) if round(value, n) != 0), digits)


def round_up(n: float) -> int:
    """Return a number of contacts as it is said, with two significant digits: no calculation knows it better.

    Examples
    --------
    >>> round_up(4398), round_up(4400), round_up(45), round_up(101)
    (4400, 4400, 45, 110)
    """
    unit: int = 10 ** max(len(str(int(np.ceil(n)))) - 2, 0)
    return int(np.ceil(n / unit)) * unit


def number(value: float, language: Language, *, digits: int = 1, signed: bool = False) -> str:
    """Return a number as it is written in the language: decimal comma in Italian.

    A signed one, a difference, gets more decimals where it would look like zero.

    Examples
    --------
    >>> number(-8.42, "it"), number(8.42, "en", signed=True), number(float("nan"), "en")
    ('-8,4', '+8.4', '?')
    >>> number(0.04, "it", signed=True)
    '+0,04'
    """
    if np.isnan(value):
        return "?"
    if signed:
        digits = digits_that_tell(value, digits)
    rounded = round(value, digits) + 0.0
    written = f"{rounded:+.{digits}f}" if signed and rounded != 0 else f"{rounded:.{digits}f}"
    return written.replace(".", ",") if language == "it" else written
