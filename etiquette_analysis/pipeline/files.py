"""Labelling files of any size, on the engine that fits: DuckDB on this machine, or Apache Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etiquette_analysis.errors import DesignError
from etiquette_analysis.labels.structure import LabelOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.engine.files import LabelledFile

    Paths = str | Path | Sequence[str | Path]


def label_files(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    engine: Literal["embedded", "spark"] = "embedded",
    what: Literal["turns", "messages"] = "turns",
    mapping: Mapping[str, str] | None = None,
    observed_until: pd.Timestamp | str | None = None,
    window_days: float = 14,
    follow_up_gap_hours: float = 24,
    immediate_hours: float = 24,
    pitch_level: str = "moderate",
    identify: bool = True,
    project: str = "default",
    strict: bool = False,
    memory_limit: str = "1GB",
    threads: int | None = None,
    master: str | None = None,
    remote: str | None = None,
    progress: Callable[[str, int, int, str], object] | None = None,
    say: Callable[[str], object] | None = None,
) -> LabelledFile:
    """Label CSV or Parquet files of any size into a Parquet file or a folder of them, in bounded memory.

    A call that was stopped, however it was, goes on from there when it is made again with the same arguments and
    unchanged files, and gives the same bytes.

    Parameters
    ----------
    messages, connections : path or sequence of paths
        Columns as in ``schema.MESSAGES`` and ``schema.CONNECTIONS``. CSV (also ``.csv.gz``, ``.csv.zst``) or Parquet;
        patterns as ``'messages/*.parquet'``; folders, partitioned ones (``year=2024/…``) too.
    out : path
        A name ending in ``.parquet``: one file. Without an ending: a folder of parts in order. It appears whole or not
        at all.
    engine : {"embedded", "spark"}
        Where to sort: DuckDB on this machine, or Apache Spark (extra ``spark``). Spark reads and writes wherever it
        can, always writes a folder, in no order, and wants a ``message_id``; ``memory_limit``, ``threads`` and
        ``progress`` are not for it (docs/spark.md).
    what : {"turns", "messages"}
        One row per turn, or per message.
    mapping : dict, optional
        {our_name: their_name}, for columns of either table that have another name.
    observed_until, window_days, follow_up_gap_hours, immediate_hours, pitch_level
        As for :func:`label_turns`.
    identify : bool
        Write identifiers as they are; False: pseudonyms, under the key of this machine.
    project : str
        Whose key makes the pseudonyms: those of two projects cannot be linked.
    strict : bool
        Raise ``SourceError`` and write nothing where any row is left out.
    memory_limit : str
        About what the whole call may use, e.g. ``"4GB"``; what does not fit is spilled to disk beside ``out``.
    threads : int, optional
        How many to use; one for each processor where not given. The result does not depend on it.
    master, remote : str, optional
        Where Spark runs: ``local[4]``, ``spark://host:7077``, ``yarn``; or a Spark Connect server, ``sc://host:15002``.
        Neither: the session that runs already, else as the surroundings of the process say.
    progress : callable, optional
        Called with what is going on, how much is done, of how much, and the unit.
    say : callable, optional
        Told in a sentence when an unfinished call is continued, or why it is not.

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
    if engine not in ("embedded", "spark"):
        msg = f"engine is {engine!r}; expected 'embedded' or 'spark'"
        raise DesignError(msg)
    from etiquette_analysis import privacy
    from etiquette_analysis.labels.pitch import score_batch
    from etiquette_analysis.pipeline.names import renamer
    from etiquette_analysis.sources.columns import check_mapping

    key = None if identify else privacy.load_key(project)
    rename = None if key is None else renamer(key)
    options = LabelOptions(window_days, follow_up_gap_hours, immediate_hours, pitch_level)
    if engine == "spark":
        from etiquette_analysis.engine.spark.files import label_files as label_on_spark
        from etiquette_analysis.engine.spark.session import find_session

        return label_on_spark(
            messages,
            connections,
            out,
            session=find_session(master, remote),
            what=what,
            mapping=check_mapping(mapping),
            observed_until=observed_until,
            options=options,
            score=score_batch,
            rename=rename,
            strict=strict,
            say=say,
        )
    from etiquette_analysis.engine import files

    return files.label_files(
        messages,
        connections,
        out,
        what=what,
        mapping=check_mapping(mapping),
        observed_until=observed_until,
        options=options,
        score=score_batch,
        rename=rename,
        depends_on={"pseudonyms": _tell_apart(key)},
        strict=strict,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
        say=say,
    )


