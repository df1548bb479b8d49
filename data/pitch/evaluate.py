"""Measure the pitch model and write ``MODEL_CARD.md`` (``make model-card``).

Three readings, from the most to the least generous: authors left out in turn (the lexicon's writer had read some of
them, so they are split by that), and the held-out part, whose authors and scenarios are in no training row and which
nobody tuned on. Each beside a character and word TF-IDF with logistic regression, trained on the same rows. Research
data in ``../shared/data`` are used where present, as outside checks only. The fifty worst of the authors left out go to
standard output, to be read.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from build_model import (
    LEXICON_BLIND,
    Floats,
    Inputs,
    Levels,
    Trainer,
    calibrate,
    choose_cuts,
    count_features,
    find_inputs,
    intensity,
    left_out,
    read_corpus,
    tokenise,
)
from nltk.metrics.agreement import AnnotationTask
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, confusion_matrix, roc_auc_score

from etiquette_analysis.labels.pitch.lexicon import FAMILIES
from etiquette_analysis.labels.pitch.scoring import score_batch
from etiquette_analysis.labels.pitch.tokens import Tokens

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "data"
N_DRAWS = 500


def kappa(gold: Levels, found: Levels) -> float:
    """Return the quadratic-weighted kappa."""
    return float(cohen_kappa_score(gold, found, weights="quadratic", labels=[0, 1, 2, 3]))


def measure(gold: Levels, found: Levels, score: Floats) -> dict[str, str]:
    """Return kappa and AUC with 95 % bootstrap intervals, and accuracy."""
    rng = np.random.default_rng(0)
    kappas, aucs = [], []
    for _ in range(N_DRAWS):
        rows = rng.integers(0, len(gold), len(gold))
        kappas.append(kappa(gold[rows], found[rows]))
        if 0 < (gold[rows] >= 2).mean() < 1:
            aucs.append(roc_auc_score(gold[rows] >= 2, score[rows]))
    auc = roc_auc_score(gold >= 2, score) if 0 < (gold >= 2).mean() < 1 else float("nan")
    low, high = np.nanquantile(kappas, [0.025, 0.975])
    auc_low, auc_high = np.nanquantile(aucs, [0.025, 0.975]) if aucs else (float("nan"), float("nan"))
    return {
        "n": str(len(gold)),
        "kappa": f"{kappa(gold, found):.2f} ({low:.2f} to {high:.2f})",
        "AUC, moderate or more": f"{auc:.3f} ({auc_low:.3f} to {auc_high:.3f})",
        "exact": f"{(gold == found).mean():.2f}",
    }


class Baseline:
    """Character and word TF-IDF with multinomial logistic regression: what is on the shelf."""

    def __init__(self, texts: list[str], level: Levels) -> None:
        self.words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, strip_accents="unicode")
        self.chars = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, strip_accents="unicode"
        )
        x = hstack([self.words.fit_transform(texts), self.chars.fit_transform(texts)]).tocsr()
        self.fit = LogisticRegression(C=8, max_iter=200).fit(x, level)

    def chances(self, texts: list[str]) -> Floats:
        """Return the chance of each level; shape (texts, 4)."""
        x = hstack([self.words.transform(texts), self.chars.transform(texts)]).tocsr()
        answer: Floats = self.fit.predict_proba(x)
        return answer


def table(rows: list[dict[str, str]]) -> str:
    """Return a Markdown table."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *[[row[k] for k in head] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def breakdown(rows: list[dict[str, Any]], gold: Levels, found: Levels, score: Floats, key: str) -> str:
    """Return the measures by one property of the messages."""
    values = np.array([str(row[key]) for row in rows])
    parts = [v for v in sorted(set(values)) if (values == v).sum() >= 20]
    return table([{key: v, **measure(gold[values == v], found[values == v], score[values == v])} for v in parts])


def length_band(text: str) -> str:
    """Return the band of words that a text falls into."""
    n = len(text.split())
    return "1: under 12 words" if n < 12 else "2: 12 to 34" if n < 35 else "3: 35 to 79" if n < 80 else "4: 80 and more"


def shipped(texts: list[str]) -> tuple[Levels, Floats]:
    """Return levels and scores of the shipped model; an abstention counts as none."""
    score, level = score_batch(pa.array(texts, pa.large_string()))
    return np.maximum(level, 0).astype(np.int64), np.nan_to_num(score.to_numpy(zero_copy_only=False))


