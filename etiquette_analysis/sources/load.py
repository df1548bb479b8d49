"""A table from wherever it lies: CSV, Parquet, JSON Lines or memory, with the place of every row for messages."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import NOTE_STAGE, READ, AuditLog
from etiquette_analysis.sources.archive import Member, list_members
from etiquette_analysis.sources.rows import OnBadRow, first_line_header, log_rows, read_rows

SUFFIXES: Final = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".jsonl", ".ndjson")


@dataclass
class Loaded:
    """A table as it was found.

    Attributes
    ----------
    frame : DataFrame
        Its columns under their own names; blank cells of text files are null.
    where : str
        How messages to the user call it.
    unit : str
        What ``places`` count: lines of a text file, rows of anything else.
    places : array of int64
        Place of each row, from 1.
    stage : str
        "messages" or "connections".
    """

    frame: pd.DataFrame
    where: str
    unit: str
    places: npt.NDArray[np.int64]
    stage: str
    _read: AuditLog = field(default_factory=AuditLog)

    def log_read(self, log: AuditLog) -> None:
        """Write how many rows were read, and what reading alone left out."""
        log.rows.extend(self._read.rows)

    def place_of(self, mask: pd.Series) -> int:
        """Return the place of the first row under the mask."""
        return int(self.places[int(mask.index[mask][0])])

    def example(self, mask: pd.Series) -> int | None:
        """Return the place of the first row under the mask, None where there is none."""
        return self.place_of(mask) if mask.any() else None


def load(table: str | os.PathLike[str] | pd.DataFrame, stage: str, on_bad_row: OnBadRow) -> Loaded:
    """Load a table; its rows are numbered from 0 in ``frame.index``.

    Raises
    ------
    SourceError
        Where the file is none of the formats, or cannot be read as what it is.
    """
    if isinstance(table, pd.DataFrame):
        return _in_memory(table.reset_index(drop=True), f"the {stage} table", stage)
    members = list_members(table)
    name = Path(table).name
    if len(members) != 1 or members[0].container:
        raise SourceError(
            f"{name}: expected one table, found {len(members)} files; pass a CSV, Parquet or JSON Lines file"
        )
    member = members[0]
    if member.head(4) == b"PAR1":
        return _in_memory(_parquet(member), name, stage)
    if name.lower().endswith((".jsonl", ".ndjson")):
        return _json_lines(member, stage)
    if name.lower().endswith((".csv", ".tsv", ".tab", ".txt")):
        return _delimited(member, stage, on_bad_row)
    raise SourceError(f"{name}: not a known kind of table; expected one of {', '.join(SUFFIXES)}")


def _in_memory(frame: pd.DataFrame, where: str, stage: str) -> Loaded:
    """Wrap a table that carries its own types."""
    loaded = Loaded(frame, where, "row", np.arange(1, len(frame) + 1, dtype=np.int64), stage)
    loaded._read.add(stage, READ, len(frame))
    return loaded


def _parquet(member: Member) -> pd.DataFrame:
    """Read a Parquet file."""
    with member.open() as stream:
        try:
            frame = pd.read_parquet(stream)
        except (ValueError, OSError) as error:
            raise SourceError(f"{member.label}: the Parquet file is damaged ({error}); write it again") from error
    return frame.reset_index(drop=True)


def _delimited(member: Member, stage: str, on_bad_row: OnBadRow) -> Loaded:
    """Read a CSV or TSV file; a cell that reads "NA" is a text, an empty one is null."""
    part = read_rows(member, find_header=first_line_header, expected="column names", on_bad_row=on_bad_row)
    frame = part.frame.where(part.frame != "")
    loaded = Loaded(frame, part.file, "line", part.lines, stage)
    log_rows(loaded._read, stage, [part])
    return loaded


def _json_lines(member: Member, stage: str) -> Loaded:
    """Read JSON Lines; whole numbers keep every digit."""
    records: list[dict[str, Any]] = []
    places: list[int] = []
    with member.open() as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                records.append(_json_object(line, f"{member.label}, line {number}"))
                places.append(number)
    keys = dict.fromkeys(key for record in records for key in record)
    columns = {key: pd.Series([record.get(key) for record in records], dtype="object") for key in keys}
    frame = pd.DataFrame(columns).infer_objects() if columns else pd.DataFrame()
    loaded = Loaded(frame, member.label, "line", np.asarray(places, dtype=np.int64), stage)
    loaded._read.add(stage, READ, len(frame))
    loaded._read.add(NOTE_STAGE, f"{stage}: columns that not every line has", sum(len(r) < len(keys) for r in records))
    return loaded


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    """Return one line as an object."""
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourceError(f"{where}: not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"{where}: not JSON ({error.msg}); expected one JSON object per line") from error
    if not isinstance(value, dict):
        raise SourceError(f"{where}: a JSON {type(value).__name__}, expected one object per line")
    return value
