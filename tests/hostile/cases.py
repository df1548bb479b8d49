"""Hostile files, each with what reading it must end in: a plain error, or a right result.

Run as a script, this module reads the cases named on its command line one after the other, under a limit on memory, and
prints for each how it ended, how long it took and how much memory it needed: so that a test can tell a file that is
refused from one that is refused after half an hour.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

MIB: Final = 2**20
MESSAGES: Final = "FROM,TO,DATE,CONTENT,CONVERSATION ID\n"
ROW: Final = "Ada,Ben,2024-03-01 10:00:00 UTC,Hello,1\n"
TABLE: Final = "sender,recipient,sent_at,text\n"
MAIL: Final = (
    "From x Mon Jan  2 10:00:00 2023\nFrom: ada@fictional.example\nTo: ben@fictional.example\n"
    "Date: Mon, 2 Jan 2023 10:00:00 +0000\n"
)
ME: Final = {"owner": "ada@fictional.example"}


@dataclass(frozen=True)
class Case:
    """One file: how to write it, and what reading it must end in.

    ``says`` is what the error must say, None where the file is read; then ``n`` messages must be found and ``left_out``
    rows counted.
    """

    write: Callable[[Path], Path]
    says: str | None = None
    n: int | None = None
    left_out: int = 0
    options: dict[str, Any] = field(default_factory=dict)


def file(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """Write one file."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return path

    return write


