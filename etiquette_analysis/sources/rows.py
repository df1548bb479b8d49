"""Rows of a text table exactly as the file holds them: every value is a string, and nothing is lost in silence.

Export files carry a preamble before the header, texts with real line breaks, a byte order mark where Excel saved
them again, or rows of the wrong width. A message that reads "None" or "NA" is a message. So this module, not a
general CSV reader, finds the header by its content, keeps the line number of every row for error messages, and
counts each row that it leaves out.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import KEPT, NOTE_STAGE, READ, AuditLog
from etiquette_analysis.sources.archive import LONGEST_LINE, Member, check_looks_readable, numbered_lines

OnBadRow = Literal["error", "drop"]
#: Takes one line, returns the cells of the header and the delimiter, or None where the line is no header.
FindHeader = Callable[[str], tuple[list[str], str] | None]

DELIMITERS: Final = (",", ";", "\t", "|")
_HEADER_WITHIN_LINES: Final = 60
#: A spreadsheet has no more columns.
MAX_COLUMNS: Final = 16_384
_CHUNK: Final = 65_536
#: UTF-8, with or without a mark at its start.
_UTF8: Final = "utf-8-sig"


@dataclass
class Rows:
    """The rows of one file.

    Attributes
    ----------
    file : str
        How messages to the user call the file.
    frame : DataFrame
        One ``str`` column per header cell (trimmed), "" where a cell is empty, never null.
    lines : array of int64
        Line of the file on which each row of ``frame`` starts, counted from 1.
    n_read : int
        Rows below the header, those left out included.
    left_out : dict
        Reason -> (number of rows, line of the first).
    notes : list of str
        What is odd about the file as a whole, in words.
    """

    file: str
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    n_read: int = 0
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, line: int) -> None:
        """Count one row that did not become part of ``frame``."""
        n, first = self.left_out.get(reason, (0, line))
        self.left_out[reason] = (n + 1, first)


def check_on_bad_row(on_bad_row: str) -> None:
    """Raise ``DesignError`` unless the option has one of its two values."""
    if on_bad_row not in ("error", "drop"):
        raise DesignError(f"on_bad_row={on_bad_row!r} is not known; expected 'error' or 'drop'")


def log_rows(log: AuditLog, stage: str, parts: list[Rows]) -> None:
    """Write what reading the files of one stage left out, and what was odd about them; not yet what was kept."""
    log.add(stage, READ, sum(part.n_read for part in parts))
    for part in parts:
        for reason, (n, line) in part.left_out.items():
            log.add(stage, reason, n, example=line)
        for note in part.notes:
            log.add(NOTE_STAGE, f"{stage}: {note}", 1)


def log_kept(log: AuditLog, stage: str, n: int) -> None:
    """Close a stage with the number of rows that were kept."""
    log.add(stage, KEPT, n)


def first_line(rows: pd.DataFrame, mask: pd.Series) -> int | None:
    """Return the ``line`` of the first row under the mask, the example that the audit shows."""
    return int(rows.loc[mask, "line"].iloc[0]) if mask.any() else None


def split_line(line: str, delimiter: str) -> list[str]:
    """Split one line into trimmed cells.

    >>> split_line('"First Name", URL;x', ",")
    ['First Name', 'URL;x']
    """
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []
    return [cell.strip("\ufeff \t\r\n\u00a0") for cell in cells]


def header_with(*required: str) -> FindHeader:
    """Return a finder of the line that holds all ``required`` names, whatever their case, order and delimiter.

    >>> header_with("First Name", "Connected On")("first name;URL;Connected On")
    (['first name', 'URL', 'Connected On'], ';')
    >>> header_with("First Name", "Connected On")("Notes:") is None
    True
    """
    wanted = {name.casefold() for name in required}

    def find(line: str) -> tuple[list[str], str] | None:
        for delimiter in DELIMITERS:
            cells = split_line(line, delimiter)
            if wanted <= {cell.casefold() for cell in cells}:
                return cells, delimiter
        return None

    return find


def first_line_header(line: str) -> tuple[list[str], str] | None:
    """Take the first line that is not blank as the header, split at the delimiter that gives most cells.

    >>> first_line_header("sender;recipient;sent_at, UTC")
    (['sender', 'recipient', 'sent_at, UTC'], ';')
    """
    if not line.strip():
        return None
    candidates = [(split_line(line, delimiter), delimiter) for delimiter in DELIMITERS]
    return max(candidates, key=lambda candidate: len(candidate[0]))


def read_rows(
    member: Member,
    *,
    find_header: FindHeader,
    expected: str,
    on_bad_row: OnBadRow = "error",
    encoding: str | None = None,
) -> Rows:
    """Read one delimited text file.

    Parameters
    ----------
    member : Member
        The file.
    find_header : callable
        Recognises the header line; lines above it are a preamble.
    expected : str
        The header in words, for the error where none is found.
    on_bad_row : {"error", "drop"}
        What to do where quoting is broken. Rows of the wrong width are always left out and counted.
    encoding : str, optional
        As the caller says, who may be told of others; None for files that are UTF-8 wherever they are as exported.

    Raises
    ------
    DesignError
        Where the encoding is not known.
    SourceError
        Where the file is not in its encoding, has no such header, or is cut short inside a quoted text.
    """
    used = _codec(encoding)
    head = member.head(512)
    check_looks_readable(head, member.label)
    _refuse_other_marks(head, member.label, used)
    with member.open() as stream:
        text = io.TextIOWrapper(stream, encoding=used, errors="strict", newline="")
        try:
            cells, delimiter, header_line, line_end = _find_header(text, find_header, member.label, expected)
            rows = _read_body(text, cells, delimiter, header_line, member, on_bad_row)
        except UnicodeDecodeError as error:
            raise _not_encoded_so(member, used, may_be_told=encoding is not None) from error
        finally:
            text.detach()
    rows.notes += _oddities(head, cells, delimiter, line_end, member.base_name)
    if used != _UTF8:
        rows.notes.append(f"read as {used}, as encoding says")
    return rows


def _find_header(text: IO[str], find_header: FindHeader, label: str, expected: str) -> tuple[list[str], str, int, str]:
    """Return the header's cells, its delimiter, its line number and its line ending."""
    first = ""
    for number, line in islice(numbered_lines(text, label), _HEADER_WITHIN_LINES):
        first = first or line.strip()
        found = find_header(line)
        if found is not None and len(found[0]) > MAX_COLUMNS:
            raise SourceError(f"{label}, line {number}: {len(found[0]):,} columns; expected at most {MAX_COLUMNS:,}")
        if found is not None:
            return *found, number, line[len(line.rstrip("\r\n")) :]
    msg = (
        f"{label}: no header with {expected} in the first {_HEADER_WITHIN_LINES} lines (the file starts "
        f"{first[:80]!r}); check that this is the file as it was downloaded"
    )
    raise SourceError(msg)


