"""Files of one table as DuckDB sees them: found, opened as one relation, their columns under our names.

Files, patterns, folders and hive partitions (``year=2024/month=03/*.parquet``) are all lists of files in the order of
their names. Files of one table may order their columns differently or lack some; what a file lacks is null.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from etiquette_analysis.errors import DesignError, SchemaError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Paths = str | Path | Sequence[str | Path]

#: Values of partitions stay verbatim (``sender=007``), as everything in a CSV file does.
_READERS: Final = {
    ".parquet": "read_parquet({}, union_by_name = true, hive_types_autocast = false)",
    ".csv": "read_csv({}, header = true, all_varchar = true, quote = '\"', escape = '\"', union_by_name = true, "
    "hive_types_autocast = false)",
}
_COMPRESSED: Final = (".gz", ".zst")
#: Else DuckDB draws its progress on standard output. What is set so holds for one connection and not for its cursors.
_SILENT: Final = "SET enable_progress_bar_print = false"
#: MiB that the work needs outside the database.
_OURS: Final = 450


def open_database(folder: Path, *, memory_limit: str, threads: int | None) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that spills into ``folder``, for work that as a whole keeps to ``memory_limit``.

    Python and its libraries, the batches in hand and what goes out need some 450 MiB; the database gets the rest, and
    of a small limit no less than half.

    Raises
    ------
    DesignError
        Where DuckDB does not understand a limit.
    """
    settings = {"TimeZone": "UTC", "memory_limit": memory_limit, "temp_directory": str(folder)}
    database = duckdb.connect()
    database.execute(_SILENT)
    try:
        for name, value in settings.items():
            database.execute(f"SET GLOBAL {name} = {quoted(value)}")  # a cursor does not see what is set for a session
        if threads is not None:
            database.execute(f"SET threads = {int(threads)}")
        given = _mebibytes(database.sql("SELECT current_setting('memory_limit')").fetchall()[0][0])
        database.execute(f"SET GLOBAL memory_limit = '{max(given - _OURS, given // 2)}MiB'")
    except duckdb.Error as error:
        asked = f"memory_limit is {memory_limit!r} (--memory-limit) and threads is {threads!r} (--threads)"
        msg = f"{asked}; expected e.g. '1GB' and 2 ({error})"
        raise DesignError(msg) from error
    return database


def open_cursor(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a second connection, for what goes on beside a stream; it can be asked for its progress."""
    cursor = database.cursor()
    cursor.execute(f"{_SILENT}; SET enable_progress_bar = true")
    return cursor


def _mebibytes(size: str) -> int:
    """Return a size as DuckDB says it in MiB.

    >>> _mebibytes("953.6 MiB"), _mebibytes("3.7 GiB")
    (953, 3788)
    """
    number, unit = size.split()
    return int(float(number) * 1024 ** (("KiB", "MiB", "GiB", "TiB").index(unit) - 1))


def quoted(value: str) -> str:
    """Return ``value`` as a string of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def find_files(given: Paths) -> list[Path]:
    """Return the files that paths, patterns and folders stand for, in the order given, each pattern's by name.

    A folder stands for all its Parquet files, else for all its CSV files, however deep; hidden ones do not count. What
    is not there is returned as it is, for DuckDB knows more addresses than we do and says best what is wrong.
    """
    files: list[Path] = []
    for path in [given] if isinstance(given, str | Path) else given:
        name = str(path)
        if Path(name).is_dir():
            inside = glob.escape(name)
            found = _matching(f"{inside}/**/*.parquet") or [
                file for ending in ("", *_COMPRESSED) for file in _matching(f"{inside}/**/*.csv{ending}")
            ]
            if not found:
                msg = f"{name}: the folder holds no .parquet and no .csv file"
                raise SourceError(msg)
            files += sorted(found)
        else:
            files += [Path(name)] if Path(name).exists() else _matching(name) or [Path(name)]
    return files


def _matching(pattern: str) -> list[Path]:
    return [path for path in map(Path, sorted(glob.glob(pattern, recursive=True))) if path.is_file()]  # noqa: PTH207


class Source:
    """Files of one table: ``sql`` to select from, the ``columns`` they have, and the ``files`` themselves."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        paths: Paths,
        *,
        table: str,
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        self.files = find_files(paths)
        self.name = str(paths) if isinstance(paths, str | Path) else ", ".join(map(str, paths))
        suffixes = {_suffix(path) for path in self.files}
        if len(suffixes) != 1 or not suffixes <= _READERS.keys():
            msg = (
                f"{self.name}: expected the {table} as .csv or .parquet (all of one kind); other formats: ea.read(path)"
            )
            raise SourceError(msg)
        self.is_text = suffixes == {".csv"}
        listed = ", ".join(quoted(glob.escape(str(path))) for path in self.files)
        self.sql = _READERS[suffixes.pop()].format(f"[{listed}]")
        self.columns = self._describe(database)
        self._rename(database, mapping or {})

    def _describe(self, database: duckdb.DuckDBPyConnection) -> dict[str, str]:
        try:
            described = database.sql(f"DESCRIBE SELECT * FROM {self.sql}").fetchall()
        except duckdb.Error as error:
            raise self.unreadable(error) from error
        return {name: kind for name, kind, *_ in described}

    def _rename(self, database: duckdb.DuckDBPyConnection, mapping: Mapping[str, str]) -> None:
        """Give columns our names; a column that bore one of these names before gives way."""
        renamed = {our: their for our, their in mapping.items() if their in self.columns and our != their}
        if renamed:
            gone = {name for name in self.columns if name in {*renamed, *renamed.values()}}
            kept = [identifier(name) for name in self.columns if name not in gone]
            new = [f"{identifier(their)} AS {identifier(our)}" for our, their in renamed.items()]
            self.sql = f"(SELECT {', '.join(kept + new)} FROM {self.sql})"
            self.columns = self._describe(database)

    def require(self, *names: str) -> None:
        """Raise ``SchemaError`` unless all the columns are there."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            msg = (
                f"{self.name} has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(map(repr, self.columns))}. Say which of yours is which with mapping={{ours: yours}} "
                "(--mapping FILE)."
            )
            raise SchemaError(msg)

    def unreadable(self, error: Exception) -> SourceError:
        """Return what to raise where DuckDB gave up; its first line only, since further ones quote the file."""
        return SourceError(f"{self.name} could not be read: {str(error).splitlines()[0]}")

    def size(self, database: duckdb.DuckDBPyConnection) -> tuple[int, str]:
        """Return how much there is to read: rows where the files say so, else bytes; and the unit."""
        if self.is_text:
            return sum(path.stat().st_size for path in self.files if path.exists()), "bytes"
        try:
            return int(database.sql(f"SELECT count(*) FROM {self.sql}").fetchall()[0][0]), "messages"
        except duckdb.Error as error:
            raise self.unreadable(error) from error


def identifier(name: str) -> str:
    """Return ``name`` as a name of SQL.

    >>> identifier("From")
    '"From"'
    """
    return '"' + name.replace('"', '""') + '"'


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED else (suffixes or [""])[-1]
