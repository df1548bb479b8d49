"""One input of the fuzzer as one small file: what is handed to which reader, so that a crasher is a test.

A case is a line of JSON (``as``: "file", "folder", "zip" or "parts"; ``options`` of the reader), then files, each under
a line ``==== name``. ``run_case`` writes them into an empty folder and reads them. A reader may refuse with an
``EtiquetteError`` whose message can be printed, or deliver tables that keep the schema; everything else is a crash.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from etiquette_analysis import sources
from etiquette_analysis.cli.reading import read_mapping
from etiquette_analysis.errors import DesignError, EtiquetteError
from etiquette_analysis.schema import MESSAGES, Dataset, check_audit

FORMS: Final = ("file", "folder", "zip", "parts")
_MARK: Final = re.compile(rb"\n==== ([^\n]{1,80})\n")


@dataclass
class Case:
    """Files, the form in which they are handed over, and the options of the reader."""

    form: str = "file"
    options: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def pack(self) -> bytes:
        """Return the case as the bytes of its file."""
        head = json.dumps({"as": self.form, "options": self.options}, ensure_ascii=True).encode()
        return head + b"".join(b"\n==== %s\n%s" % (name.encode(), data) for name, data in self.files)


def unpack(data: bytes) -> Case | None:
    """Return the case that the bytes hold, None where they hold none."""
    head, *rest = _MARK.split(data)
    try:
        told = json.loads(head)
        case = Case(told["as"], told["options"], [])
        names = [name.decode() for name in rest[::2]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if case.form not in FORMS or not isinstance(case.options, dict) or not names:
        return None
    case.files = list(zip(names, rest[1::2], strict=True))
    return case if all(_is_plain(name) for name in names) and len(set(names)) == len(names) else None


def _is_plain(name: str) -> bool:
    """Tell a name that a file system takes; names that lead out of an archive are for zips made by hand."""
    parts = PurePosixPath(name).parts
    return bool(parts) and "\0" not in name and not name.startswith("/") and ".." not in parts and len(parts) < 4


def write_files(case: Case, folder: Path) -> Path | list[Path]:
    """Write the files of a case and return what is handed to the reader."""
    if case.form == "zip":
        return _write_zip(case, folder / "export.zip")
    root = folder / "export" if case.form == "folder" else folder
    for name, data in case.files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    if case.form == "folder":
        return root
    paths = [root / name for name, _ in case.files]
    return paths if case.form == "parts" else paths[0]


def _write_zip(case: Case, path: Path) -> Path:
    """Write a zip, always the same bytes for the same case."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in case.files:
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def _read_table(path: Path | list[Path], options: dict[str, Any]) -> Dataset:
    """Read a table, and a second file as connections."""
    first, *more = path if isinstance(path, list) else [path]
    return sources.read_table(first, more[0] if more else None, **options)


def _read_mapped(path: Path | list[Path], options: dict[str, Any]) -> Dataset:
    """Read a table with a mapping file, as the command line does."""
    paths = path if isinstance(path, list) else [path]
    return sources.read_table(paths[0], mapping=read_mapping(paths[-1]), **options)


def _read_frame(path: Path | list[Path], options: dict[str, Any]) -> Dataset:
    """Read a DataFrame, described by {column: [type, values]}, from memory or by way of Parquet."""
    by_parquet = options.pop("parquet", False)
    tables: list[Any] = []
    for file in path if isinstance(path, list) else [path]:
        table = _as_frame(file.read_bytes()) if file.is_file() else None
        if table is None:
            raise DesignError("no description of a table")
        tables.append(_as_parquet(table, file.with_suffix(".parquet")) if by_parquet else table)
    return sources.read_table(*tables[:2], **options)


def _as_frame(data: bytes) -> pd.DataFrame | None:
    """Build a table as described; what pandas cannot build is no input of ours."""
    try:
        described = json.loads(data)
        return pd.DataFrame({name: pd.Series(values, dtype=kind) for name, (kind, values) in described.items()})
    except Exception:
        return None


