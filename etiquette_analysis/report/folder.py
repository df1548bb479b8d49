"""The folder that a report is written to: whole or not at all, and never over anything that is not a report.

The report is built in a hidden neighbour of the target and renamed at the very end. That neighbour is made before the
long work begins, so that a folder that cannot be written is known at once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from types import TracebackType

FILES: Final = ("audit.csv", "index.html", "provenance.json", "report.ipynb", "results.json", "turns.csv")
#: What operating systems leave in folders that somebody has looked into.
_LITTER: Final = (".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints")


class ReportFolder:
    """A context in which a report is built; on a clean exit it takes the place of ``out``.

    Parameters
    ----------
    out : Path
        The folder to write: absent, empty, or an earlier report.

    Raises
    ------
    DesignError
        On entry, where ``out`` holds anything else or its parent cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = Path()

    def __enter__(self) -> ReportFolder:
        require_replaceable(self.out)
        target = self.out.absolute()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.path = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            self.path.chmod(0o755 & ~_umask())
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

    def _take_place(self) -> None:
        require_replaceable(self.out)
        target, old = self.out.absolute(), None
        try:
            if target.exists() and (target.is_mount() or target.resolve() == Path.cwd()):
                return _move_files(self.path, target)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
                target.rename(old / target.name)
            self.path.rename(target)
        except OSError as error:
            if old is not None and (old / target.name).exists():
                (old / target.name).rename(target)
            msg = f"{self.out}: the earlier report cannot be replaced ({error.strerror}); choose another --out"
            raise DesignError(msg) from error
        finally:
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)


def _move_files(made: Path, target: Path) -> None:
    """Fill a folder that cannot be renamed (a mounted one, or where the user stands); the page comes last."""
    for name in FILES:
        (target / name).unlink(missing_ok=True)
    for file in sorted(made.iterdir(), key=lambda f: f.name == "index.html"):
        shutil.move(file, target / file.name)


def require_replaceable(out: Path) -> None:
    """Raise ``DesignError`` unless ``out`` is absent, an empty folder, or holds an earlier report and nothing else.

    >>> require_replaceable(Path("no-such-folder"))
    """
    try:
        if not out.exists():
            return
        if not out.is_dir():
            msg = f"{out}: is a file; expected a folder to write the report to. Choose another --out."
            raise DesignError(msg)
        names = sorted(p.name for p in out.iterdir() if p.name not in _LITTER)
    except OSError as error:
        msg = f"{out}: cannot be read ({error.strerror}); choose another folder with --out"
        raise DesignError(msg) from error
    strange = [name for name in names if name not in FILES]
    if strange or (names and not _is_report(out)):
        what = strange[0] if strange else names[0]
        msg = (
            f"{out}: holds {what!r}, which is not part of an earlier report, and nothing there will be overwritten; "
            "choose another folder with --out, or empty this one"
        )
        raise DesignError(msg)


def _is_report(folder: Path) -> bool:
    """Return whether the page in a folder says that this package wrote it."""
    page = folder / "index.html"
    try:
        with page.open(encoding="utf-8") as file:
            return 'content="etiquette-analysis' in file.read(2000)
    except (OSError, UnicodeDecodeError):
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
