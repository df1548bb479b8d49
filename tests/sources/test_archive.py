"""What users bring instead of an export, and what they are told."""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources import read, read_linkedin
from etiquette_analysis.sources.archive import list_members

from .conftest import WriteExport

Zipped = Callable[..., Path]


@pytest.fixture
def zipped(write_export: WriteExport, tmp_path: Path) -> Zipped:
    """Zip a small export, inside ``folder`` and with further files."""

    def make(name: str = "Basic_LinkedInDataExport_05-14-2024.zip", *, folder: str = "", **more: str | bytes) -> Path:
        path = tmp_path / name
        source = write_export(name=f"source of {name}")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(source.iterdir()):
                archive.write(file, folder + file.name)
            for inside, content in more.items():
                archive.writestr(inside, content)
        return path

    return make


def test_a_zip_its_copies_and_its_folder_read_alike(zipped: Zipped, tmp_path: Path) -> None:
    path = zipped(
        folder="Complete_LinkedInDataExport/", **{"__MACOSX/._messages.csv": b"\x00\x05", "Jobs/Saved Jobs.csv": "a"}
    )
    for name in ("export.zip.zip", "export (1).zip", "export"):
        shutil.copy(path, tmp_path / name)
        assert len(read(tmp_path / name).messages) == 1
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert len(read(tmp_path / "unpacked").messages) == 1
    assert len(read(tmp_path / "unpacked" / "Complete_LinkedInDataExport").messages) == 1


def test_a_zip_in_a_zip_is_read(zipped: Zipped, tmp_path: Path) -> None:
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(zipped(), "export.zip")
    assert len(read(path).messages) == 1


def test_zips_nested_without_end_are_refused(tmp_path: Path) -> None:
    data = b"x"
    for _ in range(4):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("inner.zip", data)
        data = buffer.getvalue()
    path = tmp_path / "deep.zip"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"inner.zip: zips are nested more than 2 deep; unzip it"):
        list_members(path)


def test_nothing_is_written_to_disk(zipped: Zipped, tmp_path: Path) -> None:
    path = zipped()
    before = sorted(tmp_path.rglob("*"))
    read(path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_a_truncated_zip_says_so(zipped: Zipped, tmp_path: Path, share: float) -> None:
    data = zipped(**{"Rich_Media.csv": "x" * 100_000}).read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SourceError, match=r"cut.zip: the zip is cut short or damaged .*download it again"):
        read(path)


def test_a_zip_damaged_in_the_middle_says_so(zipped: Zipped, tmp_path: Path) -> None:
    data = bytearray(zipped().read_bytes())
    start = data.index(b"messages.csv") + 20
    data[start : start + 40] = bytes(40)
    path = tmp_path / "damaged.zip"
    path.write_bytes(bytes(data))
    with pytest.raises(
        SourceError, match=r"messages.csv \(in damaged.zip\): the archive is damaged here .*download it again"
    ):
        read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"export.zip: the file is empty \(0 bytes\), so the download failed"),
        (
            b"\n<!DOCTYPE html><html>Sign in",
            r"export.zip: this is a web page \(probably the sign-in page\), not the export",
        ),
        (b"\xef\xbb\xbf<html lang='en'>", r"export.zip: this is a web page"),
        (b"\x1f\x8b\x08abc", r"export.zip: the gzip file is damaged or cut short"),
        (gzip.compress(bytes(257) + b"ustar"), r"export.zip: this is a tar archive; unpack it and pass the folder"),
        (b"Rar!\x1a\x07", r"export.zip: this is a RAR archive, not an export"),
        (b"just text", r"export.zip: this is not a zip \(File is not a zip file\)"),
    ],
)
def test_what_is_saved_as_zip_but_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read(path)


def test_an_empty_zip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(SourceError, match=r"empty.zip: the zip holds no file; download it again"):
        read(path)


def test_an_encrypted_zip_names_the_remedy(zipped: Zipped) -> None:
    path = zipped()
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = data.find(signature)
        while position >= 0:
            data[position + offset] |= 1
            position = data.find(signature, position + 4)
    path.write_bytes(bytes(data))
    with pytest.raises(SourceError, match=r"messages.csv is encrypted; unzip it with its password and pass the folder"):
        read(path)


def test_a_zip_that_unpacks_to_far_more_than_it_weighs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("messages.csv", b"\x00" * (17 * 2**20))
    with pytest.raises(
        SourceError, match=r"messages.csv would unpack to 17,825,792 bytes, 1,0\d\d times its packed size"
    ):
        read(path)


