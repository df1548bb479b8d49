"""Labelling files of any size on Spark: read where Spark reads, checked in one pass, written as a folder of Parquet."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from etiquette_analysis.engine.files import LabelledFile, _about, _timestamp
from etiquette_analysis.engine.spark import connections_of, label_numbers, require_what
from etiquette_analysis.engine.spark.columns import numbers, position, strange
from etiquette_analysis.engine.spark.session import Place, first_line, settings
from etiquette_analysis.engine.summary import Summary, refuse
from etiquette_analysis.errors import SchemaError, SourceError, as_shown
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.structure import NAT, LabelOptions
from etiquette_analysis.schema import (
    KEPT,
    KINDS,
    NOTE_STAGE,
    PITCH_LEVELS,
    READ,
    RESOLUTIONS,
    TURN_KINDS,
    AuditLog,
    require_complete,
)

try:
    from pyspark.sql import functions as f
    from pyspark.sql import types as t
except ImportError:  # find_session has said what to do
    f = t = None

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from pyspark.sql import Column, DataFrame, SparkSession

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.spark.worker import Rename
    from etiquette_analysis.engine.stream import What

    Paths = str | Path | Sequence[str | Path]

    _T = TypeVar("_T")

_DEFAULTS: Final = LabelOptions()
#: Instants are written as every reader of Parquet takes them; values of partitions stay verbatim (``sender=007``).
_SETTINGS: Final = {
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
_CSV: Final = {
    "header": True,
    "quote": '"',
    "escape": '"',
    "multiLine": True,
    "mode": "FAILFAST",
    "enforceSchema": False,
}
_MESSAGE: Final = ("sender", "recipient", "sent_at")
_CONNECTION: Final = ("person_a", "person_b", "connected_at", "resolution")
_COMPRESSED: Final = (".gz", ".bz2", ".zst")
_DATE: Final = r"^[+-]?\d{4,}-\d{1,2}-\d{1,2}"
#: A date with a time and a zone behind it; any other is UTC.
_ZONED: Final = r"\d:\d\d.*([A-Za-z]|[+-]\d\d(:?\d\d)?)$"
_STAGE: Final = "messages"
_BAD: Final = ("bad_date", "bad_kind", "bad_level")


def label_files(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    session: SparkSession,
    what: What = "turns",
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    mapping: Mapping[str, str] | None = None,
    score: Score | None = None,
    flag: Flag | None = flag_auto_reply,
    rename: Rename | None = None,
    strict: bool = False,
    say: Callable[[str], object] | None = None,
) -> LabelledFile:
    """Label the messages in CSV or Parquet files and write the labels as a folder of Parquet files.

    Parameters
    ----------
    messages, connections : path, sequence of paths or None
        What Spark reads: files, patterns, folders (hive partitions too), on any file system that it knows. Columns as
        in ``engine.files.label_files``, but ``message_id`` must be there: Spark keeps no order of rows to number.
    out : path
        The folder to write; absent, empty, or an earlier result (through Spark Connect: absent).
    session : pyspark.sql.SparkSession
        Classic or Spark Connect.
    what, observed_until, options, mapping, score, flag, rename, strict
        As in ``engine.files.label_files``; functions are sent to the workers, with all that they hold.
    say : callable or None
        Told in a sentence what begins.

    Returns
    -------
    LabelledFile
        Where the labels are, how many rows, and the audit.

    Raises
    ------
    SourceError
        Where a file cannot be read, a date is none, or ``out`` holds something else.
    SchemaError
        Where a column is missing or holds what it must not.
    """
    require_what(what)
    say = say or (lambda _: None)
    until = None if observed_until is None else instant(observed_until, name="observed_until")
    place = Place(session, str(out))
    with settings(session, _SETTINGS):
        source = _Source(session, messages, "messages", mapping, required=("message_id", *_MESSAGE), date="sent_at")
        dates = _dates(session, source, connections, mapping)
        scored = _scored(source, score, flag, rename)
        try:
            say("reading and scoring")
            summary = source.attempt(lambda: _summarise(source, scored))
            if strict:
                require_complete(summary.audit)
            until = summary.latest if until is None else until
            say("sorting, labelling and writing")
            labels = label_numbers(scored, dates, what=what, observed_until=until, options=options, rename=rename)
            n_rows = place.write(labels, lambda n: _about(what, n, until, summary, options))
        finally:
            scored.unpersist()
    written = str(out) if "://" in str(out) else Path(out)
    return LabelledFile(written, n_rows, summary.audit, _timestamp(until))


def _dates(
    session: SparkSession, messages: _Source, connections: Paths | None, mapping: Mapping[str, str] | None
) -> DataFrame | None:
    """Return the checked table of connections: of its own files, else what the messages say of it, if anything."""
    if connections is None:
        if "connected_at" in messages.frame.columns:
            messages.require("resolution")
            messages.attempt(lambda: _check_dates(messages))
        return connections_of(messages.frame, None)
    given = _Source(session, connections, "connections", mapping, required=_CONNECTION, date="connected_at")
    given.attempt(lambda: _check_dates(given))
    return given.frame


class _Source:
    """Files of one table as Spark reads them, columns under our names, dates as instants in UTC.

    What a date could not be read from is in a column of its own (``bad_sent_at``), null elsewhere.
    """

    def __init__(
        self,
        session: SparkSession,
        paths: Paths,
        table: str,
        mapping: Mapping[str, str] | None,
        *,
        required: tuple[str, ...],
        date: str,
    ) -> None:
        self.paths = [str(path) for path in ([paths] if isinstance(paths, str | PurePath) else paths)]
        self.name = ", ".join(self.paths)
        suffixes = {_suffix(path) for path in self.paths}
        if len(suffixes) != 1 or not suffixes <= {"", ".parquet", ".csv"}:
            msg = (
                f"{self.name}: expected the {table} as .csv or .parquet (all of one kind), or folders of Parquet files"
            )
            raise SourceError(msg)
        self.is_text = suffixes == {".csv"}
        self.frame = _renamed(self.attempt(lambda: self._read(session)), mapping or {})
        self.require(*required)
        if self.is_text:  # a field without anything in it is null, as DuckDB reads it
            named = ((_quoted(name), name) for name in self.frame.columns)
            self.frame = self.frame.select(*(f.when(column != "", column).alias(name) for column, name in named))
        for name in {date, "connected_at"} & set(self.frame.columns):
            self.frame = _with_instants(self.frame, name)

    def require(self, *names: str) -> None:
        """Raise ``SchemaError`` unless all the columns are there."""
        missing = [name for name in names if name not in self.frame.columns]
        if missing:
            msg = (
                f"{self.name} has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(map(repr, self.frame.columns))}. Say which of yours is which with mapping={{ours: yours}} "
                "(--mapping FILE)."
            )
            raise SchemaError(msg)

    def _read(self, session: SparkSession) -> DataFrame:
        reader = session.read.options(**_CSV) if self.is_text else session.read.option("mergeSchema", True)
        frame = reader.csv(self.paths) if self.is_text else reader.parquet(*self.paths)
        frame.columns  # noqa: B018 -- Spark Connect looks at the files now, not later
        return frame

    def attempt(self, action: Callable[[], _T]) -> _T:
        """Return what an action gives; ``SourceError`` where Spark cannot read the files."""
        from pyspark.errors import PySparkException, PythonException

        try:
            return action()
        except PythonException:  # what the scorer raised
            raise
        except PySparkException as error:
            raise SourceError(f"{self.name} could not be read: {first_line(error)}") from error


def _suffix(path: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePath(path.replace("*", "x")).suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] in _COMPRESSED else (suffixes or [""])[-1]


def _renamed(frame: DataFrame, mapping: Mapping[str, str]) -> DataFrame:
    """Give columns our names; a column that bore one of these names before gives way."""
    renamed = {our: their for our, their in mapping.items() if their in frame.columns and our != their}
    kept = [name for name in frame.columns if name not in {*renamed, *renamed.values()}]
    return frame.select(*map(_quoted, kept), *(_quoted(their).alias(our) for our, their in renamed.items()))


def _quoted(name: str) -> Column:
    return f.col("`" + name.replace("`", "``") + "`")


def _with_instants(frame: DataFrame, name: str) -> DataFrame:
    """Read a column of dates; text without a zone is UTC, whatever the session's zone."""
    bad = f"bad_{name}"
    if not isinstance(frame.schema[name].dataType, t.StringType):
        return frame.withColumn(bad, f.lit(None).cast("string"))
    text = f.trim(f.col(name))
    tails = ("Z", ":00Z", " 00:00:00Z")
    as_utc = [f.concat(text, f.lit(tail)).try_cast("timestamp") for tail in tails]
    zoned = f.when(text.rlike(_ZONED), text.try_cast("timestamp"))
    found = f.when(text.rlike(_DATE), f.coalesce(*as_utc, zoned))
    return frame.withColumns({bad: f.when(found.isNull(), f.col(name)), name: found})


