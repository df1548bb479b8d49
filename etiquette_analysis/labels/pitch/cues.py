"""Finding the lexicon's cues in a batch: phrases of up to five words, matched by their hashes.

Entries are compiled once into one sorted table of hashes, inflections and accents resolved beforehand, so that the
text is not touched again: a window of words is one arithmetic step over the whole batch and one look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from etiquette_analysis.labels.pitch.lexicon import FAMILIES, RAISING, load_lexicon
from etiquette_analysis.labels.pitch.tokens import buffers, fold, hash_tokens, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.tokens import Hashes, Positions, Tokens

#: A family counts at most so often in one text: the fourth "free" says no more than the third.
MOST_COUNTED: Final = 3
#: Pairs of families that may stand together in a text: an offer with a price is not an offer with a denial.
FAMILY_PAIRS: Final = tuple(combinations(range(len(FAMILIES)), 2))
N_CUE_FEATURES: Final = len(FAMILIES) + len(FAMILY_PAIRS)
#: Stands for exactly one word, whichever it is.
ANY_WORD: Final = "_"
_MAYBE_BITS: Final = 17
_MAYBE_SHIFT: Final = np.uint64(64 - _MAYBE_BITS)
#: What a window takes in place of a word that may be any.
_SKIPPED: Final = np.uint64(0x452821E638D01377)
_STEP: Final = np.uint64(0x2545F4914F6CDD1D)


@dataclass(frozen=True)
class _Table:
    """Hashes of the phrases of one shape: which of its words are fixed, and the family of each phrase.

    ``maybe`` tells by the first bits of a hash whether a search is worth while; nearly always it is not.
    """

    fixed: tuple[bool, ...]
    hashes: Hashes
    maybe: NDArray[np.bool_]
    family: NDArray[np.int8]


@dataclass(frozen=True)
class CueMatches:
    """Where cues stand: first token, one past the last, and family of each match."""

    first: Positions
    end: Positions
    family: NDArray[np.int8]

    def name(self, first: int, end: int, *, raises: bool) -> str | None:
        """Return the family of the longest match that overlaps tokens ``first`` to ``end``, of the right direction."""
        wanted = (self.family < len(RAISING)) == raises
        overlap = np.minimum(self.end, end) - np.maximum(self.first, first)
        overlap = np.where(wanted, overlap, 0)
        if not len(overlap) or overlap.max() <= 0:
            return None
        return FAMILIES[int(self.family[int(np.argmax(overlap))])]


def match_cues(tokens: Tokens) -> CueMatches:
    """Return every cue of the lexicon in the tokens of a batch; a match inside a longer one is kept too.

    What stands in quotation marks is somebody else's: its cues do not count, the passage is one cue, a quotation.
    """
    first, end, family = [], [], []
    word = _any_number(tokens)
    # A hyphen joins words ("15-minute call") that the lexicon writes apart.
    token = np.flatnonzero(tokens.folded[tokens.start] != ord("-")) if len(word) else np.empty(0, dtype=np.int64)
    word, row = word[token], tokens.row[token]
    windows: dict[tuple[bool, ...], Hashes] = {}
    for table in _tables():
        n = len(table.fixed)
        h = _window(word, table.fixed, windows)
        at = np.flatnonzero(table.maybe[(h >> _MAYBE_SHIFT).astype(np.int64)])
        at = at[row[at] == row[at + n - 1]]
        place = np.minimum(np.searchsorted(table.hashes, h[at]), len(table.hashes) - 1)
        found = table.hashes[place] == h[at]
        first.append(token[at[found]])
        end.append(token[at[found] + n - 1] + 1)
        family.append(table.family[place[found]])
    if not first:
        nothing = np.empty(0, dtype=np.int64)
        return CueMatches(nothing, nothing, nothing.astype(np.int8))
    start, stop, families = np.concatenate(first), np.concatenate(end), np.concatenate(family)
    own = ~tokens.quoted[start]
    begin, close = _quoted_passages(tokens.quoted)
    quotation = np.full(len(begin), FAMILIES.index("quotation"), dtype=np.int8)
    return CueMatches(
        np.concatenate([start[own], begin]),
        np.concatenate([stop[own], close]),
        np.concatenate([families[own], quotation]),
    )


def _quoted_passages(quoted: NDArray[np.bool_]) -> tuple[Positions, Positions]:
    """Return where each quoted passage begins, and one past where it ends."""
    if not quoted.any():
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing
    edge = np.diff(np.concatenate(([False], quoted, [False])).astype(np.int8))
    return np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)


def count_families(matches: CueMatches, tokens: Tokens) -> NDArray[np.float64]:
    """Return how often each row has each family, at most ``MOST_COUNTED`` times; shape (rows, families)."""
    n, n_rows = len(FAMILIES), len(tokens.first) - 1
    row = tokens.row[matches.first]
    counts = np.bincount(row * n + matches.family, minlength=n_rows * n).reshape(n_rows, n)
    return np.minimum(counts, MOST_COUNTED).astype(np.float64)


def cue_features(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(1 + count) of every family, then 1 for every pair of families present; (rows, N_CUE_FEATURES)."""
    present = counts > 0
    first, second = np.array(FAMILY_PAIRS).T
    return np.hstack([np.log1p(counts), present[:, first] & present[:, second]])