def build_dyads_file(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    plan: Plan | None = None,
    *,
    owner: str | Sequence[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    observed_until: pd.Timestamp | str | None = None,
    identify: bool = True,
    project: str = "default",
    strict: bool = False,
    memory_limit: str = "1GB",
    threads: int | None = None,
    progress: Callable[[str, int, int, str], object] | None = None,
    say: Callable[[str], object] | None = None,
) -> LabelledFile:
    """Reduce files of any size to one row per connection, as :func:`build_dyads` does for a dataset.

    The analysis needs nothing else: ``compare(pd.read_parquet(out), plan)``, ``write_report(pd.read_parquet(out),
    folder)``. The file holds no name and no text; the plan and where it comes from are in it.

    Parameters
    ----------
    messages, connections, mapping, observed_until, strict, memory_limit, threads, progress, say
        As for :func:`label_files`. Connections without a date do not count; they may say besides who invited
        (``invited_by``, ``invited_at``), ``position``, ``language`` and numbers named ``x_*``.
    out : path
        A name ending in ``.parquet``; the file appears whole or not at all.
    plan : Plan, optional
        The windows and thresholds; the default plan where not given.
    owner : str or sequence of str, optional
        Whose messages they are; then pairs without an owner do not count.
    identify, project
        As for :func:`build_dyads`: whether rows and numbers may follow the order of the names.

    Returns
    -------
    LabelledFile
        ``path``, ``n_rows``, ``audit`` of the messages, and ``observed_until``.

    Raises
    ------
    SourceError, SchemaError
        Where a file or a column is not what it must be.

    Examples
    --------
    >>> import tempfile, pandas as pd, etiquette_analysis as ea
    >>> sample, folder = ea.load_sample(), Path(tempfile.mkdtemp())
    >>> sample.messages.to_parquet(folder / "messages.parquet")
    >>> sample.connections.to_parquet(folder / "connections.parquet")
    >>> made = build_dyads_file(
    ...     folder / "messages.parquet", folder / "connections.parquet", folder / "dyads.parquet", owner=sample.ego,
    ...     observed_until=sample.observed_until)
    >>> in_memory = ea.build_dyads(sample)  # which alone compares texts with one another (``template``)
    >>> pd.read_parquet(made.path).drop(columns="template").equals(in_memory.drop(columns="template"))
    True
    """
    import dataclasses

    from etiquette_analysis import privacy
    from etiquette_analysis.analysis.dyads import tabulate_dyads
    from etiquette_analysis.analysis.origin import Origin
    from etiquette_analysis.analysis.pairing import Whole
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.engine.dyads import reduce_to_dyads
    from etiquette_analysis.labels.pitch import score_batch
    from etiquette_analysis.pipeline.names import index_renamer
    from etiquette_analysis.pipeline.origins import about_files
    from etiquette_analysis.sources.columns import check_mapping

    plan = plan or Plan()
    key = None if identify else privacy.load_key(project)
    rename = None if key is None else index_renamer(key)
    ego = (owner,) if isinstance(owner, str) else None if owner is None else tuple(owner)

    def reduce(
        labelled: pd.DataFrame, listed: pd.DataFrame, n_partners: pd.Series, first: int, until: pd.Timestamp
    ) -> pd.DataFrame:
        whole = Whole(n_partners, first)
        return tabulate_dyads(labelled, listed, observed_until=until, ego=ego, plan=plan, whole=whole, rename=rename)

    def describe(counted: dict[str, Any], audit: pd.DataFrame) -> dict[str, str]:
        return Origin(plan, about_files(counted, ego), audit).attrs

    return reduce_to_dyads(
        messages,
        connections,
        out,
        reduce=reduce,
        describe=describe,
        ego=ego,
        depends_on={"plan": dataclasses.asdict(plan), "owner": ego, "pseudonyms": _tell_apart(key)},
        observed_until=observed_until,
        score=score_batch,
        mapping=check_mapping(mapping),
        strict=strict,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
        say=say,
    )


def _tell_apart(key: bytes | None) -> str | None:
    """Return what tells a key from others, and no more."""
    from etiquette_analysis import privacy

    return None if key is None else privacy.pseudonym("", key=key)
