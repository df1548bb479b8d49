"""Files through DuckDB give what tables in memory give, row for row; what cannot be labelled is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etiquette_analysis.engine.embedded import message_labels, turns
from etiquette_analysis.engine.files import label_files
from etiquette_analysis.engine.source import open_cursor, open_database
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS, to_frame
from etiquette_analysis.errors import DesignError, SchemaError, SourceError
from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.schema import KEPT, READ, check_audit
from tests.labels.worlds import connection_frame, message_frame, random_options, random_world


def read_labels(path, schema=TURNS):
    return to_frame(pq.read_table(path).cast(schema).to_batches(), schema)


def random_tables(seed):
    rng = np.random.default_rng(seed)
    messages, connections = random_world(rng, n=int(rng.integers(1, 120)))
    options = random_options(rng)
    observed_until = options.pop("observed_until", None)
    return message_frame(messages), connection_frame(connections), observed_until, LabelOptions(**options)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_files_and_memory_agree(seed, suffix, tmp_path):
    messages, connections, observed_until, options = random_tables(seed)
    if suffix == ".csv":  # an empty cell is a null there
        messages = messages[(messages["sender"] != "") & (messages["recipient"] != "")]
        connections = connections[(connections["person_a"] != "") & (connections["person_b"] != "")]
    paths = []
    for table, name in ((messages, "messages"), (connections, "connections")):
        paths.append(tmp_path / f"{name}{suffix}")
        table.to_parquet(paths[-1], index=False) if suffix == ".parquet" else table.to_csv(paths[-1], index=False)
    keywords = {"observed_until": observed_until, "options": options, "batch_rows": 7}

    labelled = label_files(*paths, tmp_path / "turns.parquet", threads=1, **keywords)
    expected = turns(messages, connections, **keywords)
    pd.testing.assert_frame_equal(read_labels(labelled.path), expected)
    assert labelled.n_rows == len(expected)
    check_audit(labelled.audit)

    label_files(*paths, tmp_path / "labels.parquet", what="messages", threads=2, **keywords)
    expected = message_labels(messages, connections, **keywords).sort_values("message_id", ignore_index=True)
    found = read_labels(tmp_path / "labels.parquet", MESSAGE_LABELS)
    pd.testing.assert_frame_equal(found.sort_values("message_id", ignore_index=True), expected)


MESSAGES = pd.DataFrame(
    {
        "message_id": [10, 11, 12, 13, 14],
        "sender": ["ann", "bob", "ann", "ann", "ann"],
        "recipient": ["bob", "ann", "bob", "ann", None],
        "sent_at": pd.date_range("2024-03-05", periods=5, freq="3D", tz="UTC"),
        "kind": ["message", "message", "group", "message", "message"],
        "text": ["buy now", "Automatic reply: I am out of office until 9 May.", "None", "to me", None],
    }
)
CONNECTIONS = pd.DataFrame(
    {
        "person_a": ["bob"],
        "person_b": ["ann"],
        "connected_at": [pd.Timestamp("2024-03-05", tz="UTC")],
        "resolution": "day",
    }
)


def write(folder, messages=MESSAGES, connections=CONNECTIONS):
    messages.to_parquet(folder / "messages.parquet", index=False)
    connections.to_parquet(folder / "connections.parquet", index=False)
    return folder / "messages.parquet", folder / "connections.parquet", folder / "turns.parquet"


def score(texts):
    known = np.array([isinstance(text, str) for text in texts.to_pylist()])
    level = np.where(known, np.where(np.asarray(texts.to_pylist(), dtype="object") == "buy now", 3, 0), -1)
    return np.where(known, level / 3, np.nan), level.astype(np.int8)


def test_texts_are_scored_and_automatic_answers_left_out_while_reading(tmp_path):
    labelled = label_files(*write(tmp_path), score=score)
    found = read_labels(labelled.path)
    assert found[["sender", "pitch_score", "pitch_level", "immediate_pitch"]].to_numpy().tolist() == [
        ["ann", 1.0, "hard", True]
    ]
    assert found["reply_status"].tolist() == ["censored"]
    counted = labelled.audit.set_index("reason")["n"].to_dict()
    assert counted == {
        READ: 5,
        "auto_reply": 1,
        "group": 1,
        "to oneself": 1,
        "no sender or recipient": 1,
        KEPT: 1,
        "automatic answers recognised by their text": 1,
    }
    assert labelled.observed_until == MESSAGES["sent_at"].max()


def test_kinds_that_never_enter_a_turn_are_not_scored(tmp_path):
    label_files(*write(tmp_path), score=score, what="messages")
    found = read_labels(tmp_path / "turns.parquet", MESSAGE_LABELS).set_index("message_id")
    assert found["pitch_level"].notna().to_dict() == {10: True, 11: True, 12: False, 13: True, 14: False}


def test_no_text_comes_out_or_stays_behind(tmp_path):
    label_files(*write(tmp_path), score=score, what="messages")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "connections.parquet",
        "messages.parquet",
        "turns.parquet",
    ]
    table = pq.read_table(tmp_path / "turns.parquet")
    assert "text" not in table.column_names
    assert b"buy now" not in (tmp_path / "turns.parquet").read_bytes()


def test_an_error_of_the_scorer_is_raised_as_it_is_and_leaves_no_file(tmp_path):
    def broken(texts):
        raise ZeroDivisionError("not mine")

    with pytest.raises(ZeroDivisionError, match="not mine"):
        label_files(*write(tmp_path), score=broken)
    assert not (tmp_path / "turns.parquet").exists()


def test_an_old_result_survives_a_failure(tmp_path):
    paths = write(tmp_path)
    label_files(*paths)
    before = paths[2].read_bytes()
    write(tmp_path, MESSAGES.assign(message_id=1))
    with pytest.raises(SchemaError, match="message_id 1 occurs 5 times; message_id must be unique"):
        label_files(*paths, what="messages")
    assert paths[2].read_bytes() == before


def test_repeats_are_found_where_ids_are_far_apart_too(tmp_path):
    ids = [-(2**62), 5, 2**62, 7, 2**62]
    with pytest.raises(SchemaError, match=f"message_id {2**62} occurs 2 times"):
        label_files(*write(tmp_path, MESSAGES.assign(message_id=ids)), what="messages")
    label_files(*write(tmp_path, MESSAGES.assign(message_id=[*ids[:4], 8])))


def test_several_files_and_patterns_are_read_as_one_table(tmp_path):
    expected = label_files(*write(tmp_path))
    parts = [MESSAGES.iloc[:2], MESSAGES.iloc[2:]]
    for number, part in enumerate(parts):
        part.to_parquet(tmp_path / f"part-{number}.parquet", index=False)
    _, connections, out = tmp_path, tmp_path / "connections.parquet", tmp_path / "again.parquet"
    for given in (str(tmp_path / "part-*.parquet"), [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]):
        label_files(given, connections, out)
        pd.testing.assert_frame_equal(read_labels(out), read_labels(expected.path))


def test_messages_without_ids_are_numbered_in_time_order(tmp_path):
    instants = MESSAGES["sent_at"].iloc[[0, 0, 1, 2, 2]].set_axis(MESSAGES.index)
    oldest_first = MESSAGES.drop(columns="message_id").assign(sent_at=instants)
    for table in (oldest_first, oldest_first.iloc[::-1]):
        path = tmp_path / "messages.csv"
        table.to_csv(path, index=False)
        label_files(path, None, tmp_path / "out.parquet", what="messages")
        found = read_labels(tmp_path / "out.parquet", MESSAGE_LABELS).sort_values("message_id")
        assert found["message_id"].tolist() == [0, 1, 2, 3, 4]
        assert found["sender"].tolist() == ["ann", "bob", "ann", "ann", "ann"]


def test_connection_dates_may_be_columns_of_the_messages(tmp_path):
    messages, _, out = write(tmp_path, MESSAGES.assign(connected_at=pd.Timestamp("2024-03-05"), resolution="day"))
    label_files(messages, None, out)
    assert read_labels(out)["timing"].notna().all()
    label_files(write(tmp_path)[0], None, out)
    assert read_labels(out)["timing"].isna().all()


def test_identifiers_and_texts_of_a_csv_stay_verbatim(tmp_path):
    path = tmp_path / "messages.csv"
    path.write_text(
        'sender,recipient,sent_at,text\n007,1e3,2024-03-05T10:00:00+02:00,"None\nNA, ""x"""\n', encoding="utf-8"
    )
    seen = []

    def keep(texts):
        seen.extend(texts.to_pylist())
        return score(texts)

    label_files(path, None, tmp_path / "out.parquet", score=keep)
    turn = read_labels(tmp_path / "out.parquet").iloc[0]
    assert (turn["sender"], turn["recipient"], turn["started_at"]) == (
        "007",
        "1e3",
        pd.Timestamp("2024-03-05 08:00", tz="UTC"),
    )
    assert seen == ['None\nNA, "x"']


