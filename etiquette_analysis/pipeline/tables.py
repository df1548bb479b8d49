"""Writing tables: whole or not at all, and harmless when opened in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from etiquette_analysis.errors import DesignError


def write_table(table: pd.DataFrame, out: str | Path) -> None:
    """Write a table as CSV or Parquet, by the name's ending; the file appears whole or not at all.

    In CSV, text that a spreadsheet would take for a formula (``=``, ``+``, ``-`` or ``@`` first, also of full width) is
    led by an apostrophe.

    Raises
    ------
    DesignError
        Where the ending is another, or the file cannot be written.
    """
    out = Path(out)
    if out.suffix not in (".csv", ".parquet"):
        msg = f"{out}: expected a name ending in .csv or .parquet"
        raise DesignError(msg)
    part = out.with_name(f".{out.name}.part")
    try:
        if out.suffix == ".parquet":
            table.to_parquet(part, index=False)
        else:
            _write_csv(_harmless(table), part)
        part.replace(out)
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}); choose a folder that you may write to"
        raise DesignError(msg) from error
    finally:
        part.unlink(missing_ok=True)


def columns_of(file: Path) -> tuple[str, ...]:
    """Return the columns of a CSV or Parquet table, none where a file is no table."""
    try:
        if file.suffix == ".parquet":
            import pyarrow.parquet as pq

            return tuple(pq.read_schema(file).names)
        with file.open(encoding="utf-8", newline="") as lines:
            return tuple(lines.readline(10_000).rstrip("\r\n").split(","))
    except (OSError, ValueError):
        return ()


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write CSV; where a text holds a carriage return every text is quoted, since only line feeds are by themselves."""
    texts = [table[c] for c in table.columns if pd.api.types.is_string_dtype(table[c].dtype)]
    is_odd = any(bool(text.str.contains("\r", regex=False, na=False).any()) for text in texts)
    table.to_csv(path, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC if is_odd else csv.QUOTE_MINIMAL)


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text that begins like a formula led by an apostrophe."""
    text = [c for c in table.columns if pd.api.types.is_string_dtype(table[c].dtype)]
    return table.assign(**{c: table[c].str.replace(r"^([=+\-@\t\r＝＋－＠])", r"'\1", regex=True) for c in text})
