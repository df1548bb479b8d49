"""Labelling files of any size: DuckDB reads and sorts with spill, the stream labels.

Memory is DuckDB's limit, a batch, the largest dyad, and the names and connections of the people. The result is
written under a temporary name and renamed when it is whole.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow.parquet as pq

from etiquette_analysis.engine.scan import Source, load_messages, open_database, summarise
from etiquette_analysis.engine.sort import connection_source, load_people, sorted_batches
from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS
from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.structure import LabelOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etiquette_analysis.engine.scan import Paths
    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.stream import What

_DEFAULTS: Final = LabelOptions()


@dataclass(frozen=True)
class LabelledFile:
    """What :func:`label_files` wrote.

    Attributes
    ----------
    path : Path
        The Parquet file.
    n_rows : int
        Its rows.
    audit : DataFrame
        Messages read, kept, and left out with the reason.
    observed_until : Timestamp
        The instant at which observation ended, as given or found.
    """

    path: Path
    n_rows: int
    audit: pd.DataFrame
    observed_until: pd.Timestamp


def label_files(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    what: What = "turns",
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    score: Score | None = None,
    flag: Flag | None = flag_auto_reply,
    memory_limit: str = "1GB",
    threads: int | None = None,
    batch_rows: int = 1 << 17,
    progress: Callable[[int], object] | None = None,
) -> LabelledFile:
    """Label the messages in CSV or Parquet files and write the labels to a Parquet file.

    Parameters
    ----------
    messages : path or sequence of paths
        Columns ``sender``, ``recipient``, ``sent_at``, and where present ``message_id`` (else numbered in time order),
        ``kind`` (else ``message``), ``text``, ``pitch_score``, ``pitch_level``. ``mail-*.parquet`` works.
    connections : path, sequence of paths or None
        Columns ``person_a``, ``person_b``, ``connected_at``, ``resolution``. None: ``connected_at`` and ``resolution``
        may be columns of the messages; else no date is known.
    out : path
        The Parquet file to write; an old one is replaced when the new one is whole.
    what : {"turns", "messages"}
        One row per turn in (dyad, started_at, first_message_id) order, or one per message in (dyad, sent_at,
        message_id) order, those without two people first.
    observed_until : Timestamp, str or None
        The instant at which observation ended; None: the latest ``sent_at`` of any row, whatever its kind.
    options : LabelOptions
        The thresholds.
    score : callable or None
        Takes the texts of a batch (Arrow strings) and returns their scores (null where unknown) and the positions of
        their levels (-1 where unknown). None: the columns ``pitch_score`` and ``pitch_level``, null where absent.
    flag : callable or None
        Takes the texts of a batch and returns true where one is an automatic answer.
    memory_limit : str
        What DuckDB may use before it spills to disk beside ``out``; Python takes some 200 MB more.
    threads : int or None
        Threads of DuckDB; None: all.
    batch_rows : int
        How many messages the kernel sees at a time; the labels do not depend on it.
    progress : callable or None
        Called with the number of messages labelled so far.

    Returns
    -------
    LabelledFile
        Where the labels are, how many rows, and the audit.

    Raises
    ------
    SourceError
        Where a file cannot be read, or a date is none.
    SchemaError
        Where a column is missing or holds what it must not.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> messages = pd.DataFrame({
    ...     "sender": ["ann", "bob"], "recipient": ["bob", "ann"], "sent_at": ["2024-03-05 18:00", "2024-03-05 20:00"],
    ... })
    >>> messages.to_csv(folder / "messages.csv", index=False)
    >>> labelled = label_files(folder / "messages.csv", None, folder / "turns.parquet")
    >>> pd.read_parquet(labelled.path)[["sender", "n_messages", "hours_to_reply"]]
      sender  n_messages  hours_to_reply
    0    ann           1             2.0
    1    bob           1             NaN
    """
    if what not in ("turns", "messages"):
        msg = f"what is {what!r}; expected 'turns' or 'messages'"
        raise DesignError(msg)
    out = Path(out)
    with tempfile.TemporaryDirectory(prefix=".labels-", dir=_folder_of(out)) as folder:
        database = open_database(Path(folder), memory_limit=memory_limit, threads=threads)
        try:
            source = Source(database, messages, table="messages")
            dates_from = connection_source(database, source, connections)
            n_flagged = load_messages(database, source, score=score, flag=flag)
            summary = summarise(database, source, n_flagged)
            until = summary.latest if observed_until is None else instant(observed_until, name="observed_until")
            people, dates = load_people(database, dates_from)
            batches = sorted_batches(database, people, dates, summary, batch_rows=batch_rows, what=what)
            labels = label_stream(_reporting(batches, progress), observed_until=until, options=options, what=what)
            partial = Path(folder) / out.name
            n_rows = _write(labels, partial, TURNS if what == "turns" else MESSAGE_LABELS)
        finally:
            database.close()
        partial.replace(out)
    return LabelledFile(out, n_rows, summary.audit, pd.Timestamp(until, unit="us", tz="UTC"))


def _folder_of(out: Path) -> Path:
    if out.is_dir() or not out.parent.is_dir():
        found = "is a folder; expected the name of a file" if out.is_dir() else "lies in no folder; create it first"
        msg = f"{out} {found}"
        raise SourceError(msg)
    return out.parent


def _reporting(batches: Iterator[Any], progress: Callable[[int], object] | None) -> Iterator[Any]:
    n = 0
    for batch in batches:
        yield batch
        n += batch.num_rows
        if progress is not None:
            progress(n)


def _write(labels: Iterator[Any], path: Path, schema: Any) -> int:
    """Write label batches to a Parquet file and return the number of rows."""
    n_rows = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in labels:
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows
