"""Small counts stay hidden, also from somebody who subtracts: checked by trying every table that fits what is shown."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.privacy import rare_values, suppress_small


def bounds(shown: pd.DataFrame, cell: tuple[int, int]) -> tuple[float, float]:
    """Return the smallest and largest value that a cell can have, given everything shown (linear programming)."""
    from scipy.optimize import linprog

    n_rows, n_columns = shown.shape
    size = n_rows * n_columns
    equal, right = [], []
    for i, j in itertools.product(range(n_rows), range(n_columns)):
        if not pd.isna(shown.iloc[i, j]):
            row = np.zeros((n_rows, n_columns))
            row[i, j] = 1
            equal.append(row.ravel())
            right.append(float(shown.iloc[i, j]))
    for i in range(n_rows):
        row = np.zeros((n_rows, n_columns))
        row[i, :], row[i, -1] = 1, -1
        equal.append(row.ravel())
        right.append(0)
    for j in range(n_columns):
        row = np.zeros((n_rows, n_columns))
        row[:, j], row[-1, j] = 1, -1
        equal.append(row.ravel())
        right.append(0)
    target = np.zeros((n_rows, n_columns))
    target[cell] = 1
    found = [linprog(sign * target.ravel(), A_eq=equal, b_eq=right, bounds=[(0, None)] * size) for sign in (1, -1)]
    assert all(f.status in (0, 3) for f in found)
    return found[0].fun, np.inf if found[1].status == 3 else -found[1].fun


@pytest.mark.parametrize("seed", range(25))
def test_no_small_count_can_be_worked_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inner = pd.DataFrame(rng.poisson(rng.choice([2, 6, 30]), size=(rng.integers(2, 6), rng.integers(2, 5))))
    shown = suppress_small(inner)
    full = inner.assign(total=inner.sum(axis=1))
    full.loc["total"] = full.sum(axis=0)
    agrees = (shown == full) | shown.isna()
    assert agrees.all(axis=None), "what is shown is true"
    for i, j in itertools.product(range(full.shape[0]), range(full.shape[1])):
        if 0 < full.iloc[i, j] < 5:
            low, high = bounds(shown, (i, j))
            assert high - low > 0.5, f"the count in {i, j} can be worked out"


def test_blanking_the_small_cell_alone_would_not_do() -> None:
    inner = pd.DataFrame([[2, 30], [40, 50]])
    naive = inner.assign(total=inner.sum(axis=1))
    naive.loc["total"] = naive.sum(axis=0)
    naive = naive.astype("Int64").mask(naive < 5)
    low, high = bounds(naive, (0, 0))
    assert low == pytest.approx(high) == pytest.approx(2)


def test_a_group_whose_total_is_small_is_hidden_with_its_total() -> None:
    shown = suppress_small(pd.Series([1, 2, 40], index=["a", "b", "c"]))
    assert shown.isna().tolist() == [True, True, True, False]
    shown = suppress_small(pd.Series([1, 2]))
    assert shown.isna().all()


def test_zeros_and_large_counts_are_shown() -> None:
    counts = pd.Series({"a": 0, "b": 5, "c": 80})
    assert suppress_small(counts).tolist() == [0, 5, 80, 85]
    assert suppress_small(counts, total=None).tolist() == [0, 5, 80]


def test_without_a_total_only_the_small_go() -> None:
    assert suppress_small(pd.Series([1, 9, 0]), total=None).isna().tolist() == [True, False, False]


def test_the_callers_table_is_not_changed() -> None:
    counts = pd.DataFrame({"a": [1, 9], "b": [7, 3]})
    before = counts.copy()
    suppress_small(counts)
    pd.testing.assert_frame_equal(counts, before)


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(DesignError, match="expected whole numbers of 0 or more"):
        suppress_small(pd.Series([0.5]))
    with pytest.raises(DesignError, match="expected whole numbers of 0 or more"):
        suppress_small(pd.Series([-1]))
    with pytest.raises(DesignError, match="k is 0; expected 1 or more"):
        suppress_small(pd.Series([1]), k=0)


def test_empty_tables() -> None:
    assert suppress_small(pd.Series([], dtype="int64")).tolist() == [0]


def test_rare_values() -> None:
    values = pd.Series([3.0] * 5 + [4.0] * 4 + [None])
    assert rare_values(values).tolist() == [False] * 5 + [True] * 4 + [False]
    assert rare_values(values, k=4).sum() == 0