def _read_body(
    text: IO[str], cells: list[str], delimiter: str, header_line: int, member: Member, on_bad_row: OnBadRow
) -> Rows:
    """Read everything below the header, in chunks so that a large file stays small in memory."""
    width = len(cells)
    rows = Rows(member.label, pd.DataFrame(), np.empty(0, dtype=np.int64))
    chunks: list[pd.DataFrame] = []
    chunk: list[list[str]] = []
    lines: list[int] = []
    for line, row in _records(text, delimiter, header_line, member.label, on_bad_row):
        rows.n_read += 1
        if row is None:
            rows.leave_out("broken quoting", line)
            continue
        if len(row) > width and not any(row[width:]):
            row = row[:width]
        if len(row) != width:
            rows.leave_out("wrong number of fields", line)
        elif not any(row):
            rows.leave_out("blank row", line)
        else:
            chunk.append(row)
            lines.append(line)
            if len(chunk) == _CHUNK:
                chunks.append(_batch(chunk, width))
                chunk = []
    chunks.append(_batch(chunk, width))
    frame = pd.concat(chunks, ignore_index=True)
    first = {name: place for place, name in reversed(list(enumerate(cells))) if name}
    rows.frame = pd.DataFrame({name: frame[first[name]] for name in dict.fromkeys(cells) if name})
    rows.lines = np.asarray(lines, dtype=np.int64)
    return rows


def _batch(chunk: list[list[str]], width: int) -> pd.DataFrame:
    """Turn rows of strings into columns numbered by position."""
    columns: list[tuple[str, ...]] = list(zip(*chunk, strict=True)) if chunk else [()] * width
    return pd.DataFrame({number: pd.Series(column, dtype="str") for number, column in enumerate(columns)})


