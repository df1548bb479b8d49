"""Pseudonyms: other people's names never leave the machine with the results.

An identifier becomes a keyed BLAKE2b hash. Without the key nobody can test a guess against a pseudonym; the key
stays in a file that only its owner can read, outside every output, so that the same person keeps the
same pseudonym from run to run and can be looked up again on this machine only.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etiquette_analysis.schema import Dataset

KEY_BYTES: Final = 32
PSEUDONYM_BYTES: Final = 8


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
    names = {name: pseudonym(name, key=key) for name in _distinct(identifiers)}
    return identifiers.map(names).astype("str").where(identifiers.notna())


def _distinct(identifiers: pd.Series) -> Iterable[str]:
    return map(str, identifiers.dropna().unique())


def require_key(key: bytes) -> bytes:
    """Return ``key``; ``DesignError`` where it is too short to keep a secret or too long for BLAKE2b."""
    if not 16 <= len(key) <= 64:
        msg = f"the pseudonym key has {len(key)} bytes; expected 16 to 64, e.g. secrets.token_bytes(32)"
        raise DesignError(msg)
    return key


def key_path() -> Path:
    """Return where this user's key is kept: below ``$XDG_DATA_HOME``, or ``~/.local/share``."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(base) / "etiquette_analysis" / "pseudonym.key"


def load_key(path: Path | None = None) -> bytes:
    """Return the key in ``path``, made at the first call with rights for its owner alone.

    Raises
    ------
    DesignError
        Where the file cannot be read or made.
    """
    where = path or key_path()
    try:
        if not where.exists():
            where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
        return require_key(where.read_bytes())
    except OSError as error:
        msg = f"{where}: the pseudonym key cannot be read or made ({error.strerror}); set XDG_DATA_HOME to your folder"
        raise DesignError(msg) from error


def pseudonymise(dataset: Dataset, *, key: bytes) -> Dataset:
    """Return the dataset with pseudonyms for people and conversations, and without texts.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    key : bytes
        16 to 64 secret bytes; the same key gives the same pseudonyms.

    Returns
    -------
    Dataset
        ``text`` is null throughout, ``position`` is left out; times, kinds and the audit stay.

    Raises
    ------
    DesignError
        Where the key is too short or too long.
    """
    messages = dataset.messages.copy()
    connections = dataset.connections.drop(columns="position", errors="ignore").copy()
    for table, columns in (
        (messages, ("sender", "recipient", "conversation_id")),
        (connections, ("person_a", "person_b", "invited_by")),
    ):
        for column in columns:
            if column in table.columns:
                table[column] = pseudonymise_column(table[column], key=key)
    messages["text"] = pd.Series(pd.NA, index=messages.index, dtype="str")
    ego = dataset.ego
    if isinstance(ego, str):
        ego = pseudonym(ego, key=key)
    elif ego is not None:
        ego = tuple(pseudonym(name, key=key) for name in ego)
    keep = [c for c in connections.columns if c in CONNECTIONS or c.startswith("x_")]
    return replace(dataset, messages=messages, connections=connections[keep], ego=ego, evidence="")