LABEL_ELSEWHERE = """
import sys, numpy as np
from etiquette_analysis.engine.files import label_files
scores = [None, lambda texts: (np.ones(len(texts)), np.ones(len(texts), dtype=np.int8))]
for score in scores:
    until = label_files(sys.argv[1], None, sys.argv[2], score=score, flag=None).observed_until
    sys.stdout.write(f"{until} ")
"""


def test_dates_without_a_zone_are_utc_wherever_the_machine_stands(tmp_path):
    path = tmp_path / "messages.csv"
    path.write_text("sender,recipient,sent_at,text\na,b,2024-03-05 10:00:00,hello\n", encoding="utf-8")
    command = [sys.executable, "-c", LABEL_ELSEWHERE, str(path), str(tmp_path / "out.parquet")]
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "2024-03-05 10:00:00+00:00 " * 2


def test_progress_counts_messages(tmp_path):
    seen = []
    label_files(*write(tmp_path), what="messages", batch_rows=2, progress=lambda *told: seen.append(told))
    assert seen == [("reading", 5, 5, "messages"), *(("labelling", n, 5, "messages") for n in (2, 4, 5))]


def test_nothing_is_drawn_on_standard_output():
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder), memory_limit="1GB", threads=1)
        for connection in (database, open_cursor(database)):
            asked = "SELECT current_setting('enable_progress_bar_print')"
            assert connection.sql(asked).fetchall() == [(False,)]
        database.close()


