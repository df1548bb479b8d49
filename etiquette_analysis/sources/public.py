"""Public research data that bear on the claim: found by the names of their files, read into plain tables.

None of it may be handed on with this package, so the reader fetches it; what is absent is None, not an error. These
are no exports: they have no owner, no connections and mostly no times, so they become tables of their own instead of a
``Dataset``. Archives of mailing lists are ordinary mail and are read by :func:`read_mbox`.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import Dataset
from etiquette_analysis.sources.mbox import read_mbox

#: Names under which the requests for pizza go: the half that the paper's regression rests on, as published for a
#: competition or as CSV, else all of them.
PIZZA_FILES: Final = ("train.json", "raop_dev_4040.csv.gz", "pizza_request_dataset.json")
#: The dialogues and who gave what: the authors' sheets saved as CSV, and the same under speaking names.
DIALOGUE_FILES: Final = (
    ("300_dialog.csv", "300_info.csv"),
    ("p4g_annotated_300.csv.gz", "p4g_annotated_300_outcomes.csv"),
)
LIST_SUFFIXES: Final = (".mbox", ".mbox.gz")

_PIZZA: Final = {
    "request_title": "title",
    "request_text_edit_aware": "text",
    "unix_timestamp_of_request_utc": "sent_at",
    "requester_upvotes_minus_downvotes_at_request": "karma",
    "requester_number_of_posts_on_raop_at_request": "n_posts_before",
    "requester_received_pizza": "answered",
}
#: The authors' names of columns are those of their form; ours speak.
_ACTS: Final = {
    "B2": "dialogue_id",
    "B4": "role",
    "Turn": "turn",
    "Unit": "text",
    "er_label_1": "persuader_label",
    "er_label_2": "persuader_label2",
    "ee_label_1": "persuadee_label",
}
_GIFTS: Final = {"B2": "dialogue_id", "B3": "user_id", "B4": "role", "B6": "donation_usd"}
_ROLES: Final = {"0": "persuader", "1": "persuadee", "0.0": "persuader", "1.0": "persuadee"}


@dataclass(frozen=True)
class PublicFiles:
    """Where the public data lie; None or empty where they do not.

    Attributes
    ----------
    pizza : Path or None
        Requests for pizza.
    dialogues : (Path, Path) or None
        Labelled sentences, and the gifts.
    lists : dict of str to list of Path
        Archives by list; several periods of one list belong together.
    """

    pizza: Path | None
    dialogues: tuple[Path, Path] | None
    lists: Mapping[str, list[Path]]


def find_public(folder: str | os.PathLike[str] | None) -> PublicFiles:
    """Find the public data in a folder and the folders in it, by the names of their files.

    Raises
    ------
    SourceError
        Where the folder does not exist.

    Examples
    --------
    >>> find_public(None)
    PublicFiles(pizza=None, dialogues=None, lists={})
    """
    if folder is None:
        return PublicFiles(None, None, {})
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder; expected the folder that holds the public data")
    files = {path.name: path for path in sorted([*root.glob("*"), *root.glob("*/*")]) if path.is_file()}
    pizza = next((files[name] for name in PIZZA_FILES if name in files), None)
    pair = next((pair for pair in DIALOGUE_FILES if set(pair) <= set(files)), None)
    lists: dict[str, list[Path]] = {}
    for name, path in sorted(files.items()):
        if name.endswith(LIST_SUFFIXES):
            lists.setdefault(name.rpartition("_")[0] or name, []).append(path)
    return PublicFiles(pizza, None if pair is None else (files[pair[0]], files[pair[1]]), lists)


def read_pizza_requests(path: Path) -> pd.DataFrame:
    """Read the requests of the pizza forum.

    Returns
    -------
    DataFrame
        One row per request: ``sent_at`` (UTC), ``title``, ``text``, ``karma`` (votes up minus down at the request),
        ``n_posts_before`` (posts on this forum before it), ``answered`` (bool: pizza received).

    Raises
    ------
    SourceError
        Where the file is damaged or lacks a column.
    """
    table = _read(path, _PIZZA)
    return table.assign(
        sent_at=pd.to_datetime(table["sent_at"], unit="s", utc=True),
        answered=table["answered"].astype(bool),
        **{name: table[name].fillna("").astype("str") for name in ("title", "text")},
    )


def read_dialogues(files: tuple[Path, Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the dialogues in which one person asks another for a gift.

    Returns
    -------
    sentences : DataFrame
        ``dialogue_id``, ``role`` (persuader, persuadee), ``turn`` (int, from 0), ``text``, and the acts that the
        authors' coders gave each sentence: ``persuader_label``, ``persuader_label2``, ``persuadee_label``.
    gifts : DataFrame
        ``dialogue_id``, ``user_id``, ``role``, ``donation_usd`` (given in the end).

    Raises
    ------
    SourceError
        Where a file is damaged or lacks a column.
    """
    sentences, gifts = _read(files[0], _ACTS), _read(files[1], _GIFTS)
    for table in (sentences, gifts):
        table["role"] = table["role"].astype("str").replace(_ROLES)
    return sentences.assign(turn=sentences["turn"].astype("int64")), gifts


def read_lists(lists: Mapping[str, list[Path]]) -> dict[str, Dataset]:
    """Read the archives of each list; every list ends at its own last mail."""
    return {name: read_mbox(paths, include_lists=True) for name, paths in lists.items()}


def _read(path: Path, names: Mapping[str, str]) -> pd.DataFrame:
    """Read a CSV file or a JSON list, and give the columns of ``names`` our names; the rest is dropped."""
    try:
        if path.name.endswith(".json"):
            table = pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))
        else:
            table = pd.read_csv(path)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name}: cannot be read ({error}); fetch it again") from error
    table = table.rename(columns=dict(names))
    missing = [theirs for theirs, ours in names.items() if ours not in table.columns]
    if missing:
        has = ", ".join(map(str, table.columns[:8]))
        raise SourceError(f"{path.name}: has no column {missing[0]}; it has {has}; expected the file as published")
    return table[list(names.values())]