def _any_number(tokens: Tokens) -> Hashes:
    """Return the hashes of the words, every number the same whatever its length."""
    number = hash_tokens(np.frombuffer(b"0", dtype=np.uint8), np.array([0, 1])).word[0]
    is_number = tokens.folded[tokens.start] == ord("0") if len(tokens.start) else np.empty(0, dtype=bool)
    return np.where(is_number, number, tokens.word)


def _window(word: Hashes, fixed: tuple[bool, ...], shorter: dict[tuple[bool, ...], Hashes]) -> Hashes:
    """Return the hash of every window of this shape, one for each place where it fits.

    A window is a shorter one and one word more; ``shorter`` keeps those, so that all shapes together cost little more
    than the longest.
    """
    if fixed in shorter:
        return shorter[fixed]
    n = len(fixed)
    if n == 1:
        h = word
    else:
        size = max(len(word) - n + 1, 0)
        h = _window(word, fixed[:-1], shorter)[:size] * _STEP
        h = mix(h + (word[n - 1 :] if fixed[-1] else _SKIPPED))
    shorter[fixed] = h
    return h


@cache
def _tables() -> tuple[_Table, ...]:
    """Compile the lexicon: one table for each shape of phrase."""
    entries = load_lexicon()
    by_shape: dict[tuple[bool, ...], list[tuple[int, Hashes]]] = {}
    phrases = [entry.phrase.replace(ANY_WORD, "anyword") for entry in entries]
    tokens = hash_tokens(*fold(*buffers(pa.array(phrases, pa.large_string()))))
    for k, entry in enumerate(entries):
        words = tokens.word[tokens.first[k] : tokens.first[k + 1]]
        fixed = tuple(part != ANY_WORD for part in entry.phrase.split())
        by_shape.setdefault(fixed, []).append((FAMILIES.index(entry.family), words))
    return tuple(_compile(fixed, found) for fixed, found in by_shape.items())


def _compile(fixed: tuple[bool, ...], found: list[tuple[int, Hashes]]) -> _Table:
    words = np.stack([w for _, w in found])
    h = _window(words.ravel(), fixed, {})[:: len(fixed)]
    h, unique = np.unique(h, return_index=True)
    maybe = np.zeros(1 << _MAYBE_BITS, dtype=bool)
    maybe[(h >> _MAYBE_SHIFT).astype(np.int64)] = True
    return _Table(fixed, h, maybe, np.array([family for family, _ in found], dtype=np.int8)[unique])
