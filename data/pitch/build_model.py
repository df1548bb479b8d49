"""Train the pitch model from the corpus beside this file, and write it into the package (``make model``).

Uses scikit-learn's liblinear, which is deterministic; weights are rounded to 11 bits, so that the file is the same byte
for byte. Authors are left out in turn to calibrate the chances and to choose the cuts, and to report how well the
model does on authors and scenarios that it has not seen. The test part is never read here.

Run as ``python data/pitch/build_model.py [--check]``; ``--check`` fails where the file in the package differs.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from etiquette_analysis.labels.pitch.cues import count_families, cue_features, match_cues
from etiquette_analysis.labels.pitch.features import N_BUCKETS, find_features, word_presence
from etiquette_analysis.labels.pitch.model import STEPS
from etiquette_analysis.labels.pitch.scoring import plain_rows
from etiquette_analysis.labels.pitch.tokens import Tokens, buffers, fold, hash_tokens

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "etiquette_analysis" / "labels" / "pitch" / "model.npz"
KNOWN_BITS = 20
#: Groups of authors whose texts had no part in writing the lexicon: only they may calibrate a model that uses it.
LEXICON_BLIND = ("d",)
#: Scale of the cue features beside words of unit length, chosen likewise among 0.05, 0.1 and 0.3.
CUE_SCALE = 0.07
#: Inverse strength of the penalty: chosen on the authors left out, once, among 4, 16, 60 and 200.
PENALTY_C = 60.0

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]


def read_corpus(path: Path = HERE / "messages.jsonl") -> list[dict[str, Any]]:
    """Return the messages of the corpus."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def tokenise(texts: list[str]) -> Tokens:
    """Cut and hash texts exactly as the scorer does."""
    return hash_tokens(*fold(*buffers(plain_rows(pa.array(texts, pa.large_string())))))


def count_features(tokens: Tokens, *, longest: int = 2) -> sp.csr_matrix:
    """Return which features of up to ``longest`` words each row has; ``tokens`` may hold any number of rows."""
    features = find_features(tokens)
    row = tokens.row[features.first_token]
    value = (features.n_words <= longest).astype(float)
    shape = (len(tokens.first) - 1, N_BUCKETS)
    counts = sp.csr_matrix((value, (row, features.key & (N_BUCKETS - 1))), shape=shape)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    counts.data[:] = 1.0
    return counts


@dataclass(frozen=True)
class Inputs:
    """What the model sees of each row: its word features, and its cue features."""

    counts: sp.csr_matrix
    cues: Floats

    def __getitem__(self, rows: NDArray[np.bool_]) -> Inputs:
        """Return some of the rows."""
        return Inputs(self.counts[rows], self.cues[rows])


def find_inputs(tokens: Tokens) -> Inputs:
    """Return the inputs of all rows."""
    cues = cue_features(count_families(match_cues(tokens), tokens))
    return Inputs(count_features(tokens), cues)