def _records(
    text: IO[str], delimiter: str, header_line: int, label: str, on_bad_row: OnBadRow
) -> Iterator[tuple[int, list[str] | None]]:
    """Yield (starting line, cells) per row; None for cells where the quoting is broken and rows may be dropped."""
    reader = csv.reader(
        (line for _, line in numbered_lines(text, label, header_line + 1)), delimiter=delimiter, strict=True
    )
    with _long_fields():
        while True:
            line = header_line + reader.line_num + 1
            try:
                row: list[str] | None = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if on_bad_row == "error":
                    raise _broken_quoting(label, line, error) from error
                row = None
            if row is None or row:
                yield line, row


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let a single text be longer than the csv module's 128 KiB, and restore that limit."""
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _broken_quoting(label: str, line: int, error: csv.Error) -> SourceError:
    """Say that the quoting is broken, or that the file ends too early."""
    if "unexpected end" in str(error):
        what = "the file ends inside a quoted text, so it was cut short; download it again"
    else:
        what = f'the quoting is broken ({error}); download the file again, or skip such rows with on_bad_row="drop"'
    return SourceError(f"{label}, line {line}: {what}.")


def _codec(encoding: str | None) -> str:
    """Return the name of an encoding as Python knows it; a mark at the start of UTF-8 is no text."""
    asked = _UTF8 if encoding is None else encoding
    try:
        "".encode(asked)  # not every codec is one of texts
        used = codecs.lookup(asked).name
    except (LookupError, ValueError, TypeError) as error:
        raise DesignError(f'encoding={encoding!r} is not known; expected e.g. "utf-8" or "cp1252"') from error
    return _UTF8 if used == "utf-8" else used


def _refuse_other_marks(head: bytes, label: str, encoding: str) -> None:
    """Raise ``SourceError`` for what Excel calls "Unicode text", and for UTF-8 that is to be read as something else."""
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[:64].count(b"\x00") > 8
    if is_utf16 and not encoding.startswith("utf-16"):
        msg = f'{label}: saved as UTF-16 ("Unicode text"), expected UTF-8; download it again or save it as "CSV UTF-8"'
        raise SourceError(msg)
    if head.startswith(codecs.BOM_UTF8) and encoding != _UTF8:
        msg = f"{label}: begins with the mark of UTF-8, which encoding={encoding!r} would garble"
        raise SourceError(f"{msg}; leave encoding (--encoding) out")


def _not_encoded_so(member: Member, encoding: str, *, may_be_told: bool) -> SourceError:
    """Find the first line that is not in the encoding, and name the remedy."""
    shown = "UTF-8" if encoding == _UTF8 else encoding
    remedy = 'download it again, or save it as "CSV UTF-8" (read as Latin-1, names would be garbled)'
    if may_be_told:
        remedy = 'save it as "CSV UTF-8", or say which encoding it has: --encoding cp1252 (in Python encoding="cp1252")'
        remedy += " where Excel on Windows saved it as plain CSV"
    with member.open() as stream:
        for number, line in numbered_lines(stream, member.label):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                byte = line[error.start]
                again = "" if may_be_told else ", so another program has saved this file again"
                return SourceError(f"{member.label}, line {number}: byte 0x{byte:02X} is not {shown}{again}; {remedy}")
    return SourceError(f"{member.label}: the file is not {shown}; {remedy}")


def _oddities(head: bytes, cells: list[str], delimiter: str, line_end: str, name: str) -> list[str]:
    """Name the traces that another program left in the file."""
    notes = []
    if head.startswith(b"\xef\xbb\xbf"):
        notes.append("starts with a byte order mark, so another program saved it again")
    if line_end.startswith("\r"):
        notes.append("header ends in CR, so another program saved it again")
    if delimiter != "," and not name.lower().endswith((".tsv", ".tab")):
        notes.append(f"fields are separated by {delimiter!r}, so another program saved it again")
    if "" in cells:
        notes.append("a column has no name and was ignored")
    if len(set(filter(None, cells))) < len(list(filter(None, cells))):
        notes.append("a column name occurs twice; the first counts")
    return notes
