"""Names in what is written: pseudonyms under the key of this machine, unless somebody asks for identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis import privacy

if TYPE_CHECKING:
    from collections.abc import Callable

#: So many identifiers are Python strings at a time.
_PIECE: Final = 1 << 16


def pseudonymous(labels: pd.DataFrame, key: bytes) -> pd.DataFrame:
    """Return labelled turns or messages with pseudonyms, sorted by them: the order of the names would give them away.

    ``dyad`` is put together anew from the pseudonyms of its two people.
    """
    sides = {side: privacy.pseudonymise_column(labels[side], key=key) for side in ("sender", "recipient")}
    both = pd.DataFrame(sides)
    dyad = (both.min(axis=1) + "\t" + both.max(axis=1)).where(labels["dyad"].notna())
    order = ["dyad", "started_at", "first_message_id"] if "started_at" in labels else ["dyad", "sent_at", "message_id"]
    return labels.assign(**sides, dyad=dyad).sort_values(order, na_position="first", ignore_index=True)


def index_renamer(key: bytes) -> Callable[[pd.Index], pd.Index]:
    """Return what gives the people of a table (distinct, none null) their pseudonyms."""

    def rename(names: pd.Index) -> pd.Index:
        return pd.Index([privacy.pseudonym(name, key=key) for name in names], dtype="str")

    return rename


def renamer(key: bytes) -> Callable[[Any], Any]:
    """Return what gives the people of files of any size (an Arrow array) the same pseudonyms."""

    def rename(names: Any) -> Any:
        import pyarrow as pa

        pieces = (names.slice(begin, _PIECE).to_pylist() for begin in range(0, len(names), _PIECE))
        found = [pa.array([privacy.pseudonym(name, key=key) for name in piece], pa.large_string()) for piece in pieces]
        return pa.chunked_array(found, pa.large_string()).combine_chunks()

    return rename
