"""Why a text got its level: the words that raised and lowered it, from the very weights that decided.

The model adds up weights of words, of pairs of neighbours and of cues. Each is shared among the words it stands on,
neighbouring words that pull the same way form a span, and the span is named by the cue family of the lexicon that it
overlaps (``wording`` where the model leans on words that no lexicon entry names).
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from etiquette_analysis.labels.pitch.cues import FAMILY_PAIRS, count_families, cue_features, match_cues
from etiquette_analysis.labels.pitch.features import find_features, once
from etiquette_analysis.labels.pitch.lexicon import FAMILIES
from etiquette_analysis.labels.pitch.model import STEPS, load_model
from etiquette_analysis.labels.pitch.scoring import NO_WORDS, UNKNOWN_LANGUAGE, plain_rows, why_silent
from etiquette_analysis.labels.pitch.tokens import buffers, fold, hash_tokens, normalise, slow_rows
from etiquette_analysis.schema import PITCH_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.cues import CueMatches
    from etiquette_analysis.labels.pitch.features import Features
    from etiquette_analysis.labels.pitch.model import Model
    from etiquette_analysis.labels.pitch.tokens import Positions, Tokens

#: A word belongs to a span where its weight is at least this share of the strongest word's.
MIN_SHARE: Final = 0.12
#: Family of a span that the model leans on and no entry of the lexicon names.
WORDING: Final = "wording"


@dataclass(frozen=True)
class Cue:
    """A span of the text that moved the level.

    Attributes
    ----------
    family : str
        Cue family of the codebook, or ``wording``.
    text : str
        The words as they stand in the message.
    start, end : int
        Where they stand, in characters.
    weight : float
        What they add to the log odds of a higher level (negative: they lower it).
    """

    family: str
    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Score, level and cues of one text; shows itself highlighted in Jupyter.

    Attributes
    ----------
    text : str
        The text itself.
    score : float or None
        In [0, 1]; None where the labeller abstains.
    level : str or None
        none, soft, moderate or hard; None where it abstains.
    cues : tuple of Cue
        In the order of the text.
    reason : str
        Why the labeller abstains (``no words``, ``unknown language``), else empty.
    """

    text: str
    score: float | None
    level: str | None
    cues: tuple[Cue, ...]
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what was found as plain values, without the text."""
        cues = [{"family": c.family, "start": c.start, "end": c.end, "weight": round(c.weight, 3)} for c in self.cues]
        score = None if self.score is None else round(self.score, 4)
        return {"level": self.level, "score": score, "reason": self.reason, "cues": cues}

    def __str__(self) -> str:
        """Return the level, and a line for every cue."""
        if self.level is None:
            return f"no level: {self.reason}"
        lines = [f"{self.level} (score {self.score:.2f})"]
        lines += [
            f"  {c.weight:+.2f}  {c.family:20} {c.text!r}" for c in sorted(self.cues, key=lambda c: -abs(c.weight))
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts, at = [], 0
        strongest = max((abs(c.weight) for c in self.cues), default=1.0)
        for c in self.cues:
            colour = "214, 96, 35" if c.weight > 0 else "44, 110, 160"
            shade = 0.15 + 0.5 * abs(c.weight) / strongest
            parts.append(html.escape(self.text[at : c.start]))
            parts.append(
                f'<mark style="background: rgba({colour}, {shade:.2f}); color: inherit" '
                f'title="{html.escape(c.family)} {c.weight:+.2f}">{html.escape(self.text[c.start : c.end])}</mark>'
            )
            at = c.end
        parts.append(html.escape(self.text[at:]))
        head = f"no level: {self.reason}" if self.level is None else f"{self.level}, score {self.score:.2f}"
        body = "".join(parts).replace("\n", "<br>")
        return f"<p><strong>{head}</strong></p><p>{body}</p><p><small>orange raises, blue lowers the level</small></p>"


def explain_pitch(text: str | None) -> Explanation:
    """Score one text and show which of its words raised and lowered the level.

    Parameters
    ----------
    text : str or None
        The message.

    Returns
    -------
    Explanation
        ``score``, ``level``, ``cues`` (family, text, start, end, weight); highlighted in Jupyter.

    Examples
    --------
    >>> found = explain_pitch("Hi Ann, book your demo here: 20% off until Friday")
    >>> found.level, max(found.cues, key=lambda cue: cue.weight).weight > 0
    ('hard', True)
    >>> explain_pitch("👍").reason
    'no words'
    """
    text = text or ""
    model = load_model()
    array = plain_rows(pa.array([text], pa.large_string()))
    tokens = hash_tokens(*fold(*buffers(array)))
    if not len(tokens.word):
        return Explanation(text, None, None, (), NO_WORDS)
    no_words, unknown = why_silent(model, tokens)
    if no_words[0] or unknown[0]:
        return Explanation(text, None, None, (), NO_WORDS if no_words[0] else UNKNOWN_LANGUAGE)
    features = find_features(tokens)
    matches = match_cues(tokens)
    counts = count_families(matches, tokens)
    sums = model.sums(once(features.key), 1)
    intensity = model.chances(model.log_odds(sums, cue_features(counts))) @ STEPS
    level = PITCH_LEVELS[int(model.levels(intensity)[0])]
    weight = _word_weights(model, tokens, features, sums) + _cue_weights(model, tokens, matches, counts)
    cues = _spans(text, tokens, weight, matches, _characters(text))
    return Explanation(text, float(intensity[0]) / 3.0, level, cues)


def _word_weights(model: Model, tokens: Tokens, features: Features, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each token adds to the log odds, averaged over the three questions."""
    bucket, first = np.unique(features.key, return_index=True)
    n_words, at = features.n_words[first], features.first_token[first]
    share = (STEPS * model.slope / STEPS.sum()) @ model.weights[bucket, :3].T
    share = share / np.sqrt(max(float(sums[0, 3]), 1e-12)) / n_words
    weight = np.zeros(len(tokens.word))
    np.add.at(weight, at, share)
    np.add.at(weight, at[n_words == 2] + 1, share[n_words == 2])
    return weight


