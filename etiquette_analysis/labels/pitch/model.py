"""The model: weights of hashed features to an ordered level, scored with NumPy alone.

Three logistic questions (at least soft? at least moderate? hard?) share the features. Words and pairs of words are
weighted by how telling they are (inverse document frequency) and scaled to unit length, so that a long mail is not
louder than a short note; beside them stand the cue families of the lexicon, and which of them occur together. The
three chances, calibrated on authors the model had not seen, add up to an intensity between 0 and 3, in which the step
to moderate weighs most, since that is where a pitch begins. Divided by 3 it is the score; three cuts give the level.

``data/pitch/build_model.py`` makes the weights from the corpus; ``data/pitch/MODEL_CARD.md`` says how well they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.labels.pitch.features import BUCKET_BITS, N_BUCKETS, word_presence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.tokens import Tokens

    Floats = NDArray[np.float64]

#: What each chance adds to the intensity: chosen, among a few, on the authors left out.
STEPS: Final = np.array([0.5, 1.5, 1.0])
#: With at least so many unknown words, and no more than this share known, a text is in a language we do not know.
MIN_UNKNOWN_WORDS: Final = 4
MAX_KNOWN_SHARE: Final = 0.5


@dataclass(frozen=True)
class Model:
    """Weights and cuts.

    Attributes
    ----------
    weights : array of float64, (buckets, 4)
        Weight times telling power for the three questions, then the squared telling power.
    cue_weights : array of float64, (cue features, 3)
        Of the families of the lexicon and their pairs (``cues.cue_features``).
    intercept, slope, offset : array of float64, (3,)
        Of each question, and of its calibration.
    cuts : array of float64, (3,)
        Intensity at which soft, moderate and hard begin.
    known : array of bool
        Words seen in the corpus, by the place that ``word_presence`` gives.
    sensitivity, specificity : float
        Of "moderate or more", on authors of the corpus whom the model had not seen.
    """

    weights: Floats
    cue_weights: Floats
    intercept: Floats
    slope: Floats
    offset: Floats
    cuts: Floats
    known: NDArray[np.bool_]
    sensitivity: float
    specificity: float

    def log_odds(self, sums: Floats, cues: Floats) -> Floats:
        """Return the uncalibrated log odds of the three questions, from word sums and cue features."""
        length = np.sqrt(np.maximum(sums[:, 3:], 1e-12))
        # Not ``@``: for so small a product BLAS wakes threads that spin longer than they work.
        from_cues = np.einsum("ij,kj->ik", cues, np.ascontiguousarray(self.cue_weights.T))
        answer: Floats = sums[:, :3] / length + from_cues + self.intercept
        return answer

    def sums(self, key: NDArray[np.uint32], n_rows: int) -> Floats:
        """Return, per row, the sums of the four columns over its features, whose keys ascend."""
        first = np.searchsorted(key, np.arange(n_rows, dtype=np.uint32) << np.uint32(BUCKET_BITS))
        filled = np.diff(first, append=len(key)) > 0
        sums = np.zeros((n_rows, 4))
        if len(key):
            weights = self.weights.take(key & np.uint32(N_BUCKETS - 1), axis=0)
            sums[filled] = np.add.reduceat(weights, first[filled], axis=0)
        return sums

    def chances(self, log_odds: Floats) -> Floats:
        """Return the calibrated chances of at least soft, at least moderate, and hard."""
        calibrated: Floats = 1.0 / (1.0 + np.exp(-(self.slope * log_odds + self.offset)))
        return calibrated

    def levels(self, intensity: Floats) -> NDArray[np.int8]:
        """Return the level of each intensity."""
        return np.searchsorted(self.cuts, intensity, side="right").astype(np.int8)

    def known_share(self, tokens: Tokens, is_word: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.int64]]:
        """Return, per row, the share of its words that the corpus knows, and how many words it has."""
        n_rows = len(tokens.first) - 1
        row = tokens.row[is_word]
        n_words = np.bincount(row, minlength=n_rows)
        n_known = np.bincount(row[self.known[word_presence(tokens.word[is_word])]], minlength=n_rows)
        return n_known / np.maximum(n_words, 1), n_words


@cache
def load_model() -> Model:
    """Return the model that is shipped with the package."""
    source = resources.files("etiquette_analysis.labels.pitch").joinpath("model.npz")
    with source.open("rb") as file, np.load(file) as stored:
        weights = np.zeros((N_BUCKETS, 4))
        weights[stored["bucket"]] = stored["value"]
        return Model(
            weights=weights,
            cue_weights=stored["cue_weights"].astype(np.float64),
            intercept=stored["intercept"],
            slope=stored["slope"],
            offset=stored["offset"],
            cuts=stored["cuts"],
            known=np.unpackbits(stored["known"]).astype(bool),
            sensitivity=float(stored["sensitivity"]),
            specificity=float(stored["specificity"]),
        )
