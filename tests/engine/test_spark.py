"""Spark gives the rows that memory gives. Needs the extra ``spark`` and Java."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.engine import spark as engine
from etiquette_analysis.engine.embedded import message_labels, turns
from etiquette_analysis.engine.spark import label_turns
from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.labels.structure import LabelOptions
from tests.labels.worlds import connection_frame, message_frame, random_options, random_world

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql", reason="needs the extra spark: pip install 'etiquette-analysis[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.session.timeZone": "Asia/Tokyo",
    }
    builder = sql.SparkSession.builder.master("local[1]").appName("labels")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = builder.getOrCreate()
        yield session
        session.stop()


def to_spark(spark, table, instant, path):
    """Return a pandas table as a Spark one, with dates that have no zone."""
    table.assign(**{instant: table[instant].dt.tz_localize(None)}).to_parquet(path, index=False)
    return spark.read.parquet(str(path))


def collected(labels, order):
    """Return the rows of a Spark table as tuples of comparable values, in an order."""
    rows = [row.asDict() for row in labels.collect()]
    return sorted(rows, key=lambda row: tuple(row[name] for name in order))


def plain(table, order):
    """Return the rows of a pandas table as Spark collects them."""
    instants = [name for name, dtype in table.dtypes.items() if str(dtype).startswith("datetime64")]
    local = table.assign(**{name: table[name].dt.tz_convert(None) for name in instants})
    rows = [
        {k: None if pd.isna(v) else v.to_pytimedelta() if isinstance(v, pd.Timedelta) else v for k, v in row.items()}
        for row in local.to_dict("records")
    ]
    return sorted(rows, key=lambda row: tuple(row[name] for name in order))


@pytest.mark.parametrize("seed", range(3))
def test_spark_and_memory_agree(spark, seed, tmp_path):
    rng = np.random.default_rng(seed)
    messages, connections = random_world(rng, n=80)
    options = random_options(rng)
    observed_until = options.pop("observed_until", None)
    keywords = {"observed_until": observed_until, "options": LabelOptions(**options)}
    tables = message_frame(messages), connection_frame(connections)
    given = [
        to_spark(spark, table, instant, tmp_path / f"{instant}.parquet")
        for table, instant in zip(tables, ("sent_at", "connected_at"), strict=True)
    ]
    for what, label, order in (("turns", turns, ["first_message_id"]), ("messages", message_labels, ["message_id"])):
        expected = label(*tables, **keywords)
        if what == "messages":
            expected = expected[expected["first_message_id"].notna()]
        found = collected(label_turns(*given, what=what, **keywords).drop("started_at", "ended_at", "sent_at"), order)
        expected = expected.drop(columns=["started_at", "ended_at", "sent_at"], errors="ignore")
        assert found == plain(expected, order)


def test_texts_are_scored_on_the_workers_and_instants_are_kept(spark):
    messages = spark.createDataFrame(
        [
            (1, "ann", "bob", pd.Timestamp("2024-03-05 10:00").to_pydatetime(), "buy now"),
            (2, "bob", "ann", pd.Timestamp("2024-03-05 11:00").to_pydatetime(), "Automatic reply: out of office"),
        ],
        "message_id long, sender string, recipient string, sent_at timestamp_ntz, text string",
    )
    labelled = label_turns(messages, score=lambda texts: (np.ones(len(texts)), np.full(len(texts), 3, dtype=np.int8)))
    rows = labelled.selectExpr("sender", "pitch_level", "pitch_score", "unix_micros(started_at) AS at").collect()
    at = pd.Timestamp("2024-03-05 10:00").value // 1000
    assert [tuple(row) for row in rows] == [("ann", "hard", 1.0, at)]


def test_wrong_questions_are_refused(spark):
    messages = spark.createDataFrame(
        [(1, "a", "b", "x")], "message_id long, sender string, recipient string, sent_at string"
    )
    with pytest.raises(DesignError, match="what is 'dyads'; expected 'turns' or 'messages'"):
        label_turns(messages, what="dyads")
    with pytest.raises(SchemaError, match="column 'sent_at' holds string, not dates"):
        label_turns(messages)
    with pytest.raises(SchemaError, match="the messages table has no column 'sent_at'; it has message_id, sender"):
        label_turns(messages.drop("sent_at"))


def test_without_spark_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(engine, "f", None)
    with pytest.raises(
        DesignError, match=r"pyspark is not installed; install it with: pip install 'etiquette-analysis\[spark\]'"
    ):
        label_turns(None)
