"""One story in six layouts gives one set of events; what others collected reads without losing a row unaccounted."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.schema import KINDS, NOTE_STAGE, Dataset, check_audit
from etiquette_analysis.sources import read, read_linkedin

ERAS = ["2020_basic", "2022_complete", "2023_basic", "2024_draft_flags", "2025_attachments", "2026_all_quoted"]
WITHOUT_URLS = ERAS[:2]
ReadEra = Callable[[str, str], Dataset]


@pytest.fixture(scope="module")
def eras(shared_data: Path) -> Path:
    return shared_data / "linkedin" / "eras"


@pytest.fixture(scope="module")
def expected(fixtures: Path) -> dict:
    return json.loads((fixtures / "EXPECTED.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def names(eras: Path) -> dict[str, str]:
    """Identifier -> name, from the newest layout, which gives an address with every name."""
    names = {}
    for file, columns in {
        "messages.csv": [("SENDER PROFILE URL", "FROM")],
        "Invitations.csv": [("inviterProfileUrl", "From"), ("inviteeProfileUrl", "To")],
    }.items():
        text = (eras / "2026_all_quoted" / file).read_text("utf-8")
        for row in csv.DictReader(io.StringIO(text, newline="")):
            names |= {row[url].replace("zo%C3%AB", "zoë"): row[name] for url, name in columns if row[url]}
    return names


def events(messages: pd.DataFrame, names: dict[str, str]) -> list[tuple]:
    """Everything about messages that the layouts must agree on, people by name; drafts exist in two layouts only."""

    def by_name(person: str) -> str:
        plain = re.sub(r" \(conversation .*\)$", "", person)
        return "; ".join(names.get(one, "Anna Rossi" if "anna-rossi" in one else one) for one in plain.split("; "))

    kept = messages[messages["kind"] != "draft"]
    return [
        (
            "" if pd.isna(m.conversation_id) else m.conversation_id,
            by_name(m.sender),
            by_name(m.recipient),
            m.sent_at,
            m.text,
            m.kind,
        )
        for m in kept.itertuples()
    ]


@pytest.fixture(scope="module")
def read_era(eras: Path) -> ReadEra:
    """Return a reader of one layout, as a folder or a zip, that reads each once."""
    return functools.cache(lambda era, form: read(path_of(eras, era, form)))


def path_of(eras: Path, era: str, form: str) -> Path:
    return eras / era if form == "folder" else next(eras.glob(f"{era}__*.zip"))


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("era", ERAS)
def test_every_era_gives_the_same_events(read_era: ReadEra, names: dict, era: str, form: str) -> None:
    newest = read_era("2026_all_quoted", "folder")
    assert events(read_era(era, form).messages, names) == events(newest.messages, names)


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("era", ERAS)
def test_every_era_agrees_with_the_expected_facts(read_era: ReadEra, expected: dict, era: str, form: str) -> None:
    dataset = read_era(era, form)
    assert dataset.ego == expected["owner"]["url"]
    assert dataset.source == "linkedin"
    check_audit(dataset.audit)
    n = dataset.audit.set_index(["stage", "reason"])["n"]
    assert n["messages.csv", "read"] == expected["n_message_rows"][era]
    hidden = expected["n_connections_hidden_date_only"]
    assert n.get(("Connections.csv", "only a date: hidden or closed member"), 0) == hidden.get(
        era, hidden["other eras"]
    )
    ambiguous = [v for (stage, reason), v in n.items() if stage == "Connections.csv" and reason.startswith("ambiguous")]
    assert len(dataset.connections) + sum(ambiguous) == expected["n_connections_named"]
    kinds = dataset.messages["kind"].value_counts()
    assert kinds.get("draft", 0) == expected["n_drafts_to_drop"].get(era, 0)
    assert dataset.messages["conversation_id"].nunique() == expected["n_conversations"]
    by_kind = dataset.messages.groupby("kind")["conversation_id"].unique()
    assert list(by_kind["group"]) == expected["group_conversations"]
    assert list(by_kind["sponsored"]) == [expected["exclude_by_default"]["sponsored"]]
    assert list(by_kind["spam"]) == [expected["exclude_by_default"]["spam_folder"]]
    assert set(dataset.messages["kind"]) <= set(KINDS)


@pytest.mark.parametrize("era", [era for era in ERAS if era not in WITHOUT_URLS])
def test_days_since_connection_and_replies_are_the_expected_ones(read_era: ReadEra, expected: dict, era: str) -> None:
    dataset = read_era(era, "folder")
    connected = dataset.connections.set_index("person_b")["connected_at"]
    mail = dataset.messages[dataset.messages["kind"] == "message"]
    for fact in expected["first_owner_message_per_1to1"]:
        thread = mail[mail["conversation_id"] == fact["conversation"]]
        first = thread[thread["sender"] == dataset.ego].iloc[0]
        assert connected[first["recipient"]] == pd.Timestamp(fact["connected_on"], tz="UTC")
        assert (first["sent_at"].floor("D") - connected[first["recipient"]]).days == fact["days_since_connection"]
        answers = thread[(thread["sender"] != dataset.ego) & (thread["sent_at"] > first["sent_at"])]
        assert (not answers.empty) == fact["replied"]
        if "reply_hours" in fact:
            hours = (answers["sent_at"].iloc[0] - first["sent_at"]).total_seconds() / 3600
            assert hours == pytest.approx(fact["reply_hours"], abs=1e-3)


@pytest.mark.parametrize("era", WITHOUT_URLS)
def test_two_contacts_of_one_name_are_never_joined_silently(read_era: ReadEra, era: str) -> None:
    dataset = read_era(era, "folder")
    n = dataset.audit.set_index(["stage", "reason"])["n"]
    reason = "ambiguous name: several people bear it and the row has no profile address"
    assert n["Connections.csv", reason] == 2
    assert not dataset.connections["person_b"].str.contains("anna|rossi", case=False).any()
    assert n[NOTE_STAGE, "messages.csv: ambiguous name, taken as one unknown person per conversation"] == 1
    unknown = dataset.messages.loc[dataset.messages["conversation_id"] == "2-YTU=", "recipient"]
    assert unknown.tolist() == ["Anna Rossi (conversation 2-YTU=)"]
    # In the other thread she answered with her address, so there she is known.
    known = dataset.messages.loc[dataset.messages["conversation_id"] == "2-YTY=", "recipient"]
    assert known.iloc[0] == "https://www.linkedin.com/in/anna-rossi-2"


def test_two_contacts_of_one_name_are_two_people_where_addresses_exist(read_era: ReadEra) -> None:
    connections = read_era("2023_basic", "folder").connections
    rossi = connections[connections["person_b"].str.contains("anna-rossi")].sort_values("person_b")
    assert rossi["connected_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-05", "2024-01-06"]


def test_the_person_who_is_no_connection_is_not_made_one(read_era: ReadEra) -> None:
    for era in ERAS:
        assert not read_era(era, "folder").connections["person_b"].str.contains("nils", case=False).any()


def test_line_breaks_inside_a_text_are_kept(fixtures: Path) -> None:
    texts = read_linkedin(fixtures / "linkedin_2024").messages["text"]
    assert 'Sì, "sempre" con loro.\r\nA presto' in set(texts)
    assert "Mi è piaciuta la parte sui metodi.\n\nLavori ancora con i comuni?" in set(texts)


def test_invitations_tell_who_invited_whom_and_when(fixtures: Path) -> None:
    connections = read_linkedin(fixtures / "linkedin_2024").connections.set_index("person_b")
    luca = connections.loc["https://www.linkedin.com/in/lucaconti"]
    assert luca["invited_by"] == "https://www.linkedin.com/in/lucaconti"
    assert luca["invited_at"] == pd.Timestamp("2024-03-15 13:58", tz="UTC")
    assert luca["position"] == "Sales Lead"
    assert luca["company"] == "Contoso, Ltd."
    assert pd.isna(connections.loc["https://www.linkedin.com/in/anna-rossi-1", "invited_at"])


def test_observed_until_is_the_latest_row_even_a_draft(fixtures: Path) -> None:
    dataset = read_linkedin(fixtures / "linkedin_2024")
    assert dataset.observed_until == pd.Timestamp("2024-03-30 18:00", tz="UTC")
    given = read_linkedin(fixtures / "linkedin_2024", observed_until="2024-05-14")
    assert given.observed_until == pd.Timestamp("2024-05-14", tz="UTC")


def test_messages_are_numbered_in_time_order(fixtures: Path) -> None:
    messages = read_linkedin(fixtures / "linkedin_2024").messages
    assert messages["message_id"].tolist() == list(range(len(messages)))
    assert messages["sent_at"].is_monotonic_increasing


def test_the_twenty_thousand_message_archive_is_read_whole(shared_data: Path) -> None:
    dataset = read(shared_data / "linkedin/collected/silkyrich_full_zip/sample_export.zip")
    n = dataset.audit.set_index(["stage", "reason"])["n"]
    assert n["messages.csv", "read"] == n["messages.csv", "kept"] == 20_000
    assert n["Connections.csv", "read"] == n["Connections.csv", "kept"] == len(dataset.connections) == 2_000
    assert len(dataset.messages) == 20_000 + n[NOTE_STAGE, "Invitations.csv: notes kept as messages of kind invitation"]
    assert (dataset.messages["kind"] == "draft").sum() == 41
    assert dataset.ego == "https://www.linkedin.com/in/fake-ada-byron-lovelace"
    check_audit(dataset.audit)


def test_a_file_with_a_byte_order_mark_and_a_short_row_is_read(shared_data: Path) -> None:
    folder = shared_data / "linkedin/collected/kawsay_bom"
    dataset = read(folder, owner="Ana Lopez")
    n = dataset.audit.set_index(["stage", "reason"])["n"]
    assert n["messages.csv", "wrong number of fields"] == 1
    assert n["messages.csv", "kept"] == 2
    assert len(dataset.connections) == 2
    assert dataset.messages["text"].tolist()[1] == "Sounds great!\nTuesday at 3pm works."


def test_another_column_order_and_missing_columns_are_read(shared_data: Path) -> None:
    dataset = read(shared_data / "linkedin/collected/labeldekho_column_order")
    n = dataset.audit.set_index(["stage", "reason"])["n"]
    assert (n["messages.csv", "kept"], len(dataset.connections)) == (11, 10)
    assert n[NOTE_STAGE, "messages.csv: DATE without a zone, taken as UTC"] == 11
    assert n[NOTE_STAGE, "messages.csv: no column FOLDER, so spam cannot be told from mail"] == 11
    assert dataset.ego == "Test User"
    alice = dataset.messages[dataset.messages["conversation_id"] == "conv001"]
    assert set(alice["recipient"]) == {"Test User", "https://www.linkedin.com/in/alicejohnson"}
    assert alice["recipient"].iloc[1] in set(dataset.connections["person_b"])
