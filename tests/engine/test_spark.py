"""Spark gives the rows that memory and DuckDB give. Most tests need the extra ``spark`` and Java: `make spark-test`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import etiquette_analysis as ea
from etiquette_analysis.engine import files as embedded
from etiquette_analysis.engine.embedded import message_labels, turns
from etiquette_analysis.engine.spark import session as sessions
from etiquette_analysis.engine.spark import worker
from etiquette_analysis.engine.spark.columns import message_rows, numbers
from etiquette_analysis.engine.spark.files import label_files
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS, to_frame
from etiquette_analysis.errors import DesignError, SchemaError, SourceError
from etiquette_analysis.labels.dyads import instant
from etiquette_analysis.labels.pitch import score_batch
from etiquette_analysis.labels.structure import DAY, LabelOptions
from etiquette_analysis.pipeline.names import renamer
from etiquette_analysis.schema import KINDS, PITCH_LEVELS, check_audit
from tests.labels.worlds import connection_frame, message_frame, random_options, random_world

pytestmark = pytest.mark.filterwarnings("default")

SCHEMAS = {"turns": TURNS, "messages": MESSAGE_LABELS}
IN_MEMORY = {"turns": turns, "messages": message_labels}
KEY = {"turns": "first_message_id", "messages": "message_id"}
RENAME = renamer(b"0123456789abcdef")


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql", reason="needs the extra spark: make spark-test")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.log.level": "ERROR",
    }
    session = sql.SparkSession.builder.master("local[2]").appName("labels").config(map=settings).getOrCreate()
    sessions.find_session(None, None)  # the one that runs; makes its workers use this Python
    yield session
    session.stop()


def worlds(seed, n_worlds, n=40):
    """Return the messages and connections of many random worlds in one, each with people of its own."""
    rng = np.random.default_rng(seed)
    tables = []
    for world in range(n_worlds):
        messages, connections = random_world(rng, n=n)
        messages, connections = message_frame(messages), connection_frame(connections)
        messages["message_id"] += world * 10_000
        for table, people in ((messages, ["sender", "recipient"]), (connections, ["person_a", "person_b"])):
            for person in people:
                table[person] = table[person] + f" of {world}"
        tables.append((messages, connections))
    return [pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True)]


def read_labels(path, what):
    """Return labels in the order of their ids, typed as in memory."""
    return typed(pq.read_table(path), what)


def typed(table, what):
    schema = worker.plain(SCHEMAS[what])
    frame = to_frame(table.cast(schema).to_batches(), schema)
    counts = ["sent_before", "received_before", "first_message_id"] if what == "messages" else []
    return in_order(frame.astype(dict.fromkeys(counts, "Int64")), what)


def in_order(table, what):
    return table.sort_values(KEY[what], ignore_index=True)


# Without Spark: what a worker does


def partition(messages, connections):
    """Return what Spark would hand to one worker: rows of messages and of dates, keyed and sorted."""
    codes = {name: number for number, name in enumerate(sorted({*messages["sender"], *messages["recipient"]} - {None}))}
    rows = []
    for row in messages.astype(object).where(messages.notna(), None).to_dict("records"):
        low, high = sorted([row["sender"], row["recipient"]], key=lambda name: (name is None, name or ""))
        keys = (codes[low], codes[high]) if low is not None and high is not None else (-1 - row["message_id"], 0)
        from_high = row["sender"] == high and low != high
        sent = None if row["sent_at"] is None else instant(row["sent_at"], name="sent_at")
        level = -1 if row["pitch_level"] is None else PITCH_LEVELS.index(row["pitch_level"])
        kind = KINDS.index(row["kind"] or "message")
        rows.append([*keys, low, high, from_high, sent, row["message_id"], kind, row["pitch_score"], level])
    for row in connections[connections["connected_at"].notna()].to_dict("records"):
        low, high = sorted([row["person_a"], row["person_b"]])
        if low != high and low in codes and high in codes:
            at, by_day = instant(row["connected_at"], name="connected_at"), row["resolution"] != "second"
            date = 2 * (at // DAY * DAY if by_day else at) + by_day
            keys = codes[low], codes[high]
            rows.append([*keys, low, high, False, -(2**63), date, worker.CONNECTION, None, -1])
    rows.sort(key=lambda row: (row[0], row[1], row[5] is None, row[5] or 0, row[6]))
    types = {"k1": pa.int64(), "k2": pa.int64(), "low": pa.string(), "high": pa.string(), "from_high": pa.bool_()}
    types |= {"sent_at": pa.int64(), "message_id": pa.int64(), "kind": pa.int8()}
    types |= {"pitch_score": pa.float64(), "pitch_level": pa.int8()}
    columns = list(zip(*rows, strict=True)) or [[]] * len(types)
    return pa.record_batch(
        [pa.array(column, kind) for column, kind in zip(columns, types.values(), strict=True)], names=list(types)
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rows", [1, 5, 1 << 16])
def test_a_worker_labels_as_memory_does_however_its_rows_are_cut(seed, rows, monkeypatch):
    monkeypatch.setattr(worker, "_ROWS", rows)
    rng = np.random.default_rng(seed)
    messages, connections = random_world(rng, n=60)
    messages, connections = message_frame(messages), connection_frame(connections)
    messages = messages[messages["sender"].notna() & messages["recipient"].notna()]
    chosen = random_options(rng)
    until = chosen.pop("observed_until", None) or messages["sent_at"].max()
    options = LabelOptions(**chosen)
    how = {"observed_until": instant(until, name="observed_until"), "options": options}
    batch = partition(messages, connections)
    for what, schema in SCHEMAS.items():
        found = pa.Table.from_batches(worker.label_partition([batch], what=what, **how), worker.plain(schema))
        expected = in_order(IN_MEMORY[what](messages, connections, observed_until=until, options=options), what)
        pd.testing.assert_frame_equal(typed(found, what), expected)


def test_an_empty_partition_has_no_labels():
    nothing = message_frame([])
    batch = partition(nothing, connection_frame([]))
    how = {"observed_until": 0, "options": LabelOptions()}
    assert list(worker.label_partition([], what="turns", **how)) == []
    assert list(worker.label_partition([batch], what="turns", **how)) == []
    renamed = worker.read_partition([batch], people=("low", "high"), score=None, flag=None, rename=RENAME)
    assert [part.num_rows for part in renamed] == [0]


def test_people_are_renamed_and_unknown_ones_stay_unknown():
    batch = pa.record_batch(
        {"a": ["ann", None, "bob"], "b": pa.array(["bob", "ann", "ann"], pa.string()), "n": [1, 2, 3]}
    )
    (renamed,) = worker.read_partition([batch], people=("a", "b"), score=None, flag=None, rename=RENAME)
    ann, bob = RENAME(pa.array(["ann", "bob"])).to_pylist()
    assert renamed.to_pydict() == {"a": [ann, None, bob], "b": [bob, ann, ann], "n": [1, 2, 3]}
    assert renamed.schema == batch.schema


def test_the_package_works_from_a_zip_with_numpy_pandas_and_pyarrow(tmp_path):
    zipped = tmp_path / "package.zip"
    zipped.write_bytes(sessions.zip_package(Path(ea.__file__).parent))
    code = f"""
