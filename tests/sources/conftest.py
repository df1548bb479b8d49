"""Small LinkedIn exports written on the spot: a test states only what it is about."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

ME = "https://www.linkedin.com/in/me"
BEN = "https://www.linkedin.com/in/ben"
ROW = {
    "CONVERSATION ID": "c1",
    "CONVERSATION TITLE": "",
    "FROM": "Me Myself",
    "SENDER PROFILE URL": ME,
    "TO": "Ben Low",
    "RECIPIENT PROFILE URLS": BEN,
    "DATE": "2024-03-12 09:00:00 UTC",
    "SUBJECT": "",
    "CONTENT": "Hello",
    "FOLDER": "INBOX",
}
CONNECTION = {
    "First Name": "Ben",
    "Last Name": "Low",
    "URL": BEN,
    "Email Address": "",
    "Company": "",
    "Position": "",
    "Connected On": "10 Mar 2024",
}
INVITATION = {
    "From": "Me Myself",
    "To": "Ben Low",
    "Sent At": "3/9/24, 7:02 PM",
    "Message": "",
    "Direction": "OUTGOING",
    "inviterProfileUrl": ME,
    "inviteeProfileUrl": BEN,
}

Rows = Iterable[Mapping[str, str]]
WriteExport = Callable[..., Path]


def as_csv(rows: Rows, base: Mapping[str, str], *, without: Iterable[str] = (), quote_all: bool = False) -> str:
    """Render rows over a base row, new columns at the end."""
    rows = list(rows)
    columns = [c for c in dict.fromkeys([*base, *(c for row in rows for c in row)]) if c not in set(without)]
    out = io.StringIO()
    writer = csv.DictWriter(
        out,
        columns,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        extrasaction="ignore",
    )
    writer.writeheader()
    writer.writerows({**base, **row} for row in rows)
    return out.getvalue()


@pytest.fixture
def write_export(tmp_path: Path) -> WriteExport:
    """Return a function that writes an export folder and returns its path.

    ``messages``, ``connections``, ``invitations`` are lists of what differs from the base row, or the text of the file;
    None writes no file. ``without`` names columns of messages to leave out.
    """

    def write(
        messages: Rows | str | None = ({},),
        connections: Rows | str | None = ({},),
        invitations: Rows | str | None = ({},),
        *,
        name: str = "export",
        without: Iterable[str] = (),
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        files = {
            "messages.csv": (messages, ROW, without),
            "Connections.csv": (connections, CONNECTION, ()),
            "Invitations.csv": (invitations, INVITATION, ()),
        }
        for file, (rows, base, absent) in files.items():
            if rows is not None:
                text = rows if isinstance(rows, str) else as_csv(rows, base, without=absent)
                (folder / file).write_bytes(text.encode())
        return folder

    return write


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Folder of the fixtures that travel with the tests."""
    return Path(__file__).parent / "fixtures"
