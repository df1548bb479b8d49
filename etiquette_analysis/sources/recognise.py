"""Telling formats apart, so that a user can hand over a file without knowing what it is called.

Formats are tried in the order of ``FORMATS``; each tells from names and first lines whether a path is its own, and
none reads further than that.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import Dataset
from etiquette_analysis.sources.archive import Member
from etiquette_analysis.sources.convokit import looks_like_convokit, read_convokit
from etiquette_analysis.sources.lemlist import looks_like_lemlist, read_lemlist
from etiquette_analysis.sources.linkedin import read_linkedin
from etiquette_analysis.sources.linkedin.files import looks_like_linkedin
from etiquette_analysis.sources.load import SUFFIXES
from etiquette_analysis.sources.mail_split import list_mailboxes, looks_like_mailbox
from etiquette_analysis.sources.mbox import read_mbox
from etiquette_analysis.sources.shareable import looks_like_shareable, read_shareable
from etiquette_analysis.sources.slack import looks_like_slack, read_slack
from etiquette_analysis.sources.table import read_table
from etiquette_analysis.sources.telegram import looks_like_telegram, read_telegram, refuse_html
from etiquette_analysis.sources.whatsapp import looks_like_whatsapp, read_whatsapp


@dataclass(frozen=True)
class Format:
    """One format: what users call it, how it is recognised by its files, and its reader."""

    name: str
    recognises: Callable[[Sequence[Member]], bool]
    reader: Callable[..., Dataset]


def _looks_like_table(members: Sequence[Member]) -> bool:
    """Tell a single file whose name ends like a table."""
    return len(members) == 1 and not members[0].container and members[0].name.lower().endswith(SUFFIXES)


#: Tried in this order; a table is the last resort, as its files could be anything.
FORMATS: Final[list[Format]] = [
    Format("folder from etiquette pseudonymise", looks_like_shareable, read_shareable),
    Format("LinkedIn export (zip, folder, its parts or messages.csv)", looks_like_linkedin, read_linkedin),
    Format("mailbox (mbox, mbox.gz, Gmail Takeout)", looks_like_mailbox, read_mbox),
    Format("ConvoKit corpus (folder or zip)", looks_like_convokit, read_convokit),
    Format("lemlist activities (JSON, JSON Lines, CSV)", looks_like_lemlist, read_lemlist),
    Format("Slack export (zip or folder)", looks_like_slack, read_slack),
    Format("Telegram Desktop export (result.json, its folder or zip)", looks_like_telegram, read_telegram),
    Format("WhatsApp chat (txt, its zip, or a folder of them)", looks_like_whatsapp, read_whatsapp),
    Format("table of messages (CSV, Parquet, JSON Lines)", _looks_like_table, read_table),
]


def read(path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | pd.DataFrame, **options: Any) -> Dataset:
    """Read any known source, recognising its format.

    Parameters
    ----------
    path : path, list of paths or DataFrame
        An export as it was downloaded, its parts, or a table.
    **options
        Passed to the reader of the format, as ``owner`` to :func:`read_linkedin`; those that are None are left out.

    Raises
    ------
    SourceError
        Where the path is none of the formats.
    DesignError
        Where the reader of the format has no such option.

    Examples
    --------
    >>> table = pd.DataFrame({"sender": ["a"], "recipient": ["b"], "sent_at": ["2024-03-01T09:00:00Z"]})
    >>> read(table).source
    'table'
    """
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(path, pd.DataFrame):
        return _call(FORMATS[-1], path, given)
    _check_path(path)
    if not isinstance(path, str | os.PathLike) and len(path) == 1:
        (path,) = path
    refuse_html(path)
    members = list_mailboxes(path)
    for known in FORMATS:
        if known.recognises(members):
            return _call(known, path, given)
    _refuse_parts(members, path)
    names = ", ".join(sorted({member.base_name for member in members})[:5])
    where = Path(path).name if isinstance(path, str | os.PathLike) else f"{len(path)} files"
    can = "; ".join(known.name for known in FORMATS)
    raise SourceError(f"{where}: not a known export; it holds {names}. What can be read: {can}.")


def _check_path(path: object) -> None:
    """Raise ``SourceError`` for what is neither a path nor a list of paths."""
    one_by_one = path if isinstance(path, Sequence) and not isinstance(path, str | bytes) else [path]
    wrong = [type(part).__name__ for part in one_by_one if not isinstance(part, str | os.PathLike)]
    if wrong:
        found = f"{wrong[0]} in a list" if one_by_one is path else wrong[0]
        raise SourceError(f"cannot read {found}; expected the path of an export, a list of paths, or a DataFrame")


def _refuse_parts(members: Sequence[Member], path: object) -> None:
    """Raise ``SourceError`` for a folder of Parquet files, which is read as one table elsewhere."""
    if members and all(member.container and member.name.lower().endswith(".parquet") for member in members):
        msg = f"{path}: a folder of parts needs --connections and --out ending in .parquet or a folder"
        raise SourceError(f"{msg} (etiquette label; in Python ea.label_files)")


def _call(known: Format, path: object, options: dict[str, Any]) -> Dataset:
    """Call a reader, having checked that it takes these options."""
    takes = [name for name, p in inspect.signature(known.reader).parameters.items() if p.kind is not p.VAR_KEYWORD][1:]
    unknown = [name for name in options if name not in takes]
    if unknown:
        msg = f"{known.name}: no option {', '.join(map(repr, unknown))}; it takes {', '.join(takes)}"
        raise DesignError(msg)
    return known.reader(path, **options)