import sys
sys.path = [{str(zipped)!r}] + [place for place in sys.path if place not in ("", {str(Path(ea.__file__).parents[1])!r})]
sys.modules["duckdb"] = sys.modules["scipy"] = sys.modules["nltk"] = sys.modules["statsmodels"] = None
import etiquette_analysis.engine.spark.worker as worker
import pyarrow as pa
from etiquette_analysis.labels.auto_reply import flag_auto_reply
from etiquette_analysis.labels.pitch import score_batch
texts = pa.array(["Book your demo here, 20% off until Friday", "Automatic reply: out of office"])
print(worker.__file__.startswith({str(zipped)!r}), score_batch(texts)[1].tolist()[0], flag_auto_reply(texts).tolist())
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert shown.stdout.split(maxsplit=2) == ["True", "3", "[False, True]\n"]


def test_without_spark_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(ea.spark, "f", None)
    monkeypatch.setattr(sessions, "SparkSession", None)
    how = r"pyspark is not installed; install it with: pip install 'etiquette-analysis\[spark\]'"
    with pytest.raises(DesignError, match=how):
        ea.spark.label_turns(None)
    with pytest.raises(DesignError, match=how):
        ea.label_files("messages.parquet", None, "out", engine="spark")
    with pytest.raises(DesignError, match="engine is 'polars'; expected 'embedded' or 'spark'"):
        ea.label_files("messages.parquet", None, "out", engine="polars")


