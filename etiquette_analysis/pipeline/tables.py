"""Writing tables: whole or not at all, and harmless when opened in a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from etiquette_analysis.errors import DesignError


def write_table(table: pd.DataFrame, out: str | Path) -> None:
    """Write a table as CSV or Parquet, by the name's ending; the file appears whole or not at all.

    In CSV, text that a spreadsheet would take for a formula (``=``, ``+``, ``-``, ``@`` first) is led by an apostrophe.

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
            _harmless(table).to_csv(part, index=False, lineterminator="\n")
        part.replace(out)
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}); choose a folder that you may write to"
        raise DesignError(msg) from error
    finally:
        part.unlink(missing_ok=True)


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text that begins like a formula led by an apostrophe."""
    text = [c for c in table.columns if pd.api.types.is_string_dtype(table[c].dtype)]
    return table.assign(**{c: table[c].str.replace(r"^([=+\-@\t\r])", r"'\1", regex=True) for c in text})
