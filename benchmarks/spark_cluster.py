"""Spark on a cluster of one machine: the rows are the embedded engine's; what they cost beside native Spark SQL.

    python benchmarks/spark_cluster.py --messages 1000000

Starts a standalone master and two workers on the loopback address, sends the package to them (the wheel, named
``.zip``, in ``spark-submit --py-files``), and labels and scores invented messages: evenly spread, skewed (one pair of
people wrote an eighth of all, one person is in half of all pairs), in thousands of tiny partitions, with pseudonyms,
and through a Spark Connect server on the same cluster. The workers' Python has NumPy, pandas and pyarrow, and nothing
else. Every row is compared with ``engine="embedded"``, nulls included. Then the labels alone are timed in ``local[2]``,
in turn with the same labels as Spark SQL (``spark_labels.sql``). The result is kept in ``spark_cluster.csv``.

Needs the extra ``spark``, Java 17, and hatchling; about ten minutes and 2 GB of memory for a million messages.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
RESULT: Final = HERE / "spark_cluster.csv"
NATIVE: Final = HERE / "spark_labels.sql"
HOST: Final = "127.0.0.1"
WORKER: Final = {"numpy", "pandas", "pyarrow", "dateutil", "six.py", "numpy.libs", "pandas.libs", "pyarrow.libs"}
#: Scenario -> table, settings of Spark, further arguments of label_files.
SCENARIOS: Final[dict[str, tuple[str, dict[str, str], dict[str, Any]]]] = {
    "even": ("even", {}, {}),
    "skewed": ("skewed", {}, {}),
    "skewed, adaptive off": ("small", {"spark.sql.adaptive.enabled": "false"}, {}),
    "skewed, per message": ("small", {}, {"what": "messages"}),
    "skewed, pseudonyms": ("small", {}, {"identify": False}),
    "2,000 tiny partitions": (
        "tiny",
        {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "2000"},
        {},
    ),
    "batches of 7 rows": ("tiny", {"spark.sql.execution.arrow.maxRecordsPerBatch": "7"}, {}),
}
CONNECT: Final = {"skewed, through Spark Connect": ("small", {}, {})}


def make_tables(folder: Path, n: int, *, skewed: bool) -> None:
    """Write ``n`` messages with texts in six languages, in eight files, and the connections of their people."""
    folder.mkdir(parents=True)
    database = duckdb.connect()
    pairs = max(n // 10, 10)
    a = "CASE WHEN random() < 0.5 THEN 0 ELSE (random() * people)::INT END" if skewed else "(random() * people)::INT"
    pair = f"CASE WHEN random() < 0.125 THEN 1 ELSE floor(random() * {pairs})::INT END"
    name = "'https://www.example.org/in/persona-' || lpad(to_hex(hash({}) % 1000000000), 8, '0')"
    database.execute(f"SELECT setseed(0.5); SET TimeZone = 'UTC'; SET VARIABLE people = {pairs} // 3")
    database.execute(
        f"""CREATE TABLE texts AS SELECT row_number() OVER () - 1 AS number, text
        FROM (SELECT text FROM read_json('{ROOT}/data/pitch/messages.jsonl')
          UNION ALL VALUES (NULL), (''), ('Automatic reply: I am out of office until Monday'), ('Non sono in ufficio'));
        CREATE TABLE pair AS SELECT pair, {name.format("a")} AS a, {name.format("b")} AS b
        FROM (SELECT range AS pair, {a.replace("people", "getvariable('people')")} AS a,
            (random() * getvariable('people'))::INT + 1 AS b FROM range({pairs}));
        CREATE TABLE messages AS
          SELECT id AS message_id, CASE WHEN side THEN a ELSE b END AS sender,
            CASE WHEN dice < 0.01 THEN NULL WHEN dice < 0.015 THEN sender WHEN side THEN b ELSE a END AS recipient,
            CASE WHEN dice BETWEEN 0.02 AND 0.025 THEN NULL ELSE moment END AS sent_at,
            ['message', 'message', 'inmail', 'invitation', 'group', NULL][1 + floor(dice * 6)::INT] AS kind, text,
            score AS pitch_score, ['none', 'soft', 'moderate', 'hard'][1 + floor(4 * score)::INT] AS pitch_level
          FROM (SELECT range AS id, {pair if skewed else f"floor(random() * {pairs})::INT"} AS pair,
                  random() < 0.5 AS side, random() AS score, random() AS dice,
                  to_timestamp(1704067200 + (random() * 31536000)::INT) AS moment,
                  floor(random() * (SELECT count(*) FROM texts))::INT AS number FROM range({n}))
          JOIN pair USING (pair) JOIN texts USING (number);
        COPY (
          SELECT a AS person_a, b AS person_b, CASE WHEN dice < 0.02 THEN NULL ELSE moment END AS connected_at,
            CASE WHEN dice < 0.3 THEN 'second' WHEN dice < 0.32 THEN NULL ELSE 'day' END AS resolution
          FROM (SELECT *, random() AS dice, to_timestamp(1704067200 + (random() * 17280000)::INT) AS moment
                FROM (FROM pair UNION ALL FROM pair WHERE pair % 10 = 0))
        ) TO '{folder}/connections.parquet'"""
    )
    (folder / "messages").mkdir()
    for part in range(8):
        where = f"WHERE message_id % 8 = {part}"
        database.execute(f"COPY (FROM messages {where}) TO '{folder}/messages/part-{part}.parquet'")


def tables(folder: Path) -> tuple[str, str]:
    return str(folder / "messages"), str(folder / "connections.parquet")


def n_rows_that_differ(one: str, other: str) -> tuple[int, int]:
    """Return the rows of ``one``, and how many rows only one of the two has; column types, too, must be the same."""
    database = duckdb.connect()
    described = [database.sql(f"DESCRIBE FROM '{path}'").fetchall() for path in (one, other)]
    names, types = ([[column[i] for column in table] for table in described] for i in (0, 1))
    if names[0] != names[1] or types[0] != types[1]:
        sys.exit(f"columns differ: {described}")
    a, b = (f"FROM '{path}'" for path in (one, other))
    counted = f"SELECT count(*) FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))"
    return int(database.sql(f"SELECT count(*) {a}").fetchall()[0][0]), int(database.sql(counted).fetchall()[0][0])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def spark_home() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        sys.exit("needs pyspark: make spark-test builds an environment that has it")
    return Path(found.origin).parent


@contextmanager
def daemon(command: list[str], log: Path, *, until: str, env: dict[str, str]) -> Iterator[None]:
    """Run a daemon for as long as the block lasts; it is ready when its log says ``until``."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=env)
        try:
            for _ in range(600):
                if until in log.read_text(errors="replace"):
                    break
                if process.poll() is not None:
                    break
                time.sleep(0.2)
            else:
                process.terminate()
            if process.poll() is not None:
                sys.exit(f"{command[1]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            yield
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def cluster(folder: Path, python: Path) -> Iterator[str]:
    """Run a master and two workers of one core each; yield the address of the master."""
    env = os.environ | {"SPARK_HOME": str(spark_home()), "PYSPARK_PYTHON": str(python), "SPARK_LOCAL_IP": HOST}
    env |= {"SPARK_WORKER_DIR": str(folder / "workers"), "SPARK_DAEMON_MEMORY": "512m"}
    env.pop("PYTHONPATH", None)
    run, port = str(spark_home() / "bin" / "spark-class"), free_port()
    address = f"spark://{HOST}:{port}"
    deploy = "org.apache.spark.deploy"
    master = [run, f"{deploy}.master.Master", "--host", HOST, "--port", str(port), "--webui-port", "0"]
    worker = [run, f"{deploy}.worker.Worker", "--host", HOST, "--webui-port", "0", "--cores", "1", "--memory", "1g"]
    registered = "Successfully registered with master"
    with (
        daemon(master, folder / "master.log", until="New state: ALIVE", env=env),
        daemon([*worker, address], folder / "worker-1.log", until=registered, env=env),
        daemon([*worker, address], folder / "worker-2.log", until=registered, env=env),
    ):
        yield address


def build_wheel(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    wheel = next(folder.glob("*.whl"))
    return wheel.rename(wheel.with_suffix(".zip"))  # Spark puts .zip on the workers' path, not .whl


def worker_python(folder: Path) -> Path:
    """Make an environment with what the workers need and nothing else, linked from this one."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for package in sorted(WORKER):
        found = [Path(place) / package for place in sys.path if (Path(place) / package).exists()]
        if found:
            (site / package).symlink_to(found[0])
    return folder / "bin" / "python"


def label_with_spark(folder: Path, remote: str | None) -> None:
    """Run inside ``spark-submit``, or as a client of Spark Connect: label every scenario, and say how long it took."""
    import etiquette_analysis as ea
    from etiquette_analysis.engine.spark.session import find_session, settings

    session = find_session(None, remote)
    where = session.range(4, numPartitions=4).mapInArrow(_where_the_package_is, "path string").distinct().collect()
    print("package on the workers:", *(row["path"] for row in where), flush=True)
    (folder / "labels").mkdir(exist_ok=True)
    wanted = CONNECT if remote else SCENARIOS
    for name, (table, conf, options) in wanted.items():
        began = time.perf_counter()
        with settings(session, conf):
            how = {"engine": "spark", "remote": remote, "identify": True} | options
            ea.label_files(*tables(folder / table), folder / "labels" / name, **how)
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
    session.stop()


def _where_the_package_is(batches: Any) -> Any:
    import pyarrow as pa

    import etiquette_analysis

    for batch in batches:
        yield pa.record_batch({"path": [etiquette_analysis.__file__] * batch.num_rows})


def run_on_cluster(folder: Path, wheel: Path, python: Path) -> None:
    env = os.environ | {"PYSPARK_PYTHON": str(python), "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST}
    env |= {"SPARK_HOME": str(spark_home()), "XDG_DATA_HOME": str(folder / "home")}
    submit = str(spark_home() / "bin" / "spark-submit")
    quiet = ["--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR"]
    quiet += ["--conf", "spark.ui.showConsoleProgress=false"]
    memory = ["--executor-memory", "800m", "--driver-memory", "1g", "--conf", "spark.sql.shuffle.partitions=8"]
    with cluster(folder, python) as master:
        script = [str(HERE / "spark_cluster.py"), "--inside", str(folder)]
        on = [submit, "--master", master, *quiet, *memory]
        subprocess.run([*on, "--py-files", str(wheel), *script], check=True, env=env)
        port = free_port()
        server = [*on, "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        server += [
            "--conf",
            f"spark.connect.grpc.binding.port={port}",
            "--conf",
            "spark.log.level=INFO",
            "spark-internal",
        ]
        with daemon(server, folder / "connect.log", until="Spark Connect server started", env=env):
            client = [sys.executable, *script, "--remote", f"sc://{HOST}:{port}"]
            subprocess.run(client, check=True, env=env | {"PYTHONPATH": str(ROOT)})


def compare(folder: Path) -> list[dict[str, Any]]:
    """Compare every folder of labels with what the embedded engine makes of the same tables."""
    import etiquette_analysis as ea

    os.environ["XDG_DATA_HOME"] = str(folder / "home")
    rows = []
    for name, (table, _, options) in (SCENARIOS | CONNECT).items():
        embedded = folder / f"{'-'.join(['embedded', table, *map(str, options.values())])}.parquet"
        if not embedded.exists():
            ea.label_files(*tables(folder / table), embedded, **{"identify": True} | options)
        n_rows, n_differ = n_rows_that_differ(f"{folder}/labels/{name}/*.parquet", str(embedded))
        rows.append({"what": name, "rows": n_rows, "rows_that_differ": n_differ})
        print(rows[-1], flush=True)
    return rows


def time_labels(folder: Path, repeats: int) -> dict[str, Any]:
    """Time the labels in ``local[2]`` beside the same ones as Spark SQL, in turn; no text, nothing to score."""
    from pyspark.sql import SparkSession

    import etiquette_analysis as ea

    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = {"spark.ui.enabled": "false", "spark.driver.memory": "3g", "spark.sql.shuffle.partitions": "8"}
    conf |= {"spark.sql.session.timeZone": "UTC", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
    conf |= {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false"}
    session = SparkSession.builder.master("local[2]").config(map=conf).getOrCreate()
    messages, connections = (session.read.parquet(path) for path in tables(folder / "even"))
    messages = messages.drop("text")
    messages.createOrReplaceTempView("messages")
    connections.createOrReplaceTempView("connections")
    latest = messages.selectExpr("unix_micros(max(sent_at))").collect()[0][0]

    def native() -> None:
        sql = session.sql(NATIVE.read_text(encoding="utf-8"), args={"observed_until": latest})
        sql.write.mode("overwrite").parquet(str(folder / "native"))

    def ours() -> None:
        ea.spark.label_turns(messages, connections).write.mode("overwrite").parquet(str(folder / "ours"))

    runs: dict[str, Callable[[], None]] = {"native Spark SQL": native, "labels": ours}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if turn:  # the first is for warming up
                taken[name].append(time.perf_counter() - began)
                print(name, f"{taken[name][-1]:.1f} s", flush=True)
    session.stop()
    n_rows, n_differ = n_rows_that_differ(f"{folder}/ours/*.parquet", f"{folder}/native/*.parquet")
    median = {name: statistics.median(seconds) for name, seconds in taken.items()}
    ratio = median["labels"] / median["native Spark SQL"]
    name = "labels, local[2], beside native Spark SQL"
    return {"what": name, "rows": n_rows, "rows_that_differ": n_differ, "of_native_sql": f"{ratio:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--remote", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        label_with_spark(chosen.inside, chosen.remote)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n = chosen.messages
        sizes = {"even": n, "skewed": n, "small": n // 10, "tiny": n // 50}
        for table, size in sizes.items():
            make_tables(folder / table, size, skewed=table in ("skewed", "small"))
        run_on_cluster(folder, build_wheel(folder), worker_python(folder / "worker"))
        rows = [row | {"messages": sizes[(SCENARIOS | CONNECT)[row["what"]][0]]} for row in compare(folder)]
        rows.append(time_labels(folder, chosen.repeats) | {"messages": n})
    with RESULT.open("w", newline="", encoding="utf-8") as file:
        columns = ["what", "messages", "rows", "rows_that_differ", "of_native_sql"]
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    if any(row["rows_that_differ"] for row in rows):
        sys.exit("rows differ")


if __name__ == "__main__":
    main()
