"""The folder that a report is written to: whole or not at all, and never over anything that is not a report.

The report is built in a hidden neighbour of the target and renamed at the very end. That neighbour is made before the
long work begins, so that a folder that cannot be written is known at once. Whoever builds holds a lock on it; where the
process was killed the lock is gone, and the next run clears the neighbour away.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from types import TracebackType

FILES: Final = ("audit.csv", "index.html", "provenance.json", "report.ipynb", "report.pdf", "results.json", "turns.csv")
#: What is left in folders that somebody has looked into, or by a browser that was stopped while it printed.
LITTER: Final = (".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", ".report.pdf")


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that this package writes: what users call it, its files, and the mark by which it is known."""

    name: str
    files: tuple[str, ...]
    has_mark: Callable[[Path], bool]


class ReportFolder:
    """A context in which a report is built; on a clean exit it takes the place of ``out``.

    Parameters
    ----------
    out : Path
        The folder to write: absent, empty, or an earlier report.
    kind : FolderKind
        ``REPORT``, or another kind that is written in the same way.

    Raises
    ------
    DesignError
        On entry, where ``out`` holds anything else or its parent cannot be written.
    """

    def __init__(self, out: Path, kind: FolderKind | None = None) -> None:
        self.out, self.kind = out, kind or REPORT
        self.path = Path()
        self._lock: int | None = None

    def __enter__(self) -> ReportFolder:
        require_replaceable(self.out, self.kind)
        try:
            target = Path(os.path.realpath(self.out))
            if target.is_symlink():
                raise DesignError(f"{self.out}: is a link that leads to itself; choose another folder with --out")
            target.parent.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(target)
            self.path = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            self.path.chmod(0o755 & ~_umask())
            self._lock = _lock(self.path)
        except OSError as error:
            msg = f"{self.out}: cannot be written ({error.strerror}); choose another folder with --out"
            raise DesignError(msg) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._take_place()
        finally:
            shutil.rmtree(self.path, ignore_errors=True)
            _unlock(self._lock)
        if isinstance(error, OSError):
            msg = f"{self.out}: cannot be written ({error.strerror}); make room, or choose another folder with --out"
            raise DesignError(msg) from error

    def _take_place(self) -> None:
        require_replaceable(self.out, self.kind)
        target, old = Path(os.path.realpath(self.out)), None
        try:
            if target.exists() and (target.is_mount() or target.resolve() == Path.cwd()):
                return _move_files(self.path, target, self.kind)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
                target.rename(old / target.name)
            self.path.rename(target)
        except OSError as error:
            if old is not None and (old / target.name).exists():
                (old / target.name).rename(target)
            msg = (
                f"{self.out}: the earlier {self.kind.name} cannot be replaced ({error.strerror}); choose another --out"
            )
            raise DesignError(msg) from error
        finally:
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None where another holds the lock, or there are no locks."""
    if sys.platform == "win32":  # has no such locks, and lets nobody remove a folder in use
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _clear_abandoned(target: Path) -> None:
    """Remove what runs that were killed left beside ``target``, and put back an earlier report that one had in hand."""
    name = re.compile(rf"\.{re.escape(target.name)}-(?:old-)?[a-z0-9_]{{8}}")
    for folder in [p for p in target.parent.iterdir() if name.fullmatch(p.name) and p.is_dir() and not p.is_symlink()]:
        lock = _lock(folder)
        if lock is None:
            continue
        if (folder / target.name).is_dir() and not target.exists():
            (folder / target.name).rename(target)
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def _move_files(made: Path, target: Path, kind: FolderKind) -> None:
    """Fill a folder that cannot be renamed (a mounted one, or where the user stands); the page comes last."""
    for name in kind.files:
        (target / name).unlink(missing_ok=True)
    for file in sorted(made.iterdir(), key=lambda f: f.name == "index.html"):
        shutil.move(file, target / file.name)


def require_replaceable(out: Path, kind: FolderKind | None = None) -> None:
    """Raise ``DesignError`` unless ``out`` is absent, an empty folder, or holds an earlier report and nothing else.

    >>> require_replaceable(Path("no-such-folder"))
    """
    kind = kind or REPORT
    try:
        if not out.exists():
            return
        if not out.is_dir():
            msg = f"{out}: is a file; expected a folder to write the {kind.name} to. Choose another --out."
            raise DesignError(msg)
        names = sorted(p.name for p in out.iterdir() if p.name not in LITTER)
    except OSError as error:
        msg = f"{out}: cannot be read ({error.strerror}); choose another folder with --out"
        raise DesignError(msg) from error
    strange = [name for name in names if name not in kind.files]
    if strange or (names and not kind.has_mark(out)):
        what = strange[0] if strange else names[0]
        msg = (
            f"{out}: holds {what!r}, which is not part of an earlier {kind.name}, and nothing there will be "
            "overwritten; choose another folder with --out, or empty this one"
        )
        raise DesignError(msg)


def require_writable(out: Path, kind: FolderKind | None = None) -> None:
    """Raise ``DesignError`` where ``ReportFolder`` would on entry; nothing is made, so it can be asked before reading.

    >>> require_writable(Path("no-such-folder"))
    """
    require_replaceable(out, kind)
    target = Path(os.path.realpath(out))
    above = next(folder for folder in target.parents if folder.exists() or folder == folder.parent)
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        why = "no folder may be made in it" if above.is_dir() else "is not a folder"
        raise DesignError(f"{out}: cannot be written ({above.name or above}: {why}); choose another folder with --out")


def _is_report(folder: Path) -> bool:
    """Return whether the page in a folder says that this package wrote it."""
    page = folder / "index.html"
    try:
        with page.open(encoding="utf-8") as file:
            return 'content="etiquette-analysis' in file.read(2000)
    except (OSError, UnicodeDecodeError):
        return False


REPORT: Final = FolderKind("report", FILES, _is_report)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