def test_people_can_be_renamed_and_rows_come_in_the_order_of_the_new_names(tmp_path):
    asked = []

    def mirrored(names):
        asked.extend(names.to_pylist())
        return pa.array([name[::-1] for name in names.to_pylist()])

    for what, schema in (("turns", TURNS), ("messages", MESSAGE_LABELS)):
        messages = pd.concat([MESSAGES, MESSAGES.assign(message_id=range(5), sender="zed", recipient="ann")])
        paths = write(tmp_path, messages)
        label_files(*paths, what=what)
        plain = read_labels(paths[2], schema)
        label_files(*paths, what=what, rename=mirrored)
        renamed = read_labels(paths[2], schema)
        assert sorted(asked) == ["ann", "bob", "zed"]
        asked.clear()
        for side in ("sender", "recipient"):
            plain[side] = plain[side].str[::-1]
        plain["dyad"] = plain["dyad"].map({"ann\tbob": "bob\tnna", "ann\tzed": "dez\tnna"})
        plain = plain.sort_values("dyad", kind="stable", na_position="first", ignore_index=True)
        pd.testing.assert_frame_equal(renamed, plain)


def test_no_messages_give_an_empty_table(tmp_path):
    labelled = label_files(*write(tmp_path, MESSAGES.iloc[:0]))
    assert (labelled.n_rows, len(read_labels(labelled.path))) == (0, 0)
    assert pd.isna(labelled.observed_until)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"sent_at": "31/02/2024"},
            SourceError,
            r"sent_at '31/02/2024' is not a date; expected e.g. '2024-02-28 09:15:00 UTC'",
        ),
        ({"kind": "memo"}, SchemaError, "column 'kind' holds 'memo'; expected one of message, invitation"),
        (
            {"pitch_level": "big"},
            SchemaError,
            "column 'pitch_level' holds 'big'; expected one of none, soft",
        ),
        (
            {"message_id": "x"},
            SchemaError,
            "5 rows have no whole number as message_id; expected a unique int64 per row",
        ),
    ],
)
def test_messages_that_break_the_schema_are_refused(change, error, message, tmp_path):
    with pytest.raises(error, match=message):
        label_files(*write(tmp_path, MESSAGES.assign(**change)))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"connected_at": "soon"}, SourceError, "connected_at 'soon' is not a date; expected e.g. '2024-02-28'"),
        ({"resolution": "week"}, SchemaError, r"unknown resolution \['week'\]; expected 'day' or 'second'"),
    ],
)
def test_connections_that_break_the_schema_are_refused(change, error, message, tmp_path):
    with pytest.raises(error, match=message):
        label_files(*write(tmp_path, connections=CONNECTIONS.assign(**change)))