def damaged(text: str, how: str) -> str:
    """Return a text as a hurried, or differently encoded, writer would have sent it."""
    if how == "no accents":
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    if how == "NFD":
        return unicodedata.normalize("NFD", text)
    if how == "upper case":
        return text.upper()
    if how == "bold letters":
        return "".join(chr(0x1D5EE + ord(c) - 97) if "a" <= c <= "z" else c for c in text)
    if how == "double and no-break spaces":
        return text.replace(" ", " \u00a0")
    if how == "emoji glued to words":
        return " ".join(f"{w}🙂" if i % 9 == 4 else w for i, w in enumerate(text.split(" ")))
    rng = np.random.default_rng(len(text))
    words = text.split(" ")
    for i in range(len(words)):
        if len(words[i]) > 4 and rng.random() < 0.1:
            at = int(rng.integers(1, len(words[i]) - 2))
            words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
    return " ".join(words)


def agreement(rows: list[dict[str, Any]]) -> str:
    """Return the agreement of the codings, by nltk's coefficients."""
    out = []
    for a, b in (("writer", "coder_a"), ("writer", "coder_b"), ("coder_a", "coder_b")):
        both = [r for r in rows if r.get(a) is not None and r.get(b) is not None]
        if both:
            triples = [(name, r["id"], r[name]) for r in both for name in (a, b)]
            task = AnnotationTask(triples, distance=lambda x, y: float((x - y) ** 2))
            exact = np.mean([r[a] == r[b] for r in both])
            out.append(
                {
                    "codings": f"{a}, {b}",
                    "messages": f"{len(both):,}",
                    "alpha (interval)": f"{task.alpha():.3f}",
                    "weighted kappa": f"{kappa(np.array([r[a] for r in both]), np.array([r[b] for r in both])):.3f}",
                    "exact": f"{exact:.3f}",
                }
            )
    return table(out)


def outside_checks() -> str:
    """Return the checks on labels made by others, where the data are at hand."""
    out = []
    folder = SHARED / "text_labels"
    if (folder / "sms_spam_collection.csv.gz").is_file():
        with gzip.open(folder / "sms_spam_collection.csv.gz", "rt", encoding="utf-8") as lines:
            rows = list(csv.reader(lines))[1:]
        label, text = np.array([r[1] == "spam" for r in rows]), [r[2] for r in rows]
        _, score = shipped(text)
        out.append(
            {
                "data": "SMS spam against other SMS (UCI)",
                "n": f"{len(text):,}",
                "AUC": f"{roc_auc_score(label, score):.3f}",
            }
        )
    if (folder / "p4g_annotated_300.csv.gz").is_file():
        sentences = pd.read_csv(folder / "p4g_annotated_300.csv.gz")
        out += persuasion(sentences)
    return table(out) if out else "The research data are not at hand; see `../shared/data`.\n"


def persuasion(sentences: pd.DataFrame) -> list[dict[str, str]]:
    """Return AUCs of proposals and appeals against social acts of the persuaders in PersuasionForGood."""
    said = sentences[sentences["role"] == "persuader"].reset_index(drop=True)
    acts = said["persuader_label"].fillna("")
    asks = acts == "proposition-of-donation"
    appeals = acts.str.contains("appeal|foot-in-the-door|donation-information|self-modeling")
    social = acts.isin(["greeting", "personal-related-inquiry", "thank", "off-task", "closing", "acknowledgement"])
    _, score = shipped([str(t) for t in said["text"]])
    rows = []
    for name, mask in (("asks", asks), ("appeals", appeals)):
        part = mask | social
        if mask.any():
            auc = roc_auc_score(mask[part], score[part.to_numpy()])
            rows.append(
                {"data": f"PersuasionForGood: {name} against social acts", "n": f"{part.sum():,}", "AUC": f"{auc:.3f}"}
            )
    return rows


def ablate(tokens: Tokens, level: Levels, groups: NDArray[np.str_], unseen: NDArray[np.bool_]) -> str:
    """Return what the authors unseen by the lexicon's writer lose when one part of the model is taken away."""
    whole = find_inputs(tokens)
    plain = dataclasses.replace(tokens, quoted=np.zeros_like(tokens.quoted))
    n_families = len(FAMILIES)
    families_only = whole.cues.copy()
    families_only[:, n_families:] = 0
    variants = {
        "all parts": whole,
        "without stems": find_inputs(dataclasses.replace(tokens, stem=tokens.word)),
        "without pairs of words": Inputs(count_features(tokens, longest=1), whole.cues),
        "without quotation marks": find_inputs(plain),
        "without pairs of cue families": Inputs(whole.counts, families_only),
        "without cue families": Inputs(whole.counts, np.zeros_like(whole.cues)),
        "cue families alone": Inputs(whole.counts * 0, whole.cues),
    }
    rows = []
    for name, inputs in variants.items():
        raw = left_out(inputs, level, groups)
        score = intensity(raw, *calibrate(raw[unseen], level[unseen]))
        found = np.searchsorted(choose_cuts(score[unseen], level[unseen]), score, side="right")
        rows.append({"model": name, **measure(level[unseen], found[unseen], score[unseen])})
    return table(rows)


