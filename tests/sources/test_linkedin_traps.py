"""Each trap that real exports hold, by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import NOTE_STAGE, Dataset
from etiquette_analysis.sources import read_linkedin

from .conftest import BEN, ME, WriteExport

CLEO = "https://www.linkedin.com/in/cleo"


def kinds(dataset: Dataset) -> list[str]:
    return dataset.messages["kind"].tolist()


def count(dataset: Dataset, stage: str, reason: str) -> int:
    audit = dataset.audit
    return int(audit.loc[(audit["stage"] == stage) & (audit["reason"] == reason), "n"].sum())


def note(dataset: Dataset, text: str) -> int:
    audit = dataset.audit
    return int(audit.loc[(audit["stage"] == NOTE_STAGE) & audit["reason"].str.contains(text, regex=False), "n"].sum())


# kinds of rows


@pytest.mark.parametrize("flag", ["Yes", "yes", "TRUE", "true"])
def test_a_draft_is_never_a_message(write_export: WriteExport, flag: str) -> None:
    dataset = read_linkedin(write_export([{"IS MESSAGE DRAFT": flag}, {"IS MESSAGE DRAFT": "No"}]))
    assert sorted(kinds(dataset)) == ["draft", "message"]


def test_a_conversation_draft_is_a_draft_unless_somebody_else_wrote_there(write_export: WriteExport) -> None:
    flag = {"IS CONVERSATION DRAFT": "Yes"}
    answer = {"FROM": "Ben Low", "SENDER PROFILE URL": BEN, "TO": "Me Myself", "RECIPIENT PROFILE URLS": ME}
    dataset = read_linkedin(
        write_export([flag, {**flag, "CONVERSATION ID": "c2"}, {**flag, **answer, "CONVERSATION ID": "c2"}])
    )
    assert dict(zip(dataset.messages["conversation_id"], kinds(dataset), strict=True)) == {
        "c1": "draft",
        "c2": "message",
    }


def test_a_draft_flag_in_an_unknown_language_is_counted(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"IS MESSAGE DRAFT": "Kyllä"}]))
    assert (kinds(dataset), note(dataset, "draft flag not understood")) == (["message"], 1)


def test_a_row_with_two_recipients_is_a_group(write_export: WriteExport) -> None:
    row = {"TO": "Ben Low, Cleo Ray", "RECIPIENT PROFILE URLS": f"{BEN};{CLEO}"}
    dataset = read_linkedin(write_export([row]))
    assert kinds(dataset) == ["group"]
    assert dataset.messages["recipient"].tolist() == [f"{BEN}; {CLEO}"]


def test_a_reply_to_one_person_in_a_thread_of_three_is_a_group(write_export: WriteExport) -> None:
    cleo = {"FROM": "Cleo Ray", "SENDER PROFILE URL": CLEO, "TO": "Me Myself", "RECIPIENT PROFILE URLS": ME}
    dataset = read_linkedin(write_export([{}, cleo, {"CONVERSATION ID": "c2"}]))
    assert sorted(kinds(dataset)) == ["group", "group", "message"]


def test_spam_and_sponsored_mail_keep_their_kind(write_export: WriteExport) -> None:
    theirs = {"FROM": "Rex", "TO": "Me Myself", "RECIPIENT PROFILE URLS": ME, "SENDER PROFILE URL": ""}
    html = '<p class="spinmail-quill-editor__spin-break">Hi</p>'
    dataset = read_linkedin(
        write_export(
            [
                {},
                {**theirs, "CONVERSATION ID": "s1", "FOLDER": "SPAM"},
                {**theirs, "CONVERSATION ID": "s2", "CONTENT": html},
                {**theirs, "CONVERSATION ID": "s3", "CONVERSATION TITLE": "Sponsored Conversation"},
            ]
        )
    )
    by_thread = dict(zip(dataset.messages["conversation_id"], kinds(dataset), strict=True))
    assert by_thread == {"c1": "message", "s1": "spam", "s2": "sponsored", "s3": "sponsored"}


def test_sent_mail_sits_in_inbox_and_direction_comes_from_the_sender(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"FOLDER": "INBOX"}, {"FOLDER": "ARCHIVE"}, {"FOLDER": ""}]))
    assert set(dataset.messages["sender"]) == {ME} == {dataset.ego}


def test_a_subject_is_inmail_only_before_the_two_are_connected(write_export: WriteExport) -> None:
    subject = {"SUBJECT": "Hi"}
    stranger = {"TO": "Cleo Ray", "RECIPIENT PROFILE URLS": CLEO, "CONVERSATION ID": "c2"}
    dataset = read_linkedin(
        write_export(
            [
                {**subject, "DATE": "2024-03-09 23:59:59 UTC"},
                {**subject, "DATE": "2024-03-10 00:00:00 UTC"},
                {**subject, **stranger, "DATE": "2024-04-01 00:00:00 UTC"},
                {**stranger, "DATE": "2024-04-02 00:00:00 UTC"},
            ]
        )
    )
    assert kinds(dataset) == ["inmail", "message", "inmail", "message"]


def test_without_connections_a_subject_tells_nothing(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"SUBJECT": "Hi"}], None))
    assert (kinds(dataset), note(dataset, "no Connections.csv to tell InMail")) == (["message"], 1)
    assert not dataset.has_connection_dates
    assert dataset.connections.empty


def test_a_message_to_oneself_is_kept_as_it_is(write_export: WriteExport) -> None:
    dataset = read_linkedin(
        write_export([{}, {"TO": "Me Myself", "RECIPIENT PROFILE URLS": ME, "CONVERSATION ID": "me"}])
    )
    assert (dataset.messages["sender"] == dataset.messages["recipient"]).sum() == 1
    assert note(dataset, "message to oneself") == 1


# invitation notes


def test_an_invitation_note_in_the_thread_counts_once_and_wins_over_a_subject(write_export: WriteExport) -> None:
    dataset = read_linkedin(
        write_export(
            [
                {"CONTENT": "Glad to\nmeet you", "SUBJECT": "Join", "DATE": "2024-03-10 08:00:00 UTC"},
                {"CONTENT": "Next"},
            ],
            invitations=[{"Message": "Glad to meet  you"}],
        )
    )
    assert kinds(dataset) == ["invitation", "message"]
    first = dataset.messages.iloc[0]
    assert first["sent_at"] == pd.Timestamp("2024-03-09 19:02", tz="UTC")
    assert (first["conversation_id"], first["sender"], first["recipient"]) == ("c1", ME, BEN)
    assert count(dataset, "messages.csv", "repeats an invitation note") == 1


def test_an_invitation_note_that_no_thread_repeats_becomes_a_message(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export(invitations=[{"Message": "Glad to meet you"}]))
    assert kinds(dataset) == ["invitation", "message"]
    assert pd.isna(dataset.messages["conversation_id"].iloc[0])


def test_the_same_text_to_somebody_else_is_no_repeated_note(write_export: WriteExport) -> None:
    to_cleo = {"TO": "Cleo Ray", "RECIPIENT PROFILE URLS": CLEO, "CONVERSATION ID": "c2", "CONTENT": "Glad"}
    dataset = read_linkedin(write_export([to_cleo], invitations=[{"Message": "Glad"}]))
    assert kinds(dataset) == ["invitation", "message"]


# texts


@pytest.mark.parametrize("text", ["None", "NA", "null", "nan", "NULL", "N/A", "0", "False", "=cmd|' /C calc'!A0"])
def test_a_text_that_looks_like_nothing_is_a_text(write_export: WriteExport, text: str) -> None:
    assert read_linkedin(write_export([{"CONTENT": text}])).messages["text"].tolist() == [text]


def test_an_empty_content_is_a_message_without_text(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"CONTENT": "", "ATTACHMENTS": "https://x/y"}, {"CONTENT": ""}]))
    assert dataset.messages["text"].isna().all()
    assert kinds(dataset) == ["message", "message"]
    assert (note(dataset, "no text, with an attachment"), note(dataset, "no text and no attachment")) == (1, 1)


def test_garbled_accents_are_counted_not_repaired(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"CONTENT": "perchÃ© no"}]))
    assert dataset.messages["text"].tolist() == ["perchÃ© no"]
    assert note(dataset, "garbled by a wrong encoding") == 1


def test_a_text_longer_than_the_csv_limit_is_read(write_export: WriteExport) -> None:
    text = "x, " * 100_000
    assert read_linkedin(write_export([{"CONTENT": text}])).messages["text"].tolist() == [text]


# dates


def test_dates_stay_in_utc_with_fractions_and_without_zone(write_export: WriteExport) -> None:
    rows = [{"DATE": d} for d in ("2024-03-31 01:30:00 UTC", "2024-03-31 02:30:00.250", "2024-03-31T02:31:00+02:00")]
    dataset = read_linkedin(write_export(rows))
    expected = ["2024-03-31T00:31Z", "2024-03-31T01:30Z", "2024-03-31T02:30:00.25Z"]
    assert dataset.messages["sent_at"].tolist() == [pd.Timestamp(text) for text in expected]
    assert note(dataset, "DATE without a zone, taken as UTC") == 1


@pytest.mark.parametrize(
    "text", ["31/02/2024", "0000-01-01 00:00:00 UTC", "9999-12-31 23:59:59 UTC", "2024-02-30 10:00:00 UTC"]
)
def test_a_date_that_cannot_be_names_file_line_and_remedy(write_export: WriteExport, text: str) -> None:
    folder = write_export([{}, {"CONTENT": "two\nlines"}, {"DATE": text}])
    expected = (
        f'messages.csv, line 5: DATE "{text}" is not a date; expected e.g. "2024-02-28 09:15:00 UTC". '
        'Skip such rows with on_bad_row="drop".'
    )
    with pytest.raises(SourceError) as error:
        read_linkedin(folder)
    assert str(error.value) == expected
    dataset = read_linkedin(folder, on_bad_row="drop")
    assert len(dataset.messages) == 2
    assert count(dataset, "messages.csv", "unreadable date") == 1


def test_an_ambiguous_date_is_never_guessed(write_export: WriteExport) -> None:
    with pytest.raises(SourceError, match=r'messages.csv, line 2: DATE "03/04/2024 10:00" is ambiguous'):
        read_linkedin(write_export([{"DATE": "03/04/2024 10:00"}]))
    with pytest.raises(
        SourceError, match=r'Connections.csv, line 3: Connected On "03/04/2024" is ambiguous.*on_bad_row="drop"'
    ):
        read_linkedin(write_export(connections=[{}, {"Connected On": "03/04/2024"}], name="other"))
    with pytest.raises(SourceError, match=r'Invitations.csv, line 2: Sent At "3/4/24, 14:37" is ambiguous'):
        read_linkedin(write_export(invitations=[{"Sent At": "3/4/24, 14:37"}], name="third"))


def test_a_row_without_a_date_is_left_out_and_counted(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{}, {"DATE": ""}]))
    assert count(dataset, "messages.csv", "no date") == 1
    assert len(dataset.messages) == 1


@pytest.mark.parametrize("space", [" ", "\u202f", "\u00a0"])
def test_invitation_times_are_american_with_any_space_before_pm(write_export: WriteExport, space: str) -> None:
    dataset = read_linkedin(write_export(invitations=[{"Sent At": f"3/9/24, 12:05{space}PM"}]))
    assert dataset.connections["invited_at"].tolist() == [pd.Timestamp("2024-03-09 12:05", tz="UTC")]
    assert note(dataset, "Invitations.csv: Sent At without a zone, taken as UTC") == 1


def test_invitation_times_in_iso_are_read(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export(invitations=[{"Sent At": "2024-03-09 00:05:00 UTC"}]))
    assert dataset.connections["invited_at"].tolist() == [pd.Timestamp("2024-03-09 00:05", tz="UTC")]


def test_an_invitation_after_the_connection_belongs_to_another_time(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export(invitations=[{"Sent At": "2024-05-09 00:05:00 UTC"}]))
    assert dataset.connections["invited_at"].isna().all()
    assert dataset.connections["invited_by"].isna().all()


# order


def test_ties_within_a_second_follow_the_direction_of_the_file(write_export: WriteExport) -> None:
    new = {"DATE": "2024-03-13 09:00:00 UTC", "CONTENT": "new"}
    newest_first = read_linkedin(write_export([new, {"CONTENT": "b"}, {"CONTENT": "a"}]))
    assert newest_first.messages["text"].tolist() == ["a", "b", "new"]
    oldest_first = read_linkedin(write_export([{"CONTENT": "a"}, {"CONTENT": "b"}, new], name="other"))
    assert oldest_first.messages["text"].tolist() == ["a", "b", "new"]


# people


def test_a_name_with_a_comma_is_one_person_without_addresses(write_export: WriteExport) -> None:
    old = ["RECIPIENT PROFILE URLS"]
    doe = {"First Name": "Jane", "Last Name": "Doe, Ph.D.", "URL": ""}
    dataset = read_linkedin(write_export([{"TO": "Jane Doe, Ph.D."}], [doe], without=old))
    assert dataset.messages["recipient"].tolist() == ["Jane Doe, Ph.D."] == dataset.connections["person_b"].tolist()
    assert kinds(dataset) == ["message"]


def test_a_name_with_a_comma_that_stands_nowhere_else_is_one_person(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"TO": "Jane Doe, Ph.D., MBA"}], without=["RECIPIENT PROFILE URLS"]))
    assert dataset.messages["recipient"].tolist() == ["Jane Doe, Ph.D., MBA"]
    assert kinds(dataset) == ["message"]


def test_two_full_names_without_addresses_are_a_group(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"TO": "Jane Doe, Ph.D., Ugo Foscolo"}], without=["RECIPIENT PROFILE URLS"]))
    assert kinds(dataset) == ["group"]
    assert dataset.messages["recipient"].tolist() == ["Jane Doe, Ph.D.; Ugo Foscolo"]
    assert note(dataset, "told apart by commas alone") == 1


def test_a_name_with_a_comma_and_one_address_is_one_person(write_export: WriteExport) -> None:
    assert kinds(read_linkedin(write_export([{"TO": "Ben Low, Cleo Ray Institute"}]))) == ["message"]


def test_every_linkedin_member_is_somebody_else(write_export: WriteExport) -> None:
    gone = {"FROM": "LinkedIn Member", "SENDER PROFILE URL": "", "TO": "Me Myself", "RECIPIENT PROFILE URLS": ME}
    dataset = read_linkedin(write_export([{}, {**gone, "CONVERSATION ID": "x"}, {**gone, "CONVERSATION ID": "y"}]))
    assert set(dataset.messages["sender"]) == {ME, "linkedin-member:x", "linkedin-member:y"}
    assert note(dataset, "deleted or hidden account") == 2


def test_writing_to_a_deleted_account_reaches_the_unknown_person_of_that_thread(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{"TO": "LinkedIn Member", "RECIPIENT PROFILE URLS": ""}]), owner="Me Myself")
    assert dataset.messages["recipient"].tolist() == ["linkedin-member:c1"]


def test_joining_by_name_alone_is_counted(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{}], [{"URL": ""}], without=["RECIPIENT PROFILE URLS"]))
    assert dataset.connections["person_b"].tolist() == dataset.messages["recipient"].tolist() == [BEN]
    assert note(dataset, "Connections.csv: joined by full name alone") == 1
    assert note(dataset, "no profile address for one side, known by full name") == 1


def test_one_person_in_two_conversations_is_one_person(write_export: WriteExport) -> None:
    spellings = [f"{BEN}/", "http://it.linkedin.com/in/BEN?trk=x"]
    rows = [{"CONVERSATION ID": str(n), "RECIPIENT PROFILE URLS": url} for n, url in enumerate(spellings)]
    assert set(read_linkedin(write_export(rows)).messages["recipient"]) == {BEN}


def test_a_missing_recipient_is_taken_from_the_thread_and_counted(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export([{}, {"TO": "", "RECIPIENT PROFILE URLS": ""}]))
    assert set(dataset.messages["recipient"]) == {BEN}
    assert note(dataset, "no recipient named") == 1


def test_a_row_without_a_sender_is_left_out_but_dates_the_export(write_export: WriteExport) -> None:
    dataset = read_linkedin(
        write_export([{}, {"FROM": "", "SENDER PROFILE URL": "", "DATE": "2024-06-01 00:00:00 UTC"}])
    )
    assert count(dataset, "messages.csv", "no sender") == 1
    assert dataset.observed_until == pd.Timestamp("2024-06-01", tz="UTC")


def test_a_contact_with_the_owners_name_is_not_the_owner(write_export: WriteExport) -> None:
    namesake = {"First Name": "Me", "Last Name": "Myself", "URL": ""}
    answer = {"FROM": "Ben Low", "SENDER PROFILE URL": BEN, "TO": "Me Myself"}
    write = {"TO": "Me Myself", "CONVERSATION ID": "c2"}
    old = ["RECIPIENT PROFILE URLS"]
    dataset = read_linkedin(write_export([{}, answer, write], [{}, namesake], without=old))
    assert dataset.ego == ME
    assert len(dataset.connections) == 1
    by_thread = dataset.messages.groupby("conversation_id")["recipient"].agg(set)
    assert by_thread["c1"] == {BEN, ME}
    assert by_thread["c2"] == {"Me Myself (conversation c2)"}


# connections


def test_rows_with_only_a_date_are_counted(write_export: WriteExport) -> None:
    hidden = {"First Name": "", "Last Name": "", "URL": ""}
    dataset = read_linkedin(write_export(connections=[{}, hidden, hidden]))
    assert count(dataset, "Connections.csv", "only a date: hidden or closed member") == 2
    assert len(dataset.connections) == 1


def test_a_connection_is_a_day_at_midnight_utc(write_export: WriteExport) -> None:
    row = read_linkedin(write_export()).connections.iloc[0]
    assert (row["connected_at"], row["resolution"]) == (pd.Timestamp("2024-03-10", tz="UTC"), "day")
    assert (row["person_a"], row["person_b"]) == (ME, BEN)


def test_a_repeated_connection_keeps_the_earliest_day(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export(connections=[{"Connected On": "12 Mar 2024"}, {}, {"URL": BEN + "/"}]))
    assert dataset.connections["connected_at"].tolist() == [pd.Timestamp("2024-03-10", tz="UTC")]
    assert count(dataset, "Connections.csv", "repeats a connection; the earliest day counts") == 2


def test_a_connection_without_a_date_is_left_out_and_counted(write_export: WriteExport) -> None:
    dataset = read_linkedin(write_export(connections=[{}, {"URL": CLEO, "Connected On": ""}]))
    assert count(dataset, "Connections.csv", "no date") == 1
    assert dataset.connections["person_b"].tolist() == [BEN]


@pytest.mark.parametrize(
    "preamble", ["", 'Notes:\n"One, ""quoted"" sentence"\n\n', 'Notes:\nfree text, "open quote\nmore\n\n']
)
def test_the_header_is_found_by_content_whatever_stands_above(write_export: WriteExport, preamble: str) -> None:
    text = f"{preamble}First Name,Last Name,Email Address,Company,Position,Connected On\nBen,Low,,,,10 Mar 2024"
    assert read_linkedin(write_export(connections=text)).connections["person_b"].tolist() == [BEN]


def test_the_layout_of_2017_is_read(write_export: WriteExport) -> None:
    messages = (
        "From,To,Date,Subject,Content,Direction,Folder\n"
        '"Me Myself",Ben Low,"3/12/17, 9:05 AM",,Hello,OUTGOING,INBOX\n'
        '"Ben Low",Me Myself,"3/12/17, 12:05 PM",,None,INCOMING,INBOX\n'
    )
    connections = (
        "First Name,Last Name,Address,Email Address,Company,Position,Connected On,Websites,Instant Messengers\n"
        'Ben,Low,,,,,"03/10/17, 11:59 PM",,\n'
    )
    dataset = read_linkedin(write_export(messages, connections, None))
    assert dataset.ego == "Me Myself"
    assert dataset.evidence == "sender of the messages marked OUTGOING"
    assert dataset.connections["connected_at"].tolist() == [pd.Timestamp("2017-03-10", tz="UTC")]
    assert (
        dataset.messages["recipient"].tolist()
        == ["Ben Low", "Me Myself"]
        == [dataset.connections["person_b"][0], dataset.ego]
    )
    assert dataset.messages["sent_at"].dt.hour.tolist() == [9, 12]


# files saved again


def test_a_spreadsheet_copy_is_read_and_noted(write_export: WriteExport) -> None:
    folder = write_export(
        "\ufeffCONVERSATION ID;FROM;SENDER PROFILE URL;TO;DATE;CONTENT;FOLDER;\r\n"
        f'c1;Me Myself;{ME};Ben Low;2024-03-12 09:00:00 UTC;"a;b\nc";INBOX;\r\n;;;;;;;\r\n',
        "First Name,Last Name,URL,Connected On\r\nBen,Low,,4-Apr-21\r\n",
    )
    dataset = read_linkedin(folder)
    assert dataset.messages["text"].tolist() == ["a;b\nc"]
    assert dataset.connections["connected_at"].tolist() == [pd.Timestamp("2021-04-04", tz="UTC")]
    for trace in ("byte order mark", "header ends in CR", "separated by ';'", "a column has no name", "4-Apr-21"):
        assert note(dataset, trace) >= 1, trace
    assert count(dataset, "messages.csv", "blank row") == 1


def test_columns_are_found_by_name_whatever_case_and_order(write_export: WriteExport) -> None:
    folder = write_export(
        " content ,date,Recipient Profile Urls,to,sender profile url,From,Conversation Id\n"
        f"Hello,2024-03-12 09:00:00 UTC,{BEN},Ben Low,{ME},Me Myself,c1\n"
    )
    row = read_linkedin(folder).messages.iloc[0]
    assert (row["sender"], row["recipient"], row["text"], row["conversation_id"]) == (ME, BEN, "Hello", "c1")


def test_text_that_is_not_utf8_names_file_line_and_remedy(write_export: WriteExport) -> None:
    folder = write_export()
    file = folder / "messages.csv"
    file.write_bytes(file.read_bytes() + "c2,,Me,,Zoë,,2024-03-12 09:00:00 UTC,,x,INBOX\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"messages.csv, line 3: byte 0xEB is not UTF-8.*download it again.*Latin-1"):
        read_linkedin(folder)


def test_utf16_names_the_remedy(write_export: WriteExport) -> None:
    folder = write_export()
    file = folder / "messages.csv"
    file.write_bytes(file.read_text("utf-8").encode("utf-16"))
    with pytest.raises(
        SourceError, match=r'messages.csv: saved as UTF-16 \("Unicode text"\), expected UTF-8; download'
    ):
        read_linkedin(folder)


def test_a_csv_cut_short_inside_a_text_says_so(write_export: WriteExport) -> None:
    folder = write_export()
    file = folder / "messages.csv"
    file.write_bytes(file.read_bytes() + b'c1,,Me Myself,,Ben Low,,2024-03-12 09:00:00 UTC,,"cut sh')
    with pytest.raises(
        SourceError, match=r"messages.csv, line 3: the file ends inside a quoted text, so it was cut short"
    ):
        read_linkedin(folder)


def test_broken_quoting_is_an_error_or_a_counted_loss(write_export: WriteExport) -> None:
    folder = write_export()
    file = folder / "messages.csv"
    file.write_bytes(file.read_bytes() + b'c1,,Me,,Ben,,2024-03-12 09:00:00 UTC,,"he "said" it",INBOX\n')
    with pytest.raises(SourceError, match=r"messages.csv, line 3: the quoting is broken"):
        read_linkedin(folder)
    assert count(read_linkedin(folder, on_bad_row="drop"), "messages.csv", "broken quoting") == 1


def test_a_changed_header_is_an_error_never_zero_records(write_export: WriteExport) -> None:
    with pytest.raises(
        SourceError, match=r"Connections.csv: no header with First Name and Connected On .*starts 'Nome,Cognome'"
    ):
        read_linkedin(write_export(connections="Nome,Cognome\nBen,Low\n"))
    with pytest.raises(SourceError, match=r"messages.csv: a header but no message below it"):
        read_linkedin(write_export("FROM,TO,DATE,CONTENT\n", name="other"))
    with pytest.raises(SourceError, match=r"messages.csv: its only row was left out"):
        read_linkedin(write_export("FROM,TO,DATE,CONTENT\nonly one field\n", name="third"))
    with pytest.raises(SourceError, match=r"messages.csv: neither TO nor RECIPIENT PROFILE URLS among its columns"):
        read_linkedin(write_export("FROM,DATE,CONTENT\na,2024-03-12 09:00:00 UTC,b\n", name="fourth"))


# the owner


def test_the_owner_is_found_from_each_kind_of_evidence(write_export: WriteExport) -> None:
    by_invitation = read_linkedin(write_export())
    assert (by_invitation.ego, by_invitation.evidence) == (
        ME,
        "sender of the outgoing and recipient of the incoming in 1 of 1 invitations",
    )
    folder = write_export(invitations=None, connections=None, name="profile")
    (folder / "Profile.csv").write_text("First Name,Last Name,Maiden Name\nBen,Low,\n")
    by_profile = read_linkedin(folder)
    assert (by_profile.ego, by_profile.evidence) == (BEN, "the person named in Profile.csv")
    by_presence = read_linkedin(write_export(invitations=None, name="presence"))
    assert (by_presence.ego, by_presence.evidence) == (
        ME,
        "the one person in 1 of 1 conversations who is no connection",
    )


def test_an_owner_nobody_can_tell_is_asked_for(write_export: WriteExport) -> None:
    folder = write_export(invitations=None, connections=None)
    with pytest.raises(
        SourceError, match=r"cannot tell whose export this is, as 2 people take part .*pass owner=.*--owner"
    ):
        read_linkedin(folder)
    assert read_linkedin(folder, owner="me  MYSELF").ego == ME
    assert read_linkedin(folder, owner="linkedin.com/in/Ben/").ego == BEN
    assert read_linkedin(folder, owner=BEN).evidence == "given by the caller"


def test_the_owner_is_never_among_the_connections(write_export: WriteExport) -> None:
    with pytest.raises(SourceError, match=r"owner='Ben Low' is listed in Connections.csv"):
        read_linkedin(write_export(), owner="Ben Low")
    with pytest.raises(SourceError, match=r"owner='Nobody' takes part in none of the 1 conversations"):
        read_linkedin(write_export(name="other"), owner="Nobody")


def test_evidence_that_points_to_a_connection_is_passed_over(write_export: WriteExport) -> None:
    swapped = {"Direction": "INCOMING"}
    dataset = read_linkedin(write_export(invitations=[swapped]))
    assert dataset.ego == ME
    assert "conversations" in dataset.evidence


# several files


def test_two_parts_that_overlap_count_each_message_once(write_export: WriteExport) -> None:
    twice = {"CONTENT": "ok"}
    first = write_export([{}, twice, twice], name="first")
    second = write_export([{"CONTENT": "new", "DATE": "2024-03-20 09:00:00 UTC"}, twice, twice, {}], name="second")
    dataset = read_linkedin([first, second])
    assert sorted(dataset.messages["text"]) == ["Hello", "new", "ok", "ok"]
    assert count(dataset, "messages.csv", "repeats a row of another file") == 3
    assert len(dataset.connections) == 1


def test_assistants_and_role_plays_are_not_mail(write_export: WriteExport) -> None:
    folder = write_export()
    for name in ("guide_messages", "learning_coach_messages", "learning_role_play_messages", "coach_messages"):
        (folder / f"{name}.csv").write_bytes((folder / "messages.csv").read_bytes())
    assert len(read_linkedin(folder).messages) == 1
    with pytest.raises(SourceError, match=r"guide_messages.csv: conversations with LinkedIn's assistants"):
        read_linkedin(folder / "guide_messages.csv")


@pytest.mark.parametrize("name", ["Messages.csv", "MESSAGES.CSV", "messages_123456.csv", "messages (1).csv"])
def test_file_names_vary(write_export: WriteExport, name: str) -> None:
    folder = write_export()
    (folder / "messages.csv").rename(folder / name)
    assert len(read_linkedin(folder).messages) == 1


def test_the_callers_options_are_checked(write_export: WriteExport) -> None:
    folder = write_export()
    with pytest.raises(DesignError, match=r"on_bad_row='skip' is not known; expected 'error' or 'drop'"):
        read_linkedin(folder, on_bad_row="skip")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match=r"observed_until='soon' is not a date"):
        read_linkedin(folder, observed_until="soon")


def test_the_repr_shows_no_name(write_export: WriteExport, tmp_path: Path) -> None:
    shown = repr(read_linkedin(write_export()))
    assert "ben" not in shown.lower()
    assert "1 message, 1 connection>" in shown