def _as_parquet(table: pd.DataFrame, path: Path) -> Path | pd.DataFrame:
    """Write a table as Parquet where its types allow."""
    try:
        table.to_parquet(path)
    except Exception:
        return table
    return path


def _read_lemlist(path: Path | list[Path], options: dict[str, Any]) -> Dataset:
    """Read the one file that the reader takes."""
    return sources.read_lemlist(path[0] if isinstance(path, list) else path, **options)


def _plainly(reader: Callable[..., Dataset]) -> Callable[[Path | list[Path], dict[str, Any]], Dataset]:
    """Call a reader with path and options."""
    return lambda path, options: reader(path, **options)


#: Name of a folder of cases -> what reads them.
READERS: Final[dict[str, Callable[[Path | list[Path], dict[str, Any]], Dataset]]] = {
    "read": _plainly(sources.read),
    "linkedin": _plainly(sources.read_linkedin),
    "telegram": _plainly(sources.read_telegram),
    "whatsapp": _plainly(sources.read_whatsapp),
    "mbox": _plainly(sources.read_mbox),
    "slack": _plainly(sources.read_slack),
    "convokit": _plainly(sources.read_convokit),
    "lemlist": _read_lemlist,
    "csv": _read_table,
    "jsonl": _read_table,
    "parquet": _read_table,
    "frame": _read_frame,
    "mapping": _read_mapped,
    "zip": _plainly(sources.read),
}


def _is_option(reader: str, name: str, value: object) -> bool:
    """Tell what the types of the reader let a caller pass."""
    if reader in {"read", "zip"}:
        return value is None or isinstance(value, str)
    if (reader, name) == ("frame", "parquet"):
        return isinstance(value, bool)
    taken = inspect.signature(getattr(sources, f"read_{reader}", sources.read_table)).parameters
    kind = str(taken[name].annotation) if name in taken else ""
    if isinstance(value, list | dict):
        inside = list(value.values()) if isinstance(value, dict) else value
        is_taken = ("Mapping" if isinstance(value, dict) else "Sequence") in kind
        return is_taken and all(isinstance(item, str) for item in inside)
    if value is None or isinstance(value, bool | int):
        return kind == "object" or (type(value).__name__.removesuffix("Type") in kind)
    return isinstance(value, str) and kind not in {"", "bool"}


def run_case(reader: str, data: bytes, folder: Path) -> str:
    """Read one case in an empty folder and check what comes of it.

    Returns
    -------
    str
        "read", the name of the error with which it was refused, or "" where the bytes are no case.
    """
    case = unpack(data)
    if case is None or not all(_is_option(reader, *option) for option in case.options.items()):
        return ""
    try:
        path = write_files(case, folder)
    except (OSError, ValueError):
        return ""
    try:
        dataset = READERS[reader](path, dict(case.options))
    except EtiquetteError as error:
        message = str(error)
        message.encode()
        if not message or message.startswith("audit of"):
            raise AssertionError(f"not the user's fault: {message!r}") from error
        return type(error).__name__
    check_dataset(dataset)
    return "read"


def check_dataset(dataset: Dataset) -> None:
    """Raise unless the tables keep the schema and can be written."""
    check_audit(dataset.audit)
    messages = dataset.messages
    assert {name: str(dtype) for name, dtype in messages.dtypes.items()} == MESSAGES
    assert messages["message_id"].is_unique
    assert not messages[["sender", "recipient", "sent_at", "kind"]].isna().any(axis=None)
    assert isinstance(dataset.observed_until, pd.Timestamp | type(pd.NaT))
    assert dataset.ego is None or isinstance(dataset.ego, str | tuple)
    repr(dataset)
    messages.to_parquet(BytesIO())
    dataset.connections.to_parquet(BytesIO())


def empty(folder: Path) -> Path:
    """Return the folder, emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
