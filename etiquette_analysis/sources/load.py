"""A table from wherever it lies: CSV, Parquet, JSON Lines or memory, with the place of every row for messages."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import NOTE_STAGE, READ, AuditLog
from etiquette_analysis.sources.archive import MAX_RATIO, RATIO_FLOOR, Member, list_members, numbered_lines
from etiquette_analysis.sources.halves import without_halves
from etiquette_analysis.sources.json_stream import read_json
from etiquette_analysis.sources.progress import expecting
from etiquette_analysis.sources.rows import OnBadRow, first_line_header, log_rows, read_rows

SUFFIXES: Final = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".jsonl", ".ndjson")
_BATCH_ROWS: Final = 16_384


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


def load(
    table: str | os.PathLike[str] | pd.DataFrame, stage: str, on_bad_row: OnBadRow, encoding: str | None = None
) -> Loaded:
    """Load a table; its rows are numbered from 0 in ``frame.index``. ``encoding`` is as in :func:`read_rows`.

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
    is_parquet = member.head(4) == b"PAR1"
    with expecting([member]):
        if is_parquet:
            return _in_memory(_parquet(member), name, stage)
        if member.name.lower().endswith((".jsonl", ".ndjson")):
            return _json_lines(member, stage)
        if member.name.lower().endswith((".csv", ".tsv", ".tab", ".txt")):
            return _delimited(member, stage, on_bad_row, encoding)
    raise SourceError(f"{name}: not a known kind of table; expected one of {', '.join(SUFFIXES)}")


def _in_memory(frame: pd.DataFrame, where: str, stage: str) -> Loaded:
    """Wrap a new table that carries its own types; only columns of Python objects can hold half signs."""
    for at, dtype in enumerate(frame.dtypes):
        if dtype == "object" or isinstance(dtype, pd.CategoricalDtype):
            frame.isetitem(at, frame.iloc[:, at].astype("object").map(without_halves).array)
    loaded = Loaded(frame, where, "row", np.arange(1, len(frame) + 1, dtype=np.int64), stage)
    loaded._read.add(stage, READ, len(frame))
    return loaded


def _parquet(member: Member) -> pd.DataFrame:
    """Read a Parquet file by its own types; what pandas noted beside them may not fit, and an index is a column."""
    most = RATIO_FLOOR + int(MAX_RATIO * member.size)
    with member.open() as stream:
        try:
            file = parquet.ParquetFile(stream)
            batches, size = [], 0
            for batch in file.iter_batches(_BATCH_ROWS):
                columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
                batches.append(pa.RecordBatch.from_arrays(columns, batch.schema.names))
                size += batches[-1].nbytes
                if size > most:
                    raise SourceError(f"{member.label}: unpacks to more than {most:,} bytes; write it again as CSV")
            table = pa.Table.from_batches(batches) if batches else file.schema_arrow.empty_table()
            frame: pd.DataFrame = table.replace_schema_metadata().to_pandas()
        except (pa.ArrowException, ValueError, OSError) as error:
            raise SourceError(f"{member.label}: the Parquet file is damaged ({error}); write it again") from error
    return frame


def _delimited(member: Member, stage: str, on_bad_row: OnBadRow, encoding: str | None) -> Loaded:
    """Read a CSV or TSV file; a cell that reads "NA" is a text, an empty one is null."""
    part = read_rows(
        member, find_header=first_line_header, expected="column names", on_bad_row=on_bad_row, encoding=encoding
    )
    frame = part.frame.where(part.frame != "")
    loaded = Loaded(frame, part.file, "line", part.lines, stage)
    log_rows(loaded._read, stage, [part])
    return loaded


def _json_lines(member: Member, stage: str) -> Loaded:
    """Read JSON Lines; whole numbers keep every digit."""
    records: list[dict[str, Any]] = []
    places: list[int] = []
    with member.open() as stream:
        for number, line in numbered_lines(stream, member.label):
            if line.strip():
                records.append(_json_object(line, f"{member.label}, line {number}"))
                places.append(number)
    frame = as_columns(records, member.label).infer_objects()
    loaded = Loaded(frame, member.label, "line", np.asarray(places, dtype=np.int64), stage)
    loaded._read.add(stage, READ, len(frame))
    loaded._read.add(
        NOTE_STAGE, f"{stage}: columns that not every line has", sum(len(r) < frame.shape[1] for r in records)
    )
    return loaded


def as_columns(records: list[dict[str, Any]], label: str) -> pd.DataFrame:
    """Return JSON objects as a table, one column of Python values for each key that any of them has.

    Raises
    ------
    SourceError
        Where the objects share so few keys that the table would be mostly empty and larger than memory.
    """
    keys = dict.fromkeys(key for record in records for key in record)
    n_values = sum(map(len, records))
    if len(keys) * len(records) > max(10_000_000, 50 * n_values):
        msg = f"{label}: {len(keys):,} different names in {len(records):,} objects, which share next to none"
        raise SourceError(f"{msg}; expected the same names in each")
    return pd.DataFrame({k: pd.Series([r.get(k) for r in records], dtype="object") for k in keys})


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    """Return one line as an object."""
    value = read_json(line, where, "expected one JSON object per line")
    if not isinstance(value, dict):
        raise SourceError(f"{where}: a JSON {type(value).__name__}, expected one object per line")
    return value
