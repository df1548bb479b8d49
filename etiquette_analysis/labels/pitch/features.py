"""What the model sees of a message: hashed words, word stems, and pairs of neighbours.

Who gains from a message is mostly told by two or three words together ("can I send", "could you send"), hence
the pairs; stems (the first five letters) let one inflection speak for the others. Each feature is the hash of its words
with a number of its own per kind, cut to a bucket of the weight table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.labels.pitch.tokens import mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.tokens import Hashes, Positions, Tokens

BUCKET_BITS: Final = 18
N_BUCKETS: Final = 1 << BUCKET_BITS
#: Row and bucket share 32 bits, which sort several times sooner than 64.
MAX_ROWS: Final = 1 << (32 - BUCKET_BITS)
_PAIR: Final = np.uint64(0x9E3779B97F4A7C15)
_QUOTED: Final = np.uint64(0x632BE59BD9B4E019)
#: Kind of feature -> its own odd multiplier, so that a word and a stem that look alike fall into different buckets.
_SALT: Final = {
    "word": np.uint64(0xD6E8FEB86659FD93),
    "stem": np.uint64(0xA0761D6478BD642F),
    "word_pair": np.uint64(0xE7037ED1A0B428DB),
    "stem_pair": np.uint64(0x8EBC6AF09C88C6E3),
}


@dataclass(frozen=True)
class Features:
    """Features of a batch, with repeats, kind by kind.

    Attributes
    ----------
    key : array of uint32
        Row and bucket in one number: ``row << BUCKET_BITS | bucket``.
    first_token : array of int64
        The token at which each begins.
    n_words : array of int64
        How many tokens it spans (1 or 2).
    """

    key: NDArray[np.uint32]
    first_token: Positions
    n_words: Positions


def find_features(tokens: Tokens) -> Features:
    """Return the features of all tokens; pairs never cross the border of a row.

    At most ``MAX_ROWS`` rows at a time.
    """
    n = len(tokens.word)
    at = np.arange(n)
    inside = tokens.row[1:] == tokens.row[:-1] if n else np.empty(0, dtype=bool)
    pair_at = at[:-1][inside]
    # Quoted words are other words: a pitch that is only reported must not weigh as one.
    mark = tokens.quoted * _QUOTED
    word, stem = tokens.word ^ mark, tokens.stem ^ mark
    bucket = np.concatenate(
        [
            _bucket(word, "word"),
            _bucket(stem, "stem"),
            _bucket(_pairs(word, pair_at), "word_pair"),
            _bucket(_pairs(stem, pair_at), "stem_pair"),
        ]
    )
    first = np.concatenate([at, at, pair_at, pair_at])
    n_words = np.repeat(np.array([1, 2]), [2 * n, 2 * len(pair_at)])
    row = (tokens.row << BUCKET_BITS).astype(np.uint32)
    return Features(row[first] | bucket, first, n_words)


def once(key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the keys in ascending order, each once: saying a thing twice does not sell it twice as hard."""
    ordered = np.sort(key)
    keep = np.empty(len(ordered), dtype=bool)
    keep[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]


def _pairs(h: Hashes, at: Positions) -> Hashes:
    return mix(h[at] * _PAIR + h[at + 1])


def _bucket(h: Hashes, kind: str) -> NDArray[np.uint32]:
    return (h * _SALT[kind] >> np.uint64(64 - BUCKET_BITS)).astype(np.uint32)


def word_presence(word: Hashes, bits: int = 20) -> NDArray[np.int64]:
    """Return the place of each word in the table of known words."""
    return (word * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(64 - bits)).astype(np.int64)
