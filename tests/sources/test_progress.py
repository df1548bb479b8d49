"""How far reading has come: told to who asks, never more than there is, and only of what is read."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources import read
from etiquette_analysis.sources.progress import following

MAIL = (
    "From me@x.example Mon Jan  2 10:00:00 2023\nFrom: me@x.example\nTo: ben@y.example\nMessage-ID: <{n}@x>\n"
    "Date: Mon, 2 Jan 2023 10:00:00 +0000\n\n{body}\n\n"
)
BOX = "".join(MAIL.format(n=n, body="word " * 200) for n in range(800)).encode()


def follow(path: Path, **options: str) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    with following(lambda done, total: told.append((done, total))):
        read(path, **options)
    return told


@pytest.mark.parametrize("form", ["mail.mbox", "mail.mbox.gz", "mail.zip"])
def test_a_mailbox_is_told_piece_by_piece_to_its_end(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    if form.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("Takeout/mail.mbox", BOX)
            archive.writestr("Takeout/readme.html", "not read, so not counted")
    else:
        path.write_bytes(gzip.compress(BOX) if form.endswith("gz") else BOX)
    told = follow(path, owner="me@x.example")
    done, totals = zip(*told, strict=True)
    assert set(totals) == {path.stat().st_size if form.endswith("gz") else len(BOX)}
    assert done[-1] == totals[0]
    assert sorted(done) == list(done)
    assert len(done) > (0 if form.endswith("gz") else 3)


def test_several_files_are_one_whole(tmp_path: Path) -> None:
    for day in (4, 5):
        (tmp_path / f"{day}.txt").write_text(f"1{day}/03/24, 21:05 - Ben: Hi\n1{day}/03/24, 21:06 - Ada: Ho\n")
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert follow(tmp_path) == [(sizes[0], sum(sizes)), (sum(sizes), sum(sizes))]


def test_nothing_is_told_when_nobody_asks_any_more(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("sender,recipient,sent_at\nada,ben,2024-03-01\n")
    told: list[int] = []
    with following(lambda done, total: told.append(done)):
        pass
    read(table)
    assert told == []
    table.write_text("sender,recipient,sent_at\nada,ben,x\n")
    with pytest.raises(SourceError, match='"x" is not a date'), following(lambda done, total: told.append(done)):
        read(table)
    read(tmp_path / "t.csv", on_bad_row="drop")
    assert told == [table.stat().st_size]
