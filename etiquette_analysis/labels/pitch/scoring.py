"""Scoring a column of texts: fold, cut, hash, look up, add; batch by batch over the Arrow buffer.

A text has no level where it says nothing: empty, emoji or signs only, or in a language or script that the corpus does
not know. Then the score is null, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.pitch.cues import count_families, cue_features, match_cues
from etiquette_analysis.labels.pitch.features import MAX_ROWS, find_features, once
from etiquette_analysis.labels.pitch.model import MAX_KNOWN_SHARE, MIN_UNKNOWN_WORDS, STEPS, load_model
from etiquette_analysis.labels.pitch.tokens import (
    CHUNK_BYTES,
    FOREIGN,
    buffers,
    fold,
    hash_tokens,
    normalise,
    slow_rows,
)
from etiquette_analysis.schema import PITCH_LEVEL_DTYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etiquette_analysis.labels.pitch.model import Model
    from etiquette_analysis.labels.pitch.tokens import Positions, Tokens

#: Why a text has no level.
NO_WORDS: Final = "no words"
UNKNOWN_LANGUAGE: Final = "unknown language"


def score_batch(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int8]]:
    """Score the texts of a batch.

    Parameters
    ----------
    texts : pyarrow string array
        Null where there is no text.

    Returns
    -------
    score : pyarrow double array
        In [0, 1]; null where the labeller abstains.
    level : array of int8
        Position in ``none, soft, moderate, hard``; -1 where it abstains.
    """
    model = load_model()
    array = plain_rows(texts)
    data, offsets = buffers(array)
    n = len(array)
    intensity = np.empty(n)
    silent = np.empty(n, dtype=bool)
    begin = 0
    while begin < n:
        end = int(np.searchsorted(offsets, offsets[begin] + CHUNK_BYTES, side="right")) - 1
        end = min(max(end, begin + 1), begin + MAX_ROWS, n)
        rows = slice(begin, end)
        folded = fold(data[offsets[begin] : offsets[end]], offsets[begin : end + 1] - offsets[begin])
        intensity[rows], silent[rows] = _score(model, hash_tokens(*folded))
        begin = end
    level = np.where(silent, np.int8(-1), model.levels(intensity))
    return pa.array(intensity / 3.0, mask=silent), level


def plain_rows(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the texts as one array, trimmed, rows that need it normalised to plain letters."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    array = array.cast(pa.large_string())
    if array.null_count:
        array = array.fill_null("")
    array = pc.utf8_trim_whitespace(array)
    rows = slow_rows(*buffers(array))
    if not len(rows):
        return array
    replaced = array.to_pylist()
    for row, text in zip(rows, normalise([replaced[row] for row in rows]), strict=True):
        replaced[row] = text
    return pa.array(replaced, pa.large_string())


def _score(model: Model, tokens: Tokens) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if not len(tokens.word):
        nothing = np.zeros(len(tokens.first) - 1)
        return nothing, np.ones(len(nothing), dtype=bool)
    n_rows = len(tokens.first) - 1
    cues = cue_features(count_families(match_cues(tokens), tokens))
    sums = model.sums(once(find_features(tokens).key), n_rows)
    chances = model.chances(model.log_odds(sums, cues))
    no_words, unknown = why_silent(model, tokens)
    return np.einsum("ij,j->i", chances, STEPS), no_words | unknown


def why_silent(model: Model, tokens: Tokens) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows have no words at all, and which are in a language that the corpus does not know."""
    lead = tokens.folded[tokens.start] if len(tokens.start) else np.empty(0, dtype=np.uint8)
    is_word = (lead >= ord("a")) & (lead <= ord("z"))
    share, n_words = model.known_share(tokens, is_word)
    n_foreign = _count(tokens.row[lead == FOREIGN], len(n_words))
    n_numbers = _count(tokens.row[lead == ord("0")], len(n_words))
    no_words = (n_words == 0) & (n_numbers == 0) & (n_foreign == 0)
    few_known = (n_words * (1 - share) >= MIN_UNKNOWN_WORDS - 0.5) & (share <= MAX_KNOWN_SHARE)
    unknown = few_known | (n_foreign > n_words)
    return no_words, unknown & ~no_words


def _count(rows: Positions, n_rows: int) -> NDArray[np.int64]:
    return np.bincount(rows, minlength=n_rows)


def label_pitch(texts: Sequence[str | None] | pd.Series) -> pd.DataFrame:
    """Label texts with their pitch intensity.

    Parameters
    ----------
    texts : sequence of str or null
        Any sequence; a Series keeps its index.

    Returns
    -------
    DataFrame
        ``pitch_score`` (float64 in [0, 1], orders texts by intensity) and ``pitch_level`` (ordered categorical
        none < soft < moderate < hard); both null where the labeller abstains: no text, no words, unknown language.

    Raises
    ------
    SchemaError
        Where an entry is neither text nor null, or the whole is one text or a table.

    Examples
    --------
    >>> label_pitch(["Congratulations on the new job!", "Book your demo here, 20% off until Friday", None])
       pitch_score pitch_level
    0        ...        none
    1        ...        hard
    2          NaN         NaN
    """
    if isinstance(texts, str | pd.DataFrame):  # letters and names of columns are no texts
        msg = f"texts is a {type(texts).__name__}; expected a list or a column of texts, e.g. [text] or table['text']"
        raise SchemaError(msg)
    series = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype=object)
    try:
        array = pa.array(series, pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = (
            f"texts holds something that is neither text nor null ({error}); convert it first, e.g. with .astype('str')"
        )
        raise SchemaError(msg) from error
    score, level = score_batch(array)
    return pd.DataFrame(
        {
            "pitch_score": score.to_numpy(zero_copy_only=False).astype("float64"),
            "pitch_level": pd.Categorical.from_codes(level, dtype=PITCH_LEVEL_DTYPE),
        },
        index=series.index,
    )
