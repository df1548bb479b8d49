"""Small cells: a count of one to four people may be somebody whom a reader knows, so it is not shown.

To blank the small cell alone is not enough: where its total is printed beside it, a subtraction brings it back. So
further cells, the smallest first, are blanked until no small count follows from what is left (complementary
suppression).
A zero is shown, since there is nobody in it; it is blanked only where no other cell can stand guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, overload

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: A count from one to just below this is not shown.
SMALLEST_CELL: Final = 5


@overload
def suppress_small(counts: pd.Series, *, k: int = ..., total: str | None = ...) -> pd.Series: ...
@overload
def suppress_small(counts: pd.DataFrame, *, k: int = ..., total: str | None = ...) -> pd.DataFrame: ...
def suppress_small(
    counts: pd.Series | pd.DataFrame, *, k: int = SMALLEST_CELL, total: str | None = "total"
) -> pd.Series | pd.DataFrame:
    """Return a table of counts of people with its totals, null where a count is small or would give one away.

    Parameters
    ----------
    counts : Series or DataFrame
        Whole numbers of 0 or more, without totals: the parts of one whole, or of one whole in two ways.
    k : int
        Counts from 1 to ``k - 1`` are small.
    total : str or None
        Name of the totals that are added, and reckoned with: whoever sees them can subtract. None where no total is
        shown anywhere; then only the small counts themselves are blanked.

    Returns
    -------
    Series or DataFrame
        Nullable ``Int64``: as ``counts``, with one more row (and column) of totals.

    Raises
    ------
    DesignError
        Where ``k`` is below 1, or something is not a count.

    Examples
    --------
    Three people answered after a week; the total would say so, hence the next smallest group goes too.

    >>> suppress_small(pd.Series({"day": 40, "week": 3, "month": 12}))
    day        40
    week     <NA>
    month    <NA>
    total      55
    dtype: Int64
    >>> suppress_small(pd.DataFrame({"cold": [2, 30, 9], "warm": [8, 20, 7]}, index=["soft", "moderate", "hard"]))
              cold  warm  total
    soft      <NA>  <NA>     10
    moderate    30    20     50
    hard      <NA>  <NA>     16
    total       41    35     76
    """
    is_table = isinstance(counts, pd.DataFrame)
    values = _as_counts(counts, k)
    hidden = _is_small(values, k)
    rows = counts.index
    if total is not None:
        values = _with_totals(values, is_table=is_table)
        hidden = _hidden(values, k, is_table=is_table)
        rows = rows.append(pd.Index([total]))
    if isinstance(counts, pd.Series):
        return pd.Series(values[:, 0], index=rows, name=counts.name, dtype="Int64").mask(hidden[:, 0])
    columns = counts.columns if total is None else counts.columns.append(pd.Index([total]))
    return pd.DataFrame(values, index=rows, columns=columns).astype("Int64").mask(hidden)


def rare_values(values: pd.Series, *, k: int = SMALLEST_CELL) -> pd.Series:
    """Return, per row, whether its value is shared by fewer than ``k`` rows; false where it is null.

    >>> rare_values(pd.Series(["sales"] * 5 + ["falconer", None])).tolist()
    [False, False, False, False, False, True, False]
    """
    shared = values.map(values.value_counts()).astype("float64")
    return shared.lt(k) & values.notna()


def _as_counts(counts: pd.Series | pd.DataFrame, k: int) -> Ints:
    if k < 1:
        msg = f"k is {k}; expected 1 or more, e.g. {SMALLEST_CELL}"
        raise DesignError(msg)
    given = counts.to_numpy(dtype=np.float64, na_value=np.nan)
    given = given[:, None] if given.ndim == 1 else given
    if not (np.isfinite(given).all() and (given >= 0).all() and (given % 1 == 0).all()):
        msg = "the table to suppress in holds something else than counts; expected whole numbers of 0 or more, no nulls"
        raise DesignError(msg)
    return given.astype(np.int64)


def _is_small(values: Ints, k: int) -> Bools:
    return np.asarray((values > 0) & (values < k))


def _with_totals(values: Ints, *, is_table: bool) -> Ints:
    values = np.vstack([values, values.sum(axis=0)])
    return np.hstack([values, values.sum(axis=1, keepdims=True)]) if is_table else values


def _hidden(values: Ints, k: int, *, is_table: bool) -> Bools:
    """Return which cells to blank in a table that carries its totals last."""
    flat = values.ravel()
    small = _is_small(flat, k)
    hidden = small.copy()
    lines = _lines(values.shape, is_table=is_table)
    is_total: Bools = np.any(lines < 0, axis=0)
    while (sums := _leaking(flat, hidden, small, lines, k)) is not None:
        shown = np.flatnonzero((lines[sums] != 0).any(axis=0) & ~hidden)
        # A part that holds somebody before a total, a total before a zero; where two such sums cross; the smallest.
        crossing = -(lines[sums] != 0).sum(axis=0)
        order = np.lexsort((flat[shown], crossing[shown], is_total[shown], flat[shown] == 0))
        hidden[shown[order[0]]] = True
    return hidden.reshape(values.shape)


def _lines(shape: tuple[int, ...], *, is_table: bool) -> NDArray[np.float64]:
    """Return one row per sum that a reader can do, over the flattened cells: parts 1, total -1."""
    n_rows, n_columns = shape
    sums = []
    for j in range(n_columns):
        line = np.zeros(shape)
        line[:, j], line[-1, j] = 1, -1
        sums.append(line.ravel())
    for i in range(n_rows if is_table else 0):
        line = np.zeros(shape)
        line[i, :], line[i, -1] = 1, -1
        sums.append(line.ravel())
    return np.array(sums)


def _leaking(flat: Ints, hidden: Bools, small: Bools, lines: NDArray[np.float64], k: int) -> Ints | None:
    """Return the sums in which another cell must be blanked; None where no small count can be worked out.

    It can be where it follows from all sums together, or where the blanked parts of a shown total add up to a small
    count. The sums with a single blank come first, since there the chain of subtractions begins.
    """
    blank = np.flatnonzero(hidden)
    follows = np.zeros(len(flat), dtype=bool)
    follows[blank[_determined(lines[:, blank])]] = True
    used, parts = lines != 0, lines > 0
    together = (parts & hidden) @ flat
    few = ~((lines < 0) & hidden).any(axis=1) & (together > 0) & (together < k)
    if not (few.any() or (follows & small).any()):
        return None
    is_open = (used & ~hidden).any(axis=1)
    n_blank = (used & hidden).sum(axis=1)
    for sums in (few | (n_blank == 1), (used & follows & small).any(axis=1), (used & follows).any(axis=1)):
        if (sums & is_open).any():
            return np.flatnonzero(sums & is_open)
    return None


def _determined(system: NDArray[np.float64]) -> Bools:
    """Return which unknowns of ``system @ x = b`` have one solution only: its null space does not move them."""
    if not system.shape[1]:
        return np.zeros(0, dtype=bool)
    _, singular, rows = np.linalg.svd(system, full_matrices=True)
    rank = int((singular > 1e-9).sum())
    return np.asarray((np.abs(rows[rank:]) < 1e-9).all(axis=0))
