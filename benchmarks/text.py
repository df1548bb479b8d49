"""How fast texts are scored, as ratios in one run: ``make bench-text``.

The same texts (the corpus in ``data/pitch``) go, in turn, through ``str.split`` (the named reference), our scorer, our
cues alone, scikit-learn's CountVectorizer, its HashingVectorizer with a linear model, VADER and TextBlob. Medians of
several rounds, one thread. The last result is kept beside this file in ``text.csv``.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import LogisticRegression
from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from etiquette_analysis.labels.pitch.cues import count_families, match_cues
from etiquette_analysis.labels.pitch.scoring import score_batch
from etiquette_analysis.labels.pitch.tokens import buffers, fold, hash_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
ROUNDS = 5
#: Slow ones see every tenth text, and their time is scaled.
SLOW = ("VADER", "TextBlob")
STEP = 10


def read_texts() -> tuple[list[str], list[int]]:
    """Return the texts of the corpus and their levels."""
    lines = (HERE.parent / "data" / "pitch" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [row["level"] for row in rows]


def contestants(texts: list[str], levels: list[int]) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name."""
    array = pa.array(texts, pa.large_string())
    vectorizer = HashingVectorizer(n_features=1 << 18)
    linear = LogisticRegression(max_iter=20).fit(vectorizer.transform(texts[::20]), np.array(levels[::20]) >= 2)
    data, offsets = buffers(array)
    tokens = hash_tokens(*fold(data, offsets))
    vader = SentimentIntensityAnalyzer()
    return {
        "str.split": lambda: [text.split() for text in texts],
        "score and level": lambda: score_batch(array),
        "cues of tokens already cut": lambda: count_families(match_cues(tokens), tokens),
        "CountVectorizer": lambda: CountVectorizer().fit_transform(texts),
        "HashingVectorizer and a linear model": lambda: linear.decision_function(vectorizer.transform(texts)),
        "VADER": lambda: [vader.polarity_scores(text) for text in texts[::STEP]],
        "TextBlob": lambda: [TextBlob(text).sentiment for text in texts[::STEP]],
    }


def main() -> None:
    """Time, print and keep the table."""
    texts, levels = read_texts()
    timed = contestants(texts, levels)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            seconds[name].append((time.perf_counter() - began) * (STEP if name in SLOW else 1))
    split = statistics.median(seconds["str.split"])
    table = pd.DataFrame(
        {
            "work": name,
            "microseconds_a_text": round(1e6 * statistics.median(times) / len(texts), 2),
            "ratio_to_split": round(statistics.median(times) / split, 2),
        }
        for name, times in seconds.items()
    )
    table.to_csv(HERE / "text.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
