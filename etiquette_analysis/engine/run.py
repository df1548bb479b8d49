"""One run over files, from opening them to the relation ``messages`` that every result is made of.

Whatever can be found wrong without reading the messages is found first, so that a slip of the pen does not cost what
an earlier run has done.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from etiquette_analysis import __version__
from etiquette_analysis.engine.scan import load_messages
from etiquette_analysis.engine.sort import connection_source
from etiquette_analysis.engine.source import Source, open_database
from etiquette_analysis.engine.summary import Summary, summarise
from etiquette_analysis.engine.work import Work, describe_files
from etiquette_analysis.schema import require_complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from etiquette_analysis.engine.scan import Progress
    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.source import Paths


@dataclass(frozen=True)
class Run:
    """A database that holds ``messages``, what they are in sum, where they and connections stand, and where to work."""

    database: duckdb.DuckDBPyConnection
    source: Source
    summary: Summary
    dates_from: tuple[Source, tuple[str, str]] | None
    work: Work


@contextmanager
def open_run(
    out: Path,
    messages: Paths,
    connections: Paths | None,
    *,
    question: Mapping[str, Any],
    mapping: Mapping[str, str] | None,
    score: Score | None,
    flag: Flag | None,
    strict: bool,
    memory_limit: str,
    threads: int,
    progress: Progress,
    say: Callable[[str], object] | None,
) -> Iterator[Run]:
    """Read what is to be labelled; ``question`` holds what the result depends on besides files, scorer and versions."""
    work = Work(out)
    database = open_database(work.spill, memory_limit=memory_limit, threads=threads)
    try:
        source = Source(database, messages, table="messages", mapping=mapping)
        dates_from = connection_source(database, source, connections, mapping)
        whole_question = {
            **question,
            "columns": dict(mapping or {}),
            "labels": [_name_of(score), _name_of(flag)],
            "messages": describe_files(source.files),
            "connections": describe_files(dates_from[0].files if dates_from else ()),
            "versions": [__version__, *(module.__version__ for module in (duckdb, np, pa))],
        }
        with work.doing(whole_question, say or (lambda _: None)):
            load_messages(database, source, work, score=score, flag=flag, threads=threads, progress=progress)
            summary = summarise(database, source)
            if strict:
                require_complete(summary.audit)
            yield Run(database, source, summary, dates_from, work)
    finally:
        database.close()


def _name_of(function: Callable[..., Any] | None) -> str | None:
    return None if function is None else f"{function.__module__}.{function.__qualname__}"
