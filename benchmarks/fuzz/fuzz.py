"""Coverage-guided fuzzing of the readers: ``make fuzz SECONDS=180``, or ``python benchmarks/fuzz/fuzz.py mbox``.

Exports come from strangers' programs, so a reader must refuse what it cannot read with one of our errors, and never
with another exception, a hang or a full memory. atheris (libFuzzer for Python) watches which lines of
``etiquette_analysis.sources`` an input reaches and keeps what reaches new ones. It starts from the cases in
``tests/sources/fuzz/READER`` and changes them with what exports are made of (``mutate.py``).

What counts as a crash: any exception that is no ``EtiquetteError``, any warning, a table that breaks the schema, one
input that takes more than 10 s, or a process above 1 GB. A new crash (by exception and by the line of ours that raised
it) is written beside its traceback to ``--found``, made small, and belongs into ``tests/sources/fuzz/READER`` with the
repair: ``tests/sources/test_fuzz.py`` replays all of them. ``results.csv`` sums up
all runs so far.

atheris is pinned apart, in ``requirements/fuzz.txt``; ``make fuzz`` installs it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
CASES: Final = HERE.parents[1] / "tests" / "sources" / "fuzz"
sys.path[:0] = [str(HERE), str(CASES)]

RESULTS: Final = HERE / "results.csv"
COLUMNS: Final = ("reader", "cpu_seconds", "executions", "cases", "features", "read", "refused", "new_crashes")
MAX_BYTES: Final = 16_384
TIMEOUT_S: Final = 10
RSS_MB: Final = 1024
RunCase = Callable[[str, bytes, Path], str]
_DONE: Final = re.compile(r"#(\d+)\s.*\bft: (\d+) corp: (\d+)/")
#: libFuzzer ends the process without a word of ours, so what was read and refused is told as it goes.
COUNTS: Final = "counts.json"


def signature(error: BaseException) -> str:
    """Name a crash: the exception, and the last line of ours on the way to it."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if "etiquette_analysis" in f.filename]
    last = f"{Path(ours[-1].filename).name}:{ours[-1].name}:{ours[-1].line}" if ours else "nowhere"
    return f"{type(error).__name__} at {last}"