def archive(*members: tuple[str | zipfile.ZipInfo, str | bytes], name: str = "export.zip") -> Callable[[Path], Path]:
    """Write one zip."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(zipped(*members))
        return folder / name

    return write


def zipped(*members: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for inside, content in members:
            out.writestr(inside, content)
    return buffer.getvalue()


def later(make: Callable[[], Callable[[Path], Path]]) -> Callable[[Path], Path]:
    """Make a large content only when it is written."""
    return lambda folder: make()(folder)


def changed(write: Callable[[Path], Path], change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    """Write a file and damage it."""

    def damage(folder: Path) -> Path:
        path = write(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return damage


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, str]:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info, target


def overlapping(n: int, size: int) -> Callable[[Path], Path]:
    """Write a zip whose table of contents names the same bytes many times."""

    def write(folder: Path) -> Path:
        data = zipped(("0.json", bytes(size)))
        start = data.index(b"PK\x01\x02")
        end = data.index(b"PK\x05\x06")
        entry = data[start:end]
        tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n, n, len(entry) * n, start, 0)
        (folder / "export.zip").write_bytes(data[:start] + entry * n + tail)
        return folder / "export.zip"

    return write


def set_flag(data: bytes) -> bytes:
    """Mark the members of a zip as encrypted."""
    out = bytearray(data)
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(magic)
        while at >= 0:
            out[at + place] |= 1
            at = out.find(magic, at + 4)
    return bytes(out)


def set_method(data: bytes) -> bytes:
    """Mark the members of a zip as packed in a way that Python does not know."""
    out = bytearray(data)
    for magic, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = out.find(magic)
        while at >= 0:
            out[at + place] = 99
            at = out.find(magic, at + 4)
    return bytes(out)


def set_size(data: bytes) -> bytes:
    """Let the table of contents of a zip tell a smaller size than its members have."""
    out = bytearray(data)
    at = out.find(b"PK\x01\x02")
    out[at + 24 : at + 28] = struct.pack("<L", 20)
    return bytes(out)


def telegram(*messages: Any, text: str | None = None) -> Callable[[Path], Path]:
    content = json.dumps({"name": "B", "type": "personal_chat", "id": 2, "messages": messages})
    return file("result.json", content.replace('"HERE"', text) if text is not None else content)


def said(**more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "message", "date_unixtime": "1709582770", "from_id": "user2", "text": "Hi"} | more


def slack(day: str, **lists: Any) -> Callable[[Path], Path]:
    users = json.dumps([{"id": "U1"}, {"id": "U2"}])
    dms = json.dumps([{"id": "D1", "members": ["U1", "U2"]}])
    return archive(("users.json", users), ("dms.json", dms), ("D1/2024-03-04.json", day))


def slack_of_many_days(folder: Path) -> Path:
    """Write an export of 6,000 days, as workspaces of some years have."""
    day = json.dumps([{"type": "message", "user": "U1", "ts": "1709582100.000100", "text": "Hi"}])
    lists = [("users.json", '[{"id": "U1"}, {"id": "U2"}]'), ("dms.json", '[{"id": "D1", "members": ["U1", "U2"]}]')]
    days = [(f"general/{2000 + n // 360}-{n % 360 // 30 + 1:02}-{n % 30 + 1:02}.json", day) for n in range(6_000)]
    return archive(*lists, *days, ("D1/2024-03-04.json", day))(folder)


def convokit(*lines: str) -> Callable[[Path], Path]:
    return archive(("utterances.jsonl", "\n".join(lines)), ("corpus.json", "{}"))


def utterance(n: int, **more: Any) -> str:
    return json.dumps({"id": str(n), "conversation_id": "c", "speaker": f"s{n}", "timestamp": 1_700_000_000 + n} | more)


def types_after_messages(n: int) -> Callable[[Path], Path]:
    """Write an account of many groups whose type stands behind their messages."""
    group = [{"id": k, "messages": [said()], "type": "private_group"} for k in range(10, 10 + n)]
    own = {"id": 2, "messages": [said()], "type": "personal_chat"}
    return file("result.json", json.dumps({"personal_information": {"user_id": 1}, "chats": {"list": [*group, own]}}))


def linked(folder: Path) -> Path:
    """Write a folder whose messages are a link out of it."""
    outside = folder / "outside.csv"
    outside.write_text(MESSAGES + ROW)
    inside = folder / "export"
    inside.mkdir()
    (inside / "Profile.csv").write_text("First Name,Last Name\nAda,King\n")
    (inside / "messages.csv").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    return inside


def nested_multiparts(depth: int) -> str:
    parts = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(depth))
    return MAIL + parts + "Content-Type: text/plain\n\nHello\n"


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


HUGE: Final = "9" * 5_000
ARCHIVES: Final = {
    "bomb of one member": Case(
        later(lambda: archive(("messages.csv", bytes(300 * MIB)))), r"would unpack to 314,572,800 bytes"
    ),
    "bomb in a zip in the zip": Case(
        later(lambda: archive(("inner.zip", zipped(("messages.csv", bytes(300 * MIB)))))),
        r"inner.zip: messages.csv would unpack to",
    ),
    "bomb of many members": Case(
        later(lambda: archive(*((f"general/{n}.json", bytes(15 * MIB)) for n in range(80)))),
        r"its 80 files would unpack to",
    ),
    "bomb of overlapping members": Case(
        later(lambda: overlapping(20_000, 15 * MIB)), r"its 20,000 files would unpack to"
    ),
    "bomb in gzip": Case(
        later(lambda: file("messages.csv.gz", gzip.compress(MESSAGES.encode() + (b"x" * (MIB - 1) + b"\n") * 300, 1))),
        r"messages.csv.gz: unpacks to more",
    ),
    "too many members": Case(archive(*((f"{n}.csv", "") for n in range(100_001))), r"the zip lists 100,001 files"),
    "zips without end": Case(archive(("b.zip", zipped(("c.zip", zipped(("d.csv", "x")))))), r"nested more than 2 deep"),
    "name with ..": Case(archive(("../messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "name with .. inside": Case(archive(("a/../../messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "absolute name": Case(archive(("/etc/messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "name on a drive": Case(archive(("C:/messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "name on the folder of a drive": Case(archive(("C:messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "name on a server": Case(archive((r"\\server\share\messages.csv", MESSAGES + ROW)), r"leads out of the archive"),
    "NUL in a name": Case(
        changed(archive(("messages.csv?.exe", MESSAGES + ROW)), lambda d: d.replace(b"csv?", b"csv\0")),
        n=1,
        options={"owner": "Ada"},
    ),
    "link in a zip": Case(archive(link("messages.csv", "/etc/passwd")), r"leads out of the archive"),
    "link out of a folder": Case(linked, r"no messages.csv|not a known export"),
    "encrypted": Case(changed(archive(("messages.csv", MESSAGES + ROW)), set_flag), r"messages.csv is encrypted"),
    "unknown packing": Case(changed(archive(("messages.csv", MESSAGES + ROW)), set_method), r"packed in a way Python"),
    "size told wrong": Case(changed(archive(("messages.csv", MESSAGES + ROW * 9)), set_size), r"archive is damaged"),
    "cut short": Case(
        changed(archive(("messages.csv", MESSAGES + ROW * 99)), lambda d: d[:-40]), r"cut short or damaged"
    ),
    "one member twice": Case(
        archive(("messages.csv", MESSAGES + ROW), ("./messages.csv", MESSAGES + ROW)),
        n=1,
        left_out=1,
        options={"owner": "Ada"},
    ),
    "six thousand days": Case(slack_of_many_days, n=1, left_out=6_000),
}
TABLES: Final = {
    "text of 10 MB": Case(later(lambda: file("m.csv", f"{TABLE}a,b,2024-03-01,{'x' * 10_000_000}\n")), n=1),
    "text of 10 MB, LinkedIn": Case(
        later(lambda: file("messages.csv", MESSAGES + ROW.replace("Hello", "<a" * 5_000_000))),
        n=1,
        options={"owner": "Ada"},
    ),
    "line without end": Case(
        later(lambda: file("m.csv", TABLE + "x" * (70 * MIB))), r"m.csv, line 2: longer than 67,108,864 char"
    ),
    "header without end": Case(
        later(lambda: file("m.csv", "x" * (70 * MIB))), r"m.csv, line 1: longer than 67,108,864 characters"
    ),
    "nothing but quotes": Case(
        later(lambda: file("m.csv", TABLE + '"' * 30_000_001)), r"line 2: the file ends inside a quoted text"
    ),
    "quote that never closes": Case(
        later(lambda: file("m.csv", TABLE + 'a,b,2024-03-01,"x\n' + "a,b,2024-03-01,x\n" * 500_000)),
        r"m.csv, line 2: the file ends inside a quoted text",
    ),
    "quotes that never close, dropped": Case(
        later(lambda: file("m.csv", TABLE + 'a,b,2024-03-01,"x" y\n' * 200_000 + "a,b,2024-03-01,x\n")),
        n=1,
        left_out=200_000,
        options={"on_bad_row": "drop"},
    ),
    "a hundred thousand columns": Case(
        later(lambda: file("m.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n")),
        r"m.csv, line 1: 100,000 columns; expected at most",
    ),
    "NUL bytes": Case(file("m.csv", TABLE + "a\0,b,2024-03-01,x\0y\n"), n=1),
    "nothing but NUL": Case(later(lambda: file("m.csv", bytes(MIB))), r"saved as UTF-16"),
    "bytes that are no UTF-8": Case(file("m.csv", TABLE.encode() + b"a,b,2024-03-01,\xff\n"), r"line 2: byte 0xFF"),
    "year 0": Case(file("m.csv", TABLE + "a,b,0000-01-01,x\n"), r'line 2: sent_at "0000-01-01" is not a date'),
    "year 1": Case(file("m.csv", TABLE + "a,b,0001-01-01,x\n"), r'sent_at "0001-01-01" is not a date'),
    "year 9999": Case(file("m.csv", TABLE + "a,b,9999-12-31T23:59:59Z,x\n"), r'"9999-12-31T23:59:59Z" is not a date'),
    "years dropped": Case(
        file("m.csv", TABLE + "a,b,9999-12-31,x\na,b,0000-00-00,x\na,b,2024-03-01,x\n"),
        n=1,
        left_out=2,
        options={"on_bad_row": "drop"},
    ),
    "negative epoch": Case(file("m.csv", TABLE + "a,b,-86400000,x\n"), r"sent_at -86400000 is a number"),
    "epoch of 1e20": Case(file("m.csv", TABLE + "a,b,1e20,x\n"), r'sent_at "1e20" is not a date'),
    "date of 10 MB": Case(
        later(lambda: file("m.csv", f"{TABLE}a,b,{'2' * 10_000_000},x\n")),
        r"sent_at .*10000000 characters.* is a number",
    ),
    "date of 10 MB of words": Case(
        later(lambda: file("m.csv", f"{TABLE}a,b,{'Mar ' * 2_000_000},x\n")),
        r'sent_at ".*8000000 characters.*" is not a date',
    ),
    "day of 10 MB": Case(
        later(
            lambda: archive(
                ("messages.csv", MESSAGES + ROW),
                ("Connections.csv", f"First Name,Last Name,Connected On\nA,B,{'1 ' * 5_000_000}\n"),
            )
        ),
        r'Connected On ".*9999999 characters.*" is not a date',
    ),
    "JSON nested deeply": Case(later(lambda: file("m.jsonl", deep(100_000))), r"m.jsonl, line 1: .*nested too deeply"),
    "JSON number of 5,000 digits": Case(
        file("m.jsonl", f'{{"sender": {HUGE}, "recipient": "b", "sent_at": "2024-03-01"}}'), r"thousands of digits"
    ),
    "JSON infinity": Case(file("m.jsonl", '{"sender": "a", "recipient": "b", "sent_at": Infinity}'), r"is a number"),
    "JSON objects that share no names": Case(
        later(lambda: file("m.jsonl", "".join(f'{{"k{n}": 1}}\n' for n in range(20_000)))),
        r"20,000 different names in 20,000 objects, which share next to none",
    ),
    "JSON line without end": Case(
        later(lambda: file("m.jsonl", '"' + "x" * (70 * MIB))), r"m.jsonl, line 1: longer than 67,108,864"
    ),
    "a thousand recipients in one cell": Case(
        later(
            lambda: file(
                "messages.csv",
                MESSAGES + ROW.replace("Ben", '"' + ", ".join(f"Ben Low{n}" for n in range(20_000)) + '"'),
            )
        ),
        n=1,
        options={"owner": "Ada"},
    ),
    "no recipients, twenty thousand senders": Case(
        later(
            lambda: file(
                "messages.csv",
                MESSAGES
                + "".join(f"Ben Low{n},{'Ada' if n % 2 else ''},2024-03-01 10:00:00 UTC,x,1\n" for n in range(20_000)),
            )
        ),
        n=20_000,
        options={"owner": "Ada"},
    ),
    "ten thousand types of activity": Case(
        later(
            lambda: file(
                "a.jsonl",
                "".join(f'{{"type": "t{n}", "createdAt": "2024-03-01", "leadId": "l"}}\n' for n in range(10_000)),
            )
        ),
        n=0,
        left_out=10_000,
    ),
    "HTML that never closes": Case(
        later(
            lambda: file(
                "a.json",
                json.dumps(
                    [
                        {
                            "type": "emailsSent",
                            "createdAt": "2024-03-01",
                            "leadId": "l",
                            "sendUserEmail": "m",
                            "text": text,
                        }
                        for text in (
                            "<!--" * 250_000,
                            "<" * 1_000_000,
                            "<a " * 300_000,
                            "<![CDATA[" * 100_000,
                            "&#" * 500_000,
                        )
                    ]
                ),
            )
        ),
        n=5,
    ),
}
CHATS: Final = {
    "Telegram, text of 10 MB": Case(later(lambda: telegram(said(text="x" * 10_000_000))), n=1),
    "Telegram, value without end": Case(
        later(lambda: telegram(said(text="x" * (140 * MIB)))), r"not valid JSON \(Unterminated"
    ),
    "Telegram, nested deeply": Case(
        later(lambda: telegram(said(text="HERE"), text=deep(100_000))), r"nested too deeply"
    ),
    "Telegram, number of 5,000 digits": Case(telegram(said(id="HERE"), text=HUGE), r"thousands of digits"),
    "Telegram, dates out of this world": Case(
        telegram(*(said(date_unixtime=d) for d in ("1e20", 1e20, -1e20, "-62135596800", "253402300799", HUGE)), said()),
        n=1,
        left_out=6,
    ),
    "Telegram, infinity": Case(telegram(said(date_unixtime="HERE"), said(), text="Infinity"), n=1, left_out=1),
    "Telegram, types after the messages": Case(later(lambda: types_after_messages(20_000)), n=1, left_out=20_000),
    "Telegram, cut short": Case(changed(telegram(said()), lambda d: d[:-3]), r"the file ends inside its JSON"),
    "Telegram, no UTF-8": Case(changed(telegram(said()), lambda d: d.replace(b"Hi", b"\xff")), r"not UTF-8"),
    "Slack, nested deeply": Case(later(lambda: slack(deep(100_000))), r"nested too deeply"),
    "Slack, dates out of this world": Case(
        slack(
            json.dumps([{"type": "message", "user": "U1", "ts": t} for t in ("1e20", "-5", HUGE, 0.5, "1709582100.1")])
        ),
        n=2,
        left_out=3,
    ),
    "Slack, text of 10 MB": Case(
        later(
            lambda: slack(
                json.dumps([{"type": "message", "user": "U1", "ts": "1709582100.1", "text": "<a|" * 3_000_000}])
            )
        ),
        n=1,
    ),
    "WhatsApp, text of 10 MB": Case(
        later(lambda: file("chat.txt", f"13/02/24, 10:00 - Ada: {'<edit ' * 1_700_000}\n")), n=1
    ),
    "WhatsApp, name of 10 MB": Case(
        later(
            lambda: file("chat.txt", f"13/02/24, 10:00 - Ada: x\n13/02/24, 10:00 - {'changed the group ' * 600_000}\n")
        ),
        n=1,
        left_out=1,
    ),
    "WhatsApp, a million lines of one text": Case(
        later(lambda: file("chat.txt", "13/02/24, 10:00 - Ada: x" + "\n" * 1_000_000)), n=1
    ),
    "WhatsApp, every line somebody else": Case(
        later(lambda: file("chat.txt", "".join(f"13/02/24, 10:00 - Ada{n}: x\n" for n in range(20_000)))), n=20_000
    ),
    "WhatsApp, year 0": Case(file("chat.txt", "00/00/0000, 10:00 - Ada: x\n"), r"line 1: 0/0/0 fits no order"),
    "WhatsApp, year 9999": Case(file("chat.txt", "31/12/9999, 10:00 - Ada: x\n"), r"31/12/9999 fits no order"),
    "WhatsApp, no UTF-8": Case(file("chat.txt", b"13/02/24, 10:00 - Ada: \xff\n"), r"line 1: not UTF-8"),
    "WhatsApp, larger than any": Case(
        later(lambda: file("chat.txt", b"13/02/24, 10:00 - Ada: " + b"x" * (257 * MIB))), r"larger than any"
    ),
    "ConvoKit, nested deeply": Case(later(lambda: convokit(deep(100_000))), r"nested too deeply"),
    "ConvoKit, dates out of this world": Case(
        later(
            lambda: convokit(
                *(utterance(n, timestamp=t) for n, t in enumerate((1e20, -1e20, 10**4000, float("inf"), 1_700_000_000)))
            )
        ),
        n=1,
        left_out=4,
    ),
    "ConvoKit, everybody in one conversation": Case(
        later(lambda: convokit(*(utterance(n) for n in range(20_000)))), n=20_000
    ),
}
MAILS: Final = {
    "line of 10 MB": Case(later(lambda: file("m.mbox", f"{MAIL}\n{'x' * 10_000_000}\n")), n=1, options=ME),
    "lines that nearly separate": Case(
        later(lambda: file("m.mbox", MAIL + ("\n\nFrom " + "Mon Jan " * 8_000) * 15)), n=1, options=ME
    ),
    "introductions without end": Case(
        later(lambda: file("m.mbox", f"{MAIL}\n{'schrieb ' * 125_000}\n")), n=1, options=ME
    ),
    "a line On each": Case(later(lambda: file("m.mbox", MAIL + "\n" + "On x\n" * 200_000)), n=1, options=ME),
    "multiparts without end": Case(
        later(lambda: file("m.mbox", nested_multiparts(10_000))), n=0, left_out=1, options=ME
    ),
    "comments without end": Case(
        later(lambda: file("m.mbox", MAIL.replace("To: ", f"To: {'(' * 100_000}") + "\nx\n")),
        n=0,
        left_out=1,
        options=ME,
    ),
    "address without end": Case(
        later(lambda: file("m.mbox", MAIL.replace("To: ", f"Cc: @{' a' * 400_000},\nTo: ") + "\nx\n")), n=1, options=ME
    ),
    "references without end": Case(
        later(lambda: file("m.mbox", MAIL + "References: " + "<a@b> " * 100_000 + "<" * 100_000 + "\n\nx\n")),
        n=1,
        options=ME,
    ),
    "encoded words without end": Case(
        later(lambda: file("m.mbox", MAIL + "X-Gmail-Labels: " + "=?utf-8?q?a?= " * 50_000 + "\n\nx\n")),
        n=1,
        options=ME,
    ),
    "HTML that never closes": Case(
        later(lambda: file("m.mbox", f"{MAIL}Content-Type: text/html\n\n{'<!--' * 250_000}\n")), n=1, options=ME
    ),
    "NUL bytes": Case(file("m.mbox", MAIL + "\nx\0y\n"), n=1, options=ME),
    "bytes that are no UTF-8": Case(file("m.mbox", MAIL.encode() + b"\n\xff\n"), n=1, options=ME),
    "year 9999": Case(file("m.mbox", MAIL.replace("2 Jan 2023 10", "31 Dec 9999 10") + "\nx\n"), n=1, options=ME),
    "no date at all": Case(
        file("m.mbox", re.sub("Date:.*\n", "Date: 0\n", MAIL.replace(" 2023\n", " 0000\n")) + "\nx\n"),
        n=0,
        left_out=1,
        options=ME,
    ),
}
CASES: Final = ARCHIVES | TABLES | CHATS | {f"mail: {name}": case for name, case in MAILS.items()}


def main(folder: str, *names: str) -> None:
    """Read the named cases and print how each ended, one JSON object a line."""
    import resource
    import signal

    import pandas as pd

    from etiquette_analysis.errors import EtiquetteError
    from etiquette_analysis.schema import check_audit, losses
    from etiquette_analysis.sources import read

    read(pd.DataFrame({"sender": ["a"], "recipient": ["b"], "sent_at": ["2024-03-01"]}))
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    for number, name in enumerate(names):
        place = Path(folder, str(number))
        place.mkdir()
        case = CASES[name]
        path = case.write(place)
        before = peak(reset=True)
        began = time.perf_counter()
        signal.alarm(30)
        found: dict[str, Any] = {"n": None, "left_out": None, "says": None}
        try:
            dataset = read(path, **case.options)
            check_audit(dataset.audit)
            found |= {"n": len(dataset.messages), "left_out": int(losses(dataset.audit)["n"].sum())}
        except EtiquetteError as error:
            found["says"] = str(error)
        except BaseException as error:  # whatever it is, the test must say so
            found["crash"] = f"{type(error).__name__}: {error}"[:500]
        signal.alarm(0)
        found |= {"seconds": time.perf_counter() - began, "mebibytes": (peak() - before) / 1024}
        sys.stdout.write(json.dumps({"name": name} | found) + "\n")
        sys.stdout.flush()
        dataset = None


def peak(*, reset: bool = False) -> int:
    """Return the largest memory of this process so far in KiB, where the system tells; ``reset`` starts anew."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]
    except OSError:
        return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
