"""How far a long reading has come, told to whoever asked.

A mailbox of gigabytes takes minutes. Whoever reads may ask to be told (the command line does); readers say only which
files they are about to read, and what is read of these is counted where every file is opened, in ``archive``. Where
nobody asked, nothing is counted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from etiquette_analysis.sources.archive import Member

#: Is told the bytes read so far and the bytes there are, every quarter of a MiB or so.
Listener = Callable[[int, int], None]
_PIECE: Final = 2**18


class _Reading:
    """What is being read: the bytes of all its files, and how many of them were read."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.total = self.done = 0

    def add(self, n: int) -> None:
        """Count and tell."""
        if n and self.total:
            self.done = min(self.done + n, self.total)
            self.listener(self.done, self.total)


_READING: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@contextmanager
def following(listener: Listener) -> Iterator[None]:
    r"""Tell ``listener`` (bytes done, bytes in all) while files are read inside the block.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from etiquette_analysis.sources import read_whatsapp
    >>> told = []
    >>> with tempfile.TemporaryDirectory() as folder, following(lambda done, total: told.append((done, total))):
    ...     file = pathlib.Path(folder, "chat.txt")
    ...     _ = file.write_text("30/12/23, 14:30 - Ben: Ciao\n")
    ...     dataset = read_whatsapp(file)
    >>> told
    [(28, 28)]
    """
    token = _READING.set(_Reading(listener))
    try:
        yield
    finally:
        _READING.reset(token)


@contextmanager
def expecting(members: Sequence[Member]) -> Iterator[None]:
    """Count, inside the block, what is read of these files."""
    reading = _READING.get()
    if reading is None:
        yield
        return
    reading.total, reading.done = sum(member.size for member in members), 0
    try:
        yield
    finally:
        reading.total = 0


@contextmanager
def looking() -> Iterator[None]:
    """Count nothing inside the block: a look at a file is not yet reading it."""
    token = _READING.set(None)
    try:
        yield
    finally:
        _READING.reset(token)


def counted(stream: IO[bytes]) -> IO[bytes]:
    """Return the stream, counting what is read of it where somebody follows."""
    reading = _READING.get()
    return stream if reading is None or not reading.total else io.BufferedReader(_Counting(stream, reading), _PIECE)


class _Counting(io.RawIOBase):
    """Passes on the bytes of a stream and counts them."""

    def __init__(self, stream: IO[bytes], reading: _Reading) -> None:
        self._stream, self._reading = stream, reading

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._reading.add(len(data))
        return len(data)
