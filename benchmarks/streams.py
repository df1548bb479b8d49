"""Memory and speed of the streamed readers on 2 GB files: ``make bench-streams`` (about half an hour, 3 GB of disk).

Four invented files are written into a temporary folder and removed again: a mailbox as people have them (replies that
quote, HTML, attachments) and a Telegram account with its groups; and the worst of each: nothing but short plain
messages between two people, every one of which is kept, so that the tables themselves are most of the memory. Each is
read by the public reader in a process of its own, whose peak of resident memory the system tells.

The reference is the standard library on the first 64 MB of the same file: ``mailbox.mbox`` with the text of every
mail, and ``json.load`` of the whole. The last result is kept beside this file in ``streams.csv``.
"""

from __future__ import annotations

import argparse
import json
import mailbox
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

HERE: Final = Path(__file__).resolve().parent
GB: Final = 10**9
SLICE: Final = 64 * 10**6
ME: Final = "ada@x.example"
RESULTS: Final = HERE / "streams.csv"
SAID: Final = (
    "the offer a call next week thank you for your time we could talk about what our team does and how it may help "
    "yours please let me know when it suits you best regards from the lake where nothing ever happens in winter"
)
STARTS: Final = 1_500_000_000


def texts(chance: np.random.Generator, n: int, low: int, high: int) -> list[str]:
    """Return invented texts of some words each."""
    words, lengths = SAID.split(), chance.integers(low, high, n)
    return [" ".join(chance.choice(words, length)) for length in lengths]


def mail_id(number: int) -> str:
    """Return the id of a mail."""
    return f"<{number:08x}.{number * 2_654_435_761 % 2**64:016x}@x.example>"


def sent(number: int) -> str:
    """Return the date of a mail; mails lie in no order, as in Gmail's export."""
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(STARTS + number * 7919 * 977 % 200_000_000))


def mailbox_as_it_is() -> Iterator[str]:
    """Yield mails with a long header, a quoted reply, HTML beside the text, and often an attachment."""
    chance = np.random.default_rng(1)
    bodies, attachment = texts(chance, 400, 20, 200), "\n".join(["QUJD" * 19] * 600)
    way = "".join(
        f"Received: from mx{i}.y.example by mx{i + 1}.y.example with ESMTPS id {i:032x};\n"
        "\tMon, 2 Jan 2023 10:00:00 +0000\n"
        for i in range(6)
    )
    seal = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n\tb=" + "\n\t".join(["QUJD" * 18] * 8) + "\n"
    number = 0
    while True:
        number += 1
        other = f"p{number * 7919 % 20_011}@y.example"
        body, old = bodies[number % 400], bodies[(number - 1) % 400]
        to_me = number % 3 > 0
        head = (
            f"From {number}@xxx Mon Jan 02 10:00:00 +0000 2023\n{way}{seal}From: {other if to_me else ME}\n"
            f"To: {ME if to_me else other}\nMessage-ID: {mail_id(number)}\nSubject: Re: {body[:30]}\n"
            + (f"In-Reply-To: {mail_id(number - 1)}\n" if number % 5 else "")
            + f"Date: {sent(number)}\n"
            'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="bb"\n\n'
        )
        quoted = "\n".join(f"> {old[i : i + 70]}" for i in range(0, len(old), 70))
        plain = f"{body}\n\nOn 2 Jan 2023, at 10:00, Ben <{other}> wrote:\n{quoted}"
        parts = [f"text/plain; charset=utf-8\n\n{plain}"]
        parts.append(f"text/html; charset=utf-8\n\n<html><p>{body}</p><blockquote>{old}</blockquote></html>")
        if number % 3 == 0:
            disposition = 'Content-Disposition: attachment; filename="a.pdf"\nContent-Transfer-Encoding: base64'
            parts.append(f"application/pdf\n{disposition}\n\n{attachment}")
        yield head + "".join(f"--bb\nContent-Type: {part}\n" for part in parts) + "--bb--\n\n"


def mailbox_at_worst() -> Iterator[str]:
    """Yield mails of a few plain words under the shortest of headers."""
    bodies = texts(np.random.default_rng(2), 400, 20, 80)
    number = 0
    while True:
        number += 1
        other = f"p{number * 7919 % 20_011}@y.example"
        sender, to = (other, ME) if number % 3 else (ME, other)
        yield (
            f"From {number}@xxx Mon Jan 02 10:00:00 +0000 2023\nFrom: {sender}\nTo: {to}\n"
            f"Message-ID: {mail_id(number)}\nDate: {sent(number)}\n\n{bodies[number % 400]}\n\n"
        )