class Trainer:
    """Inverse document frequency and three logistic questions, fitted to some rows."""

    def __init__(self, inputs: Inputs, level: Levels) -> None:
        counts = inputs.counts
        n, n_buckets = counts.shape
        self.df = np.bincount(counts.indices, minlength=n_buckets)
        self.idf = np.where(self.df >= 2, np.log((1 + n) / (1 + self.df)) + 1, 0.0)
        x = sp.hstack([self.scale(counts), sp.csr_matrix(CUE_SCALE * inputs.cues)]).tocsr()
        fits = [
            LogisticRegression(solver="liblinear", dual=True, C=PENALTY_C, tol=1e-4, max_iter=500, random_state=0).fit(
                x, level > j
            )
            for j in range(3)
        ]
        coef = np.stack([fit.coef_[0] for fit in fits], axis=1)
        self.coef, self.cue_weights = coef[:n_buckets], CUE_SCALE * coef[n_buckets:]
        self.intercept = np.array([fit.intercept_[0] for fit in fits])

    def scale(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        """Weight by telling power and bring every row to unit length."""
        length = np.sqrt(np.maximum(counts @ (self.idf**2), 1e-12))
        return (sp.diags(1 / length) @ counts @ sp.diags(self.idf)).tocsr()

    def raw(self, inputs: Inputs) -> Floats:
        """Return the three uncalibrated log odds."""
        words: Floats = np.asarray(self.scale(inputs.counts) @ self.coef)
        return words + inputs.cues @ self.cue_weights + self.intercept


def calibrate(raw: Floats, level: Levels) -> tuple[Floats, Floats]:
    """Fit slope and offset of each question to log odds of rows that the model had not seen (Platt)."""
    slope, offset = np.empty(3), np.empty(3)
    for j in range(3):
        y = (level > j).astype(float)

        def loss(theta: Floats, x: Floats = raw[:, j], y: Floats = y) -> float:
            z = theta[0] * x + theta[1]
            return float(np.logaddexp(0, z).sum() - (y * z).sum())

        slope[j], offset[j] = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return slope.round(4), offset.round(4)


def intensity(raw: Floats, slope: Floats, offset: Floats) -> Floats:
    """Return the intensity, 0 to 3."""
    answer: Floats = (1 / (1 + np.exp(-(slope * raw + offset)))) @ STEPS
    return answer


def choose_cuts(expected: Floats, level: Levels) -> Floats:
    """Choose the three cuts with the highest quadratic-weighted kappa, one after the other, twice round."""
    cuts = np.array([0.5, 1.5, 2.5])
    grid = np.round(np.arange(0.2, 2.85, 0.05), 2)
    for _ in range(2):
        for j in range(3):
            low, high = cuts[j - 1] if j else 0, cuts[j + 1] if j < 2 else 3
            tried = [c for c in grid if low < c < high]
            kappas = []
            for c in tried:
                trial = cuts.copy()
                trial[j] = c
                kappas.append(
                    cohen_kappa_score(level, np.searchsorted(trial, expected, side="right"), weights="quadratic")
                )
            cuts[j] = tried[int(np.argmax(kappas))]
    return cuts


def left_out(inputs: Inputs, level: Levels, groups: NDArray[np.str_]) -> Floats:
    """Return log odds of every row from a model that saw nobody of its group."""
    raw = np.empty((len(level), 3))
    for group in np.unique(groups):
        test = groups == group
        raw[test] = Trainer(inputs[~test], level[~test]).raw(inputs[test])
    return raw


def train() -> bytes:
    """Return the model file."""
    rows = [row for row in read_corpus() if row["part"] == "train" and row["level"] is not None]
    level = np.array([row["level"] for row in rows])
    tokens = tokenise([row["text"] for row in rows])
    inputs = find_inputs(tokens)
    groups = np.array([row["author"].split("-")[1] for row in rows])
    raw = left_out(inputs, level, groups)
    unseen = np.isin(groups, LEXICON_BLIND)
    slope, offset = calibrate(raw[unseen], level[unseen])
    expected = intensity(raw, slope, offset)
    cuts = choose_cuts(expected[unseen], level[unseen])
    found = np.searchsorted(cuts, expected, side="right")
    for name, part in (("all", np.ones(len(level), dtype=bool)), ("of them unseen by the lexicon's writer", unseen)):
        kappa = cohen_kappa_score(level[part], found[part], weights="quadratic")
        auc = roc_auc_score(level[part] >= 2, expected[part])
        sys.stderr.write(f"{part.sum():,} messages, authors left out ({name}): kappa {kappa:.3f}, AUC {auc:.3f}\n")
    is_pitch, is_found = level[unseen] >= 2, found[unseen] >= 2
    final = Trainer(inputs, level)
    bucket = np.flatnonzero(final.idf)
    value = np.column_stack([final.coef[bucket] * final.idf[bucket, None], final.idf[bucket] ** 2])
    known = np.zeros(1 << KNOWN_BITS, dtype=bool)
    lead = tokens.folded[tokens.start]
    known[word_presence(tokens.word[(lead >= ord("a")) & (lead <= ord("z"))])] = True
    return pack(
        bucket=bucket.astype(np.uint32),
        value=value.astype(np.float16),
        cue_weights=final.cue_weights.round(4),
        intercept=final.intercept.round(5),
        slope=slope,
        offset=offset,
        cuts=cuts,
        sensitivity=is_found[is_pitch].mean().round(3),
        specificity=(~is_found[~is_pitch]).mean().round(3),
        known=np.packbits(known),
    )


def pack(**arrays: NDArray[Any]) -> bytes:
    """Write arrays as ``npz`` without a clock in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue())
    return out.getvalue()


def main() -> int:
    """Write the model, or check that it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="fail where the file in the package differs")
    made = train()
    if parser.parse_args().check:
        same = TARGET.read_bytes() == made
        sys.stderr.write("model.npz is up to date\n" if same else "model.npz differs: run make model\n")
        return 0 if same else 1
    TARGET.write_bytes(made)
    sys.stderr.write(f"{TARGET.name}: {len(made):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
