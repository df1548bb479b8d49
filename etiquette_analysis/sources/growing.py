"""Columns that grow while a file is read, at a few bytes a row.

A mailbox of gigabytes holds millions of mails, and a Python object for each of their fields costs ten times what the
file holds. So texts go into Arrow in pieces, and values that come again and again (people, kinds) become numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

_T = TypeVar("_T", bound=Hashable)
_ROWS: Final = 65_536
_CHARACTERS: Final = 2**22
_TEXT: Final = pa.large_string()


class Texts:
    """A column of texts or nulls.

    >>> texts = Texts()
    >>> texts.append("a"), texts.append(None), texts.append("b")
    (None, None, None)
    >>> texts.series(np.array([2, 0])).tolist()
    ['b', 'a']
    """

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._rows: list[str | None] = []
        self._n_characters = 0

    def append(self, text: str | None) -> None:
        """Add one row."""
        self._rows.append(text)
        self._n_characters += len(text or "")
        if len(self._rows) >= _ROWS or self._n_characters > _CHARACTERS:
            self._close_piece()

    def _close_piece(self) -> None:
        self._pieces.append(pa.array(self._rows, _TEXT))
        self._rows, self._n_characters = [], 0

    def __iter__(self) -> Iterator[str | None]:
        """Yield the rows, a piece at a time in memory."""
        for piece in self._pieces:
            yield from piece.to_pylist()
        yield from self._rows

    def series(self, order: npt.NDArray[np.int64] | None = None) -> pd.Series:
        """Return the column as ``str``, its rows in the order of these positions, and forget it."""
        self._close_piece()
        column = pa.chunked_array(self._pieces, _TEXT)
        self._pieces = []
        if order is None or np.array_equal(order, np.arange(len(column))):
            return as_series(column)
        whole = column.combine_chunks()
        del column
        pieces = [whole.take(pa.array(order[at : at + _ROWS])) for at in range(0, len(order), _ROWS)]
        return as_series(pa.chunked_array(pieces, _TEXT))


class Codes(Generic[_T]):
    """A column of values of which there are few.

    >>> people = Codes[str]()
    >>> people.append("ada"), people.append("ben"), people.append("ada")
    (None, None, None)
    >>> people.distinct, people.codes.tolist()
    (['ada', 'ben'], [0, 1, 0])
    """

    def __init__(self) -> None:
        self.distinct: list[_T] = []
        self._code_of: dict[_T, int] = {}
        self._rows = array("i")

    def append(self, value: _T) -> None:
        """Add one row."""
        self._rows.append(self.code(value))

    def code(self, value: _T) -> int:
        """Return the number of a value, a new one where it is new."""
        code = self._code_of.setdefault(value, len(self.distinct))
        if code == len(self.distinct):
            self.distinct.append(value)
        return code

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """The number of each row's value."""
        return np.frombuffer(self._rows, np.int32) if self._rows else np.empty(0, np.int32)


class Seen:
    """Which names were seen, in 16 to 27 bytes a name: 64 bits of each.

    Two of ten million names are taken for one with a chance of one in 400,000.

    >>> seen = Seen()
    >>> seen.add("a"), seen.add("a"), "a" in seen, "b" in seen
    (None, None, True, False)
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._n = 0

    def __contains__(self, name: str) -> bool:
        return self._slots[self._place(_mark(name))] != 0

    def add(self, name: str) -> None:
        """Remember a name."""
        mark = _mark(name)
        place = self._place(mark)
        self._n += self._slots[place] == 0
        self._slots[place] = mark
        if self._n * 2 > len(self._slots):
            old = self._slots
            self._slots = array("Q", bytes(16 * len(old)))
            for mark in filter(None, old):
                self._slots[self._place(mark)] = mark

    def _place(self, mark: int) -> int:
        """Return the slot that holds a mark, or the free one where it belongs."""
        slots, last = self._slots, len(self._slots) - 1
        place = mark & last
        while slots[place] not in (0, mark):
            place = (place + 1) & last
        return place


def _mark(name: str) -> int:
    """Return 64 bits that stand for a name, never 0, the same on every machine."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") or 1


def as_series(column: Any) -> pd.Series:
    """Return an Arrow column of texts as ``str``, without a copy."""
    series: pd.Series = column.to_pandas()
    return series.astype("str")


def spread(values: list[str] | list[str | None], codes: npt.NDArray[np.integer[Any]]) -> pd.Series:
    """Return the value of each code as ``str``.

    >>> spread(["ada", "ben"], np.array([1, 1, 0])).tolist()
    ['ben', 'ben', 'ada']
    """
    return as_series(pa.array(values, _TEXT).take(pa.array(codes)))
