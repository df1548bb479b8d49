"""Columns that grow piece by piece hold what a list would hold."""

from __future__ import annotations

import numpy as np
import pytest

from etiquette_analysis.sources import growing
from etiquette_analysis.sources.growing import Codes, Seen, Texts


@pytest.fixture(params=[3, 65_536], ids=["many pieces", "one piece"])
def texts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Texts, list[str | None]]:
    monkeypatch.setattr(growing, "_ROWS", request.param)
    rows = [None if number % 5 == 4 else f"text {number} è" for number in range(100)]
    column = Texts()
    for row in rows:
        column.append(row)
    return column, rows


def test_texts_come_back_in_any_order(texts: tuple[Texts, list[str | None]]) -> None:
    column, rows = texts
    assert list(column) == rows
    order = np.random.default_rng(1).permutation(100)[:60]
    series = column.series(order)
    assert series.dtype == "str"
    assert [None if value is np.nan else value for value in series.tolist()] == [rows[place] for place in order]


def test_the_order_of_the_file_costs_no_copy(texts: tuple[Texts, list[str | None]]) -> None:
    column, rows = texts
    assert column.series(np.arange(100)).fillna("null").tolist() == [row or "null" for row in rows]
    assert Texts().series().tolist() == []


def test_a_long_text_closes_its_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_CHARACTERS", 10)
    column = Texts()
    for text in ("a" * 11, "b", "c" * 10):
        column.append(text)
    assert [len(piece) for piece in column._pieces] == [1, 2]


def test_codes_are_few() -> None:
    column: Codes[tuple[str, ...]] = Codes()
    for row in (("a",), ("a", "b"), ("a",)):
        column.append(row)
    assert column.codes.tolist() == [0, 1, 0]
    assert [column.distinct[code] for code in column.codes] == [("a",), ("a", "b"), ("a",)]
    assert Codes[str]().codes.tolist() == []


def test_seen_is_a_set_that_grows() -> None:
    seen, reference = Seen(), set()
    for number in np.random.default_rng(2).integers(0, 5_000, 10_000):
        name = f"<{number}@x.example>"
        assert (name in seen) == (name in reference)
        seen.add(name)
        reference.add(name)
    assert len(seen._slots) == 8_192 * 2 or len(seen._slots) >= 2 * len(reference)
