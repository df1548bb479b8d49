"""Every seed and every crasher of the fuzzer (``benchmarks/fuzz``), replayed."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from .fuzz.cases import READERS, Case, run_case, unpack

CASES = sorted((Path(__file__).parent / "fuzz").glob("*/*.case"))


@cache
def outcome_of(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return run_case(path.parent.name, path.read_bytes(), Path(folder))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_only_our_errors_and_only_tables_that_keep_the_schema(path: Path) -> None:
    assert outcome_of(path) in {"read", "SourceError", "SchemaError", "DesignError"}


def test_every_reader_has_seeds_and_most_are_read() -> None:
    assert {path.parent.name for path in CASES} == set(READERS)
    for reader in READERS:
        seeds = [path for path in CASES if path.parent.name == reader and path.stem.startswith("seed_")]
        assert [outcome_of(path) for path in seeds].count("read") * 2 > len(seeds), reader


def test_a_crash_is_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "csv", lambda path, options: 1 // 0)
    with pytest.raises(ZeroDivisionError, match="by zero"):
        run_case("csv", Case(files=[("t.csv", b"x")]).pack(), tmp_path)


def test_a_case_survives_packing() -> None:
    case = Case("zip", {"owner": "ada"}, [("a/b.csv", b"x\n\n=== no name"), ("c", b"\x00\xff\n")])
    assert unpack(case.pack()) == case
    assert unpack(b'{"as": "file", "options": {}}\n==== ../x\n') is None
