"""Messages and connections as the few columns that labelling needs, in Spark's own expressions: no Python, no text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.engine.spark.worker import CONNECTION, plain, read_partition
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.structure import DAY, NAT
from etiquette_analysis.schema import KINDS, PITCH_LEVELS

try:
    from pyspark.sql import functions as f
    from pyspark.sql import types as t
except ImportError:  # label_turns says what to do
    f = t = None

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.spark.worker import Rename

#: What travels through the shuffle, besides the keys.
SHUFFLED: Final = ("low", "high", "from_high", "sent_at", "message_id", "kind", "pitch_score", "pitch_level")


def require(table: DataFrame, columns: list[str], *, table_name: str) -> None:
    """Raise ``SchemaError`` unless all the columns are there."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        msg = f"the {table_name} table has no column {', '.join(map(repr, missing))}; it has {', '.join(table.columns)}"
        raise SchemaError(msg)


def microseconds(table: DataFrame, name: str) -> Column:
    """Return a column of dates as microseconds since 1970; what has no zone is UTC, whatever the session's zone."""
    kind = table.schema[name].dataType
    if isinstance(kind, t.TimestampNTZType):
        return f.expr(f"timestampdiff(MICROSECOND, timestamp_ntz'1970-01-01 00:00:00', {name})")
    if isinstance(kind, t.DateType):
        return f.unix_date(f.col(name)).cast("long") * f.lit(DAY)
    if isinstance(kind, t.TimestampType):
        return f.unix_micros(f.col(name))
    msg = f"column {name!r} holds {kind.simpleString()}, not dates; convert it, e.g. with to_timestamp_ntz"
    raise SchemaError(msg)


def position(table: DataFrame, name: str, values: tuple[str, ...], *, null: int) -> Column:
    """Return the position of a column's value in ``values``; ``null`` where it is none of them or the column lacks."""
    found = f.lit(null)
    if name in table.columns:
        for number, value in enumerate(values):
            found = f.when(f.col(name) == value, number).otherwise(found)
    return found.cast("byte")


def strange(table: DataFrame, name: str, values: tuple[str, ...]) -> Column:
    """Return a column's value where it is none of ``values``, else null; null where there is no such column."""
    if name not in table.columns:
        return f.lit(None).cast("string")
    value = f.col(name).cast("string")
    return f.when(~value.isin(*values), value)


def numbers(
    messages: DataFrame, *further: Column, score: Score | None, flag: Flag | None, rename: Rename | None
) -> DataFrame:
    """Return messages as people, instants and positions in the schema's tuples, without their text.

    Parameters
    ----------
    messages : pyspark.sql.DataFrame
        As for :func:`etiquette_analysis.engine.spark.label_turns`.
    further : pyspark.sql.Column
        What else to keep.
    score, flag, rename : callable or None
        What reads the texts (without either, none is looked at), and what renames the people.
    """
    has = set(messages.columns)
    score_column = f.col("pitch_score").try_cast("double") if "pitch_score" in has else f.lit(None).cast("double")
    columns = {
        "sender": f.col("sender").cast("string"),
        "recipient": f.col("recipient").cast("string"),
        "sent_at": microseconds(messages, "sent_at"),
        "message_id": f.col("message_id").try_cast("long"),
        "kind": position(messages, "kind", KINDS, null=KINDS.index("message")),
        "pitch_score": score_column,
        "pitch_level": position(messages, "pitch_level", PITCH_LEVELS, null=-1),
    }
    wanted = [column.alias(name) for name, column in columns.items()] + list(further)
    if "text" in has and (score is not None or flag is not None):
        wanted.append(f.col("text").cast("string").alias("text"))
    elif rename is None:
        return messages.select(*wanted)
    return _read(messages.select(*wanted), ("sender", "recipient"), score=score, flag=flag, rename=rename)


def _read(table: DataFrame, people: tuple[str, str], **how: Any) -> DataFrame:
    """Send a table through ``worker.read_partition``."""
    return table.mapInArrow(partial(read_partition, people=people, **how), table.drop("text").schema)


def message_rows(table: DataFrame) -> DataFrame:
    """Return messages as rows of the shuffle; what is no pair of people is spread by its id, for it has no dyad."""
    two_people = f.col("sender") != f.col("recipient")  # null where either is
    unknown = f.col("sender").isNull() | f.col("recipient").isNull()
    named = table.select(
        f.least("sender", "recipient").alias("low"),
        f.when(~unknown, f.greatest("sender", "recipient")).alias("high"),
        f.when(unknown, f.col("sender").isNull()).otherwise(f.col("sender") > f.col("recipient")).alias("from_high"),
        *SHUFFLED[3:],
        f.coalesce(two_people, f.lit(False)).alias("two_people"),
    )
    alone = f.col("message_id")
    keys = [
        f.when(f.col("two_people"), key).otherwise(f.xxhash64(alone, f.lit(number))).alias(name)
        for number, (name, key) in enumerate(_keys().items())
    ]
    return named.select(*keys, *SHUFFLED)


def connection_rows(connections: DataFrame, rename: Rename | None) -> DataFrame:
    """Return dated connections as rows of the shuffle that sort before the messages of their dyad, earliest first."""
    connected = microseconds(connections, "connected_at")
    by_day = ~f.col("resolution").eqNullSafe("second")
    date = f.when(by_day, connected - f.pmod(connected, f.lit(DAY))).otherwise(connected)
    dated = connections.where(f.col("connected_at").isNotNull()).select(
        f.col("person_a").cast("string").alias("a"),
        f.col("person_b").cast("string").alias("b"),
        (date * 2 + by_day.cast("long")).alias("date"),
    )
    if rename is not None:
        dated = _read(dated, ("a", "b"), score=None, flag=None, rename=rename)
    columns = {
        "low": f.least("a", "b"),
        "high": f.greatest("a", "b"),
        "from_high": f.lit(False),
        "sent_at": f.lit(NAT).cast("long"),
        "message_id": f.col("date"),
        "kind": f.lit(CONNECTION).cast("byte"),
        "pitch_score": f.lit(None).cast("double"),
        "pitch_level": f.lit(-1).cast("byte"),
    }
    rows = dated.where(f.col("a") != f.col("b")).select(*(columns[name].alias(name) for name in SHUFFLED))
    return rows.select(*(key.alias(name) for name, key in _keys().items()), *SHUFFLED)


def _keys() -> dict[str, Column]:
    """Return the two numbers that stand for a dyad: cheaper to sort by than names, and 128 bits do not collide."""
    return {"k1": f.xxhash64("low", "high"), "k2": f.xxhash64("high", f.lit(1), "low")}


def spark_schema(labels: Any) -> t.StructType:
    """Return an Arrow schema of labels as Spark's."""
    types: dict[str, t.DataType] = {
        "string": t.StringType(),
        "int64": t.LongType(),
        "double": t.DoubleType(),
        "bool": t.BooleanType(),
        "duration[us]": t.DayTimeIntervalType(),
        "timestamp[us, tz=UTC]": t.TimestampType(),
    }
    return t.StructType([t.StructField(field.name, types[str(field.type)]) for field in plain(labels)])
