"""Tables of unknown origin: columns mapped, never guessed; dates read in one way or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from etiquette_analysis.errors import DesignError, SchemaError, SourceError
from etiquette_analysis.schema import NOTE_STAGE, Dataset, check_audit
from etiquette_analysis.sources import read, read_table

MAIL = pd.DataFrame(
    {
        "sender": ["ada", "ben", "ada"],
        "recipient": ["ben", "ada", "cleo"],
        "sent_at": ["2024-03-01T09:00:00Z", "2024-03-02T10:00:00Z", "2024-03-03T11:00:00Z"],
        "text": ["Hello", "None", ""],
    }
)
PAIRS = pd.DataFrame(
    {"person_a": ["ada", "ada"], "person_b": ["ben", "cleo"], "connected_at": ["2024-02-29", "2024-03-03"]}
)


def count(dataset: Dataset, stage: str, reason: str) -> int:
    audit = dataset.audit
    return int(audit.loc[(audit["stage"] == stage) & audit["reason"].str.contains(reason, regex=False), "n"].sum())


def write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_dict("records")), "utf-8")
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_form_of_a_table_gives_the_same_dataset(tmp_path: Path, suffix: str) -> None:
    from_memory = read_table(MAIL, PAIRS, owner="ada")
    from_file = read_table(write(MAIL, tmp_path / f"m{suffix}"), write(PAIRS, tmp_path / f"c{suffix}"), owner="ada")
    pd.testing.assert_frame_equal(from_file.messages, from_memory.messages)
    pd.testing.assert_frame_equal(from_file.connections, from_memory.connections)
    assert from_file.messages["text"].isna().tolist() == [False, False, True]
    assert from_file.messages["text"].tolist()[1] == "None"
    assert (from_file.ego, from_file.source, from_file.has_connection_dates) == ("ada", "table", True)
    check_audit(from_file.audit)
    pd.testing.assert_frame_equal(read(tmp_path / f"m{suffix}").messages, from_memory.messages)


def test_the_callers_table_is_not_changed() -> None:
    before = MAIL.copy()
    read_table(MAIL, PAIRS)
    pd.testing.assert_frame_equal(MAIL, before)


def test_kind_defaults_to_message_and_unknown_kinds_are_refused() -> None:
    assert set(read_table(MAIL).messages["kind"]) == {"message"}
    given_kinds = read_table(MAIL.assign(kind=["inmail", None, "draft"]))
    assert given_kinds.messages["kind"].tolist() == ["inmail", "message", "draft"]
    with pytest.raises(SchemaError, match=r"unknown kind \['mail'\]; expected one of message, invitation"):
        read_table(MAIL.assign(kind="mail"))


def test_without_any_connection_nothing_is_known_of_dates() -> None:
    dataset = read_table(MAIL)
    assert not dataset.has_connection_dates
    assert dataset.connections.empty
    assert list(dataset.connections.columns) == ["person_a", "person_b", "connected_at", "resolution"]
    assert count(dataset, NOTE_STAGE, "none given, so no date of connection is known") == 1


# columns


def test_a_mapping_names_columns_in_any_language(tmp_path: Path) -> None:
    theirs = MAIL.rename(
        columns={"sender": "Mittente", "recipient": "Destinatario", "sent_at": "Data", "text": "Testo"}
    )
    mapping = {"sender": "Mittente", "recipient": "Destinatario", "sent_at": "Data", "text": "Testo"}
    mapped = read_table(write(theirs, tmp_path / "m.csv"), mapping=mapping)
    pd.testing.assert_frame_equal(mapped.messages, read_table(MAIL).messages)


def test_unknown_headers_print_the_mapping_with_guesses_marked(tmp_path: Path) -> None:
    table = pd.DataFrame({"Mittente": ["a"], "Prospect Name": ["b"], "Quando": ["x"], "Messaggio": ["c"]})
    with pytest.raises(SourceError) as error:
        read_table(write(table, tmp_path / "crm.csv"))
    assert str(error.value) == (
        "crm.csv: no column sender, recipient, sent_at; it has 'Mittente', 'Prospect Name', 'Quando', 'Messaggio'. "
        "Say which column is which: save the lines below as mapping.toml, correct them, and pass --mapping "
        "mapping.toml (in Python mapping={our_name: their_name}).\n"
        'sender = "Mittente"  # a guess: check it\n'
        'recipient = "Prospect Name"  # a guess: check it\n'
        'sent_at = ""  # fill in\n'
        'text = "Messaggio"  # a guess: check it\n'
        '# connected_at = ""  # optional\n'
        '# conversation_id = ""  # optional'
    )


@pytest.mark.parametrize(
    "headers",
    [
        ("From", "To", "Sent At"),
        ("Mittente", "Destinatario", "Data invio"),
        ("Remitente", "Destinatario", "Fecha"),
        ("Expéditeur", "Destinataire", "Envoyé le"),
        ("Absender", "Empfänger", "Gesendet am"),
        ("Remetente", "Destinatário", "Data"),
    ],
)
def test_guesses_come_in_six_languages(headers: tuple[str, str, str]) -> None:
    table = pd.DataFrame({name: ["x"] for name in headers})
    with pytest.raises(SourceError) as error:
        read_table(table)
    for our, their in zip(("sender", "recipient", "sent_at"), headers, strict=True):
        assert f'{our} = "{their}"  # a guess' in str(error.value)


def test_a_mapping_is_checked_on_both_sides() -> None:
    with pytest.raises(DesignError, match=r"mapping has 'from' on its left side, which is no column name of ours"):
        read_table(MAIL, mapping={"from": "sender"})
    with pytest.raises(SourceError, match=r"mapping says 'text' is column 'body', but there is none .*has 'sender'"):
        read_table(MAIL, mapping={"text": "body"})


# dates


@pytest.mark.parametrize("text", ["03/04/2024", "03/04/2024 10:00", "3.4.2024"])
def test_the_order_of_day_and_month_is_never_guessed(text: str) -> None:
    message = r"the messages table, row 2: sent_at .* is ambiguous.*Say which .*--date-order dmy"
    with pytest.raises(SourceError, match=message):
        read_table(MAIL.assign(sent_at=["2024-03-01", text, "2024-03-01"]))


def days_and_note(sent_at: list[str], **options: Any) -> tuple[list[str], str]:
    table = pd.DataFrame({"sender": "ada", "recipient": "ben", "sent_at": sent_at})
    dataset = read_table(table, **options)
    notes = [reason for reason in dataset.audit["reason"] if "dates read" in reason]
    return dataset.messages["sent_at"].dt.strftime("%Y-%m-%d %H:%M").tolist(), "; ".join(notes)


@pytest.mark.parametrize(
    ("texts", "read_as", "note"),
    [
        (["10/03/2025 14:05", "25/03/2025 9:00"], ["2025-03-10 14:05", "2025-03-25 09:00"], "day first"),
        (["04.03.2025", "25.03.2025 08:01:02"], ["2025-03-04 00:00", "2025-03-25 08:01"], "day first"),
        (["4-3-2025 08.30", "25-03-2025"], ["2025-03-04 08:30", "2025-03-25 00:00"], "day first"),
        (
            ["04/03/25", "28/03/25", "02/04/25"],
            ["2025-03-04 00:00", "2025-03-28 00:00", "2025-04-02 00:00"],
            "day first",
        ),
        (["3/4/2025 12:05 AM", "3/25/2025, 2:05 PM"], ["2025-03-04 00:05", "2025-03-25 14:05"], "month first"),
        (
            ["25-03-04", "24-12-31", "25-01-17"],
            ["2024-12-31 00:00", "2025-01-17 00:00", "2025-03-04 00:00"],
            "year first",
        ),
        (["2025/3/4 10:00", "2025/03/05"], ["2025-03-04 10:00", "2025-03-05 00:00"], ""),
        (["2025-03-04T10:00:00Z", "25/03/2025"], ["2025-03-04 10:00", "2025-03-25 00:00"], "day first"),
    ],
)
def test_a_column_settles_its_order_where_its_dates_leave_but_one(
    texts: list[str], read_as: list[str], note: str
) -> None:
    found, noted = days_and_note(texts)
    assert sorted(found) == read_as
    assert f"sent_at: dates read {note}" in noted if note else noted == ""


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["25/03/2025", "03/25/2025"],
            r'row 1: sent_at "25/03/2025" is day first, which row 2 is not.*--date-order dmy',
        ),
        (["24-03-25", "25-03-25"], r'row 1: sent_at "24-03-25" is ambiguous.*--date-order dmy'),
        (["0001-01-01"], r'row 1: sent_at "0001-01-01" is not a date'),
        (["25/03/2025", "31/02/2025"], r'row 2: sent_at "31/02/2025" is not a date'),
        (["25/03/2025", "10/03/2025 25:00"], r'row 2: sent_at "10/03/2025 25:00" is not a date'),
        (["3/25/2025", "3/10/2025 13:00 PM"], r'row 2: sent_at "3/10/2025 13:00 PM" is not a date'),
    ],
)
def test_what_leaves_the_order_open_or_breaks_it_is_named(texts: list[str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        days_and_note(texts)


def test_the_caller_may_say_the_order() -> None:
    texts = ["10/03/2025 14:05", "04/03/2025"]
    assert days_and_note(texts, date_order="dmy")[0] == ["2025-03-04 00:00", "2025-03-10 14:05"]
    assert days_and_note(texts, date_order="mdy")[0] == ["2025-04-03 00:00", "2025-10-03 14:05"]
    assert days_and_note(["04-03-25"], date_order="ymd")[0] == ["2004-03-25 00:00"]
    assert days_and_note(texts, date_order="dmy")[1].endswith("dates read day first, as date_order says")
    with pytest.raises(SourceError, match=r'row 2: sent_at "03/25/2025" is not day first, as the column is read'):
        days_and_note(["10/03/2025", "03/25/2025"], date_order="dmy")
    with pytest.raises(DesignError, match=r"date_order='dym' is not known; expected 'dmy', 'mdy' or 'ymd'"):
        days_and_note(texts, date_order="dym")


def test_each_column_may_have_its_own_form() -> None:
    table = MAIL.assign(connected_at=["28.02.2024", "28.02.2024", "02.03.2024"])
    dataset = read_table(table)
    assert dataset.connections["connected_at"].dt.strftime("%m-%d").tolist() == ["02-28", "03-02"]
    assert set(dataset.connections["resolution"]) == {"day"}
    with pytest.raises(SourceError, match=r'connected_at "01.02.2024" is ambiguous.*--date-order'):
        read_table(table.assign(connected_at="01.02.2024"))
    assert read_table(table.assign(connected_at="01.02.2024"), date_order="mdy").connections["connected_at"][0].day == 2


@given(
    st.lists(st.dates(pd.Timestamp("2015-01-01").date(), pd.Timestamp("2025-12-31").date()), min_size=1, max_size=6),
    st.sampled_from([("dmy", "%d/%m/%Y"), ("mdy", "%m/%d/%Y"), ("dmy", "%d.%m.%y"), ("mdy", "%m/%d/%y %I:%M %p")]),
)
@settings(max_examples=30, deadline=None)
def test_an_order_is_found_right_or_asked_for(days: list[Any], written: tuple[str, str]) -> None:
    order, form = written
    expected = sorted(f"{day:%Y-%m-%d} 00:00" for day in days)
    texts = [day.strftime(form) for day in days]
    assert days_and_note(texts, date_order=order)[0] == expected
    try:
        found = days_and_note(texts)[0]
    except SourceError as error:
        assert "--date-order" in str(error)  # noqa: PT017
        assert all(day.day <= 12 for day in days) or "%y" in form
    else:
        assert found == expected


def test_days_without_hours_are_noted() -> None:
    reason = "sent_at tells days without hours, so hours_to_reply are multiples of 24"
    assert count(read_table(MAIL.assign(sent_at=["2024-03-01", "2024-03-02", "2024-03-03"])), NOTE_STAGE, reason) == 3
    assert count(read_table(MAIL), NOTE_STAGE, reason) == 0


# encodings


def test_another_encoding_is_used_only_where_the_caller_names_it(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes("sender;recipient;sent_at;text\nNicolò;ada;2024-03-01T09:00:00Z;così €\n".encode("cp1252"))
    with pytest.raises(SourceError, match=r"m.csv, line 2: byte 0xF2 is not UTF-8; .*--encoding cp1252"):
        read_table(path)
    dataset = read_table(path, encoding="cp1252")
    assert dataset.messages[["sender", "text"]].iloc[0].tolist() == ["Nicolò", "così €"]
    assert count(dataset, NOTE_STAGE, "read as cp1252, as encoding says") == 1
    with pytest.raises(SourceError, match=r"m.csv, line 2: byte 0xF2 is not ascii"):
        read_table(path, encoding="ascii")
    for name in ("klingon", "base64"):
        with pytest.raises(DesignError, match=rf"encoding='{name}' is not known; expected e.g. .utf-8. or .cp1252."):
            read_table(path, encoding=name)
    path.write_text("sender,recipient,sent_at\nNicolò,ada,2024-03-01\n", encoding="utf-8-sig")
    with pytest.raises(SourceError, match=r"m.csv: begins with the mark of UTF-8, which encoding='cp1252' would"):
        read_table(path, encoding="cp1252")
    assert read_table(path).messages["sender"].tolist() == ["Nicolò"]


def test_utf_16_is_read_where_the_caller_names_it(tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_text("sender\trecipient\tsent_at\nNicolò\tada\t2024-03-01\n", encoding="utf-16")
    with pytest.raises(SourceError, match=r"m.txt: saved as UTF-16"):
        read_table(path)
    assert read_table(path, encoding="utf-16").messages["sender"].tolist() == ["Nicolò"]


@pytest.mark.parametrize(("path", "found"), [(None, "NoneType"), (3, "int"), (["a.zip", 3], "int in a list")])
def test_what_is_no_path_is_named(path: Any, found: str) -> None:
    with pytest.raises(SourceError, match=rf"cannot read {found}; expected the path of an export, a list of paths, or"):
        read(path)


def test_a_folder_of_parts_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "year=2024").mkdir()
    write(MAIL, tmp_path / "year=2024" / "part-0.parquet")
    with pytest.raises(SourceError, match=r"a folder of parts needs --connections and --out ending in .parquet or a"):
        read(tmp_path)


def test_a_date_that_cannot_be_is_an_error_or_a_counted_loss(tmp_path: Path) -> None:
    table = MAIL.assign(sent_at=["2024-03-01T09:00:00Z", "31/02/2024", ""])
    path = write(table, tmp_path / "m.csv")
    with pytest.raises(
        SourceError, match=r'm.csv, line 3: sent_at "31/02/2024" is not a date; expected e.g. "2024-02-28T'
    ):
        read_table(path)
    dataset = read_table(path, on_bad_row="drop")
    assert count(dataset, "messages", "unreadable date") == count(dataset, "messages", "no date") == 1
    assert len(dataset.messages) == 1


@pytest.mark.parametrize("values", [[1709283600, 1709283601, 1709283602], [45352.5, 45353.0, 45354.0]])
def test_numbers_are_no_dates(values: list[float]) -> None:
    with pytest.raises(SourceError, match=r"row 1: sent_at .* is a number, and nothing says .*pandas.to_datetime"):
        read_table(MAIL.assign(sent_at=values))
    with pytest.raises(SourceError, match=r"is a number"):
        read_table(MAIL.assign(sent_at=[str(value) for value in values]))


def test_times_without_zone_are_counted_and_placed() -> None:
    table = MAIL.assign(sent_at=["2024-07-01 09:00", "2024-03-31 02:30:00", "2024-07-01T09:00:00Z"])
    utc = read_table(table)
    assert count(utc, NOTE_STAGE, "sent_at without a zone, taken as UTC") == 2
    rome = read_table(table, timezone="Europe/Rome")
    assert count(rome, NOTE_STAGE, "taken as Europe/Rome") == 2
    assert set(rome.messages["sent_at"]) == {
        pd.Timestamp("2024-07-01 07:00", tz="UTC"),
        pd.Timestamp("2024-03-31 01:00", tz="UTC"),  # 02:30 did not exist that night
        pd.Timestamp("2024-07-01 09:00", tz="UTC"),
    }
    with pytest.raises(DesignError, match=r"timezone='Rome' is not known; expected a name such as"):
        read_table(table, timezone="Rome")


@pytest.mark.parametrize(
    "dtype", ["datetime64[ns, Europe/Rome]", "datetime64[ns]", "datetime64[s]", "object", "category"]
)
def test_typed_dates_are_taken_as_they_are(dtype: str) -> None:
    at = pd.to_datetime(MAIL["sent_at"], utc=True)
    naive = at.dt.tz_localize(None)
    values = (
        at.astype(dtype)
        if "Rome" in dtype
        else naive.astype(dtype)
        if "date" in dtype
        else MAIL["sent_at"].astype(dtype)
    )
    assert read_table(MAIL.assign(sent_at=values)).messages["sent_at"].tolist() == at.tolist()


def test_typed_dates_out_of_this_world_are_no_dates(tmp_path: Path) -> None:
    days = pd.Series(pd.to_datetime(["9999-12-31", "0001-01-01", "2024-03-01"]).astype("datetime64[us]"))
    path = tmp_path / "m.parquet"
    MAIL.assign(sent_at=days.to_numpy()).to_parquet(path)
    with pytest.raises(SourceError, match=r'm.parquet, row 1: sent_at "9999-12-31 00:00:00" is not a date'):
        read_table(path)
    dataset = read_table(path, on_bad_row="drop")
    assert (len(dataset.messages), dataset.observed_until.year) == (1, 2024)
    check_audit(dataset.audit)


def test_python_dates_are_days() -> None:
    pairs = PAIRS.assign(connected_at=pd.to_datetime(PAIRS["connected_at"]).dt.date)
    assert set(read_table(MAIL, pairs).connections["resolution"]) == {"day"}


def test_observed_until_counts_rows_left_out() -> None:
    table = MAIL.assign(sender=["ada", "ben", None])
    dataset = read_table(table)
    assert dataset.observed_until == pd.Timestamp("2024-03-03 11:00", tz="UTC")
    assert count(dataset, "messages", "no sender or recipient") == 1
    assert read_table(MAIL, observed_until="2024-12-31").observed_until == pd.Timestamp("2024-12-31", tz="UTC")


# ids


def test_message_ids_stay_as_given_in_any_order() -> None:
    dataset = read_table(MAIL.assign(message_id=[30, 10, 20]))
    assert dataset.messages["message_id"].tolist() == [30, 10, 20]
    assert dataset.messages["text"].tolist()[:2] == ["Hello", "None"]


def test_a_repeated_message_id_is_an_error() -> None:
    with pytest.raises(
        SchemaError, match=r"message_id .*7.* occurs more than once \(1 repeats\); message_id must be unique"
    ):
        read_table(MAIL.assign(message_id=["7", "8", "7"]))


@pytest.mark.parametrize(
    "ids", [["a", "b", "c"], [1.5, 2.0, 3.0], [1, 2, None], [2**60 * 1.0, 1.0, 2.0], ["9" * 30, "1", "2"]]
)
def test_ids_that_are_no_whole_numbers_are_renumbered_in_time_order(ids: list) -> None:
    dataset = read_table(MAIL.iloc[::-1].assign(message_id=ids))
    assert dataset.messages["message_id"].tolist() == [0, 1, 2]
    assert dataset.messages["sent_at"].is_monotonic_increasing
    assert count(dataset, NOTE_STAGE, "message_id is not a whole number everywhere") == 3


def test_ties_follow_the_direction_of_the_file() -> None:
    one_second = MAIL.assign(sent_at=["2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z"])
    assert read_table(one_second).messages["recipient"].tolist() == ["cleo", "ada", "ben"]


@pytest.mark.parametrize("people", [[1, 2, 3], [1.0, 2.0, 3.0], pd.array([1, 2, 3], dtype="Int64"), ["1", "2", "3"]])
def test_numbers_of_people_become_text(people: list) -> None:
    dataset = read_table(MAIL.assign(sender=people), owner=1)  # type: ignore[arg-type]
    assert dataset.messages["sender"].tolist() == ["1", "2", "3"]
    assert dataset.ego == "1"


def test_identifiers_stay_verbatim(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('sender,recipient,sent_at\n007,"Doe, Jane",2024-03-01\nNA, x ,2024-03-02\n')
    messages = read_table(path).messages
    assert messages["sender"].tolist() == ["007", "NA"]
    assert messages["recipient"].tolist() == ["Doe, Jane", " x "]


def test_the_owner_takes_part() -> None:
    assert read_table(MAIL, owner=["ada", "zoe"]).ego == ("ada", "zoe")
    with pytest.raises(DesignError, match=r"owner='zoe' takes part in no message"):
        read_table(MAIL, owner="zoe")


# connections


def test_resolution_is_a_day_only_where_no_value_tells_an_hour() -> None:
    assert set(read_table(MAIL, PAIRS).connections["resolution"]) == {"day"}
    exact = read_table(MAIL, PAIRS.assign(connected_at=["2024-02-29T00:00:00Z", "2024-03-03T10:00:00Z"]))
    assert set(exact.connections["resolution"]) == {"second"}
    mixed = read_table(
        MAIL, PAIRS.assign(connected_at="2024-03-03T10:00:00Z", resolution=["day", "second"])
    ).connections
    assert mixed["connected_at"].dt.hour.tolist() == [0, 10]
    with pytest.raises(SchemaError, match=r"unknown resolution \['hour'\]; expected 'day' or 'second'"):
        read_table(MAIL, PAIRS.assign(resolution="hour"))


def test_a_day_is_midnight_utc_whatever_the_zone_of_times() -> None:
    connections = read_table(MAIL, PAIRS, timezone="Asia/Tokyo").connections
    assert connections["connected_at"].tolist() == [
        pd.Timestamp("2024-02-29", tz="UTC"),
        pd.Timestamp("2024-03-03", tz="UTC"),
    ]


def test_connection_dates_may_stand_beside_the_messages() -> None:
    table = MAIL.assign(connected_at=["2024-03-01", "2024-02-20", None], x_size=[1, 2, 3])
    dataset = read_table(table)
    assert dataset.connections["connected_at"].tolist() == [pd.Timestamp("2024-02-20", tz="UTC")]
    assert set(dataset.connections.loc[0, ["person_a", "person_b"]]) == {"ada", "ben"}
    assert dataset.connections["x_size"].tolist() == [2.0]
    assert count(dataset, "connections", "another date of the same pair; the earliest counts") == 1
    check_audit(dataset.audit)


def test_what_is_known_at_connection_is_kept() -> None:
    extras = {
        "invited_by": "ada",
        "invited_at": "2024-02-01",
        "position": "CEO",
        "campaign": "c1",
        "x_seniority": ["3", ""],
    }
    connections = read_table(MAIL, PAIRS.assign(**extras, note="not kept")).connections
    assert list(connections.columns)[4:] == ["invited_by", "invited_at", "position", "campaign", "x_seniority"]
    assert connections["x_seniority"].dtype == np.float64
    assert connections["x_seniority"].isna().tolist() == [False, True]
    assert connections["invited_at"].dtype == "datetime64[us, UTC]"


def test_a_covariate_that_is_no_number_is_counted_as_missing() -> None:
    dataset = read_table(MAIL, PAIRS.assign(x_size=["big", "2"]))
    assert dataset.connections["x_size"].isna().tolist() == [True, False]
    assert count(dataset, NOTE_STAGE, "x_size is not a number, taken as missing") == 1


def test_a_pair_without_person_or_date_is_left_out_and_counted() -> None:
    pairs = pd.concat([PAIRS, PAIRS.assign(person_b=None), PAIRS.iloc[:1].assign(connected_at=None)])
    dataset = read_table(MAIL, pairs)
    assert (count(dataset, "connections", "no person"), count(dataset, "connections", "no date")) == (2, 1)
    assert len(dataset.connections) == 2


def test_connections_that_match_nobody_or_few_are_noted() -> None:
    reason = "pairs that write to each other and are not in the table of connections"
    others = PAIRS.assign(person_a=["Ada Fictional", "ada"], person_b=["ben", "zoe"])
    asked = f"{reason} (all of them: do both tables name people alike?)"
    assert count(read_table(MAIL, others), NOTE_STAGE, asked) == 2
    assert count(read_table(MAIL, PAIRS.head(1)), NOTE_STAGE, reason) == 0
    many = pd.DataFrame({"sender": "ada", "recipient": [f"p{i}" for i in range(11)], "sent_at": "2024-03-01T09:00:00Z"})
    for n, noted in ((1, 10), (2, 0)):
        known = pd.DataFrame({"person_a": many["recipient"].head(n), "person_b": "ada", "connected_at": "2024-02-29"})
        assert count(read_table(many, known), NOTE_STAGE, reason) == noted


def test_connections_need_their_columns() -> None:
    with pytest.raises(
        SourceError, match=r"the connections table: no column person_a, person_b; it has 'User', 'Contact'"
    ):
        read_table(MAIL, pd.DataFrame({"User": ["a"], "Contact": ["b"], "connected_at": ["2024-01-01"]}))


# files


def test_files_that_are_no_tables_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"sender": "a"}\nnot json\n')
    with pytest.raises(SourceError, match=r"m.jsonl, line 2: not JSON .*expected one JSON object per line"):
        read_table(tmp_path / "m.jsonl")
    (tmp_path / "l.jsonl").write_text("[1, 2]\n")
    with pytest.raises(SourceError, match=r"l.jsonl, line 1: a JSON list, expected one object per line"):
        read_table(tmp_path / "l.jsonl")
    (tmp_path / "m.docx").write_text("x")
    with pytest.raises(SourceError, match=r"m.docx: not a known kind of table; expected one of .csv"):
        read_table(tmp_path / "m.docx")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceError, match=r"bad.parquet: the Parquet file is damaged .*write it again"):
        read_table(tmp_path / "bad.parquet")
    with pytest.raises(SourceError, match=r"expected one table, found \d+ files"):
        read_table(tmp_path)


def test_an_empty_table_is_an_empty_dataset() -> None:
    dataset = read_table(MAIL.iloc[:0], PAIRS.iloc[:0])
    assert (len(dataset.messages), len(dataset.connections)) == (0, 0)
    assert pd.isna(dataset.observed_until)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(lambda s: s.strip()),
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
            st.datetimes(pd.Timestamp("1900-01-01").to_pydatetime(), pd.Timestamp("2100-01-01").to_pydatetime()),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_table_written_as_json_lines_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "m.jsonl"
    records = [
        {"sender": s, "recipient": "x", "text": t, "sent_at": d.isoformat(), "message_id": n}
        for n, (s, t, d) in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    messages = read_table(path).messages
    assert messages["sender"].tolist() == [s for s, _, _ in rows]
    assert messages["text"].fillna("").tolist() == [t for _, t, _ in rows]
    assert messages["sent_at"].tolist() == [pd.Timestamp(d, tz="UTC") for _, _, d in rows]


def test_a_parquet_file_that_unpacks_to_far_more_than_it_weighs_is_refused(tmp_path: Path) -> None:
    codes = pa.array(np.zeros(3_000_000, np.int8))
    columns = {"sender": "ada", "recipient": "ben", "sent_at": "2024-03-01"}
    table = pa.table({name: pa.DictionaryArray.from_arrays(codes, [value]) for name, value in columns.items()})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(SourceError, match=r"t.parquet: unpacks to more than [\d,]+ bytes; write it again as CSV"):
        read_table(tmp_path / "t.parquet")


def test_the_index_of_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    MAIL.set_index("sender").to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet").messages, read_table(MAIL).messages)
