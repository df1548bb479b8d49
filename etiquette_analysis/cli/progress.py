"""What a long command says while it runs: on the error stream, so that output stays clean."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False  # see the room's own module
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def plain(text: str) -> str:
    r"""Return a text that cannot move the cursor, recolour the terminal or turn its writing direction.

    What is not printable is shown as its escape, which TOML and Python read back; line breaks stay.

    >>> plain("a" + chr(27) + "[2Jb" + chr(0x202E) + "\n")
    'a\\u001b[2Jb\\u202e\n'
    """
    return "".join(c if c.isprintable() or c == "\n" else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Progress:
    """Says what is going on: steps, and how far a long one has come, how fast it goes and how long it will take.

    On a terminal one line is written over and over; elsewhere (a file, a log) a line every few seconds, and none for
    what is done in less.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    stream : text stream, optional
        Where to; the error stream.
    clock : callable, optional
        Seconds; for tests.
    """

    def __init__(
        self, *, quiet: bool, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.quiet, self.stream, self.clock = quiet, stream or sys.stderr, clock
        self.is_terminal = self.stream.isatty()
        self.pause = 0.2 if self.is_terminal else 5.0
        self.began = clock()
        self._what = ""
        self._line_is_open = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        """End the line that was being written over, so that what follows starts on its own."""
        if self._line_is_open:
            self.stream.write("\n")
            self._line_is_open = False

    def step(self, what: str) -> None:
        """Announce the next step."""
        if not self.quiet:
            self._write(f"[{self.clock() - self.began:5.1f} s] {what}", is_last=True)

    def advance(self, what: str, done: int, total: int, unit: str) -> None:
        """Say how much of a long step is done; called as often as one likes, it speaks now and then.

        Parameters
        ----------
        what : str
            The step, e.g. ``reading``; a new one starts a new count.
        done, total : int
            So much of so much; a step may start at more than nothing, where something was done before.
        unit : str
            ``bytes``, or what is counted, e.g. ``messages``.
        """
        if self.quiet:
            return
        now = self.clock()
        if what != self._what:
            self._what, self._since, self._from, self._spoke = what, now, done, now
        elif now - self._spoke >= self.pause:
            self._spoke = now
            self._write(f"{what}: {_described(done, total, unit, done - self._from, now - self._since)}")

    def bytes_read(self, done: int, total: int) -> None:
        """Say how far reading has come, as the readers of exports tell it."""
        self.advance("reading", done, total, "bytes")

    def _write(self, text: str, *, is_last: bool = False) -> None:
        text = plain(text)
        if self.is_terminal:
            self.stream.write(f"\r\x1b[K{text}" if self._line_is_open or not is_last else text)
            self.stream.write("\n" if is_last else "")
            self._line_is_open = not is_last
        else:
            self.stream.write(f"{text}\n")
        self.stream.flush()


def _described(done: int, total: int, unit: str, n: int, seconds: float) -> str:
    """Return how much is done, how fast it went, and how long the rest will take.

    >>> _described(600, 1000, "messages", 400, 20.0)
    '600 of 1,000 messages (60%), 20 a second, 0:20 left'
    >>> _described(1_500_000, 3_000_000_000, "bytes", 1_500_000, 1.0)
    '1.5 MB of 3.0 GB (0%), 1.5 MB a second, 33:19 left'
    """
    count = _size if unit == "bytes" else "{:,.0f}".format
    share = f" ({100 * done // total}%)" if total else ""
    said = f"{count(done)} of {count(total)}{'' if unit == 'bytes' else f' {unit}'}{share}"
    if n <= 0 or seconds <= 0:
        return said
    rate = n / seconds
    left = round(max(total - done, 0) / rate)
    clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}" if left >= 3600 else f"{left // 60}:{left % 60:02d}"
    return f"{said}, {count(rate)} a second, {clock} left"


def _size(n: float) -> str:
    """Return a number of bytes in the unit that keeps it short.

    >>> _size(999), _size(1_250_000)
    ('999 bytes', '1.2 MB')
    """
    power = 0
    while n >= 1000 and power < 4:
        n, power = n / 1000, power + 1
    return f"{n:,.1f} {'kMGT'[power - 1]}B" if power else f"{n:,.0f} bytes"