def test_the_largest_size_is_a_parameter(zipped: Zipped) -> None:
    with pytest.raises(SourceError, match=r"the limits are 50 bytes and 200 times; if you trust the file, unzip it"):
        read_linkedin(zipped(), max_bytes=50)


@pytest.mark.parametrize(
    "name", ["../messages.csv", "/messages.csv", "a/../../messages.csv", "..\\messages.csv", "C:/messages.csv"]
)
def test_a_name_that_leaves_the_archive_is_refused(zipped: Zipped, name: str) -> None:
    path = zipped(**{name: "x"})
    with pytest.raises(SourceError, match=r"which leads out of the archive, so it is no untouched export"):
        read(path)


def test_a_link_inside_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    info = zipfile.ZipInfo("messages.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/hostname")
    with pytest.raises(SourceError, match=r"link.zip: holds the name 'messages.csv', which leads out of the archive"):
        read(path)


def test_links_out_of_a_folder_are_not_followed(write_export: WriteExport, tmp_path: Path) -> None:
    outside = write_export(name="outside")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "Connections.csv").write_text("x")
    (folder / "messages.csv").symlink_to(outside / "messages.csv")
    (folder / "more").symlink_to(outside, target_is_directory=True)
    assert [member.name for member in list_members(folder)] == ["Connections.csv"]


def test_the_first_of_two_zips_says_what_to_wait_for(tmp_path: Path) -> None:
    path = tmp_path / "Basic_LinkedInDataExport.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("Profile.csv", "Skills.csv", "Email Addresses.csv"):
            archive.writestr(name, "a,b\n")
    message = (
        r"no messages.csv among its 3 files \(Email Addresses.csv, Profile.csv, Skills.csv\)\. .*wait for the second"
    )
    with pytest.raises(SourceError, match=message):
        read(path)


def test_both_parts_are_read_together(write_export: WriteExport, tmp_path: Path) -> None:
    whole = write_export()
    parts = [tmp_path / "Basic.zip", tmp_path / "Complete.zip"]
    for part, names in zip(parts, (["Connections.csv"], ["messages.csv", "Invitations.csv"]), strict=True):
        with zipfile.ZipFile(part, "w") as archive:
            for name in names:
                archive.write(whole / name, name)
    dataset = read(parts)
    assert (len(dataset.messages), len(dataset.connections)) == (1, 1)
    files = [whole / "messages.csv", whole / "Connections.csv"]
    assert len(read(files).connections) == 1


def test_a_single_file_may_have_any_name(write_export: WriteExport, tmp_path: Path) -> None:
    folder = write_export()
    file = (folder / "messages.csv").rename(tmp_path / "my mail.csv")
    assert len(read(file, owner="Me Myself").messages) == 1
    with pytest.raises(SourceError, match=r"Connections.csv: no messages.csv among its 1 files"):
        read(folder / "Connections.csv")


def test_two_exports_in_one_folder_are_not_merged(write_export: WriteExport, tmp_path: Path) -> None:
    above = tmp_path / "downloads"
    for name in ("one", "two"):
        shutil.copytree(write_export(name=name), above / name)
    with pytest.raises(SourceError, match=r"downloads: holds 2 exports \(one, two\); pass one of them, or a list"):
        read(above)


def test_paths_that_are_not_there_say_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing.zip: no such file or folder"):
        read(tmp_path / "nothing.zip")
    with pytest.raises(SourceError, match=r"the folder holds no file"):
        read(tmp_path)
    with pytest.raises(SourceError, match=r"an empty list of files was given"):
        read([])


def test_a_spreadsheet_file_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "messages.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(
        SourceError, match=r'messages.xlsx: this is an Excel or Word file; save the sheet as "CSV UTF-8"'
    ):
        read(path)


def test_gzip_is_read_wherever_it_lies(write_export: WriteExport, tmp_path: Path) -> None:
    folder = write_export()
    expected = read(folder).messages
    file = folder / "messages.csv"
    packed = gzip.compress(file.read_bytes())
    file.unlink()
    (folder / "messages.csv.gz").write_bytes(packed)
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for member in folder.iterdir():
            zipped.write(member, member.name)
    alone = tmp_path / "my messages.csv.gz"
    alone.write_bytes(packed)
    for path in (folder, archive):
        pd.testing.assert_frame_equal(read(path).messages, expected)
    assert read(alone, owner="Me Myself").messages["text"].tolist() == expected["text"].tolist()
    alone.write_bytes(packed[:-9])
    with pytest.raises(SourceError, match=r"my messages.csv.gz: the gzip file is damaged or cut short"):
        read(alone)