def _cue_weights(model: Model, tokens: Tokens, matches: CueMatches, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each token adds as part of cues: a family's weight, and half of each pair it stands in."""
    worth = cue_features(counts)[0] * (model.cue_weights @ (STEPS * model.slope / STEPS.sum()))
    family = worth[: len(FAMILIES)].copy()
    for (a, b), value in zip(FAMILY_PAIRS, worth[len(FAMILIES) :], strict=True):
        family[a] += value / 2
        family[b] += value / 2
    n_matches = np.bincount(matches.family, minlength=len(FAMILIES))
    weight = np.zeros(len(tokens.word))
    for first, end, f in zip(matches.first, matches.end, matches.family, strict=True):
        weight[first:end] += family[f] / n_matches[f] / (end - first)
    return weight


def _characters(text: str) -> Positions:
    """Return, for every folded byte, the character of ``text`` that it came from."""
    text = text.rstrip()
    slow = len(slow_rows(*buffers(pa.array([text], pa.large_string())))) > 0
    owner: list[int] = []
    for at, char in enumerate(text):
        if at < len(text) - len(text.lstrip()):
            continue
        plain = normalise([char])[0] if slow else char
        folded, _ = fold(*buffers(pa.array([plain], pa.large_string()))) if plain else (b"", None)
        owner.extend([at] * len(folded))
    return np.array(owner, dtype=np.int64)


def _spans(
    text: str, tokens: Tokens, weight: NDArray[np.float64], families: CueMatches, character: Positions
) -> tuple[Cue, ...]:
    """Join neighbouring words that pull the same way into cues."""
    strong = np.abs(weight) >= MIN_SHARE * max(float(np.abs(weight).max()), 1e-9)
    cues = []
    at = 0
    while at < len(weight):
        end = at + 1
        if strong[at]:
            while end < len(weight) and strong[end] and (weight[end] > 0) == (weight[at] > 0):
                end += 1
            total = float(weight[at:end].sum())
            start = int(character[tokens.start[at]])
            stop = int(character[tokens.end[end - 1] - 1]) + 1
            cues.append(Cue(families.name(at, end, raises=total > 0) or WORDING, text[start:stop], start, stop, total))
        at = end
    return tuple(cues)