def main() -> int:
    """Write the card."""
    rows = [r for r in read_corpus() if r["level"] is not None]
    train = [r for r in rows if r["part"] == "train"]
    test = [r for r in rows if r["part"] == "test"]
    level = np.array([r["level"] for r in train])
    texts = [r["text"] for r in train]
    groups = np.array([r["author"].split("-")[1] for r in train])
    tokens = tokenise(texts)
    inputs = find_inputs(tokens)
    raw = left_out(inputs, level, groups)
    no_cues = Inputs(inputs.counts, np.zeros_like(inputs.cues))
    unseen = np.isin(groups, LEXICON_BLIND)
    slope, offset = calibrate(raw[unseen], level[unseen])
    ours = intensity(raw, slope, offset)
    found = np.searchsorted(choose_cuts(ours[unseen], level[unseen]), ours, side="right")
    plain_raw = left_out(no_cues, level, groups)
    plain = intensity(plain_raw, *calibrate(plain_raw[unseen], level[unseen]))
    plain_found = np.searchsorted(choose_cuts(plain[unseen], level[unseen]), plain, side="right")
    base = np.zeros((len(level), 4))
    for group in np.unique(groups):
        out = groups == group
        base[out] = Baseline([t for t, o in zip(texts, out, strict=True) if not o], level[~out]).chances(
            [t for t, o in zip(texts, out, strict=True) if o]
        )
    parts = {"all": np.ones(len(level), dtype=bool), "unseen by the lexicon's writer": unseen}
    left = [
        {"model": name, "authors": part, **measure(level[m], f[m], s[m])}
        for part, m in parts.items()
        for name, f, s in (
            ("ours", found, ours),
            ("ours without the cue families", plain_found, plain),
            ("TF-IDF baseline", base.argmax(axis=1), base[:, 2:].sum(axis=1)),
        )
    ]
    gold = np.array([r["level"] for r in test])
    test_texts = [r["text"] for r in test]
    test_found, test_score = shipped(test_texts)
    baseline = Baseline(texts, level).chances(test_texts)
    words_only = Trainer(no_cues, level)
    test_inputs = find_inputs(tokenise(test_texts))
    words_raw = words_only.raw(Inputs(test_inputs.counts, np.zeros_like(test_inputs.cues)))
    words = intensity(words_raw, *calibrate(plain_raw[unseen], level[unseen]))
    words_found = np.searchsorted(choose_cuts(plain[unseen], level[unseen]), words, side="right")
    held = [
        {"model": "ours", **measure(gold, test_found, test_score)},
        {"model": "ours without the cue families", **measure(gold, words_found, words)},
        {"model": "TF-IDF baseline", **measure(gold, baseline.argmax(axis=1), baseline[:, 2:].sum(axis=1))},
    ]
    for row in test:
        row["length"] = length_band(row["text"])
        row["case"] = "ordinary" if row["kind"] == "plain" else "hard"
    damage = []
    for how in (
        "no accents",
        "NFD",
        "upper case",
        "bold letters",
        "double and no-break spaces",
        "emoji glued to words",
        "typos in a tenth of the words",
    ):
        f, s = shipped([damaged(t, how) for t in test_texts])
        damage.append({"texts": how, **measure(gold, f, s), "same level": f"{(f == test_found).mean():.3f}"})
    matrix = confusion_matrix(gold, test_found, labels=[0, 1, 2, 3])
    names = ("none", "soft", "moderate", "hard")
    confusion = table(
        [{"true \\ found": n, **{m: str(matrix[i, j]) for j, m in enumerate(names)}} for i, n in enumerate(names)]
    )
    card = (
        (HERE / "card.md")
        .read_text(encoding="utf-8")
        .format(
            agreement=agreement(rows),
            left=table(left),
            held=table(held),
            ablation=ablate(tokens, level, groups, unseen),
            confusion=confusion,
            case=breakdown(test, gold, test_found, test_score, "case"),
            language=breakdown(test, gold, test_found, test_score, "language"),
            length=breakdown(test, gold, test_found, test_score, "length"),
            channel=breakdown(test, gold, test_found, test_score, "channel"),
            kind=breakdown(test, gold, test_found, test_score, "kind"),
            damage=table(damage),
            outside=outside_checks(),
            n_train=f"{len(train):,}",
            n_test=f"{len(test):,}",
        )
    )
    (HERE / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    far = np.abs(ours - level)
    for i in sorted(np.flatnonzero(unseen), key=lambda i: -far[i])[:50]:
        row = train[i]
        sys.stdout.write(f"{row['id']}\t{row['kind']}\t{level[i]}\t{found[i]}\t{row['text']!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
