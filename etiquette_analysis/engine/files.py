"""Labelling files of any size: DuckDB reads and sorts with spill, the stream labels, parts are written as they come.

Memory is DuckDB's limit, some batches, the largest dyad, and the names and connections of the people. The result
appears whole or not at all, and a run that was stopped goes on where it was (see ``work``): what was scored is not
scored again, and what was labelled is not labelled again.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis import __version__
from etiquette_analysis.engine.parts import write_parts
from etiquette_analysis.engine.run import open_run
from etiquette_analysis.engine.sort import load_people, match_connections, sorted_batches
from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS
from etiquette_analysis.engine.workers import n_threads
from etiquette_analysis.errors import DesignError
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.structure import LabelOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from etiquette_analysis.engine.parts import Key
    from etiquette_analysis.engine.scan import Progress
    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.source import Paths
    from etiquette_analysis.engine.stream import What
    from etiquette_analysis.engine.summary import Summary

_DEFAULTS: Final = LabelOptions()
_SCHEMAS: Final = {"turns": TURNS, "messages": MESSAGE_LABELS}
#: A folder's parts hold so many messages, and those that the last dyad has beyond; a single file is one part.
_PART_ROWS: Final = 1 << 20


@dataclass(frozen=True)
class LabelledFile:
    """What :func:`label_files` wrote.

    Attributes
    ----------
    path : Path or str
        The Parquet file, or the folder of parts; a str where Spark was given an address (``s3a://...``).
    n_rows : int
        Its rows.
    audit : DataFrame
        Messages read, kept, and left out with the reason.
    observed_until : Timestamp
        The instant at which observation ended, as given or found.
    """

    path: Path | str
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
    mapping: Mapping[str, str] | None = None,
    rename: Callable[[Any], Any] | None = None,
    depends_on: Mapping[str, Any] | None = None,
    strict: bool = False,
    memory_limit: str = "1GB",
    threads: int | None = None,
    batch_rows: int = 1 << 16,
    part_rows: int = _PART_ROWS,
    progress: Progress | None = None,
    say: Callable[[str], object] | None = None,
) -> LabelledFile:
    """Label the messages in CSV or Parquet files and write the labels to a Parquet file or a folder of them.

    Parameters
    ----------
    messages : path or sequence of paths
        Files, patterns, or folders, as in ``source``. Columns ``sender``, ``recipient``, ``sent_at``, and where present
        ``message_id`` (else numbered in time order), ``kind`` (else ``message``), ``text``, ``pitch_score``,
        ``pitch_level``.
    connections : path, sequence of paths or None
        Columns ``person_a``, ``person_b``, ``connected_at``, and where present ``resolution`` (else ``day`` where all
        dates are midnights, or ``second``). None: ``connected_at`` may be a column of the messages; else no date is
        known.
    out : path
        A name ending in ``.parquet``: one file. Without an ending: a folder of parts (``part-00000.parquet`` …), in
        order, with what there is to know of them in ``_labels.json``. An old result is replaced when the new one is
        whole.
    what : {"turns", "messages"}
        One row per turn in (dyad, started_at, first_message_id) order, or one per message in (dyad, sent_at,
        message_id) order, those without two people first. Parts follow one another in that order.
    observed_until : Timestamp, str or None
        The instant at which observation ended; None: the latest ``sent_at`` of any row, whatever its kind.
    options : LabelOptions
        The thresholds.
    score : callable or None
        Takes the texts of a batch (Arrow strings) and returns their scores (null where unknown) and the positions of
        their levels (-1 where unknown). None: the columns ``pitch_score`` and ``pitch_level``, null where absent.
    flag : callable or None
        Takes the texts of a batch and returns true where one is an automatic answer.
    mapping : dict, optional
        {our name: their name} for columns of either table.
    rename : callable or None
        Takes distinct identifiers (an Arrow array of large strings, no null) and returns what to write in their place
        (as many distinct strings, no null), e.g. pseudonyms. Called once, with everybody. Rows are in the order of the
        new names, and so are the two of a ``dyad``: the order of the old ones would give them away. None: identifiers
        as they are.
    depends_on : mapping, optional
        What else the result depends on (of what ``rename`` does, say), as JSON can hold it: a run that was stopped is
        continued only where this is the same too.
    strict : bool
        Raise ``SourceError`` and write nothing where any row is left out.
    memory_limit : str
        About what the whole run may use; what does not fit is spilled to disk beside ``out``.
    threads : int or None
        How many batches to work on side by side, and DuckDB's threads; None: one for each processor. The result does
        not depend on it.
    batch_rows : int
        How many messages the kernel sees at a time; the labels do not depend on it.
    part_rows : int
        So many messages make a part of a folder.
    progress : callable or None
        Called with what is going on (``"reading"``, ``"labelling"``), how much is done, of how much, and the unit.
    say : callable or None
        Told in a sentence when an unfinished run is continued, or why it is not.

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
    if what not in _SCHEMAS:
        msg = f"what is {what!r}; expected 'turns' or 'messages'"
        raise DesignError(msg)
    progress = progress or (lambda *_: None)
    threads = n_threads(threads)
    until = None if observed_until is None else instant(observed_until, name="observed_until")
    question = {
        "what": what,
        "options": {**dataclasses.asdict(options), "observed_until": until, "part_rows": part_rows},
        **(depends_on or {}),
    }
    with open_run(
        Path(out),
        messages,
        connections,
        question=question,
        mapping=mapping,
        score=score,
        flag=flag,
        strict=strict,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
        say=say,
    ) as run:
        until = run.summary.latest if until is None else until
        people, dates = load_people(run.database, run.dates_from, rename)
        summary = match_connections(run.database, run.dates_from, run.summary)

        def batches(after: Key | None) -> Iterator[Any]:
            return sorted_batches(run.database, people, dates, batch_rows=batch_rows, what=what, after=after)

        def label(part: Iterable[Any]) -> Iterator[Any]:
            return label_stream(part, observed_until=until, options=options, what=what, threads=threads)

        n = summary.n_kept if what == "turns" else summary.n_rows
        rows = part_rows if run.work.is_folder else None
        n_rows = write_parts(run.work, batches, label, _SCHEMAS[what], rows=rows, n_messages=n, progress=progress)
        run.work.finish(_about(what, n_rows, until, summary, options))
    return LabelledFile(Path(out), n_rows, summary.audit, _timestamp(until))


def _timestamp(microseconds: int) -> pd.Timestamp:
    return pd.Timestamp(microseconds, unit="us", tz="UTC")


def _about(what: What, n_rows: int, until: int, summary: Summary, options: LabelOptions) -> dict[str, Any]:
    """Return what a folder says of itself: no name, no path, nothing that differs from run to run."""
    observed_until = _timestamp(until)
    return {
        "rows": what,
        "n_rows": n_rows,
        "observed_until": None if pd.isna(observed_until) else observed_until.isoformat(),
        "options": dataclasses.asdict(options),
        "audit": summary.audit.astype(object).where(summary.audit.notna(), None).to_dict("records"),
        "version": __version__,
    }
