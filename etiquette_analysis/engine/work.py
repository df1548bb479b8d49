"""Long work that survives being stopped: a hidden folder beside the result that remembers how far it has come.

Everything is made in ``.NAME.part`` beside ``NAME``: what was read, each finished part, and what the work was about.
A file there is whole, because it got its name when it was. Whoever is stopped (killed, out of power, out of disk) and
asks the same again goes on from the last whole file; whoever asks anything else starts anew. At the end the result
takes its place in one step, and the hidden folder goes.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import duckdb

from etiquette_analysis.errors import DesignError, EtiquetteError, SourceError

try:
    import fcntl
except ImportError:  # Windows has no such locks; there, two runs at once are not noticed
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: What a folder of results says about itself; its presence marks a folder that may be replaced.
ABOUT: Final = "_labels.json"
_RUN: Final = "run.json"
_LOCK: Final = "lock"


class Work:
    """The hidden folder in which ``out`` is made.

    Parameters
    ----------
    out : Path
        A file ending in ``.parquet``, or a folder (absent, empty, or an earlier result).

    Attributes
    ----------
    scanned, parts : Path
        Folders for what was read, and for what will be the result.
    spill : Path
        A folder for whatever need not survive.

    Raises
    ------
    SourceError
        Where ``out`` cannot be written or holds something else.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.is_folder = require_place(out)
        self.folder = out.absolute().with_name(f".{out.name}.part")
        self.scanned, self.parts, self.spill = (self.folder / name for name in ("scanned", "parts", "spill"))

    @contextmanager
    def doing(self, question: Mapping[str, Any], say: Callable[[str], object]) -> Iterator[None]:
        """Work inside the block, on top of what an earlier run with the same question has left.

        Parameters
        ----------
        question : mapping
            All that the result depends on, as JSON can hold it.
        say : callable
            Told in a sentence that an earlier run is continued, or why it is not.
        """
        lock = self._lock()
        try:
            self._continue_or_start_anew(json.loads(json.dumps(question)), say)
            try:
                yield
            except EtiquetteError:  # what the user must put right changes the question
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
            except BaseException as error:  # all else (no space, a signal) may be tried again
                shutil.rmtree(self.spill, ignore_errors=True)
                if not isinstance(error, OSError | duckdb.Error):
                    raise
                msg = (
                    f"{self.out}: stopped ({str(error).splitlines()[0]}); what is done is kept: make room, or allow "
                    "more memory (memory_limit, --memory-limit), and the same call goes on from here"
                )
                raise SourceError(msg) from error
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            lock.close()

    def _lock(self) -> IO[str]:
        try:
            self.folder.mkdir(exist_ok=True)
            lock = (self.folder / _LOCK).open("w")
        except OSError as error:
            msg = f"{self.out}: cannot be written ({error.strerror}); choose a folder that you may write to"
            raise SourceError(msg) from error
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.close()
                msg = f"{self.out} is being written by another run; wait for it, or choose another name"
                raise DesignError(msg) from error
        return lock

    def _continue_or_start_anew(self, question: Mapping[str, Any], say: Callable[[str], object]) -> None:
        run = self.folder / _RUN
        try:
            earlier = json.loads(run.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            earlier = None
        shutil.rmtree(self.spill, ignore_errors=True)
        if earlier == question:
            say(f"going on with the unfinished {self.out.name}")
        else:
            if earlier is not None:
                changed = sorted(key for key in {*earlier, *question} if earlier.get(key) != question.get(key))
                say(f"starting {self.out.name} anew: since the unfinished run, {', '.join(changed)} changed")
            for folder in (self.scanned, self.parts, self.folder / "ends"):
                shutil.rmtree(folder, ignore_errors=True)
            write_whole(run, json.dumps(question, indent=1, sort_keys=True))
        for folder in (self.scanned, self.parts, self.folder / "ends", self.spill):
            folder.mkdir(exist_ok=True)

    def ends(self) -> list[dict[str, Any]]:
        """Return what was noted at the end of each finished part, in order."""
        ends: list[dict[str, Any]] = []
        while (note := self._end(len(ends))).exists() and part_of(self.parts, len(ends)).exists():
            ends.append(json.loads(note.read_text(encoding="utf-8")))
        return ends

    def end(self, number: int, note: Mapping[str, Any]) -> None:
        """Note that a part is finished, and what the next run must know of it."""
        write_whole(self._end(number), json.dumps(note))

    def _end(self, number: int) -> Path:
        return self.folder / "ends" / f"{number:05d}.json"

    def finish(self, about: Mapping[str, Any], *, made: Path | None = None) -> None:
        """Put the result in its place: the folder of parts with ``about``; or one file, ``made`` or the only part."""
        if not self.is_folder:
            (made or part_of(self.parts, 0)).replace(self.out)
            return
        write_whole(self.parts / ABOUT, json.dumps(about, indent=1) + "\n")
        old = self.folder / "old"
        shutil.rmtree(old, ignore_errors=True)
        if self.out.exists():
            self.out.rename(old)
        self.parts.rename(self.out)


def require_place(out: Path) -> bool:
    """Return whether ``out`` is to be a folder; ``SourceError`` where it cannot be written or holds something else."""
    problem = None
    if not out.absolute().parent.is_dir():
        problem = "lies in no folder; create it first"
    elif out.suffix == ".parquet" and out.is_dir():
        problem = "is a folder; expected the name of a file, or of a folder without an ending"
    elif out.suffix not in ("", ".parquet") and not out.is_dir():
        problem = "is neither a folder nor a file ending in .parquet"
    elif out.suffix != ".parquet" and out.exists():
        if not out.is_dir():
            problem = "is a file; expected a folder, or a name ending in .parquet"
        elif any(out.iterdir()) and not (out / ABOUT).is_file():
            problem = "is a folder that holds something else; choose a new name"
    if problem is not None:
        msg = f"{out} {problem}"
        raise SourceError(msg)
    return out.suffix != ".parquet"


def part_of(folder: Path, number: int) -> Path:
    """Return the name of a part.

    >>> part_of(Path("parts"), 7).name
    'part-00007.parquet'
    """
    return folder / f"part-{number:05d}.parquet"


def n_whole(folder: Path) -> int:
    """Return how many parts there are, from the first on without a gap."""
    n = 0
    while part_of(folder, n).exists():
        n += 1
    return n


def write_whole(path: Path, text: str) -> None:
    """Write a small file; it appears whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def describe_files(files: Iterable[Path]) -> list[list[Any]]:
    """Return name, size and time of change of files: what tells whether they are still the same."""
    found: list[list[Any]] = []
    for path in files:
        try:
            state = path.stat()
        except OSError:
            found.append([os.fspath(path), None, None])
        else:
            found.append([os.fspath(path.absolute()), state.st_size, state.st_mtime_ns])
    return found
