"""What was known about a contact when the two connected, as recorded by the source.

Only these may be adjusted for, because nothing that happens later can have changed them. Where the source says
nothing the trait is null, never a guess. The job title is read once for its seniority and dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.pairing import DAY, NAT, NONE, microseconds
from etiquette_analysis.analysis.seniority import label_seniority

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.pairing import Ints, Pairs, Rows

    Bools = NDArray[np.bool_]


def tabulate_traits(
    messages: pd.DataFrame, connections: pd.DataFrame, pairs: Pairs, rows: Rows
) -> dict[str, pd.Series]:
    """Return the columns of traits of each dyad.

    ``invited_by_sender`` and ``has_note`` (who invited; was there a note), ``acceptance_days`` (how long the invitation
    waited), ``seniority``, ``language`` (of the connections table, else of the first message that has one), and every
    ``x_*``.
    """
    n = len(pairs)
    is_note = rows.kind == "invitation"
    is_readable = messages["has_text"].to_numpy(dtype=bool)[rows.row] | (rows.level >= 0)
    invited = _invited_by_sender(connections, pairs, rows, is_note)
    has_note = pd.Series(rows.first(is_note & is_readable, n) < NONE, dtype="boolean")
    has_note[~has_note.to_numpy(dtype=bool) & invited.isna().to_numpy()] = pd.NA
    language = listed_column(connections, pairs, "language", "str")
    if "language" in messages.columns:
        spoken = rows.first(messages["language"].notna().to_numpy()[rows.row], n)
        language = language.where(language.notna(), column_at(messages, "language", rows, spoken, "str"))
    x_names = [str(c) for c in connections.columns if str(c).startswith("x_")]
    return {
        "invited_by_sender": invited,
        "has_note": has_note,
        "acceptance_days": _acceptance_days(connections, pairs, rows, is_note),
        "seniority": label_seniority(listed_column(connections, pairs, "position", "str")),
        "language": language,
        **{name: listed_column(connections, pairs, name, "float64") for name in x_names},
    }


def listed_column(connections: pd.DataFrame, pairs: Pairs, name: str, dtype: str) -> pd.Series:
    """Return a column of the connections table per dyad; null for dyads that are not in it."""
    if name not in connections.columns:
        return pd.Series([None] * len(pairs), dtype=pd.api.types.pandas_dtype(dtype))
    values = connections[name].astype(pd.api.types.pandas_dtype(dtype)).reset_index(drop=True)
    return values.reindex(pd.Index(pairs.connection)).reset_index(drop=True)


def column_at(messages: pd.DataFrame, column: str, rows: Rows, where: Ints, dtype: str) -> pd.Series:
    """Return a message column at some positions; null where there is no such column or position."""
    if column not in messages.columns:
        return pd.Series([None] * len(where), dtype=pd.api.types.pandas_dtype(dtype))
    place = np.full(len(where), -1)
    place[where < NONE] = rows.row[where[where < NONE]]
    values = messages[column].astype(pd.api.types.pandas_dtype(dtype)).reset_index(drop=True)
    return values.reindex(pd.Index(place)).reset_index(drop=True)


def _invited_by_sender(connections: pd.DataFrame, pairs: Pairs, rows: Rows, is_note: Bools) -> pd.Series:
    """Return True where the sender invited, False where the contact did, null where nothing tells."""
    n = len(pairs)
    noted = rows.first(is_note & rows.own, n) < NONE, rows.first(is_note & ~rows.own, n) < NONE
    inviter = listed_column(connections, pairs, "invited_by", "str").astype(object).to_numpy()
    out = np.full(n, np.nan)
    for side, code, is_noted, other in ((1.0, pairs.sender, *noted), (0.0, pairs.contact, *noted[::-1])):
        out[is_noted & ~other] = side
        out[inviter == pairs.names.take(code).to_numpy(dtype=object)] = side
    return pd.Series(out).astype("boolean")


def _acceptance_days(connections: pd.DataFrame, pairs: Pairs, rows: Rows, is_note: Bools) -> pd.Series:
    """Return the days from invitation to connecting; NaN where either is unknown or they are out of order."""
    asked = rows.first(is_note, len(pairs))
    asked_at = np.full(len(pairs), NAT)
    asked_at[asked < NONE] = rows.sent[asked[asked < NONE]]
    if "invited_at" in connections.columns:
        told = np.append(microseconds(connections["invited_at"], "invited_at"), NAT)[pairs.connection]
        asked_at = np.where(told != NAT, told, asked_at)
    known = (asked_at != NAT) & (pairs.time_zero != NAT)
    waited = (np.where(known, pairs.time_zero, 0) - np.where(known, asked_at, 0)) / DAY
    # Only the day of connecting is known, so an invitation of the same day may seem up to one day late.
    return pd.Series(np.where(known & (waited > -1), np.maximum(waited, 0.0), np.nan))
