"""Streams cut anew: parts end where a pair does, and what is worked on side by side stays in order."""

from __future__ import annotations

import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from etiquette_analysis.engine.parts import PairParts, recut, without_first
from etiquette_analysis.engine.workers import n_threads, ordered_map


def batches_of(first, second, cuts):
    """Return rows numbered in order, cut at some places, with both halves of their keys."""
    table = pa.record_batch({"row": np.arange(len(first))})
    for begin, end in zip([0, *cuts], [*cuts, len(first)], strict=True):
        if begin < end:
            yield table.slice(begin, end - begin), first[begin:end], second[begin:end]


def expected_parts(first, second, rows):
    """Cut the slow way: a part is closed by the first row of a new pair once it is long enough."""
    parts, part, previous = [], [], None
    for row, key in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        if len(part) >= rows and key != previous:
            parts.append(part)
            part = []
        part.append(row)
        previous = key
    return [*parts, part]


@pytest.mark.parametrize("seed", range(20))
def test_parts_end_with_a_pair_however_the_stream_was_cut(seed):
    rng = np.random.default_rng(seed)
    n, rows = 200, int(rng.integers(1, 60))
    first, second = np.sort(rng.integers(-1, 4, n)), rng.integers(0, 3, n)
    second = second[np.lexsort((second, first))]
    expected = expected_parts(first, second, rows)
    for n_cuts in (0, 3, 40):
        cuts = np.sort(rng.integers(0, n, n_cuts)).tolist()
        parts = PairParts(batches_of(first, second, cuts), rows)
        found, ends = [], []
        for part in parts:
            found.append([row for batch in part for row in batch.column("row").to_pylist()])
            ends.append(parts.last)
        assert found == expected
        assert ends == [(first[part[-1]], second[part[-1]]) for part in expected]
    (whole,) = [list(part) for part in PairParts(batches_of(first, second, [50]), None)]
    assert sum(batch.num_rows for batch in whole) == n


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_cut_anew_without_loss(seed):
    rng = np.random.default_rng(seed)
    first = np.zeros(50, dtype=np.int64)
    cut = [batch for batch, *_ in batches_of(first, first, np.sort(rng.integers(0, 50, 6)).tolist())]
    skipped, rows = int(rng.integers(0, 60)), int(rng.integers(1, 20))
    again = list(recut(without_first(cut, skipped), rows))
    assert [row for batch in again for row in batch.column("row").to_pylist()] == list(range(skipped, 50))
    assert all(batch.num_rows == rows for batch in again[:-1])


def test_work_side_by_side_stays_in_order_and_bounded():
    running, most, lock = 0, 0, threading.Lock()
    taken = 0

    def items():
        nonlocal taken
        for item in range(20):
            taken += 1
            yield item

    def work(item):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002 * (item % 3))
        with lock:
            running -= 1
        return item

    for n, item in enumerate(ordered_map(work, items(), threads=3), 1):
        assert item == n - 1
        assert taken - n <= 4
    assert 1 < most <= 3


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_the_work_comes_out_as_it_is(threads):
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda item: 1 // (item - 5), range(10), threads=threads))


def test_threads_asked_for_are_used():
    assert n_threads(3) == 3
    assert n_threads(None) >= 1