# With Spark


@contextmanager
def settings(spark, wanted):
    with sessions.settings(spark, wanted):
        yield
    assert all(spark.conf.get(name, None) != value for name, value in wanted.items())


def to_spark(spark, table, instant_column, path):
    """Return a pandas table as a Spark one, with dates that have no zone."""
    table.assign(**{instant_column: table[instant_column].dt.tz_localize(None)}).to_parquet(path, index=False)
    return spark.read.parquet(str(path))


@pytest.mark.parametrize(
    "conf",
    [
        {},
        {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "40"},
        {"spark.sql.execution.arrow.maxRecordsPerBatch": "7", "spark.sql.shuffle.partitions": "1"},
    ],
    ids=["as it comes", "many partitions, most of them empty", "tiny batches"],
)
def test_spark_and_memory_agree(spark, conf, tmp_path):
    rng = np.random.default_rng(len(conf))
    tables = worlds(len(conf), 30)
    options = random_options(rng)
    keywords = {"observed_until": options.pop("observed_until", None), "options": LabelOptions(**options)}
    given = [
        to_spark(spark, table, instant_column, tmp_path / f"{instant_column}.parquet")
        for table, instant_column in zip(tables, ("sent_at", "connected_at"), strict=True)
    ]
    wanted = {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"} | conf
    for what, in_memory in IN_MEMORY.items():
        with settings(spark, wanted):
            ea.spark.label_turns(*given, what=what, **keywords).write.parquet(str(tmp_path / what))
        found = read_labels(tmp_path / what, what)
        pd.testing.assert_frame_equal(found, in_order(in_memory(*tables, **keywords), what))


TEXTS = [
    'Book your demo here,\n20% off "now" until Friday',
    "Grazie, a presto!",
    None,
    "Automatic reply: out of office",
]


def some_files(folder, suffix):
    """Write messages with texts, and connections; return where."""
    messages, connections = worlds(9, 12)
    messages = messages.drop(columns=["pitch_score", "pitch_level"]).assign(
        text=[TEXTS[number % len(TEXTS)] for number in range(len(messages))]
    )
    if suffix == ".csv":
        paths = folder / "messages.csv", folder / "connections.csv"
        messages.to_csv(paths[0], index=False)
        connections.to_csv(paths[1], index=False)
        return paths
    for name, part in messages.groupby(messages["kind"].fillna("message")):  # partitioned as Hive does
        (folder / "messages" / f"kind={name}").mkdir(parents=True)
        part.drop(columns="kind").to_parquet(folder / "messages" / f"kind={name}" / "part.parquet", index=False)
    connections.to_parquet(folder / "connections.parquet", index=False)
    return folder / "messages", folder / "connections.parquet"


@pytest.mark.parametrize(("suffix", "what", "rename"), [(".csv", "messages", None), ("", "turns", RENAME)])
def test_files_are_labelled_as_duckdb_labels_them(spark, suffix, what, rename, tmp_path):
    paths = some_files(tmp_path, suffix)
    how = {"what": what, "score": score_batch, "rename": rename, "options": LabelOptions(window_days=2)}
    out = tmp_path / "labels"
    for _ in range(2):  # the second takes the place of the first
        on_spark = label_files(*paths, out, session=spark, **how)
    alone = embedded.label_files(*paths, tmp_path / "labels.parquet", **how)
    pd.testing.assert_frame_equal(read_labels(out, what), read_labels(alone.path, what))
    pd.testing.assert_frame_equal(on_spark.audit, alone.audit)
    assert (on_spark.n_rows, on_spark.observed_until) == (alone.n_rows, alone.observed_until)
    check_audit(on_spark.audit)
    assert json.loads((out / "_labels.json").read_text())["n_rows"] == alone.n_rows
    assert (out / "_SUCCESS").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    if rename is None:
        assert read_labels(out, what)["sender"].str.contains(" of ").any()
    else:
        assert read_labels(out, what)["sender"].str.match("^p-[0-9a-f]{16}$").all()


def test_dates_mean_what_they_mean_to_duckdb(spark, tmp_path):
    dates = ["2024-02-28", "2024-02-28 09:15", "2024-02-28 09:15:00 UTC", "2024-02-28T09:15:00+02:00", "2024-2-8 1:2:3"]
    dates += ["2024-02-28 09:15:00.123456+00", "2024-02-28 09:15:00 Europe/Rome", "2024-02-28T09:15:00Z", ""]
    messages = pd.DataFrame({"sender": "ann", "recipient": "bob", "sent_at": dates, "message_id": range(len(dates))})
    messages["connected_at"], messages["resolution"] = dates[::-1], "second"
    messages.to_csv(tmp_path / "messages.csv", index=False)
    label_files(tmp_path / "messages.csv", None, tmp_path / "labels", session=spark, what="messages")
    embedded.label_files(tmp_path / "messages.csv", None, tmp_path / "labels.parquet", what="messages")
    expected = read_labels(tmp_path / "labels.parquet", "messages")
    pd.testing.assert_frame_equal(read_labels(tmp_path / "labels", "messages"), expected)
    assert expected["sent_at"].notna().sum() == len(dates) - 1


GOOD = {"message_id": [1, 2], "sender": ["ann", "bob"], "recipient": ["bob", "ann"], "sent_at": ["2024-03-05"] * 2}
REFUSED = {
    "no ids": (
        {"message_id": None},
        SchemaError,
        "has no column 'message_id'; it has 'sender'",
    ),
    "repeats": ({"message_id": [1, 1]}, SchemaError, "message_id 1 occurs 2 times; message_id must be unique"),
    "no number": ({"message_id": [1, "x"]}, SchemaError, "1 rows have no whole number as message_id"),
    "no date": ({"sent_at": ["2024-03-05", "28/02/2024"]}, SourceError, "sent_at '28/02/2024' is not a date; expected"),
    "vague date": ({"sent_at": ["2024-03-05", "2024"]}, SourceError, "sent_at '2024' is not a date; expected"),
    "no kind": ({"kind": ["message", "x"]}, SchemaError, "column 'kind' holds 'x'; expected one of message, "),
    "strict": (
        {"recipient": ["ann", "ann"]},
        SourceError,
        "1 row was left out, and none may be: messages: 1 to oneself",
    ),
}


@pytest.mark.parametrize(("columns", "error", "match"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_labelled_is_refused_and_leaves_nothing(spark, columns, error, match, tmp_path):
    table = pd.DataFrame({name: column for name, column in (GOOD | columns).items() if column is not None})
    table.to_csv(tmp_path / "messages.csv", index=False)
    with pytest.raises(error, match=match):
        label_files(tmp_path / "messages.csv", None, tmp_path / "labels", session=spark, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["messages.csv"]
    assert spark.conf.get("spark.sql.sources.partitionColumnTypeInference.enabled") == "true"


def test_folders_and_files_that_are_not_ours_are_left_alone(spark, tmp_path):
    pd.DataFrame(GOOD).to_csv(tmp_path / "messages.csv", index=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(SourceError, match="mine is there and is no folder of labels; choose a new name"):
        label_files(tmp_path / "messages.csv", None, tmp_path / "mine", session=spark)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    with pytest.raises(SourceError, match=r"absent.parquet could not be read: .*PATH_NOT_FOUND"):
        label_files(tmp_path / "absent.parquet", None, tmp_path / "labels", session=spark)
    with pytest.raises(SourceError, match=r"m.json: expected the messages as .csv or .parquet"):
        label_files(tmp_path / "m.json", None, tmp_path / "labels", session=spark)


def test_the_one_who_writes_to_everybody_is_in_no_single_partition(spark):
    rows = spark.range(4000).selectExpr(
        "id AS message_id", "'ego' AS sender", "IF(id < 2000, concat('p', id), NULL) AS recipient",
        "timestamp_micros(id) AS sent_at",
    )  # fmt: skip
    with settings(spark, {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "8"}):
        spread = message_rows(numbers(rows, score=None, flag=None, rename=None)).repartition("k1", "k2")
        found = (
            spread.selectExpr("spark_partition_id() AS p", "high IS NULL AS unknown").groupBy("p", "unknown").count()
        )
        counts = [row["count"] for row in found.collect()]
    assert len(counts) == 16
    assert max(counts) < 400


def test_text_does_not_travel_through_the_shuffle(spark):
    messages = spark.createDataFrame(
        [(1, "ann", "bob", pd.Timestamp("2024-03-05").to_pydatetime(), "buy now")],
        "message_id long, sender string, recipient string, sent_at timestamp_ntz, text string",
    )
    plan = ea.spark.label_turns(messages)._jdf.queryExecution().optimizedPlan().toString().splitlines()
    names = [next(number for number, line in enumerate(plan) if word in line) for word in ("Repartition", "text#")]
    shuffle, text = names
    assert shuffle < text  # plans are written from the end to the beginning
    assert not any("text#" in line for line in plan[: shuffle + 2])


def test_texts_are_scored_on_the_workers_and_instants_are_kept(spark):
    messages = spark.createDataFrame(
        [
            (1, "ann", "bob", pd.Timestamp("2024-03-05 10:00").to_pydatetime(), "buy now"),
            (2, "bob", "ann", pd.Timestamp("2024-03-05 11:00").to_pydatetime(), "Automatic reply: out of office"),
        ],
        "message_id long, sender string, recipient string, sent_at timestamp_ntz, text string",
    )
    labelled = ea.spark.label_turns(
        messages, score=lambda texts: (np.ones(len(texts)), np.full(len(texts), 3, dtype=np.int8))
    )
    rows = labelled.selectExpr("sender", "pitch_level", "pitch_score", "unix_micros(started_at) AS at").collect()
    at = pd.Timestamp("2024-03-05 10:00").value // 1000
    assert [tuple(row) for row in rows] == [("ann", "hard", 1.0, at)]


def test_wrong_questions_are_refused(spark):
    messages = spark.createDataFrame(
        [(1, "a", "b", "x")], "message_id long, sender string, recipient string, sent_at string"
    )
    with pytest.raises(SchemaError, match="column 'sent_at' holds string, not dates"):
        ea.spark.label_turns(messages)
    with pytest.raises(DesignError, match="what is 'stories'; expected 'turns' or 'messages'"):
        ea.spark.label_turns(messages.selectExpr("* EXCEPT (sent_at)", "current_date() AS sent_at"), what="stories")
    with pytest.raises(SchemaError, match="the messages table has no column 'sent_at'; it has message_id, sender"):
        ea.spark.label_turns(messages.drop("sent_at"))
    with pytest.raises(DesignError, match="master is 'local' and remote is 'sc://x'; give one"):
        sessions.find_session("local", "sc://x")


def test_spark_connect_and_the_command_line(spark, tmp_path):
    """A client of Spark Connect has no JVM; the server is started by pyspark in a process of its own."""
    paths = some_files(tmp_path, "")
    command = [sys.executable, "-m", "etiquette_analysis", "label", str(paths[0]), "--connections", str(paths[1])]
    command += ["--engine", "spark", "--identify", "--out", str(tmp_path / "labels")]
    environment = {"PYSPARK_PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    how = {"env": environment, "capture_output": True, "text": True, "check": False}
    shown = subprocess.run([*command, "--remote", "local[2]"], **how)
    assert shown.returncode == 0, shown.stderr
    alone = embedded.label_files(*paths, tmp_path / "labels.parquet", score=score_batch)
    pd.testing.assert_frame_equal(read_labels(tmp_path / "labels", "turns"), read_labels(alone.path, "turns"))
    shown = subprocess.run([*command, "--remote", "local[2]"], **how)
    assert "labels is there; through Spark Connect nothing is replaced, so choose a new name" in shown.stderr
    shown = subprocess.run([*command, "--master", "local[1]", "--remote", "sc://x"], **how)
    assert "give one" in shown.stderr
    shown = subprocess.run([*command, "--rows", "dyads"], **how)
    assert "--rows dyads: not with --engine spark; expected turns or messages" in shown.stderr
