"""Pseudonyms: other people's names never leave the machine with the results.

An identifier becomes a keyed BLAKE2b hash (see ``keys``). Without the key nobody can test a guess against a pseudonym.
Order tells as well: a table sorted by name and then pseudonymised still shows the order of the names, so whoever
writes one sorts it anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.privacy.dates import CoarseDates, coarsen
from etiquette_analysis.privacy.keys import require_key
from etiquette_analysis.privacy.redaction import redact
from etiquette_analysis.schema import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etiquette_analysis.schema import Dataset

PSEUDONYM_BYTES: Final = 8
Text = Literal["none", "redacted"]
_PEOPLE: Final = {
    "messages": ("sender", "recipient", "conversation_id"),
    "connections": ("person_a", "person_b", "invited_by"),
}


def pseudonym(identifier: str, *, key: bytes) -> str:
    """Return the pseudonym of one identifier: ``p-`` and 16 hexadecimal digits.

    >>> pseudonym("Ann", key=b"k" * 32) == pseudonym("Ann", key=b"k" * 32)
    True
    >>> pseudonym("Ann", key=b"k" * 32) == pseudonym("Ann", key=b"j" * 32)
    False
    """
    digest = hashlib.blake2b(identifier.encode(), key=require_key(key), digest_size=PSEUDONYM_BYTES)
    return f"p-{digest.hexdigest()}"


def pseudonymise_column(identifiers: pd.Series, *, key: bytes) -> pd.Series:
    """Return the pseudonym of every identifier; a null stays null, the index is kept."""
    names = {name: pseudonym(name, key=key) for name in map(str, identifiers.dropna().unique())}
    return identifiers.map(names).astype("str").where(identifiers.notna())


def pseudonymise(
    dataset: Dataset, *, key: bytes, text: Text = "none", coarse_dates: CoarseDates | None = None
) -> Dataset:
    """Return the dataset with pseudonyms for people and conversations, and without texts.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    key : bytes
        16 to 64 secret bytes; the same key gives the same pseudonyms.
    text : {"none", "redacted"}
        Leave the texts out, or keep them with names and contact details redacted. Redaction lowers the risk; it does
        not make a text anonymous (see :mod:`etiquette_analysis.privacy.redaction`).
    coarse_dates : {"day", "week"}, optional
        Blur instants; what that costs is said in :mod:`etiquette_analysis.privacy.dates`.

    Returns
    -------
    Dataset
        ``text`` is null throughout or redacted, ``position`` is left out; kinds and the audit stay.

    Raises
    ------
    DesignError
        Where the key is too short or too long, or an option is unknown.

    Examples
    --------
    >>> import etiquette_analysis as ea
    >>> shared = pseudonymise(ea.load_sample(), key=b"k" * 32)
    >>> shared.ego[:2], bool(shared.messages["text"].isna().all())
    ('p-', True)
    """
    if text not in ("none", "redacted"):
        msg = f"text={text!r}: expected 'none' or 'redacted'; to keep texts as they are, do not pseudonymise"
        raise DesignError(msg)
    tables = {
        "messages": dataset.messages.copy(),
        "connections": dataset.connections.drop(columns="position", errors="ignore").copy(),
    }
    for name, columns in _PEOPLE.items():
        table = tables[name]
        for column in columns:
            if column in table.columns:
                table[column] = pseudonymise_column(table[column], key=key)
    messages, connections = tables["messages"], tables["connections"]
    if text == "redacted":
        messages["text"] = redact(messages["text"], people=people_of(dataset))
    else:
        messages["text"] = pd.Series(pd.NA, index=messages.index, dtype="str")
    keep = [c for c in connections.columns if c in CONNECTIONS or c.startswith("x_")]
    ego = dataset.ego
    if isinstance(ego, str):
        ego = pseudonym(ego, key=key)
    elif ego is not None:
        ego = tuple(pseudonym(name, key=key) for name in ego)
    shared = replace(dataset, messages=messages, connections=connections[keep], ego=ego, evidence="")
    return shared if coarse_dates is None else coarsen(shared, coarse_dates)


def people_of(dataset: Dataset) -> Iterable[str]:
    """Return every identifier of a person in a dataset."""
    tables = (
        (dataset.messages, ("sender", "recipient")),
        (dataset.connections, ("person_a", "person_b", "invited_by")),
    )
    people = {str(name) for table, columns in tables for c in columns if c in table for name in table[c].dropna()}
    return people | ({dataset.ego} if isinstance(dataset.ego, str) else set(dataset.ego or ()))
