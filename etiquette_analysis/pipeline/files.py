"""Labelling files of any size, on the engine that fits: DuckDB on this machine, or Apache Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etiquette_analysis.errors import DesignError
from etiquette_analysis.labels.structure import LabelOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    Paths = str | Path | Sequence[str | Path]


def label_files(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    engine: Literal["embedded", "spark"] = "embedded",
    what: Literal["turns", "messages"] = "turns",
    observed_until: pd.Timestamp | str | None = None,
    window_days: float = 14,
    follow_up_gap_hours: float = 24,
    immediate_hours: float = 24,
    pitch_level: str = "moderate",
    memory_limit: str = "1GB",
    threads: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Any:
    """Label CSV or Parquet files of any size into a Parquet file, in bounded memory.

    Parameters
    ----------
    messages, connections : path or sequence of paths
        Columns as in ``schema.MESSAGES`` and ``schema.CONNECTIONS``; globs as ``'messages/*.parquet'``.
    out : path
        The Parquet file to write; it appears whole or not at all.
    engine : {"embedded", "spark"}
        Where to sort: DuckDB on this machine, or Apache Spark (extra ``spark``).
    what : {"turns", "messages"}
        One row per turn, or per message.
    memory_limit : str
        What DuckDB may use before it spills to disk.
    threads : int, optional
        Threads of DuckDB; all where not given.
    progress : callable, optional
        Called with the number of messages labelled so far.

    Returns
    -------
    LabelledFile
        ``path``, ``n_rows``, ``audit`` and ``observed_until``.

    Raises
    ------
    SourceError, SchemaError
        Where a file or a column is not what it must be.
    DesignError
        Where an option makes no sense, or the engine is not there.
    """
    if engine != "embedded":
        msg = f"engine={engine!r} is not available in this version; use engine='embedded'"
        raise DesignError(msg)
    from etiquette_analysis.engine import files
    from etiquette_analysis.labels.pitch import score_batch

    return files.label_files(
        messages,
        connections,
        out,
        what=what,
        observed_until=observed_until,
        options=LabelOptions(window_days, follow_up_gap_hours, immediate_hours, pitch_level),
        score=score_batch,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
    )
