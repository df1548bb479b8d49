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
_GOES_ON: Final = 1
_WHOLE: Final = 2
_MAYBE_SHIFT: Final = np.uint64(64 - _MAYBE_BITS)
#: What a window takes in place of a word that may be any.
_SKIPPED: Final = np.uint64(0x452821E638D01377)
_STEP: Final = np.uint64(0x2545F4914F6CDD1D)


@dataclass(frozen=True)
class _Shape:
    """The first words of phrases: which of them are fixed, their hashes, and the shapes one word longer.

    Attributes
    ----------
    maybe : array of uint8
        By the first bits of a hash: 0 for nothing (nearly always), else ``_WHOLE`` where a phrase may end here, plus
        ``_GOES_ON`` where one may go on.
    hashes : array of uint64
        Of whole phrases, ascending.
    family : array of int8
        Of each of them.
    longer : dict
        Whether the next word is fixed -> the shape that it makes.
    """

    maybe: NDArray[np.uint8]
    hashes: Hashes
    family: NDArray[np.int8]
    longer: dict[bool, _Shape]


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
    word = _any_number(tokens)
    # A hyphen joins words ("15-minute call") that the lexicon writes apart.
    token = np.flatnonzero(tokens.folded[tokens.start] != ord("-")) if len(word) else np.empty(0, dtype=np.int64)
    word, row = word[token], tokens.row[token]
    nothing = np.empty(0, dtype=np.int64)
    first, end, family = [nothing], [nothing], [nothing.astype(np.int8)]
    # From each shape to those one word longer, with the few places that are left.
    waiting = [(_lexicon_shapes(), np.arange(len(word)), word, 1)]
    while waiting:
        shape, at, h, n = waiting.pop()
        maybe = shape.maybe.take(h >> _MAYBE_SHIFT)
        whole = np.flatnonzero(maybe >= _WHOLE)
        if len(whole):
            place = np.minimum(np.searchsorted(shape.hashes, h[whole]), len(shape.hashes) - 1)
            found = shape.hashes[place] == h[whole]
            hit = at[whole[found]]
            first.append(token[hit])
            end.append(token[hit + n - 1] + 1)
            family.append(shape.family[place[found]])
        goes_on = np.flatnonzero(maybe & _GOES_ON)
        at, h = at[goes_on], h[goes_on]
        fits = np.flatnonzero((at + n < len(word)) & (row.take(at + n, mode="clip") == row[at]))
        at, h = at[fits], h[fits]
        waiting += [
            (s, at, _longer(h, word[at + n] if fixed else _SKIPPED), n + 1) for fixed, s in shape.longer.items()
        ]
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
    is_number = tokens.folded[tokens.start] == ord("0") if len(tokens.start) else np.empty(0, dtype=bool)
    return np.where(is_number, _number(), tokens.word)


@cache
def _number() -> np.uint64:
    return np.uint64(hash_tokens(np.frombuffer(b"0", dtype=np.uint8), np.array([0, 1])).word[0])


def _longer(h: Hashes, word: Hashes | np.uint64) -> Hashes:
    """Return the hashes of phrases one word longer."""
    return mix(h * _STEP + word)


@cache
def _lexicon_shapes() -> _Shape:
    """Compile the lexicon: the shape of one fixed word, which leads to all the others."""
    entries = load_lexicon()
    phrases = [entry.phrase.replace(ANY_WORD, "anyword") for entry in entries]
    tokens = hash_tokens(*fold(*buffers(pa.array(phrases, pa.large_string()))))
    known: dict[tuple[bool, ...], dict[int, int]] = {}
    begun: dict[tuple[bool, ...], set[int]] = {}
    for k, entry in enumerate(entries):
        fixed = tuple(part != ANY_WORD for part in entry.phrase.split())
        h = tokens.word[tokens.first[k] : tokens.first[k] + 1]
        for n in range(1, len(fixed) + 1):
            if n > 1:
                h = _longer(h, tokens.word[tokens.first[k] + n - 1] if fixed[n - 1] else _SKIPPED)
            if n < len(fixed):
                begun.setdefault(fixed[:n], set()).add(int(h[0]))
            else:
                known.setdefault(fixed, {}).setdefault(int(h[0]), FAMILIES.index(entry.family))
    return _shape((True,), known, begun)


def _shape(
    fixed: tuple[bool, ...], known: dict[tuple[bool, ...], dict[int, int]], begun: dict[tuple[bool, ...], set[int]]
) -> _Shape:
    phrases = sorted(known.get(fixed, {}).items())
    hashes = np.array([h for h, _ in phrases], dtype=np.uint64)
    beginnings = np.array(sorted(begun.get(fixed, ())), dtype=np.uint64)
    maybe = np.zeros(1 << _MAYBE_BITS, dtype=np.uint8)
    maybe[(hashes >> _MAYBE_SHIFT).astype(np.int64)] = _WHOLE
    maybe[(beginnings >> _MAYBE_SHIFT).astype(np.int64)] |= _GOES_ON
    shapes = known.keys() | begun.keys()
    longer = {more: _shape((*fixed, more), known, begun) for more in (True, False) if (*fixed, more) in shapes}
    return _Shape(maybe, hashes, np.array([f for _, f in phrases], dtype=np.int8), longer)
