"""Turning text into numbers, a batch at a time, before anything is sorted.

Text must not travel through a sort, so each batch gives it up where it is read: its score, its level and whether it is
an automatic answer go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from etiquette_analysis.schema import KINDS, TURN_KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Texts of a batch (Arrow strings) -> score (null where unknown) and position of the level (-1 where unknown).
Score = Callable[[Any], tuple[Any, Any]]
#: Texts of a batch -> true where the text is an automatic answer.
Flag = Callable[[Any], Any]

_AUTO_REPLY: Final = KINDS.index("auto_reply")


def score_batch(batch: Any, score: Score | None, flag: Flag | None) -> tuple[Any, int]:
    """Replace the column ``text`` of a batch by what it says.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        With ``text``, ``kind`` (int8, positions in ``KINDS``), ``pitch_score`` and ``pitch_level``.
    score, flag : callable or None
        What gives scores and levels, and what recognises automatic answers; None leaves the columns as they are. Kinds
        that never enter a turn are neither scored nor flagged.

    Returns
    -------
    batch : pyarrow.RecordBatch
        Without ``text``.
    n_flagged : int
        How many messages turned out to be automatic answers.

    Examples
    --------
    >>> batch = pa.record_batch({"text": ["buy", None], "kind": pa.array([0, 0], pa.int8())})
    >>> scored, n_flagged = score_batch(batch, None, lambda texts: [True, False])
    >>> KINDS[scored.column("kind")[0].as_py()], n_flagged, scored.schema.names
    ('auto_reply', 1, ['kind'])
    """
    texts = batch.column("text")
    columns = {name: batch.column(name) for name in batch.schema.names if name != "text"}
    kind = columns["kind"].to_numpy(zero_copy_only=False).copy()
    enters_turns = (kind >= 0) & (kind < len(TURN_KINDS))
    n_flagged = 0
    if score is not None:
        columns["pitch_score"], columns["pitch_level"] = _scored(texts, enters_turns, score)
    if flag is not None:
        automatic = np.asarray(flag(texts)) & enters_turns
        kind[automatic] = _AUTO_REPLY
        columns["kind"] = pa.array(kind)
        n_flagged = int(automatic.sum())
    return pa.record_batch(columns), n_flagged


def _scored(texts: Any, wanted: NDArray[np.bool_], score: Score) -> tuple[Any, Any]:
    """Score some of the texts; the others stay unknown."""
    scores, levels = np.full(len(texts), np.nan), np.full(len(texts), -1, dtype=np.int8)
    rows = np.flatnonzero(wanted)
    if len(rows):
        found, found_levels = score(texts if len(rows) == len(texts) else texts.take(pa.array(rows)))
        scores[rows] = pa.array(found, pa.float64(), from_pandas=True).fill_null(np.nan).to_numpy()
        levels[rows] = np.asarray(found_levels)
    return pa.array(scores, from_pandas=True), pa.array(levels)
