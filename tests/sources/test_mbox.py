"""Mailboxes: where messages begin, who wrote to whom, and what the writer added."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import NOTE_STAGE, Dataset, check_audit
from etiquette_analysis.sources import read, read_mbox
from etiquette_analysis.sources.mail_text import own_words, without_tags

ME = "me@x.org"
LINE = "From me@x.org Mon Jan  2 10:00:00 2023\n"


def mail(
    body: str = "Hello", *extra: str, n: int = 1, frm: str = ME, to: str = "ben@y.org", date: str | None = None
) -> str:
    date = f"Mon, 2 Jan 2023 10:{n:02}:00 +0000" if date is None else date
    headers = [f"From: {frm}", f"Message-ID: <{n}@x>", f"To: {to}", *([f"Date: {date}"] if date else [])]
    return LINE + "\n".join([*headers, *extra]) + f"\n\n{body}\n\n"


def box(tmp_path: Path, *mails: str, name: str = "mail.mbox") -> Path:
    path = tmp_path / name
    path.write_bytes("".join(mails).encode("utf-8", "surrogateescape"))
    return path


def left_out(dataset: Dataset) -> dict[str, int]:
    check_audit(dataset.audit)
    rows = dataset.audit[dataset.audit["stage"] != NOTE_STAGE]
    return {r: n for r, n in zip(rows["reason"], rows["n"], strict=True) if r not in ("read", "kept")}


def notes(dataset: Dataset) -> dict[str, int]:
    rows = dataset.audit[dataset.audit["stage"] == NOTE_STAGE]
    return dict(zip(rows["reason"].str.removeprefix("mail: "), rows["n"], strict=True))


def test_r_package_devel_holds_187_messages_154_of_them_answers(shared_data: Path) -> None:
    path = shared_data / "mailing_lists" / "r-package-devel_2023q1.mbox.gz"
    dataset = read(path, include_lists=True)
    assert (len(dataset.messages), left_out(dataset), dataset.source) == (187, {}, "mbox")
    assert notes(dataset)["names the mail it answers (In-Reply-To)"] == 154
    assert not dataset.has_connection_dates
    assert dataset.ego is None
    assert dataset.messages["conversation_id"].nunique() == 35
    senders = set(dataset.messages["sender"])
    assert {s for s in senders if " @end|ng |rom " not in s} == {"biii m@iii@g oii de@@ey@ws"}
    assert (dataset.messages["recipient"] == "list:r-package-devel").sum() == 40
    with pytest.raises(SourceError, match=r"none of its 187 mails names a recipient.*; pass include_lists=True"):
        read_mbox(path)


def test_numpy_discussion_holds_82_messages_each_twice(shared_data: Path) -> None:
    dataset = read_mbox(shared_data / "mailing_lists" / "numpy-discussion_2001-November.mbox.gz", include_lists=True)
    assert len(dataset.messages) == 82
    assert left_out(dataset) == {"repeats a Message-ID": 82}
    assert dataset.messages["sender"].str.fullmatch(r"\S+@\S+").all()
    assert notes(dataset)["no zone in the date, taken as UTC"] == 82


def test_a_separator_needs_a_blank_line_a_date_and_headers_below(tmp_path: Path) -> None:
    body = (
        "one\nFrom ada Mon Jan  2 10:00:00 2023\nSubject: no blank line above\n\nFrom now on: at 10:00 on Mon\n\n"
        "From ada Mon Jan  2 10:00:00 2023\nno header below this one\n\n>From the start, escaped"
    )
    dataset = read_mbox(box(tmp_path, mail(body), mail("two", n=2)), owner=ME)
    assert len(dataset.messages) == 2
    assert "From the start, escaped" in dataset.messages["text"][0]
    assert dataset.messages["text"][0].count("Mon Jan") == 2


def test_gmail_thread_number_stays_a_string_and_labels_give_kinds(tmp_path: Path) -> None:
    thread = "X-GM-THRID: 1754309823674501234"
    dataset = read_mbox(
        box(
            tmp_path,
            mail("a", thread, n=1),
            mail("b", "X-Gmail-Labels: =?UTF-8?Q?Entw=C3=BCrfe?=", n=2),
            mail("c", "X-Gmail-Labels: Inbox,Spam", n=3, frm="x@z.org", to=ME),
        ),
        owner=ME,
    )
    assert dataset.messages["conversation_id"][0] == "1754309823674501234"
    assert dataset.messages["kind"].tolist() == ["message", "draft", "spam"]


def test_links_make_threads_whichever_comes_first(tmp_path: Path) -> None:
    answer = mail("yes", "References: <1@x> <2@x>", "In-Reply-To: <2@x>", n=3, frm="ben@y.org", to=ME)
    dataset = read_mbox(box(tmp_path, answer, mail("a", n=1), mail("b", n=2), mail("other", n=4)), owner=ME)
    assert dataset.messages["conversation_id"].nunique() == 2
    assert set(dataset.messages["conversation_id"][:3]) == {dataset.messages["conversation_id"][0]}


def test_lists_and_bulk_are_left_out_unless_wanted(tmp_path: Path) -> None:
    path = box(
        tmp_path,
        mail("a", "List-Id: Dev <dev.y.org>", n=1, frm="ada@y.org", to="dev@y.org"),
        mail("b", "List-Id: Dev <dev.y.org>", "In-Reply-To: <1@x>", n=2, frm="ben@y.org", to="dev@y.org, ada@y.org"),
        mail("c", "List-Id: <dev.y.org>", "In-Reply-To: <2@x>", n=3, frm="ben@y.org", to="dev@y.org"),
        mail("d", "Precedence: bulk", n=4, frm="shop@z.org", to=ME),
        mail("e", n=5),
    )
    dataset = read_mbox(path, owner=ME)
    assert left_out(dataset) == {"sent by a mailing list": 3, "bulk mail": 1}
    assert dataset.observed_until == pd.Timestamp("2023-01-02 10:05", tz="UTC")
    everything = read_mbox(path, include_lists=True)
    assert everything.messages["recipient"].tolist() == ["dev.y.org", "ada@y.org", "ada@y.org", ME, "ben@y.org"]
    assert set(everything.messages["kind"]) == {"message"}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Auto-Submitted: auto-replied; owner-email=x", "auto_reply"),
        ("Auto-Submitted: auto-generated", "auto_reply"),
        ("Auto-Submitted: no", "message"),
        ("X-Autoreply: yes", "auto_reply"),
        ("Precedence: auto_reply", "auto_reply"),
        ('Content-Type: multipart/report; boundary="q"', "auto_reply"),
        ("X-Other: 1", "message"),
    ],
)
def test_machines_are_told_by_their_headers(tmp_path: Path, header: str, kind: str) -> None:
    dataset = read_mbox(box(tmp_path, mail("away", header, frm="ben@y.org", to=ME)), owner=ME)
    assert dataset.messages["kind"].tolist() == [kind]


def test_a_vacation_reply_marked_bulk_is_an_automatic_reply(tmp_path: Path) -> None:
    away = mail("away", "Precedence: bulk", "Auto-Submitted: auto-replied", frm="ben@y.org", to=ME)
    assert read_mbox(box(tmp_path, away), owner=ME).messages["kind"].tolist() == ["auto_reply"]


def test_several_recipients_are_a_group_and_oneself_is_none(tmp_path: Path) -> None:
    path = box(
        tmp_path,
        mail("a", "Cc: =?utf-8?q?Doe=2C_Jane?= <Jane@Y.org>", n=1, to='"Low, Ben" <ben@y.org>'),
        mail("b", "Cc: me@x.org", n=2),
        mail("c", n=3, to="ME@work.org, ben@y.org", frm="=?utf-8?b?Wm/Dqw==?= <zoe@y.org>"),
        mail("d", n=4, to="undisclosed-recipients:;", frm="x@y.org"),
        mail("e", n=5, to="ben@y.org", frm="zoe@y.org"),
    )
    dataset = read_mbox(path, owner=[ME, "me@work.org"])
    assert dataset.messages["recipient"].tolist() == ["ben@y.org; jane@y.org", "ben@y.org", "me@x.org; ben@y.org"]
    assert dataset.messages["kind"].tolist() == ["group", "message", "group"]
    assert dataset.messages["sender"].tolist() == [ME, ME, "zoe@y.org"]
    assert left_out(dataset) == {
        "no recipient": 1,
        "the owner takes no part (blind copy, or an address not given as owner)": 1,
    }


def test_missing_and_absurd_dates_give_way_to_the_time_of_arrival(tmp_path: Path) -> None:
    received = "Received: from a by b; Tue, 3 Jan 2023 09:00:00 +0100"
    path = box(
        tmp_path,
        mail("a", n=1, date=""),
        mail("b", n=2, date="Thu, 01 Jan 1970 00:00:00 +0000"),
        mail("c", received, n=3, date="Fri, 1 Jan 2038 00:00:00 +0000"),
        mail("d", n=4, date="yesterday"),
        mail("e", n=5, date="Mon, 2 Jan 2023 10:00:00"),
        mail("f", n=6, date="").replace(LINE, "From - Mon Jan 99 99:00:00\n"),
    )
    dataset = read_mbox(path, owner=ME)
    at = [f"{at:%d %H:%M}" for at in dataset.messages["sent_at"]]
    assert sorted(at) == ["02 10:00", "02 10:00", "02 10:00", "02 10:00", "03 08:00"]
    assert left_out(dataset) == {"no date": 1}
    assert notes(dataset)["no date or an absurd one, time of arrival taken instead"] == 4
    assert notes(dataset)["no zone in the date, taken as UTC"] == 4


def test_character_sets(tmp_path: Path) -> None:
    def typed(charset: str) -> str:
        return f"Content-Type: text/plain; charset={charset}"

    path = box(
        tmp_path,
        mail("perch=E9", typed("iso-8859-1"), "Content-Transfer-Encoding: quoted-printable", n=1),
        mail("perché", typed("klingon"), n=2),
        mail("perché", n=3),
        mail("perch\udce9", typed("utf-8"), n=4),
    )
    dataset = read_mbox(path, owner=ME)
    assert dataset.messages["text"].tolist() == ["perché", "perché", "perché", "perch\ufffd"]
    assert notes(dataset)["unknown character set or bytes outside it, shown as U+FFFD"] == 2


def test_html_and_attachments(tmp_path: Path) -> None:
    parts = (
        "--q\nContent-Type: text/html\n\n<p>Yes &egrave; ok</p><div>On 2 Jan 2023, Ada wrote:</div>"
        "<blockquote>Buy now</blockquote>\n"
        '--q\nContent-Type: text/plain\nContent-Disposition: attachment; filename="a.txt"\n\nprice list\n--q--'
    )
    dataset = read_mbox(box(tmp_path, mail(parts, 'Content-Type: multipart/mixed; boundary="q"')), owner=ME)
    assert dataset.messages["text"].tolist() == ["Yes è ok"]


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, Jan 2, 2023 at 10:20 AM Ada Low <ada@x.org> wrote:",
        "On Mon, Jan 2, 2023 at 10:20 AM Ada Low <\nada@x.org> wrote:",
        "Il giorno lun 2 gen 2023 alle ore 10:20 Ada Low <ada@x.org>\nha scritto:",
        "El lun, 2 ene 2023 a las 10:20, Ada Low (<ada@x.org>) escribió:",
        "Le lun. 2 janv. 2023 à 10:20, Ada Low <ada@x.org> a écrit :",
        "Am Mo., 2. Jan. 2023 um 10:20 Uhr schrieb Ada Low <ada@x.org>:",
        "Em seg., 2 de jan. de 2023 às 10:20, Ada Low <ada@x.org> escreveu:",
        "-----Original Message-----\nFrom: Ada",
        "---------- Messaggio inoltrato ---------",
        "-----Ursprüngliche Nachricht-----",
        "________________________________\nDa: Ada Low <ada@x.org>\nInviato: lunedì 2 gennaio 2023 10:20\nA: Ben",
        "De : Ada Low\nEnvoyé : lundi 2 janvier 2023 10:20",
        "-- \nBen Low, sales",
    ],
)
def test_what_follows_an_introduction_without_marks_is_quoted(line: str) -> None:
    assert own_words(f"No, thank you.\n\n{line}\n\nBuy now!\n").replace("_" * 32, "").strip() == "No, thank you."


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<script>if (a<b) x()</script>seen", "seen"),
        ("<STYLE>p{}</STYLE >seen", "seen"),
        ("<!-- > -->seen<!-- unseen", "seen"),
        ('<a title="a>b">seen</a>', "seen"),
        ("<a title='a", ""),
        ("3 < 4 &lt; 5 &amp;amp;", "3 < 4 < 5 &amp;"),
        ("<!DOCTYPE html><?xml?></>seen", "seen"),
        ("a<br/>b<BR>c<p>d", "a\nb\nc\nd"),
        ("<blockquote>x<div>y</blockquote>z", "> x\n> y\nz"),
        (f"&#{'9' * 5000};&#x110000;", "\ufffd\ufffd"),
    ],
)
def test_what_a_reader_of_html_sees(html: str, shown: str) -> None:
    assert without_tags(html) == shown


def test_answers_between_quoted_lines_stay() -> None:
    text = (
        "On 2 Jan 2023, Ada wrote:\n[...]\n> Price?\nTen.\n>> Old\n\nAda Low wrote:\n> When?\nNow.\nSent from my iPhone"
    )
    assert own_words(text) == "[...]\nTen.\n\nNow."
    assert own_words("On 21 January 2023 at 05:27, Ada wrote:\n| Price?\nTen.") == "Ten."
    assert own_words("I met Ben on Monday, and he wrote:\nhello there\n| a | b |") != ""
    assert own_words("> all quoted") == ""


def test_forwarded_mail_without_a_word_has_no_text(tmp_path: Path) -> None:
    dataset = read_mbox(box(tmp_path, mail("---------- Forwarded message ---------\nFrom: x\n\nBuy")), owner=ME)
    assert dataset.messages["text"].isna().all()
    assert notes(dataset)["nothing but quoted or forwarded text"] == 1


def test_takeout_zip_folder_and_gzip_give_the_same(tmp_path: Path) -> None:
    mails = mail("a", n=1) + mail("b", n=2, frm="ben@y.org", to=ME)
    plain = box(tmp_path, mails)
    packed = tmp_path / "mail.mbox.gz"
    packed.write_bytes(gzip.compress(mails.encode()))
    takeout = tmp_path / "takeout-20230102T100000Z-001.zip"
    with zipfile.ZipFile(takeout, "w") as archive:
        archive.writestr("Takeout/Mail/All mail Including Spam and Trash.mbox", mails)
        archive.writestr("Takeout/Mail/Sent.mbox", mails)
        archive.writestr("Takeout/archive_browser.html", "<html>")
    folder = tmp_path / "apple" / "INBOX.mbox"
    folder.mkdir(parents=True)
    (folder / "mbox").write_text(mails)
    expected = read_mbox(plain, owner=ME)
    for path in (packed, takeout, folder, [plain, packed]):
        dataset = read(path, owner=ME)
        pd.testing.assert_frame_equal(dataset.messages, expected.messages)
        assert dataset.source == "mbox"
    assert left_out(read(takeout, owner=ME)) == {"repeats a Message-ID": 2}
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"mail.mbox.gz: the gzip file is damaged or cut short"):
        read_mbox(packed, owner=ME)


def test_the_owner_is_found_or_asked_for(tmp_path: Path) -> None:
    some = [mail("a", n=1), mail("b", n=2, to="cleo@y.org"), mail("c", n=3, frm="ben@y.org", to=ME)]
    dataset = read(box(tmp_path, *some))
    assert (dataset.ego, dataset.evidence) == (ME, "the one address in nearly all mail")
    with pytest.raises(SourceError, match=r"two addresses take part in nearly all of its 1 mails.*; pass owner="):
        read_mbox(box(tmp_path, mail()))
    with pytest.raises(DesignError, match=r"owner='no@x.org' takes part in none of 3 mails; expected the address"):
        read_mbox(box(tmp_path, *some), owner="No@x.org")


def test_what_is_no_mailbox_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"mail.mbox: not a mailbox \(it starts b'Dear Ben'\); expected a first line"):
        read_mbox(box(tmp_path, "Dear Ben"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.csv").write_text("a,b\n")
    with pytest.raises(SourceError, match=r"empty: no mailbox among its 1 files; expected a file that ends in .mbox"):
        read_mbox(tmp_path / "empty")


def test_broken_headers_lose_no_other_mail(tmp_path: Path) -> None:
    path = box(
        tmp_path,
        mail("a", "Subject: =?utf-8?b?!!!?=", n=1),
        mail("b", 'Content-Type: text/plain; charset="=?x?="', n=2),
        mail("c", n=3, to="=?utf-8?b?!!?= <ben@y.org>"),
        mail("d", "Content-Transfer-Encoding: base64", n=4),
        mail("e", "Content-Type: multipart/mixed", n=5),
        mail("f", n=6, frm="Doe, Ben <ben@y.org>", to=ME),
        mail("g", n=7, frm="", to=ME),
    )
    dataset = read_mbox(path, owner=ME)
    assert len(dataset.messages) == 6
    assert left_out(dataset) == {"no sender": 1}
    assert set(dataset.messages["recipient"]) == {"ben@y.org", ME}


def test_forty_megabytes_are_read_with_little_memory(tmp_path: Path) -> None:
    attachment = ("QUJD" * 19 + "\n") * 52_000
    path = tmp_path / "large.mbox"
    with path.open("w") as stream:
        for n in range(1, 11):
            parts = (
                f"--q\nContent-Type: text/plain\n\nHello {n}\n"
                f"--q\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n{attachment}\n--q--"
            )
            stream.write(mail(parts, 'Content-Type: multipart/mixed; boundary="q"', n=n))
    assert path.stat().st_size > 40_000_000
    del attachment, parts
    tracemalloc.start()
    dataset = read_mbox(path, owner=ME)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert dataset.messages["text"].tolist() == [f"Hello {n}" for n in range(1, 11)]
    assert notes(dataset)["longer than 1 MiB, read from its beginning"] == 10
    assert peak < 20_000_000, f"{peak:,} bytes for a mailbox of 40 MB"
