"""Cutting streams of Arrow batches into parts and writing these, so that the same rows are always the same bytes.

How many rows a reader hands over at a time depends on threads and on where a run was taken up again. So everything
is cut anew by counting rows, and a part of labels ends where a pair of people does.
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etiquette_analysis.engine.work import part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from etiquette_analysis.engine.scan import Progress
    from etiquette_analysis.engine.work import Work
    from etiquette_analysis.labels.structure import Ints

ROW_GROUP: Final = 1 << 17

#: A pair of people as the sort orders them; None is before everybody.
Key = tuple[int, int]


def recut(batches: Iterable[Any], rows: int) -> Iterator[Any]:
    """Cut record batches anew, ``rows`` each but for the last; empty ones go.

    Examples
    --------
    >>> cut = recut([pa.record_batch({"a": [1, 2, 3]}), pa.record_batch({"a": [4, 5]})], 2)
    >>> [batch.column("a").to_pylist() for batch in cut]
    [[1, 2], [3, 4], [5]]
    """
    waiting: list[Any] = []
    n = 0
    for batch in batches:
        begin = 0
        while n + batch.num_rows - begin >= rows:
            end = begin + rows - n
            yield joined([*waiting, batch.slice(begin, end - begin)])
            waiting, n, begin = [], 0, end
        if begin < batch.num_rows:
            waiting.append(batch.slice(begin))
            n += batch.num_rows - begin
    if waiting:
        yield joined(waiting)


def joined(batches: list[Any]) -> Any:
    """Return several batches as one."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def without_first(batches: Iterable[Any], n: int) -> Iterator[Any]:
    """Leave out the first ``n`` rows.

    >>> [batch.column("a").to_pylist() for batch in without_first([pa.record_batch({"a": [1, 2, 3]})], 2)]
    [[3]]
    """
    for batch in batches:
        if n < batch.num_rows:
            yield batch.slice(n)
        n = max(n - batch.num_rows, 0)


class PairParts:
    """Parts of a sorted stream that end where a pair of people does, once they have ``rows`` rows.

    Parameters
    ----------
    batches : iterable of (RecordBatch, int array, int array)
        Sorted rows, and for each row both halves of its key.
    rows : int or None
        After so many rows, or up to the end of the pair that is then at hand, a part ends; None: all is one part.
    """

    def __init__(self, batches: Iterable[tuple[Any, Ints, Ints]], rows: int | None) -> None:
        self.rows = sys.maxsize if rows is None else rows
        #: The pair that ended the part that was read last.
        self.last: Key | None = None
        self._pieces = self._cut(batches)

    def __iter__(self) -> Iterator[Iterator[Any]]:
        for _, pieces in groupby(self._pieces, key=lambda piece: piece[0]):
            yield self._batches(pieces)

    def _batches(self, pieces: Iterator[tuple[int, Any, Key]]) -> Iterator[Any]:
        for _, batch, last in pieces:
            self.last = last
            yield batch

    def _cut(self, batches: Iterable[tuple[Any, Ints, Ints]]) -> Iterator[tuple[int, Any, Key]]:
        part, n, before = 0, 0, None
        for batch, first, second in batches:
            opens = np.ones(len(first), dtype=bool)
            opens[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
            opens[0] = (first[0], second[0]) != before
            borders = np.flatnonzero(opens)
            begin = 0
            while begin < len(first):
                after = borders[np.searchsorted(borders, begin + max(self.rows - n, 0)) :]
                end = int(after[0]) if len(after) else len(first)
                if begin < end:
                    before = int(first[end - 1]), int(second[end - 1])
                    yield part, batch.slice(begin, end - begin), before
                    n += end - begin
                if len(after):
                    part, n = part + 1, 0
                begin = end


def write_part(batches: Iterable[Any], schema: Any, path: Path) -> int:
    """Write batches as a Parquet file that appears whole or not at all; return the number of rows."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    n_rows = 0
    with pq.ParquetWriter(unfinished, schema) as writer:
        for batch in recut(batches, ROW_GROUP):
            writer.write_batch(batch)
            n_rows += batch.num_rows
    unfinished.replace(path)
    return n_rows


def write_parts(
    work: Work,
    batches: Callable[[Key | None], Iterator[tuple[Any, Ints, Ints]]],
    label: Callable[[Iterable[Any]], Iterator[Any]],
    schema: Any,
    *,
    rows: int | None,
    n_messages: int,
    progress: Progress,
) -> int:
    """Label and write part after part from where an earlier run stopped; return the rows of all parts.

    ``batches`` gives what is sorted behind a pair (None: everything), ``label`` turns the batches of a part into those
    to write, ``rows`` is as for :class:`PairParts`.
    """
    ends = work.ends()
    n_rows, n_done = (sum(int(end[name]) for end in ends) for name in ("n_rows", "n_messages"))
    parts = PairParts(batches(tuple(ends[-1]["last"]) if ends else None), rows)
    for number, part in enumerate(parts, len(ends)):
        n_before = n_done

        def counted(part: Iterator[Any] = part) -> Iterator[Any]:
            nonlocal n_done
            for batch in part:
                n_done += batch.num_rows
                yield batch
                progress("labelling", n_done, n_messages, "messages")

        n = write_part(label(counted()), schema, part_of(work.parts, number))
        work.end(number, {"last": parts.last, "n_rows": n, "n_messages": n_done - n_before})
        n_rows += n
    if not part_of(work.parts, 0).exists():
        write_part([], schema, part_of(work.parts, 0))
    return n_rows