def _scored(source: _Source, score: Score | None, flag: Flag | None, rename: Rename | None) -> DataFrame:
    """Return the messages as numbers, kept where they would be read or scored again, and what was strange in them."""
    frame = source.frame
    further = {
        "bad_date": f.col("bad_sent_at"),
        "bad_kind": strange(frame, "kind", KINDS),
        "bad_level": strange(frame, "pitch_level", PITCH_LEVELS),
        "declared": position(frame, "kind", KINDS, null=KINDS.index("message")),
    }
    columns = (column.alias(name) for name, column in further.items())
    scored = numbers(frame, *columns, score=score, flag=flag, rename=rename)
    return scored.persist() if source.is_text or rename is not None or "text" in frame.columns else scored


def _summarise(source: _Source, scored: DataFrame) -> Summary:
    """Count what was read and left out, and check what must hold of every row."""
    reason = f.when(f.col("kind") >= len(TURN_KINDS), f.element_at(f.array(*map(f.lit, KINDS)), f.col("kind") + 1))
    reason = reason.when(f.col("sent_at").isNull(), "no date")
    reason = reason.when(f.col("sender").isNull() | f.col("recipient").isNull(), "no sender or recipient")
    reason = reason.when(f.col("sender") == f.col("recipient"), "to oneself").otherwise(KEPT)
    groups = (
        scored.groupBy(reason.alias("reason"))
        .agg(
            f.count("*").alias("n"),
            f.max("sent_at").alias("latest"),
            f.count("message_id").alias("n_ids"),
            f.count_if(f.col("kind") != f.col("declared")).alias("n_flagged"),
            *(f.min(name).alias(name) for name in _BAD),
        )
        .orderBy("reason")
        .collect()
    )
    refuse(
        cast("Any", source),
        *(min((group[name] for group in groups if group[name] is not None), default=None) for name in _BAD),
    )
    n_rows, n_ids, n_flagged = (sum(group[name] for group in groups) for name in ("n", "n_ids", "n_flagged"))
    if n_ids < n_rows:
        msg = (
            f"{source.name}: {n_rows - n_ids} rows have no whole number as message_id; expected a unique int64 per row"
        )
        raise SchemaError(msg)
    _refuse_repeats(scored)
    counts = {group["reason"]: group["n"] for group in groups}
    log = AuditLog()
    log.add(_STAGE, READ, n_rows)
    for reason, n in ({KEPT: 0} | counts).items():
        log.add(_STAGE, reason, n)
    log.add(NOTE_STAGE, "automatic answers recognised by their text", n_flagged)
    latest = max((group["latest"] for group in groups if group["latest"] is not None), default=NAT)
    return Summary(latest, n_rows, counts.get(KEPT, 0), log.frame())


def _refuse_repeats(scored: DataFrame) -> None:
    repeats = scored.groupBy("message_id").count().where("count > 1").orderBy("message_id").first()
    if repeats is not None:
        msg = f"message_id {repeats[0]} occurs {repeats[1]} times; message_id must be unique"
        raise SchemaError(msg)


def _check_dates(source: _Source) -> None:
    """Refuse a date of connection that is none, and a resolution that we do not know."""
    resolution = f.col("resolution").cast("string")
    found = source.frame.agg(
        f.min("bad_connected_at"), f.sort_array(f.collect_set(f.when(~resolution.isin(*RESOLUTIONS), resolution)))
    ).first()
    if found[0] is not None:
        msg = f"{source.name}: connected_at {as_shown(found[0])!r} is not a date; expected e.g. '2024-02-28'"
        raise SourceError(msg)
    if found[1]:
        msg = f"{source.name}: unknown resolution {found[1]}; expected 'day' or 'second'"
        raise SchemaError(msg)