def telegram(share_personal: float) -> Iterator[str]:
    """Yield a Telegram account, laid out as Telegram does, piece by piece; the rest of its chats are groups."""
    chance = np.random.default_rng(3)
    said = texts(chance, 400, 1, 25)
    yield '{"about": "", "personal_information": {"user_id": 1}, "chats": {"about": "", "list": ['
    number, chat = 0, 1
    while True:
        chat += 1
        is_personal = chance.random() < share_personal
        kind = "personal_chat" if is_personal else "private_supergroup"
        yield f'{"," if chat > 2 else ""}\n{{"name": "P{chat}", "type": "{kind}", "id": {chat}, "messages": ['
        n = int(chance.integers(200, 4000))
        for i in range(n):
            number += 1
            who = (1 if number % 2 else chat) if is_personal else number % 50 + 2
            text, at = said[number % 400], STARTS + number * 37
            entries = [
                f'"id": {number}',
                '"type": "message"',
                '"date": "2020-01-01T00:00:00"',
                f'"date_unixtime": "{at}"',
                f'"from": "P{who}"',
                f'"from_id": "user{who}"',
                f'"text": "{text}"',
                '"text_entities": [\n       {\n        "type": "plain",\n        "text": "'
                + text
                + '"\n       }\n      ]',
            ]
            yield f"{',' if i else ''}\n     {{\n      " + ",\n      ".join(entries) + "\n     }"
        yield "]}"
        yield ""


def write(pieces: Iterator[str], path: Path, size: int, end: str) -> int:
    """Write pieces until the file is as large as asked, and return its size."""
    with path.open("w", encoding="ascii", newline="\n") as stream:
        written = 0
        for piece in pieces:
            written += stream.write(piece)
            if written >= size and not (end and piece):
                break
        stream.write(end)
    return path.stat().st_size


FILES: Final[dict[str, tuple[str, Callable[[], Iterator[str]], str, str]]] = {
    "mailbox": ("mail.mbox", mailbox_as_it_is, "", "mailbox.mbox"),
    "mailbox, short plain mails only": ("mail.mbox", mailbox_at_worst, "", "mailbox.mbox"),
    "Telegram account": ("result.json", lambda: telegram(0.1), "]}}\n", "json.load"),
    "Telegram, two people's messages only": ("result.json", lambda: telegram(1.0), "]}}\n", "json.load"),
}


def read_here(path: Path) -> None:
    """Read a file in this process, and say what it cost."""
    from etiquette_analysis import sources
    from etiquette_analysis.sources.progress import following

    n_told = 0

    def told(done: int, total: int) -> None:
        nonlocal n_told
        n_told += done <= total

    with following(told):
        dataset = sources.read(path, owner=ME) if path.suffix == ".mbox" else sources.read(path)
    tables = int(dataset.messages.memory_usage(deep=True).sum())
    print(json.dumps({"messages": len(dataset.messages), "table_mb": tables / 1e6, "progress_reports": n_told}))


def reference(path: Path) -> None:
    """Read a file with the standard library."""
    if path.suffix == ".json":
        with path.open("rb") as stream:
            json.load(stream)
        return
    for message in mailbox.mbox(path):
        for part in message.walk():
            if part.get_content_type() == "text/plain":
                part.get_payload(decode=True)


def in_child(what: str, path: Path) -> tuple[str, float, float]:
    """Run a part of this file in a process of its own: its output, CPU seconds, peak resident MB."""
    with subprocess.Popen([sys.executable, __file__, "--child", what, str(path)], stdout=subprocess.PIPE) as process:
        said = _all_of(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{what} of {path.name} ended with {process.returncode}")
    return said, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def _all_of(stream: IO[bytes] | None) -> str:
    """Read the output of a process to its end."""
    return stream.read().decode() if stream is not None else ""


def measure(name: str, size: int) -> dict[str, object]:
    """Write, read and remove one file."""
    file, pieces, end, against = FILES[name]
    with tempfile.TemporaryDirectory(prefix="streams-") as folder:
        path = Path(folder, file)
        write(pieces(), path, SLICE, end)
        _, ours, _ = in_child("read", path)
        _, theirs, _ = in_child("reference", path)
        size = write(pieces(), path, size, end)
        said, seconds, peak = in_child("read", path)
    return {
        "file": name,
        "size_mb": round(size / 1e6),
        **{key: round(value) for key, value in json.loads(said).items()},
        "peak_mb": round(peak),
        "cpu_seconds": round(seconds, 1),
        "mb_a_cpu_second": round(size / 1e6 / seconds, 1),
        "reference": against,
        "cpu_ratio_to_reference": round(ours / theirs, 2),
    }


def keep(row: dict[str, object]) -> None:
    """Put a row into the table beside this file, in place of the last one of that file and size."""
    table = pd.DataFrame([row])
    if RESULTS.exists():
        before = pd.read_csv(RESULTS)
        is_same = (before["file"] == row["file"]) & ((before["size_mb"] - float(str(row["size_mb"]))).abs() < 50)
        table = pd.concat([before[~is_same], table])
    table.sort_values(["file", "size_mb"]).to_csv(RESULTS, index=False, lineterminator="\n")


def main() -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--only", choices=FILES, help="one file")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, path = options.child
        (read_here if what == "read" else reference)(Path(path))
        return
    for name in FILES if options.only is None else [options.only]:
        row = measure(name, int(options.gb * GB))
        print(pd.Series(row).to_string(), flush=True)
        keep(row)


if __name__ == "__main__":
    main()
