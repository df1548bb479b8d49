"""What a user hands over: a zip, a zip in a zip, an unpacked folder, a single file, or several of these.

Exports arrive as mail attachments and browser downloads, so half of reading them is telling a truncated archive
or a saved sign-in page from a real one. Nothing is ever unpacked to disk: members are streams, and a file packed with
gzip is read like any other. A name that leaves its archive, a link that leaves its folder and an archive that unpacks
to far more than it weighs are refused.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, AnyStr, Final

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.progress import counted, looking

#: Largest single file that is read out of an archive, unpacked, in bytes.
MAX_BYTES: Final = 8 * 2**30
#: Largest ratio of unpacked to packed size, for members above ``RATIO_FLOOR``: text packs 3 to 30 times.
MAX_RATIO: Final = 200.0
RATIO_FLOOR: Final = 16 * 2**20
#: Above this a whole archive is held to that ratio: many small bombs are one.
TOTAL_FLOOR: Final = 2**30
MAX_MEMBERS: Final = 100_000
#: An archive inside an archive is held in memory while it is read.
_MAX_INNER_ZIP: Final = 2**29
#: Longest line of a text table or of JSON Lines, and largest file that is read whole: above, memory would run out
#: before anything could be said.
LONGEST_LINE: Final = 2**26
MAX_WHOLE: Final = 2**28
_MAX_FOLDER_DEPTH: Final = 4
_MAX_ZIP_DEPTH: Final = 2

#: One thing a reader takes as "where the export is".
OnePath = str | os.PathLike[str]
ExportPath = OnePath | Sequence[OnePath]

_AGAIN: Final = "download it again and pass the new file"
_GZIP: Final = b"\x1f\x8b"
_OTHER_FORMATS: Final = (
    (_GZIP, "a gzip file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
)


@dataclass(frozen=True)
class Member:
    """One file of an export, readable as often as needed.

    Attributes
    ----------
    name : str
        Path inside its container with ``/``; the bare file name for a single file.
    container : str
        File name of the zip or folder it lies in, "" for a single file.
    size : int
        Size in bytes: unpacked in a zip, as it lies of a file packed with gzip (whose name is told without ``.gz``).
    """

    name: str
    container: str
    size: int
    _opener: Callable[[], AbstractContextManager[IO[bytes]]]
    _check: Callable[[], None] = lambda: None
    _gzip_limit: int = 0
    _suffix: str = ""

    @property
    def base_name(self) -> str:
        """The file's own name, without folders."""
        return PurePosixPath(self.name).name

    @property
    def label(self) -> str:
        """How messages to the user call it: the file, and the archive it lies in."""
        name = self.base_name + self._suffix
        return f"{name} (in {self.container})" if self.container.lower().endswith(".zip") else name

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open as a stream of bytes; damage found while reading becomes a ``SourceError``."""
        self._check()
        try:
            with self._opener() as stream:
                found = counted(stream)
                yield _unpacked(found, self._gzip_limit, self.label) if self._gzip_limit else found
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
            what = "gzip file is damaged or cut short" if self._gzip_limit else "archive is damaged here"
            raise SourceError(f"{self.label}: the {what} ({error}); {_AGAIN}") from error
        except NotImplementedError as error:
            msg = f"{self.label}: packed in a way Python cannot read ({error}); unzip it and pass the folder"
            raise SourceError(msg) from error

    def read(self) -> bytes:
        """Return a small file whole."""
        with self.open() as stream:
            data = stream.read(MAX_WHOLE + 1)
        if len(data) > MAX_WHOLE:
            raise SourceError(f"{self.label}: more than {MAX_WHOLE:,} bytes, larger than any file of its kind")
        return data

    def head(self, n: int = 4096) -> bytes:
        """Return the first ``n`` bytes."""
        with looking(), self.open() as stream:
            return stream.read(n)


def numbered_lines(stream: IO[AnyStr], label: str, first: int = 1) -> Iterator[tuple[int, AnyStr]]:
    r"""Yield the lines of a stream, numbered from ``first``.

    Raises
    ------
    SourceError
        For a line longer than ``LONGEST_LINE``.

    Examples
    --------
    >>> list(numbered_lines(io.StringIO("a\nb"), "x.csv"))
    [(1, 'a\n'), (2, 'b')]
    """
    number = first
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            msg = f"{label}, line {number}: longer than {LONGEST_LINE:,} characters, so this is no text table"
            raise SourceError(f"{msg}; check that the file is what its name says")
        yield number, line
        number += 1


def list_members(path: ExportPath, *, max_bytes: int = MAX_BYTES, max_ratio: float = MAX_RATIO) -> list[Member]:
    """List the files of an export without reading them.

    Parameters
    ----------
    path : path or sequence of paths
        Zip, folder, single file, or several of them (the parts of one export).
    max_bytes : int
        Largest unpacked size of a single file; opening a larger member of an archive is refused.
    max_ratio : float
        Largest ratio of unpacked to packed size, for members above 16 MiB.

    Raises
    ------
    SourceError
        Where the path does not exist, or is not what its name says (empty, truncated, encrypted, a web page).

    Examples
    --------
    >>> import tempfile, zipfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(Path(folder, "export.zip"), "w") as archive:
    ...         archive.writestr("messages.csv", "FROM,TO,DATE,CONTENT")
    ...     [(member.name, member.size) for member in list_members(Path(folder, "export.zip"))]
    [('messages.csv', 20)]
    """
    parts = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not parts:
        raise SourceError("an empty list of files was given; pass the export's zip, its folder, or its parts")
    members: list[Member] = []
    for part in parts:
        members += _members_of(Path(part).expanduser(), max_bytes, max_ratio)
    return members


def _members_of(path: Path, max_bytes: int, max_ratio: float) -> list[Member]:
    """List the files of one part."""
    if path.is_dir():
        return _in_folder(path, max_bytes, max_ratio)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder; check the path (a browser may have renamed the download)")
    if not path.is_file():
        raise SourceError(f"{path.name}: neither a file nor a folder; pass the export's zip or its folder")
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(_GZIP):
        size = path.stat().st_size
        packed = _gzipped(Member(path.name, "", size, lambda: path.open("rb")), max_bytes, max_ratio)
        check_looks_readable(packed.head(512), path.name)
        return [packed]
    check_looks_readable(head, path.name)
    if zipfile.is_zipfile(path) or head.startswith(b"PK") or path.suffix.lower() == ".zip":
        return _in_zip(path, path.name, max_bytes, max_ratio)
    return [Member(path.name, "", path.stat().st_size, lambda: path.open("rb"))]


def check_looks_readable(head: bytes, name: str) -> None:
    """Raise ``SourceError`` where the first bytes of a file show something that no reader can use."""
    if not head:
        raise SourceError(f"{name}: the file is empty (0 bytes), so the download failed; {_AGAIN}")
    if head[257:262] == b"ustar":
        raise SourceError(f"{name}: this is a tar archive; unpack it and pass the folder")
    if head[257:262] == b"ustar":
        raise SourceError(f"{name}: this is a tar archive; unpack it and pass the folder")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        msg = (
            f"{name}: this is a web page (probably the sign-in page), not the export; "
            "sign in, open the link of the mail again and pass the file it downloads"
        )
        raise SourceError(msg)
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic):
            raise SourceError(
                f"{name}: this is {what}, not an export; pass the zip, folder or CSV as it was downloaded"
            )


def _gzipped(member: Member, max_bytes: int, max_ratio: float) -> Member:
    """Return a member that unpacks its bytes when it is opened, so far and no farther."""
    limit = min(max_bytes, max(RATIO_FLOOR, int(member.size * max_ratio)))
    name = re.sub(r"\.gz$", "", member.name, flags=re.IGNORECASE)
    return replace(member, name=name, _gzip_limit=limit, _suffix=member.name[len(name) :])


def _unpacked(stream: IO[bytes], limit: int, label: str) -> IO[bytes]:
    """Return what a gzip stream holds; a bomb is found while it is read, since the file does not tell its size."""
    return io.BufferedReader(_Limited(gzip.GzipFile(fileobj=stream), limit, label), 2**16)


class _Limited(io.RawIOBase):
    """Passes on the bytes of a stream up to a limit."""

    def __init__(self, stream: gzip.GzipFile, limit: int, label: str) -> None:
        self._stream, self._left, self._label, self._limit = stream, limit, label, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            msg = f"{self._label}: unpacks to more than {self._limit:,} bytes, far more than it weighs; if you trust it"
            raise SourceError(f"{msg}, unpack it and pass the file")
        buffer[: len(data)] = data
        return len(data)


def _in_folder(folder: Path, max_bytes: int, max_ratio: float) -> list[Member]:
    """List the files of a folder; links that lead out of it are left out."""
    root = folder.resolve()
    members: list[Member] = []
    for parent, folders, files in os.walk(root, followlinks=False):
        here = Path(parent)
        if len(here.relative_to(root).parts) >= _MAX_FOLDER_DEPTH:
            folders.clear()
        folders[:] = sorted(f for f in folders if not _is_clutter(f))
        for name in sorted(files):
            member = None if _is_clutter(name) else _file_in_folder(here / name, root)
            if member is not None:
                packed = member.name.lower().endswith(".gz")
                members.append(_gzipped(member, max_bytes, max_ratio) if packed else member)
        if len(members) > MAX_MEMBERS:
            msg = f"{folder.name}: more than {MAX_MEMBERS:,} files; pass the export's own folder, not one above it"
            raise SourceError(msg)
    if not members:
        raise SourceError(f"{folder}: the folder holds no file; pass the folder that was unpacked from the export")
    return members


def _file_in_folder(file: Path, root: Path) -> Member | None:
    """Return a regular file inside ``root``, or None for links out of it and for anything else."""
    target = file.resolve()
    if not target.is_relative_to(root) or not target.is_file():
        return None
    name = file.relative_to(root).as_posix()
    return Member(name, root.name, target.stat().st_size, lambda: target.open("rb"))


def _is_clutter(name: str) -> bool:
    """Tell what macOS and Windows leave beside real files."""
    return name.startswith(".") or name == "__MACOSX"


def _in_zip(source: Path | io.BytesIO, name: str, max_bytes: int, max_ratio: float, depth: int = 1) -> list[Member]:
    """List the files of a zip, and of zips inside it."""
    members: list[Member] = []
    archive = _open_zip(source, name)
    infos = archive.infolist()
    _refuse_bomb(infos, name, max_ratio)
    for info in infos:
        _refuse_escape(info, name)
        if not info.filename or info.is_dir() or any(_is_clutter(part) for part in PurePosixPath(info.filename).parts):
            continue
        member = _zip_member(archive, info, name, max_bytes, max_ratio)
        if info.filename.lower().endswith(".gz"):
            members.append(_gzipped(member, max_bytes, max_ratio))
        elif not info.filename.lower().endswith(".zip"):
            members.append(member)
        elif info.file_size > _MAX_INNER_ZIP:
            raise SourceError(
                f"{name}: holds the zip {info.filename} of {info.file_size:,} bytes; unzip it and pass the inner one"
            )
        elif depth >= _MAX_ZIP_DEPTH:
            raise SourceError(
                f"{name}: zips are nested more than {_MAX_ZIP_DEPTH} deep; unzip it and pass the innermost one"
            )
        else:
            with member.open() as stream:
                inner = stream.read()
            inner_name = PurePosixPath(info.filename).name
            check_looks_readable(inner[:512], inner_name)
            members += _in_zip(io.BytesIO(inner), inner_name, max_bytes, max_ratio, depth + 1)
    if not members:
        raise SourceError(f"{name}: the zip holds no file; {_AGAIN}")
    if any(member.name == "[Content_Types].xml" for member in members):
        msg = f'{name}: this is an Excel or Word file; save the sheet as "CSV UTF-8" and pass that'
        raise SourceError(f"{msg} (plain CSV needs --encoding, e.g. cp1252)")
    return members


def _open_zip(source: Path | io.BytesIO, name: str) -> zipfile.ZipFile:
    """Open a zip; its table of contents is read once, and the file closes when the last of its members is gone."""
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source.getvalue()) as stream:
            is_zip = stream.read(2) == b"PK"
        what = "the zip is cut short or damaged" if is_zip else "this is not a zip"
        raise SourceError(f"{name}: {what} ({error}); {_AGAIN}") from error
    if len(archive.infolist()) > MAX_MEMBERS:
        n = len(archive.infolist())
        raise SourceError(f"{name}: the zip lists {n:,} files, more than any export; check what was downloaded")
    if any(info.header_offset < 0 for info in archive.infolist()):
        raise SourceError(f"{name}: the zip is cut short or damaged (a file begins before it); {_AGAIN}")
    return archive


def _refuse_bomb(infos: list[zipfile.ZipInfo], name: str, max_ratio: float) -> None:
    """Raise ``SourceError`` where the files of a zip together unpack to far more than they weigh."""
    total, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    offsets = {info.header_offset for info in infos}
    if total > TOTAL_FLOOR and (total > max_ratio * max(packed, 1) or len(offsets) < len(infos)):
        msg = f"{name}: its {len(infos):,} files would unpack to {total:,} bytes, {total / max(packed, 1):,.0f} times"
        raise SourceError(f"{msg} their packed size; if you trust the file, unzip it and pass the folder")


def _refuse_escape(info: zipfile.ZipInfo, name: str) -> None:
    """Raise ``SourceError`` where a member's name or type reaches outside the archive."""
    inside = PurePosixPath(info.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    if inside.is_absolute() or ".." in inside.parts or is_link or re.match(r"[A-Za-z]:", info.filename):
        msg = (
            f"{name}: holds the name {info.filename!r}, which leads out of the archive, so it is no untouched export; "
            f"{_AGAIN}"
        )
        raise SourceError(msg)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, max_bytes: int, max_ratio: float) -> Member:
    """Return a member that checks its own size and encryption when it is opened."""

    def check() -> None:
        if info.flag_bits & 0x1:
            raise SourceError(f"{name}: {info.filename} is encrypted; unzip it with its password and pass the folder")
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > max_bytes or (info.file_size > RATIO_FLOOR and ratio > max_ratio):
            msg = (
                f"{name}: {info.filename} would unpack to {info.file_size:,} bytes, {ratio:,.0f} times its packed "
                f"size; the limits are {max_bytes:,} bytes and {max_ratio:,.0f} times; if you trust the file, unzip it "
                "and pass the folder"
            )
            raise SourceError(msg)

    return Member(info.filename, name, info.file_size, lambda: archive.open(info), check)
