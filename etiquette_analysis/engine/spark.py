"""Labelling on Spark: the same stream of sorted Arrow batches, one per partition.

Spark brings every dyad into one partition and sorts there; the labels come from the generator that every engine calls,
so they are the same rows. Needs the extra ``spark`` and Java 17, and the package wherever Spark's Python workers run.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from etiquette_analysis.engine.score import score_batch
from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import INSTANT_TYPE, MESSAGE_LABELS, SORTED, TURNS
from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.structure import DAY, NAT, LabelOptions
from etiquette_analysis.schema import KINDS, PITCH_LEVELS, TURN_KINDS

try:
    from pyspark.sql import functions as f
    from pyspark.sql import types as t
except ImportError:  # label_turns says what to do
    f = t = None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd
    from pyspark.sql import Column, DataFrame

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.stream import What

_DEFAULTS: Final = LabelOptions()
_LABELS: Final = {"turns": TURNS, "messages": MESSAGE_LABELS}


def label_turns(
    messages: DataFrame,
    connections: DataFrame | None = None,
    *,
    what: What = "turns",
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    score: Score | None = None,
    flag: Flag | None = flag_auto_reply,
) -> DataFrame:
    """Build the table of turns (or of labelled messages) of a Spark DataFrame.

    Parameters
    ----------
    messages : pyspark.sql.DataFrame
        Columns ``message_id``, ``sender``, ``recipient``, ``sent_at``; where present ``kind``, ``text``,
        ``pitch_score``, ``pitch_level``. Dates without a zone are UTC. ``message_id`` must be unique (not checked).
    connections : pyspark.sql.DataFrame or None
        Columns ``person_a``, ``person_b``, ``connected_at``, ``resolution``.
    what : {"turns", "messages"}
        One row per turn, or one per message that enters a turn.
    observed_until : Timestamp, str or None
        The instant at which observation ended; None: the latest ``sent_at``, found by one pass over ``messages``.
    options : LabelOptions
        The thresholds.
    score, flag : callable or None
        As in ``engine.files.label_files``; they are sent to the workers.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of DESIGN, "Tables", categories as strings; in no order, as ever on Spark.

    Raises
    ------
    SchemaError
        Where a column is missing.
    DesignError
        Where ``what`` is neither, or Spark is not installed.
    """
    if f is None:
        msg = "pyspark is not installed; install it with: pip install 'etiquette-analysis[spark]' (and Java 17)"
        raise DesignError(msg)
    if what not in _LABELS:
        msg = f"what is {what!r}; expected 'turns' or 'messages'"
        raise DesignError(msg)
    _require(messages, ["message_id", "sender", "recipient", "sent_at"], table_name="messages")
    numbers = _numbers(messages, score, flag)
    until = _end_of_observation(numbers, observed_until)
    paired = numbers.where(
        (f.col("kind") >= 0)
        & (f.col("kind") < len(TURN_KINDS))
        & (f.col("sender") != f.col("recipient"))
        & f.col("sent_at").isNotNull()
    ).select(
        f.least("sender", "recipient").alias("low"),
        f.greatest("sender", "recipient").alias("high"),
        (f.col("sender") > f.col("recipient")).alias("from_high"),
        *("sent_at", "message_id", "kind", "pitch_score", "pitch_level"),
    )
    dated = _with_dates(paired, connections)
    # Two hashes, not the names: cheaper to sort by, and 128 bits do not collide.
    keys = [f.xxhash64("low", "high").alias("k1"), f.xxhash64("high", f.lit(1), "low").alias("k2")]
    ordered = (
        dated.select(*keys, *SORTED.names)
        .repartition("k1", "k2")
        .sortWithinPartitions("k1", "k2", "sent_at", "message_id")
    )
    schema = _spark_schema(_LABELS[what])
    return ordered.mapInArrow(partial(_label_partition, observed_until=until, options=options, what=what), schema)


def _require(table: DataFrame, columns: list[str], *, table_name: str) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        msg = f"the {table_name} table has no column {', '.join(map(repr, missing))}; it has {', '.join(table.columns)}"
        raise SchemaError(msg)


def _microseconds(table: DataFrame, name: str) -> Column:
    """Return a date column as microseconds since 1970; what has no zone is UTC."""
    kind = table.schema[name].dataType
    if isinstance(kind, t.TimestampNTZType):
        return f.expr(f"timestampdiff(MICROSECOND, timestamp_ntz'1970-01-01 00:00:00', {name})")
    if isinstance(kind, t.DateType):
        return f.unix_date(f.col(name)).cast("long") * f.lit(DAY)
    if isinstance(kind, t.TimestampType):
        return f.unix_micros(f.col(name))
    msg = f"column {name!r} holds {kind.simpleString()}, not dates; convert it, e.g. with to_timestamp_ntz"
    raise SchemaError(msg)


def _position(column: Column, values: tuple[str, ...], default: int) -> Column:
    """Return the position of a column's value in ``values``; ``default`` for null, an error for anything else."""
    found = f.when(column.isNull(), default)
    for position, value in enumerate(values):
        found = found.when(column == value, position)
    strange = f.concat(f.lit("a value is "), column, f.lit(f"; expected one of {', '.join(values)}"))
    return found.otherwise(f.raise_error(strange).cast("int")).cast("byte")


