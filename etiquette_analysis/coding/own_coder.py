"""Your own coder in place of our labeller: any callable from texts to levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import PITCH_LEVELS, require_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def apply_coder(
    messages: pd.DataFrame, coder: Callable[[list[str]], Iterable[Any]], *, batch_size: int = 256
) -> pd.Series:
    """Let your own coder read every message that has text, and return its levels by message id.

    Parameters
    ----------
    messages : DataFrame
        With ``message_id`` and ``text``.
    coder : callable
        Takes a list of texts, returns as many levels: ``none``, ``soft``, ``moderate``, ``hard`` or null.
    batch_size : int
        Texts handed over at a time.

    Returns
    -------
    Series
        For ``levels=`` of ``label_turns``, ``build_dyads`` and ``write_report``; null where there is no text.

    Raises
    ------
    SchemaError
        Where the coder returns something else.

    Examples
    --------
    >>> messages = pd.DataFrame({"message_id": [7, 8], "text": ["Buy now", None]})
    >>> apply_coder(messages, lambda texts: ["hard" for _ in texts]).to_dict()
    {7: 'hard', 8: nan}

    A table of texts coded elsewhere is such a callable, too.

    >>> table = pd.Series({"Buy now": "hard"})
    >>> apply_coder(messages, table.reindex).to_dict()
    {7: 'hard', 8: nan}
    """
    require_columns(messages, ("message_id", "text"), table_name="messages")
    readable = messages[messages["text"].notna()]
    levels: list[str | None] = []
    for start in range(0, len(readable), batch_size):
        texts = [str(text) for text in readable["text"].iloc[start : start + batch_size]]
        given = [None if pd.isna(level) else level for level in coder(texts)]
        strange = [level for level in given if level is not None and level not in PITCH_LEVELS]
        if len(given) != len(texts) or strange:
            what = f"level {strange[0]!r}" if strange else f"{len(given)} levels for {len(texts)} texts"
            msg = f"the coder returned {what}; expected one of {', '.join(PITCH_LEVELS)} or None for each text"
            raise SchemaError(msg)
        levels += given
    found = pd.Series(levels, index=readable["message_id"].to_numpy(), dtype="str", name="level")
    return found.reindex(messages["message_id"].to_numpy())
