"""JSON larger than memory, read value by value.

An account's history is one JSON object of several gigabytes, and the standard library reads such a file whole or
not at all. This reader walks through objects and arrays over a window of text and decodes one small value at a
time, so that memory is a window plus the largest single value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final

from etiquette_analysis.errors import SourceError
from etiquette_analysis.sources.halves import without_halves

_CHUNK: Final = 2**18
#: Longest single value in characters; a message has at most some thousands.
LONGEST_VALUE: Final = 2**26
_DEEPEST: Final = 100
_NUMBER: Final = re.compile(r"[-+.0-9eE]*")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
#: A decoder that stops this near to the end of the window may only lack the rest of a word or an escape.
_NEAR_END: Final = 16
_AGAIN: Final = "export it again and pass the new file"
#: An escape that is one of a pair, or half a sign.
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
#: What the decoder raises besides, in words: a number of more than 4,300 digits is a ValueError.
_UNUSABLE: Final = {RecursionError: "nested too deeply", ValueError: "a number of thousands of digits"}


def read_json(data: bytes, where: str, remedy: str) -> Any:
    r"""Decode a small file, or a line of one.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a byte order mark.
    where, remedy : str
        What the error names, and what it says to do.

    Raises
    ------
    SourceError
        Where it is not UTF-8 or no JSON.

    Examples
    --------
    >>> read_json(b'{"text": "half a sign: \\ud83d"}', "x.json", "export it again")
    {'text': 'half a sign: \ufffd'}
    """
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(text)
    except UnicodeDecodeError as error:
        raise SourceError(f"{where}: not UTF-8, so another program has saved it again; {remedy}") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"{where}: not JSON ({error.msg}); {remedy}") from error
    except (RecursionError, ValueError) as error:
        raise SourceError(f"{where}: not usable JSON ({_UNUSABLE[type(error)]}); {remedy}") from error
    return without_halves(value) if _HALF.search(text) else value


class JsonStream:
    r"""A cursor over JSON text.

    ``entries`` and ``items`` yield once per entry, and the caller takes each with ``value``, ``skip``, ``entries`` or
    ``items`` before going on.

    Examples
    --------
    >>> import io
    >>> stream = JsonStream(io.StringIO('{"about": [1, {}], "list": ["a", "b\\u00e8"]}'), "x.json")
    >>> for key in stream.entries():
    ...     if key == "list":
    ...         print([stream.value() for _ in stream.items()])
    ...     else:
    ...         stream.skip()
    ['a', 'bè']
    """

    def __init__(self, text: IO[str], label: str) -> None:
        self._text = text
        self._label = label
        self._window = ""
        self._at = 0
        self._dropped = 0
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """Return the next character that is no white space, "" at the end."""
        while True:
            self._at = _SPACE.match(self._window, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._fill():
                return ""

    def entries(self) -> Iterator[str]:
        """Yield the keys of the object that starts here."""
        self._take("{")
        first = True
        while self.peek() != "}":
            if not first:
                self._take(",")
            key = self.value()
            if not isinstance(key, str):
                raise self._broken("a key is no text")
            self._take(":")
            yield key
            first = False
        self._take("}")

    def items(self) -> Iterator[None]:
        """Yield once for each item of the array that starts here."""
        self._take("[")
        first = True
        while self.peek() != "]":
            if not first:
                self._take(",")
            yield
            first = False
        self._take("]")

    def value(self) -> Any:
        """Return the value that starts here, decoded whole."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or len(self._window) - self._at > LONGEST_VALUE or not self._fill():
                    raise self._broken(error.msg, error.pos) from error
                continue
            except (RecursionError, ValueError) as error:
                raise self._broken(_UNUSABLE[type(error)]) from error
            # A number that reaches the end of the window may go on beyond it.
            if isinstance(value, int | float) and self._run_of_number() == len(self._window) and self._fill():
                continue
            start, self._at = self._at, end
            return without_halves(value) if _HALF.search(self._window, start, end) else value

    def skip(self, depth: int = 0) -> None:
        """Pass over the value that starts here, entry by entry."""
        start = self.peek()
        if depth > _DEEPEST:
            raise self._broken("nested too deeply")
        if start == "{":
            for _ in self.entries():
                self.skip(depth + 1)
        elif start == "[":
            for _ in self.items():
                self.skip(depth + 1)
        else:
            self.value()

    def _run_of_number(self) -> int:
        """Return where the characters end that a number may consist of."""
        return _NUMBER.match(self._window, self._at).end()  # type: ignore[union-attr]

    def _fill(self) -> bool:
        """Drop what was read and take in more text, twice as much where one value needs it; False at the end."""
        more = self._text.read(max(_CHUNK, len(self._window) - self._at))
        self._dropped += self._at
        self._window = self._window[self._at :] + more
        self._at = 0
        return bool(more)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Tell whether more text could cure the error."""
        return error.msg.startswith("Unterminated") or error.pos >= len(self._window) - _NEAR_END

    def _take(self, wanted: str) -> None:
        """Step over one character of the grammar."""
        if self.peek() != wanted:
            raise self._broken(f"expected {wanted!r}")
        self._at += 1

    def _broken(self, what: str, position: int | None = None) -> SourceError:
        """Say that the file is no JSON from here on, or that it ends too early."""
        if self.peek() == "" or (position is not None and position >= len(self._window)):
            return SourceError(f"{self._label}: the file ends inside its JSON, so it was cut short; {_AGAIN}")
        place = self._dropped + (self._at if position is None else position) + 1
        return SourceError(f"{self._label}, character {place:,}: not valid JSON ({what}); {_AGAIN}")
