"""The folder that ``etiquette pseudonymise`` writes, read again by whoever receives it.

People are pseudonyms there, and the labels that need a text (intensity, automatic answers) were made before the texts
were taken away; they come along as columns of the messages, and the labelling takes them as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import (
    AUDIT,
    CONNECTIONS,
    INSTANT,
    KEPT,
    MESSAGES,
    PITCH_LEVEL_DTYPE,
    Dataset,
    check_connections,
    check_messages,
)
from etiquette_analysis.sources.archive import Member, list_members

#: What such a folder says about itself; its presence is the mark of the format.
ABOUT: Final = "etiquette.json"
FORMAT: Final = "etiquette pseudonymise, 1"
FILES: Final = (ABOUT, "README.md", "audit.csv", "connections.csv", "messages.csv")
#: Labels that were made from the texts, and whether there was one.
SCORED: Final = {"has_text": "bool", "pitch_score": "float64", "pitch_level": PITCH_LEVEL_DTYPE}


def looks_like_shareable(members: Sequence[Member]) -> bool:
    """Tell whether these files are what ``etiquette pseudonymise`` wrote."""
    return {ABOUT, "messages.csv", "connections.csv"} <= {member.base_name for member in members}


def read_shareable(path: str | os.PathLike[str]) -> Dataset:
    """Read a folder (or a zip of it) that ``etiquette pseudonymise`` wrote.

    Parameters
    ----------
    path : path
        The folder or the zip.

    Returns
    -------
    Dataset
        ``messages`` has the columns ``has_text``, ``pitch_score`` and ``pitch_level`` besides those of the schema.
        ``audit`` holds the counts that are not hidden for being small, and those of reading the folder.

    Raises
    ------
    SourceError
        Where a file is missing or was changed into something else.
    """
    members = {member.base_name: member for member in list_members(path)}
    try:
        with members[ABOUT].open() as file:
            about = json.load(file)
        if about["format"] != FORMAT:
            msg = f"{ABOUT}: format {about['format']!r}, expected {FORMAT!r}; it was written by another version"
            raise SourceError(msg)
        with members["messages.csv"].open() as file:
            messages = _table(file, MESSAGES | SCORED)
        with members["connections.csv"].open() as file:
            connections = _table(file, CONNECTIONS)
        audit = pd.DataFrame(
            [
                (name, reason, len(t), None)
                for name, t in (("messages", messages), ("connections", connections))
                for reason in ("read", KEPT)
            ],
            columns=list(AUDIT),
        ).astype(AUDIT)
        check_messages(messages)
        check_connections(connections)
        ego = about["ego"]
        return Dataset(
            messages,
            connections,
            audit,
            observed_until=pd.Timestamp(about["observed_until"]),
            ego=tuple(ego) if isinstance(ego, list) else ego,
            source=str(about["source"]),
            has_connection_dates=bool(about["has_connection_dates"]),
            evidence="told by the folder",
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{Path(path).name}: not as `etiquette pseudonymise` wrote it ({error}); ask for the folder again"
        raise SourceError(msg) from error


def _table(file: IO[bytes], dtypes: dict[str, Any]) -> pd.DataFrame:
    """Read a CSV with the dtypes of the schema, ``x_*`` as numbers; an empty cell is null."""
    raw = pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""])
    table = pd.DataFrame(index=raw.index)
    for name in raw.columns:
        dtype = dtypes.get(name, "float64")
        if dtype == INSTANT:
            table[name] = pd.to_datetime(raw[name], utc=True, format="ISO8601").astype(INSTANT)
        elif dtype == "bool":
            table[name] = raw[name].map({"True": True, "False": False}).astype("bool")
        else:
            table[name] = raw[name].astype(dtype)
    return table