class Target:
    """Runs one case; keeps a new crash and goes on."""

    def __init__(self, reader: str, found: Path, run_case: RunCase) -> None:
        self._run_case, self._reader, self._found, self._scratch = run_case, reader, found, found / "scratch"
        self._known = {path.read_text().split("\n", 1)[0] for path in found.glob("*.txt")}
        self.counts = {"read": 0, "refused": 0}
        (found / COUNTS).write_text(json.dumps(self.counts))

    def crash(self, data: bytes) -> BaseException | None:
        """Return what a case raises that it must not, None where nothing."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self._outcome = self._run_case(self._reader, data, self._scratch)
        except Exception as error:
            return error
        return None

    def __call__(self, data: bytes) -> int:
        """Run one input for the fuzzer; -1 keeps what is no case out of the corpus."""
        error = self.crash(data)
        if error is not None:
            self.keep(data, error)
            return 0
        if not self._outcome:
            return -1
        self.counts["read" if self._outcome == "read" else "refused"] += 1
        if sum(self.counts.values()) % 25 == 0:
            (self._found / COUNTS).write_text(json.dumps(self.counts))
        return 0

    def keep(self, data: bytes, error: BaseException) -> None:
        """Write a new crash down."""
        name = signature(error)
        if name not in self._known:
            self._known.add(name)
            stem = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
            report = f"{name}\n{''.join(traceback.format_exception(error))}"
            (self._found / f"{stem}.case").write_bytes(data)
            (self._found / f"{stem}.txt").write_text(report, errors="backslashreplace")

    def shrink(self, path: Path) -> None:
        """Make a crash that was written down smaller, if it can be."""
        name = path.with_suffix(".txt").read_text().split("\n", 1)[0]
        small = minimise(
            path.read_bytes(), lambda smaller: (e := self.crash(smaller)) is not None and signature(e) == name
        )
        path.write_bytes(small)


def minimise(data: bytes, still: Callable[[bytes], bool], *, seconds: float = 15) -> bytes:
    """Leave out lines, then bytes, in ever smaller pieces, as long as the crash stays the same."""
    until = time.monotonic() + seconds
    for by_lines in (True, False):
        parts = data.splitlines(keepends=True) if by_lines else [data[at : at + 1] for at in range(len(data))]
        size = max(len(parts) // 2, 1)
        while size and time.monotonic() < until:
            at = 0
            while at < len(parts) and time.monotonic() < until:
                fewer = parts[:at] + parts[at + size :]
                if fewer and still(b"".join(fewer)):
                    parts = fewer
                else:
                    at += size
            size //= 2
        data = b"".join(parts)
    return data


def child(reader: str, seconds: int, found: Path, corpus: Path) -> None:
    """Fuzz in this process, until the time is over or libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["etiquette_analysis.sources"]):
        run_case = importlib.import_module("cases").run_case
    from mutate import mutate

    target = Target(reader, found, run_case)

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        return mutate(data, reader, max_size, seed, atheris.Mutate)

    limits = [f"-max_total_time={seconds}", f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={RSS_MB}"]
    sizes = [f"-max_len={MAX_BYTES}", "-len_control=0", f"-artifact_prefix={found}/libfuzzer-"]
    arguments = [sys.argv[0], str(corpus), str(CASES / reader), *limits, *sizes]
    atheris.Setup(arguments, target, custom_mutator=change)
    atheris.Fuzz()


def fuzz(reader: str, seconds: int, found: Path, corpus: Path) -> dict[str, Any]:
    """Fuzz one reader in child processes, one after the other, and return what was done."""
    (found / reader).mkdir(parents=True, exist_ok=True)
    (corpus / reader).mkdir(parents=True, exist_ok=True)
    (CASES / reader).mkdir(exist_ok=True)
    before = set((found / reader).glob("*.case")) | set((found / reader).glob("libfuzzer-*"))
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    until = time.monotonic() + seconds
    done: dict[str, int] = dict.fromkeys(("executions", "cases", "features", "read", "refused"), 0)
    while (left := int(until - time.monotonic())) > 3:
        command = [sys.executable, __file__, reader, "--seconds", str(left), "--child"]
        command += ["--found", str(found), "--corpus", str(corpus)]
        environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, check=False)
        told = run.stderr.decode(errors="replace")
        (found / reader / "last.log").write_text(told)
        for n, features, n_cases in _DONE.findall(told)[-1:]:
            done["executions"] += int(n)
            done["features"], done["cases"] = int(features), int(n_cases)
        for outcome, n in json.loads((found / reader / COUNTS).read_text()).items():
            done[outcome] += n
        if not _DONE.search(told):
            sys.exit(f"{reader}: the fuzzer did not start:\n{told[-2000:]}")
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    after = set((found / reader).glob("*.case")) | set((found / reader).glob("libfuzzer-*"))
    from cases import run_case

    for path in sorted(after - before):
        if path.suffix == ".case":
            Target(reader, found / reader, run_case).shrink(path)
    seconds_cpu = now.ru_utime + now.ru_stime - cpu.ru_utime - cpu.ru_stime
    return {"reader": reader, "cpu_seconds": round(seconds_cpu), **done, "new_crashes": len(after - before)}


def record(row: dict[str, Any]) -> None:
    """Add what a run did to the reader's line: sums, but of cases and features the most reached."""
    kept = list(csv.DictReader(RESULTS.read_text().splitlines())) if RESULTS.exists() else []
    lines: dict[str, dict[str, Any]] = {line["reader"]: line for line in kept}
    line = lines.setdefault(row["reader"], dict.fromkeys(COLUMNS, 0) | {"reader": row["reader"]})
    for name in COLUMNS[1:]:
        before, now = int(line[name]), int(row[name])
        line[name] = max(before, now) if name in ("cases", "features") else before + now
    with RESULTS.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines[name] for name in sorted(lines))


def main() -> None:
    """Fuzz the readers named, or all of them."""
    scratch = Path(tempfile.gettempdir(), "etiquette-fuzz")
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("readers", nargs="*", help="default: all")
    parser.add_argument("--seconds", type=int, default=180, help="for each reader")
    parser.add_argument("--found", type=Path, default=scratch / "found", help="where crashes go")
    parser.add_argument("--corpus", type=Path, default=scratch / "corpus", help="what is kept between runs")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        (reader,) = options.readers
        child(reader, options.seconds, options.found / reader, options.corpus / reader)
        return
    from cases import READERS

    for reader in options.readers or READERS:
        row = fuzz(reader, options.seconds, options.found, options.corpus)
        record(row)
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
