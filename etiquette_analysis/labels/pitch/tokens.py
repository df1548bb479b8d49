"""Tokens of a whole batch at once, straight from the UTF-8 bytes of an Arrow column.

Scoring text row by row costs more than everything else together, so a batch is folded and cut as one byte array:
letters lose case and accents, digits become ``0``, typographic quotes and spaces become plain ones, each
emoji becomes one ``^``. Every token gets a 64-bit polynomial hash from one running sum over the bytes, so a word, its
prefix or its neighbours cost a subtraction each, and no Python string is ever made. Row borders come from the
offsets, never from newlines.

Rows that hold combining accents, mathematical letters (LinkedIn's bold) or other rarer Latin letters are
normalised (NFKD, accents dropped) one by one first; they are few.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Positions = NDArray[np.int64]

SPACE: Final = ord(" ")
DROP: Final = 0
EMOJI: Final = ord("^")
MONEY: Final = ord("$")
FOREIGN: Final = ord("~")
QUOTE: Final = ord('"')
#: A passage in quotation marks of at least so many words is somebody's words; a shorter one is a name or a term.
MIN_QUOTED_WORDS: Final = 4
#: Bytes folded at a time: small enough for the running sums to stay in the processor's cache.
CHUNK_BYTES: Final = 1 << 17

_PRIME: Final = 1_099_511_628_211


def _fold_ascii() -> Bytes:
    table = np.arange(256, dtype=np.uint8)
    table[0:32] = SPACE
    table[ord("\n")] = ord("\n")
    table[127] = SPACE
    table[ord("A") : ord("Z") + 1] += 32
    table[ord("0") : ord("9") + 1] = ord("0")
    table[ord("`")] = ord("'")
    for bracket in "[{<":
        table[ord(bracket)] = ord("(")
    for bracket in "]}>":
        table[ord(bracket)] = ord(")")
    table[ord("_")] = SPACE
    table[ord("^")] = SPACE
    table[ord("~")] = SPACE
    table[128:] = DROP
    return table


def _fold_two_byte(lead: int) -> Bytes:
    """Fold the continuation byte that follows ``lead`` (C2 or C3) into one plain character."""
    table = np.full(256, SPACE, dtype=np.uint8)
    for low in range(0x80, 0xC0):
        char = bytes((lead, low)).decode("utf-8")
        base = unicodedata.normalize("NFKD", char)[0].lower()
        named = {"ß": "s", "æ": "a", "ø": "o", "ð": "d", "þ": "t", "£": "$", "¥": "$", "¢": "$", "«": '"', "»": '"'}
        folded = named.get(char.lower(), base)
        table[low] = ord(folded) if folded.isascii() and folded.isprintable() else SPACE
        if "0" <= chr(table[low]) <= "9":
            table[low] = ord("0")
    return table


def _fold_general_punctuation() -> Bytes:
    """Fold the last byte of ``E2 80 xx``: dashes, quotes, bullets, ellipsis, thin spaces; marks vanish."""
    table = np.full(256, SPACE, dtype=np.uint8)
    table[0x8B:0x90] = DROP
    table[0xAA:0xAF] = DROP
    table[0x90:0x96] = ord("-")
    table[0x98:0x9C] = ord("'")
    table[0x9C:0xA0] = QUOTE
    table[0xA2] = ord("*")
    table[0xA6] = ord(".")
    table[0xB9:0xBB] = QUOTE
    return table


_ASCII: Final = _fold_ascii().tobytes()
_C2: Final = _fold_two_byte(0xC2)
_C3: Final = _fold_two_byte(0xC3)
_E280: Final = _fold_general_punctuation()


def _classes() -> Bytes:
    """Return the class of each folded byte: 0 space, 1 letter, 2 digit, 3 a symbol that is a token by itself."""
    table = np.full(256, 3, dtype=np.uint8)
    table[[SPACE, DROP, ord("'")]] = 0
    table[ord("a") : ord("z") + 1] = 1
    table[ord("0")] = 2
    return table


_CLASS: Final = _classes().tobytes()


@dataclass(frozen=True)
class Tokens:
    """The tokens of a batch, in order.

    Attributes
    ----------
    word : array of uint64
        Hash of each token.
    stem : array of uint64
        Hash of its first five letters (the whole token where it is shorter).
    quoted : array of bool
        Whether it stands inside quotation marks, in a passage long enough to be somebody's words.
    row : array of int64
        The row each token belongs to, ascending.
    first : array of int64, one more than rows
        Where each row's tokens start; the last entry is the number of tokens.
    start, end : array of int64
        Where each token stands in ``folded``.
    folded : array of uint8
        The folded bytes of the batch.
    row_start : array of int64, one more than rows
        Where each row's bytes start in ``folded``.
    """

    word: Hashes
    stem: Hashes
    quoted: NDArray[np.bool_]
    row: Positions
    first: Positions
    start: Positions
    end: Positions
    folded: Bytes
    row_start: Positions


def buffers(texts: pa.Array) -> tuple[Bytes, Positions]:
    """Return the value bytes and the row offsets of a string array, without copying the bytes."""
    array = texts.cast(pa.large_string()) if texts.type != pa.large_string() else texts
    _, offsets_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, dtype=np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def _translate(data: Bytes, table: bytes) -> Bytes:
    """Return ``table[data]``; ``bytes.translate`` is several times sooner than an index of bytes."""
    return np.frombuffer(bytearray(data.tobytes().translate(table)), dtype=np.uint8)


def fold(data: Bytes, offsets: Positions) -> tuple[Bytes, Positions]:
    """Fold UTF-8 to one plain byte a character; return the bytes and where each row starts in them."""
    folded = _translate(data, _ASCII)
    high = np.flatnonzero(data >= 0xC0)
    if not len(high):
        return folded, offsets
    lead = data[high]
    for byte, table in ((0xC2, _C2), (0xC3, _C3)):
        at = high[lead == byte]
        folded[at] = table[data[at + 1]]
    three = high[lead == 0xE2]
    if len(three):
        punctuation = data[three + 1] == 0x80
        folded[three] = np.where(punctuation, _E280[data[three + 2]], EMOJI)
        money = (data[three + 1] == 0x82) & (data[three + 2] >= 0xA0)
        folded[three[money]] = MONEY
    folded[high[lead == 0xF0]] = EMOJI
    folded[high[(lead > 0xC5) & (lead < 0xE2)]] = FOREIGN
    folded[high[(lead > 0xE2) & (lead < 0xEF)]] = FOREIGN
    keep = folded != DROP
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    return folded[keep], kept_before[offsets]


#: Lead bytes of rows that take the slow path: rarer Latin letters, combining accents, full-width forms, and the
#: mathematical alphabets (their second byte tells them from emoji).
_SLOW_LEADS: Final = np.zeros(256, dtype=bool)
_SLOW_LEADS[[0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xE1]] = True


def slow_rows(data: Bytes, offsets: Positions) -> Positions:
    """Return the rows that must be normalised before they can be folded byte by byte."""
    high = np.flatnonzero(data >= 0xC4)
    if not len(high):
        return high
    lead = data[high]
    following = data[np.minimum(high + 1, len(data) - 1)]
    slow = _SLOW_LEADS[lead] | ((lead == 0xF0) & (following == 0x9D)) | ((lead == 0xEF) & (following >= 0xBC))
    return np.unique(np.searchsorted(offsets, high[slow], side="right") - 1)


def normalise(texts: list[str]) -> list[str]:
    """Return the texts in plain letters: compatibility forms resolved, accents dropped."""
    out = []
    for text in texts:
        plain = unicodedata.normalize("NFKD", text)
        out.append("".join(c for c in plain if not unicodedata.combining(c)).replace("œ", "oe").replace("ł", "l"))
    return out


def hash_tokens(folded: Bytes, row_start: Positions, *, stem_length: int = 5) -> Tokens:
    """Cut folded bytes into tokens and hash them."""
    n_rows = len(row_start) - 1
    size = len(folded)
    kind = _translate(folded, _CLASS)
    change = np.ones(size + 1, dtype=bool)
    np.not_equal(kind[1:], kind[:-1], out=change[1:-1])
    change[:-1] |= kind == 3
    change[row_start] = True
    inside = kind != 0
    start = np.flatnonzero(change[:-1] & inside)
    end = np.flatnonzero(change[1:] & inside) + 1
    power, inverse = _powers(size)
    running = np.empty(size + 1, dtype=np.uint64)
    running[0] = 0
    np.cumsum(folded * power[:size], out=running[1:])
    base = running[start]
    scale = inverse[start]
    word = mix((running[end] - base) * scale)
    stem = mix((running[np.minimum(start + stem_length, end)] - base) * scale)
    first = np.searchsorted(start, row_start)
    row = np.repeat(np.arange(n_rows), np.diff(first))
    quoted = _find_quoted(folded[start] == QUOTE, row, first)
    return Tokens(word, stem, quoted, row, first, start, end, folded, row_start)


def _find_quoted(is_mark: NDArray[np.bool_], row: Positions, first: Positions) -> NDArray[np.bool_]:
    """Return which tokens stand between an opening and a closing mark of their row, in a long enough passage."""
    if not is_mark.any():
        return is_mark
    passage = np.cumsum(is_mark)
    before = np.concatenate(([0], passage))[first]
    n_marks: Positions = passage - before[:-1][row]
    closes_later = n_marks < (before[1:] - before[:-1])[row]
    long_enough = np.bincount(passage)[passage] > MIN_QUOTED_WORDS
    found: NDArray[np.bool_] = ~is_mark & (n_marks % 2 == 1) & closes_later & long_enough
    return found


def mix(h: Hashes) -> Hashes:
    """Spread the bits of a hash (the finaliser of SplitMix64)."""
    h = h ^ (h >> np.uint64(31))
    h = h * np.uint64(0x9E3779B97F4A7C15)
    return h ^ (h >> np.uint64(29))


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Return powers of the base and of its inverse modulo 2**64, at least ``size`` of each."""
    global _power_table
    if len(_power_table[0]) < size:
        n = max(size, CHUNK_BYTES + 4096)
        base = np.full(n, _PRIME, dtype=np.uint64)
        base[0] = 1
        inverse = np.full(n, pow(_PRIME, -1, 1 << 64), dtype=np.uint64)
        inverse[0] = 1
        _power_table = (np.cumprod(base), np.cumprod(inverse))
    return _power_table


_power_table: tuple[Hashes, Hashes] = (np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64))