def test_files_that_cannot_be_read_are_named(tmp_path):
    out = tmp_path / "out.parquet"
    with pytest.raises(SourceError, match=r"mail.xlsx: expected the messages as .csv or .parquet"):
        label_files(tmp_path / "mail.xlsx", None, out)
    with pytest.raises(SourceError, match=r"nobody.parquet could not be read: .*No files found"):
        label_files(tmp_path / "nobody.parquet", None, out)
    with pytest.raises(SourceError, match=r"out.parquet lies in no folder; create it first"):
        label_files(tmp_path / "nobody.parquet", None, tmp_path / "deeper" / "out.parquet")
    (tmp_path / "mail.parquet").write_text("no parquet at all")
    with pytest.raises(SourceError, match="is a folder that holds something else; choose a new name"):
        label_files(tmp_path / "mail.parquet", None, tmp_path)
    with pytest.raises(SourceError, match=r"turns.csv is neither a folder nor a file ending in .parquet"):
        label_files(tmp_path / "mail.parquet", None, tmp_path / "turns.csv")
    with pytest.raises(SourceError, match=r"mail.parquet could not be read"):
        label_files(tmp_path / "mail.parquet", None, out)
    write(tmp_path, MESSAGES.drop(columns="sender"))
    with pytest.raises(SchemaError, match="has no column 'sender'; it has 'message_id', 'recipient'"):
        label_files(tmp_path / "messages.parquet", None, out)


def test_wrong_questions_are_refused(tmp_path):
    paths = write(tmp_path)
    with pytest.raises(DesignError, match="what is 'dyads'; expected 'turns' or 'messages'"):
        label_files(*paths, what="dyads")
    with pytest.raises(DesignError, match="observed_until is 'soon'; expected a date such as"):
        label_files(*paths, observed_until="soon")
    with pytest.raises(DesignError, match="memory_limit is 'much'"):
        label_files(*paths, memory_limit="much")


def test_a_small_memory_limit_spills_and_changes_nothing(tmp_path):
    rng = np.random.default_rng(2)
    n = 60_000
    people = np.array([f"https://example.org/in/person-{i}" for i in range(900)])
    messages = pd.DataFrame(
        {
            "message_id": rng.permutation(n),
            "sender": people[rng.integers(0, 900, n)],
            "recipient": people[rng.integers(0, 900, n)],
            "sent_at": pd.to_datetime(1_704_067_200 + rng.integers(0, 10**7, n), unit="s", utc=True),
        }
    )
    paths = write(tmp_path, messages)
    label_files(*paths, memory_limit="60MB", threads=1)
    small = read_labels(paths[2])
    pd.testing.assert_frame_equal(small, turns(messages, CONNECTIONS))


@pytest.mark.parametrize("what", ["turns", "messages"])
def test_connections_of_other_people_are_noted(what, tmp_path):
    others = CONNECTIONS.assign(person_a="ann", person_b="zoe")
    audit = label_files(*write(tmp_path, connections=others), what=what).audit
    assert audit.loc[audit["reason"].str.endswith("do both tables name people alike?)"), "n"].tolist() == [1]
    audit = label_files(*write(tmp_path, connections=CONNECTIONS), what=what).audit
    assert not audit["reason"].str.contains("not in the table of connections").any()


def test_arrow_texts_reach_the_scorer_in_batches(tmp_path):
    kinds = []

    def keep(texts):
        kinds.append(texts.type)
        return score(texts)

    label_files(*write(tmp_path), score=keep)
    assert set(kinds) == {pa.string()}
