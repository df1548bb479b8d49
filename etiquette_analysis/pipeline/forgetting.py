"""Removing what this package wrote: reports, shareable folders, labelled tables, codes, copies of notebooks, keys.

There is no list of what was written where, since such a list would itself be a trace. Everything is known by its own
mark: a report by its page, a shareable folder and a folder of labels by their description, a table by its columns, a
copy of a notebook by its name. What bears no mark of ours is refused, and a folder that holds anything else besides
stays as it is.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from etiquette_analysis.coding.codes import CODES
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS
from etiquette_analysis.engine.work import ABOUT as LABELS_ABOUT
from etiquette_analysis.errors import DesignError
from etiquette_analysis.pipeline.package_data import bundled
from etiquette_analysis.pipeline.sharing import SHAREABLE
from etiquette_analysis.pipeline.tables import columns_of
from etiquette_analysis.privacy import key_path
from etiquette_analysis.report.folder import LITTER, REPORT
from etiquette_analysis.schema import AUDIT

_KINDS: Final = (REPORT, SHAREABLE)
_TABLES: Final = tuple(tuple(columns) for columns in (TURNS.names, MESSAGE_LABELS.names, CODES, AUDIT))
#: A table of dyads begins with these; what is known of a connection follows.
_DYADS: Final = ("sender", "contact", "time_zero", "time_zero_source", "exclusion")
_LABEL_PART: Final = re.compile(r"part-\d{5,}\.parquet")
#: What a run that was killed leaves beside its result: a report's or a folder's (random letters), or a table's.
_HALF_WRITTEN: Final = r"\.{}(?:-(?:old-)?[a-z0-9_]{{8}}|\.part)"
_HALF_DONE: Final = re.compile(r"\.(.+)\.part")


@dataclass
class Removal:
    """What is to be removed, and which notebooks are to be cleared of their outputs."""

    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    notebooks: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.folders or self.files or self.notebooks)

    def lines(self) -> list[str]:
        """Return one line for each thing, for whoever has to agree."""
        removed = [f"remove {path}" for path in (*self.folders, *self.files)]
        return removed + [f"clear the outputs of {path}" for path in self.notebooks]

    def carry_out(self) -> None:
        """Remove it all.

        Raises
        ------
        DesignError
            Where something cannot be removed; what stands before it is gone.
        """
        from etiquette_analysis.report.notebooks import tidy_text

        try:
            for notebook in self.notebooks:
                text = tidy_text(notebook)
                part = notebook.with_name(f".{notebook.name}.part")
                part.write_text(text, encoding="utf-8")
                part.replace(notebook)
            for file in self.files:
                file.unlink()
            for folder in self.folders:
                shutil.rmtree(folder)
        except OSError as error:
            msg = f"{error.filename}: cannot be removed ({error.strerror}); remove it by hand"
            raise DesignError(msg) from error


def find_written(paths: list[Path], *, projects: list[str]) -> Removal:
    """Return what of ours lies at some places, and the keys of some projects.

    Parameters
    ----------
    paths : list of Path
        Folders and files that this package wrote, or was writing when it was stopped.
    projects : list of str
        Projects whose keys are to go: afterwards nobody can look up who stands behind their pseudonyms.

    Returns
    -------
    Removal
        Nothing is removed yet.

    Raises
    ------
    DesignError
        Where something was not written by this package, or is not there.
    """
    found = Removal()
    for path in paths:
        _find(path, found)
    for project in projects:
        key = key_path(project)
        if not key.is_file():
            msg = f"{key}: there is no key of the project {project!r}; there are {_projects(key.parent)}"
            raise DesignError(msg)
        found.files.append(key)
    return found


def _find(path: Path, found: Removal) -> None:
    if path.is_symlink():
        msg = f"{path}: is a link; nothing was removed. Name what it points to."
        raise DesignError(msg)
    left = _half_written(path.absolute())
    found.folders += left
    if path.is_dir():
        of = _HALF_DONE.fullmatch(path.absolute().name)
        if of and path.absolute() in _half_written(path.absolute().with_name(of[1])):
            found.folders.append(path)
        elif notebooks := _notebooks(path):
            _find_in_lab(path, notebooks, found)
        else:
            _require_ours(path)
            found.folders.append(path)
    elif path.is_file():
        if not is_own_table(path):
            msg = f"{path}: was not written by this package, as its columns show; nothing was removed"
            raise DesignError(msg)
        found.files.append(path)
    elif not left:
        msg = f"{path}: is not there; nothing was removed"
        raise DesignError(msg)


def _half_written(path: Path) -> list[Path]:
    pattern = re.compile(_HALF_WRITTEN.format(re.escape(path.name)))
    if not path.parent.is_dir():
        return []
    beside = (p for p in path.parent.iterdir() if p.is_dir() and not p.is_symlink() and pattern.fullmatch(p.name))
    own = re.compile(r"\.inputs-[a-z0-9_]{8}")  # what the notebook of a report is given
    ours = {"run.json", "run.json.unfinished", "lock", "scanned", "parts", "ends", "spill", "old", path.name, *LITTER}
    ours = ours.union(*(kind.files for kind in _KINDS))
    return sorted(p for p in beside if all(q.name in ours or own.fullmatch(q.name) for q in p.iterdir()))


def _require_ours(folder: Path) -> None:
    """Raise ``DesignError`` unless a folder bears our mark and holds nothing else."""
    names = sorted(p.name for p in folder.iterdir() if p.name not in LITTER)
    kind = next((kind for kind in _KINDS if kind.has_mark(folder)), None)
    if kind is not None:
        strange = [name for name in names if name not in kind.files]
    elif LABELS_ABOUT in names:
        strange = [name for name in names if name != LABELS_ABOUT and not _LABEL_PART.fullmatch(name)]
    else:
        msg = f"{folder}: bears no mark of this package (a report, a shareable folder, labels); nothing was removed"
        raise DesignError(msg)
    if strange:
        msg = (
            f"{folder}: holds {strange[0]!r}, which this package did not write; nothing was removed. Move it elsewhere."
        )
        raise DesignError(msg)


def _notebooks(folder: Path) -> list[Path]:
    """Return the copies of our notebooks in a folder."""
    ours = {notebook.name for notebook in bundled("notebooks").glob("*.ipynb")}
    return sorted(p for p in folder.glob("*.ipynb") if p.name in ours and not p.is_symlink())


def _find_in_lab(folder: Path, notebooks: list[Path], found: Removal) -> None:
    """Find outputs, and JupyterLab's own copies; a lab folder is its user's, and what was written there stays."""
    found.notebooks += notebooks
    checkpoints = folder / ".ipynb_checkpoints"
    if checkpoints.is_dir() and not checkpoints.is_symlink():
        stems = {notebook.stem for notebook in notebooks}
        found.files += sorted(p for p in checkpoints.glob("*.ipynb") if p.stem.removesuffix("-checkpoint") in stems)


def is_own_table(file: Path) -> bool:
    """Tell by its columns whether this package wrote a table."""
    columns = columns_of(file)
    return columns in _TABLES or columns[: len(_DYADS)] == _DYADS


def _projects(folder: Path) -> str:
    names = sorted(file.stem for file in folder.glob("*.key")) if folder.is_dir() else []
    return ", ".join(names) or "none"
