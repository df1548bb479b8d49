"""Finding the lexicon's cues in a batch: phrases of up to five words, matched by their hashes.

Entries are compiled once into one sorted table of hashes, inflections and accents resolved beforehand, so that the
text is not touched again: a window of words is one arithmetic step over the whole batch and one look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from etiquette_analysis.labels.pitch.lexicon import FAMILIES, RAISING, load_lexicon
from etiquette_analysis.labels.pitch.tokens import buffers, fold, hash_tokens, mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.tokens import Hashes, Positions, Tokens

#: Stands for exactly one word, whichever it is.
ANY_WORD: Final = "_"
_STEP: Final = np.uint64(0x2545F4914F6CDD1D)


@dataclass(frozen=True)
class _Table:
    """Hashes of the phrases of one shape: which of its words are fixed, and the family of each phrase."""

    fixed: tuple[bool, ...]
    hashes: Hashes
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
    """Return every cue of the lexicon in the tokens of a batch; a match inside a longer one is kept too."""
    first, end, family = [], [], []
    word = _any_number(tokens)
    for table in _tables():
        n = len(table.fixed)
        at = np.arange(max(len(tokens.word) - n + 1, 0))
        at = at[tokens.row[at] == tokens.row[at + n - 1]]
        h = _window(word, at, table.fixed)
        place = np.minimum(np.searchsorted(table.hashes, h), len(table.hashes) - 1)
        found = table.hashes[place] == h
        first.append(at[found])
        end.append(at[found] + n)
        family.append(table.family[place[found]])
    if not first:
        nothing = np.empty(0, dtype=np.int64)
        return CueMatches(nothing, nothing, nothing.astype(np.int8))
    return CueMatches(np.concatenate(first), np.concatenate(end), np.concatenate(family))


def _any_number(tokens: Tokens) -> Hashes:
    """Return the hashes of the words, every number the same whatever its length."""
    number = hash_tokens(np.frombuffer(b"0", dtype=np.uint8), np.array([0, 1])).word[0]
    is_number = tokens.folded[tokens.start] == ord("0") if len(tokens.start) else np.empty(0, dtype=bool)
    return np.where(is_number, number, tokens.word)


def _window(word: Hashes, at: Positions, fixed: tuple[bool, ...]) -> Hashes:
    h = np.full(len(at), len(fixed), dtype=np.uint64)
    for offset, is_fixed in enumerate(fixed):
        if is_fixed:
            h = mix(h * _STEP + word[at + offset])
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
    h = _window(words.ravel(), np.arange(len(words)) * len(fixed), fixed)
    h, unique = np.unique(h, return_index=True)
    return _Table(fixed, h, np.array([family for family, _ in found], dtype=np.int8)[unique])
