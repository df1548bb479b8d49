"""Writing a ConvoKit corpus: the five files, as ConvoKit's own ``dump`` lays them out.

An utterance replies to the one before it in its conversation. What the format has no place for stands in ``meta``,
where other programs leave it alone. Names and texts are written as the dataset holds them: pseudonymise it first
where the corpus is to be shared.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import Dataset, check_messages

#: Key under which a corpus carries what only this package knows.
OWN: Final = "etiquette_analysis"
FILES: Final = ("utterances.jsonl", "speakers.json", "conversations.json", "corpus.json", "index.json")


def write_convokit(dataset: Dataset, folder: str | os.PathLike[str]) -> Path:
    """Write a dataset as a ConvoKit corpus, and return its folder.

    Parameters
    ----------
    dataset : Dataset
        Messages and connections; a message without text has ``text`` null, and the audit is not written.
    folder : path
        A new or empty folder; one that holds a corpus already is not written over.

    Raises
    ------
    SourceError
        Where the folder holds a corpus already, is a file, or cannot be written; then nothing is.

    Examples
    --------
    >>> import tempfile
    >>> from etiquette_analysis.sources import read_convokit, read_table
    >>> table = pd.DataFrame({"sender": ["ada"], "recipient": ["ben"], "sent_at": ["2024-03-01T09:00:00Z"]})
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = write_convokit(read_table(table), Path(parent, "corpus"))
    ...     print(*sorted(file.name for file in folder.iterdir()))
    ...     read_convokit(folder).messages["recipient"].tolist()
    conversations.json corpus.json index.json speakers.json utterances.jsonl
    ['ben']
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise SourceError(f"{target.name}: this is a file; pass the name of a new folder for the corpus")
    there = [name for name in FILES if (target / name).exists()]
    if there:
        raise SourceError(f"{target.name}: holds {there[0]} already; pass the name of a new folder for the corpus")
    check_messages(dataset.messages)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            _write_files(dataset, Path(scratch))
            target.mkdir(exist_ok=True)
            for name in reversed(FILES):  # without its utterances, which come last, nothing is a corpus
                Path(scratch, name).replace(target / name)
    except OSError as error:
        msg = f"{target.name}: the corpus cannot be written ({error.strerror}); choose a folder that you may write to"
        raise SourceError(msg) from error
    return target


def _write_files(dataset: Dataset, folder: Path) -> None:
    """Write the five files into a folder."""
    utterances = _utterances(dataset.messages)
    with (folder / "utterances.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
        for utterance in utterances:
            stream.write(json.dumps(utterance, ensure_ascii=False) + "\n")
    people = sorted({str(utterance["speaker"]) for utterance in utterances})
    conversations = dict.fromkeys(str(utterance["conversation_id"]) for utterance in utterances)
    _write(folder / "speakers.json", {person: {"meta": {}, "vectors": []} for person in people})
    _write(folder / "conversations.json", {name: {"meta": {}, "vectors": []} for name in conversations})
    _write(folder / "corpus.json", {OWN: _own_part(dataset)})
    _write(folder / "index.json", _index(utterances))


def _write(file: Path, value: object) -> None:
    """Write one JSON file."""
    file.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _utterances(messages: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the utterances in time order; a conversation is called by its first utterance."""
    ordered = messages.sort_values(["sent_at", "message_id"], kind="stable")
    first: dict[object, str] = {}
    last: dict[object, str] = {}
    utterances = []
    for row in ordered.to_dict("records"):
        name, own = str(row["message_id"]), _or_none(row["conversation_id"])
        thread = own if own is not None else frozenset((str(row["sender"]), str(row["recipient"])))
        meta = {key: _or_none(row[key]) for key in ("message_id", "recipient", "channel", "kind")} | {OWN: own}
        utterances.append(
            {
                "id": name,
                "conversation_id": first.setdefault(thread, name),
                "text": _or_none(row["text"]),
                "speaker": _or_none(row["sender"]),
                "meta": meta,
                "reply-to": last.get(thread),
                "timestamp": None if pd.isna(row["sent_at"]) else _seconds(row["sent_at"]),
                "vectors": [],
            }
        )
        last[thread] = name
    return utterances


def _or_none(value: Any) -> Any:
    """Return null for what is missing."""
    return None if pd.isna(value) else value


def _seconds(at: pd.Timestamp) -> int | float:
    """Return seconds since 1970, whole where they are."""
    microseconds = at.value // 1_000
    return microseconds // 1_000_000 if microseconds % 1_000_000 == 0 else microseconds / 1_000_000


def _own_part(dataset: Dataset) -> dict[str, Any]:
    """Return what ``corpus.json`` carries for this package."""
    return {
        "source": dataset.source,
        "ego": list(dataset.ego) if isinstance(dataset.ego, tuple) else dataset.ego,
        "evidence": dataset.evidence,
        "observed_until": _iso(dataset.observed_until),
        "has_connection_dates": dataset.has_connection_dates,
        "connections": {
            str(name): [_iso(v) if isinstance(v, pd.Timestamp) else _or_none(v) for v in values.astype("object")]
            for name, values in dataset.connections.items()
        },
    }


def _iso(at: pd.Timestamp) -> str | None:
    """Return an instant as text."""
    return None if pd.isna(at) else at.isoformat()


def _index(utterances: list[dict[str, Any]]) -> Mapping[str, object]:
    """Return the index: the types that each field of ``meta`` takes."""
    types: dict[str, dict[str, None]] = {}
    for utterance in utterances:
        for key, value in utterance["meta"].items():
            types.setdefault(key, {})[str(type(value))] = None
    return {
        "utterances-index": {key: sorted(found) for key, found in types.items()},
        "speakers-index": {},
        "conversations-index": {},
        "overall-index": {OWN: [str(dict)]},
        "version": 1,
        "vectors": [],
    }