def _numbers(messages: DataFrame, score: Score | None, flag: Flag | None) -> DataFrame:
    """Return messages as people, instants and positions in the schema's tuples, without their text."""
    has = set(messages.columns)
    kind = _position(f.col("kind"), KINDS, KINDS.index("message")) if "kind" in has else f.lit(0).cast("byte")
    level = _position(f.col("pitch_level"), PITCH_LEVELS, -1) if "pitch_level" in has else f.lit(-1).cast("byte")
    columns = {
        "sender": f.col("sender").cast("string"),
        "recipient": f.col("recipient").cast("string"),
        "sent_at": _microseconds(messages, "sent_at"),
        "message_id": f.col("message_id").cast("long"),
        "kind": kind,
        "pitch_score": f.col("pitch_score").cast("double") if "pitch_score" in has else f.lit(None).cast("double"),
        "pitch_level": level,
    }
    numbers = [column.alias(name) for name, column in columns.items()]
    if "text" not in has or (score is None and flag is None):
        return messages.select(*numbers)
    with_text = messages.select(*numbers, f.col("text").cast("string").alias("text"))
    return with_text.mapInArrow(partial(_score_partition, score=score, flag=flag), with_text.drop("text").schema)


def _score_partition(batches: Iterable[Any], *, score: Score | None, flag: Flag | None) -> Iterator[Any]:
    for batch in batches:
        yield score_batch(batch, score, flag)[0]


def _end_of_observation(numbers: DataFrame, given: pd.Timestamp | str | None) -> int:
    if given is None:
        latest = numbers.agg(f.max("sent_at")).first()
        return NAT if latest is None or latest[0] is None else int(latest[0])
    return instant(given, name="observed_until")


def _with_dates(paired: DataFrame, connections: DataFrame | None) -> DataFrame:
    """Join the earliest connection of each dyad; an exact midnight counts before the day that it opens."""
    if connections is None:
        return paired.withColumns({"connected_at": f.lit(None).cast("long"), "by_day": f.lit(False)})
    _require(connections, ["person_a", "person_b", "connected_at", "resolution"], table_name="connections")
    connected = _microseconds(connections, "connected_at")
    by_day = ~f.col("resolution").eqNullSafe("second")
    a, b = f.col("person_a").cast("string"), f.col("person_b").cast("string")
    earliest = (
        connections.where(a.isNotNull() & b.isNotNull() & f.col("connected_at").isNotNull())
        .select(
            f.least(a, b).alias("low"),
            f.greatest(a, b).alias("high"),
            f.struct(
                f.when(by_day, connected - f.pmod(connected, f.lit(DAY))).otherwise(connected).alias("connected_at"),
                by_day.alias("by_day"),
            ).alias("date"),
        )
        .groupBy("low", "high")
        .agg(f.min("date").alias("date"))
    )
    return paired.join(earliest.select("low", "high", "date.*"), ["low", "high"], "left")


def _label_partition(
    batches: Iterable[Any], *, observed_until: int, options: LabelOptions, what: What
) -> Iterator[Any]:
    schema = _arrow_schema(_LABELS[what])
    batches = (batch.select(SORTED.names).cast(SORTED) for batch in batches)
    for labels in label_stream(batches, observed_until=observed_until, options=options, what=what):
        yield labels.cast(schema)


def _arrow_schema(labels: Any) -> Any:
    """Return a table of labels as Spark takes it from Arrow: plain strings for categories."""
    plain = [
        pa.string() if pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type) else field.type
        for field in labels
    ]
    return pa.schema(list(zip(labels.names, plain, strict=True)))


def _spark_schema(labels: Any) -> t.StructType:
    types: dict[Any, t.DataType] = {
        pa.string(): t.StringType(),
        pa.int64(): t.LongType(),
        pa.float64(): t.DoubleType(),
        pa.bool_(): t.BooleanType(),
        pa.duration("us"): t.DayTimeIntervalType(),
        INSTANT_TYPE: t.TimestampType(),
    }
    return t.StructType([t.StructField(field.name, types[field.type]) for field in _arrow_schema(labels)])
