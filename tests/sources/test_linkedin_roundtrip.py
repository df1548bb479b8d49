"""Any story, rendered as LinkedIn renders it, reads back as the same story."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etiquette_analysis.schema import check_audit
from etiquette_analysis.sources import read_linkedin

OLD = [
    "CONVERSATION ID",
    "CONVERSATION TITLE",
    "FROM",
    "SENDER PROFILE URL",
    "TO",
    "DATE",
    "SUBJECT",
    "CONTENT",
    "FOLDER",
]
NEW = [*OLD[:5], "RECIPIENT PROFILE URLS", *OLD[5:], "ATTACHMENTS"]
OWNER = ("Giulia Serra", "https://www.linkedin.com/in/giulia-serra")
CONTACTS = [
    ("Jane Doe, Ph.D.", "https://www.linkedin.com/in/jane"),
    ("Zoë Brandt 🚀", "https://www.linkedin.com/in/zoë"),
    ('Ugo "Il Conte" De Luca, MBA, PMP', "https://www.linkedin.com/in/ugo"),
    ("李 小龙", "https://www.linkedin.com/in/李"),
]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40) | st.sampled_from(
    [
        "None",
        "NA",
        "a,b;c",
        '"',
        '""',
        "line\r\nline",
        "line\nline",
        "\r",
        "=1+1",
        "\ufeffx",
        " ",
        "x" * 200_000,
        "\u2028",
    ]
)
EVENTS = st.lists(
    st.tuples(st.integers(0, len(CONTACTS) - 1), st.booleans(), st.integers(0, 10**8), TEXT), min_size=1, max_size=12
)


def render(events: list[tuple[int, bool, int, str]], columns: list[str], *, quote_all: bool) -> bytes:
    """Write events newest first, those of one second in reverse."""
    out = io.StringIO()
    end = "\n"
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    rows = []
    for contact, outgoing, second, text in events:
        sides = (OWNER, CONTACTS[contact]) if outgoing else (CONTACTS[contact], OWNER)
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        row = {
            "CONVERSATION ID": f"2-{contact}=",
            "FROM": sides[0][0],
            "SENDER PROFILE URL": sides[0][1],
            "TO": sides[1][0],
            "RECIPIENT PROFILE URLS": sides[1][1],
            "DATE": f"{at:%Y-%m-%d %H:%M:%S} UTC",
            "CONTENT": text,
            "FOLDER": "INBOX",
        }
        rows.append([row.get(column, "") for column in columns])
    for cells in [columns, *reversed(rows)]:
        if quote_all:
            writer.writerow(cells)
        else:
            quoted = ['"' + c.replace('"', '""') + '"' if any(x in c for x in ',"\r\n') else c for c in cells]
            out.write(",".join(quoted) + end)
    return out.getvalue().encode()


@pytest.mark.parametrize(("columns", "quote_all"), [(OLD, False), (NEW, False), (NEW, True)])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_any_story_reads_back_the_same(tmp_path: Path, columns: list[str], quote_all: bool, events: list) -> None:
    events = sorted(events, key=lambda event: event[2])
    (tmp_path / "messages.csv").write_bytes(render(events, columns, quote_all=quote_all))
    known = "".join(f'"{name}",,{url},01 Jan 2024\n'.replace('"Il Conte"', '""Il Conte""') for name, url in CONTACTS)
    (tmp_path / "Connections.csv").write_text(f"First Name,Last Name,URL,Connected On\n{known}", "utf-8")
    dataset = read_linkedin(tmp_path, owner=OWNER[1] if columns is NEW else OWNER[0])
    owner = dataset.ego
    read_back = dataset.messages
    if columns is NEW or any(outgoing for _, outgoing, _, _ in events):
        assert owner == OWNER[1]
    sides = [(owner, CONTACTS[c][1]) if outgoing else (CONTACTS[c][1], owner) for c, outgoing, _, _ in events]
    assert list(zip(read_back["sender"], read_back["recipient"], strict=True)) == sides
    assert read_back["text"].fillna("").tolist() == [text for *_, text in events]
    assert (read_back["sent_at"] - datetime(2024, 1, 1, tzinfo=UTC)).dt.total_seconds().tolist() == [
        float(second) for _, _, second, _ in events
    ]
    assert set(read_back["kind"]) == {"message"}
    check_audit(dataset.audit)
