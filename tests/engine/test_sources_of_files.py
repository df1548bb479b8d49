"""What counts as the files of one table: folders, patterns, partitions, compression, and columns in any order."""

from __future__ import annotations

import gzip

import pandas as pd
import pyarrow.parquet as pq
import pytest

from etiquette_analysis.engine.files import label_files
from etiquette_analysis.errors import DesignError, SchemaError, SourceError

MESSAGES = pd.DataFrame(
    {
        "message_id": range(6),
        "sender": ["007", "bob", "007", "cid", "007", "bob"],
        "recipient": ["bob", "007", "cid", "007", "bob", "007"],
        "sent_at": pd.date_range("2024-03-05", periods=6, freq="3D", tz="UTC"),
        "kind": ["message", "message", "inmail", "group", "message", "message"],
    }
)
CONNECTIONS = pd.DataFrame({"person_a": ["bob"], "person_b": ["007"], "connected_at": ["2024-03-05"]})


@pytest.fixture
def folder(tmp_path):
    CONNECTIONS.to_csv(tmp_path / "connections.csv", index=False)
    (tmp_path / "in").mkdir()
    return tmp_path


def labels(folder, messages="in", **keywords):
    given = folder / messages if isinstance(messages, str) else messages
    connections = keywords.pop("connections", folder / "connections.csv")
    label_files(given, connections, folder / "out.parquet", **keywords)
    return pd.read_parquet(folder / "out.parquet")


@pytest.fixture
def expected(folder):
    MESSAGES.to_parquet(folder / "all.parquet", index=False)
    found = labels(folder, "all.parquet")
    assert found["timing"].notna().sum() == 4
    return found


def test_a_folder_stands_for_its_parquet_files_however_deep(folder, expected):
    for name, rows in (("in/b.parquet", slice(0, 2)), ("in/deep/er/a.parquet", slice(2, 6))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        MESSAGES.iloc[rows].to_parquet(folder / name, index=False)
    (folder / "in" / ".hidden.parquet").write_text("not a table")
    (folder / "in" / "notes.csv").write_text("not,looked,at")
    pd.testing.assert_frame_equal(labels(folder), expected)
    pd.testing.assert_frame_equal(labels(folder, "in/**/*.parquet"), expected)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst"])
def test_compressed_csv(ending, folder, expected):
    for number, rows in enumerate((slice(0, 4), slice(4, 6))):
        text = MESSAGES.iloc[rows].to_csv(index=False).encode()
        path = folder / "in" / f"{number}{ending}"
        if ending == ".csv.zst":
            pa = pytest.importorskip("pyarrow")
            with pa.CompressedOutputStream(str(path), "zstd") as stream:
                stream.write(text)
        else:
            path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    pd.testing.assert_frame_equal(labels(folder), expected)


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd", "lz4", "brotli", "none"])
def test_codecs_of_parquet(codec, folder, expected):
    pq.write_table(pq.read_table(folder / "all.parquet"), folder / "in" / "a.parquet", compression=codec)
    pd.testing.assert_frame_equal(labels(folder), expected)


def test_partitions_are_columns_and_stay_verbatim(folder, expected):
    for (sender, kind), part in MESSAGES.groupby(["sender", "kind"]):
        path = folder / "in" / "year=2024" / f"sender={sender}" / f"kind={kind}" / "data.parquet"
        path.parent.mkdir(parents=True)
        part.drop(columns=["sender", "kind"]).to_parquet(path, index=False)
    pd.testing.assert_frame_equal(labels(folder), expected)
    pd.testing.assert_frame_equal(labels(folder, "in/year=*/*/*/*.parquet"), expected)


def test_files_may_order_columns_differently_lack_some_and_write_dates_otherwise(folder, expected):
    one, other = MESSAGES.iloc[:4], MESSAGES.iloc[4:].drop(columns="kind")
    other = other.assign(sent_at=other["sent_at"].dt.tz_localize(None).astype("str"), extra=1)
    one.to_parquet(folder / "in" / "1.parquet", index=False)
    other[other.columns[::-1]].to_parquet(folder / "in" / "2.parquet", index=False)
    pd.testing.assert_frame_equal(labels(folder), expected)


def test_brackets_in_a_name_are_no_pattern(folder, expected):
    (folder / "all.parquet").rename(folder / "in" / "all[1].parquet")
    for given in ("in", "in/all[1].parquet"):
        pd.testing.assert_frame_equal(labels(folder, given), expected)


def test_columns_may_have_other_names_in_both_tables(folder, expected):
    mapping = {"sender": "From", "recipient": "to whom", "person_a": 'a "b"', "sent_at": "When"}
    theirs = MESSAGES.rename(columns=mapping).assign(sender="nobody")
    theirs.to_parquet(folder / "theirs.parquet", index=False)
    CONNECTIONS.rename(columns=mapping).to_parquet(folder / "c.parquet", index=False)
    found = labels(folder, "theirs.parquet", connections=folder / "c.parquet", mapping=mapping)
    pd.testing.assert_frame_equal(found, expected)
    with pytest.raises(SchemaError, match=r"theirs.parquet has no column 'recipient', 'sent_at'; .*--mapping FILE"):
        labels(folder, "theirs.parquet")


@pytest.mark.parametrize(("connected_at", "is_day"), [("2024-03-05", True), ("2024-03-05 10:30:00", False)])
def test_without_a_resolution_midnights_are_days(connected_at, is_day, folder):
    MESSAGES.to_parquet(folder / "all.parquet", index=False)
    CONNECTIONS.assign(connected_at=connected_at).to_csv(folder / "connections.csv", index=False)
    found = labels(folder, "all.parquet")
    later = found[(found["dyad"] == "007\tbob") & (found["started_at"] > "2024-03-06")]
    assert ((later["since_connection_max"] - later["since_connection_min"]).dt.days == is_day).all()


def test_what_is_no_table_is_refused(folder):
    with pytest.raises(SourceError, match=r"in: the folder holds no \.parquet and no \.csv file"):
        labels(folder)
    (folder / "in" / "mail.xlsx").write_text("")
    with pytest.raises(SourceError, match=r"in/\*: expected the messages as .csv or .parquet"):
        labels(folder, "in/*")
    with pytest.raises(SourceError, match=r"nobody-\*.parquet could not be read: .*No files found"):
        labels(folder, "nobody-*.parquet")


def test_two_digits_are_no_year_of_a_csv_and_three_numbers_no_date(folder):
    for text in ("25-03-10", "10/03/2025 14:05"):
        MESSAGES.assign(sent_at=text).to_csv(folder / "all.csv", index=False)
        with pytest.raises(SourceError, match=rf"sent_at '{text}' is not a date; .*--out ends in .csv.*--date-order"):
            labels(folder, "all.csv")


def test_limits_that_are_none_name_the_option(folder):
    MESSAGES.to_parquet(folder / "all.parquet", index=False)
    with pytest.raises(DesignError, match=r"memory_limit is 'much' \(--memory-limit\) and threads is .*\(--threads\)"):
        labels(folder, "all.parquet", memory_limit="much")
