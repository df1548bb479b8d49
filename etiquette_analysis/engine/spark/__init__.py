"""Labelling on Spark: the same stream of sorted Arrow batches, one per partition.

Spark brings every dyad into one partition and sorts there; the labels come from the generator that every engine calls,
so they are the same rows. There is one shuffle and no join: a dyad's connection travels as a row of its own, in front
of the messages. Needs the extra ``spark`` and Java 17, and the package wherever Spark's Python workers run; works on
classic sessions and on Spark Connect. How to run it on a cluster: ``docs/spark.md``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from etiquette_analysis.engine.spark.columns import (
    connection_rows,
    message_rows,
    microseconds,
    numbers,
    require,
    spark_schema,
    strange,
)
from etiquette_analysis.engine.spark.worker import LABELS, label_partition
from etiquette_analysis.errors import DesignError
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.pitch import score_batch
from etiquette_analysis.labels.structure import NAT, LabelOptions
from etiquette_analysis.schema import KINDS, PITCH_LEVELS, TURN_KINDS

try:
    from pyspark.sql import functions as f
except ImportError:  # label_turns says what to do
    f = None

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from etiquette_analysis.engine.score import Flag, Score
    from etiquette_analysis.engine.spark.worker import Rename
    from etiquette_analysis.engine.stream import What

_DEFAULTS: Final = LabelOptions()


def label_turns(
    messages: DataFrame,
    connections: DataFrame | None = None,
    *,
    what: What = "turns",
    observed_until: pd.Timestamp | str | None = None,
    options: LabelOptions = _DEFAULTS,
    score: Score | None = score_batch,
    flag: Flag | None = flag_auto_reply,
    rename: Rename | None = None,
) -> DataFrame:
    """Build the table of turns (or of labelled messages) of a Spark DataFrame.

    Parameters
    ----------
    messages : pyspark.sql.DataFrame
        Columns ``message_id``, ``sender``, ``recipient``, ``sent_at``; where present ``kind``, ``text``,
        ``pitch_score``, ``pitch_level``. Dates without a zone are UTC. ``message_id`` must be unique (not checked).
    connections : pyspark.sql.DataFrame or None
        Columns ``person_a``, ``person_b``, ``connected_at``, ``resolution``. None: ``connected_at`` and ``resolution``
        may be columns of the messages; else no date is known.
    what : {"turns", "messages"}
        One row per turn, or one per message.
    observed_until : Timestamp, str or None
        The instant at which observation ended; None: the latest ``sent_at``, found by one pass over that column.
    options : LabelOptions
        The thresholds.
    score, flag : callable or None
        As in ``engine.files.label_files``; they are sent to the workers. Where there is a ``text`` it is scored, and
        the columns ``pitch_score`` and ``pitch_level`` are not looked at; None: they are.
    rename : callable or None
        Takes identifiers (an Arrow array of large strings) and returns what to write in their place; sent to the
        workers with all that it holds, a key for instance.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of DESIGN, "Tables", categories as strings; in no order, as ever on Spark.

    Raises
    ------
    SchemaError
        Where a column is missing, or dates are none.
    DesignError
        Where ``what`` is neither, or Spark is not installed.
    """
    if f is None:
        msg = "pyspark is not installed; install it with: pip install 'etiquette-analysis[spark]' (and Java 17)"
        raise DesignError(msg)
    require_what(what)
    require(messages, ["message_id", "sender", "recipient", "sent_at"], table_name="messages")
    until = _latest(messages) if observed_until is None else instant(observed_until, name="observed_until")
    dates = connections_of(messages, connections)
    checked = numbers(_refusing_strange(messages), score=score, flag=flag, rename=rename)
    return label_numbers(checked, dates, what=what, observed_until=until, options=options, rename=rename)


def require_what(what: str) -> None:
    """Raise ``DesignError`` unless ``what`` is a kind of labels."""
    if what not in LABELS:
        msg = f"what is {what!r}; expected 'turns' or 'messages'"
        raise DesignError(msg)


def label_numbers(
    scored: DataFrame,
    connections: DataFrame | None,
    *,
    what: What,
    observed_until: int,
    options: LabelOptions,
    rename: Rename | None,
) -> DataFrame:
    """Label messages that are numbers already, their people renamed; parameters as for :func:`label_turns`."""
    if what == "turns":
        scored = scored.where(
            (f.col("kind") < len(TURN_KINDS)) & (f.col("sender") != f.col("recipient")) & f.col("sent_at").isNotNull()
        )
    rows = message_rows(scored)
    if connections is not None:
        rows = connection_rows(connections, rename).unionByName(rows)
    ordered = rows.repartition("k1", "k2").sortWithinPartitions("k1", "k2", f.asc_nulls_last("sent_at"), "message_id")
    label = partial(label_partition, observed_until=observed_until, options=options, what=what)
    return ordered.mapInArrow(label, spark_schema(LABELS[what]))


def connections_of(messages: DataFrame, connections: DataFrame | None) -> DataFrame | None:
    """Return the table of connections: the one given, else what the messages say of it, if anything."""
    if connections is not None:
        require(connections, ["person_a", "person_b", "connected_at", "resolution"], table_name="connections")
        return connections
    if "connected_at" not in messages.columns:
        return None
    require(messages, ["resolution"], table_name="messages")
    columns = ["sender AS person_a", "recipient AS person_b", "connected_at", "resolution"]
    return messages.selectExpr(*columns).distinct()


def _latest(messages: DataFrame) -> int:
    latest = messages.select(microseconds(messages, "sent_at").alias("sent_at")).agg(f.max("sent_at")).first()
    return NAT if latest is None or latest[0] is None else int(latest[0])


def _refusing_strange(messages: DataFrame) -> DataFrame:
    """Let Spark stop at a kind or level that is none; ``label_files`` checks before."""
    for name, values in (("kind", KINDS), ("pitch_level", PITCH_LEVELS)):
        if name in messages.columns:
            said = f.concat(f.lit(f"column {name!r} holds "), f.col(name), f.lit(f"; expected {', '.join(values)}"))
            found = f.when(strange(messages, name, values).isNotNull(), f.raise_error(said)).otherwise(f.col(name))
            messages = messages.withColumn(name, found)
    return messages
