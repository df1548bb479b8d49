"""What chat exports have in common: no connection is ever dated in them.

Two people who chat were in contact before, and an export does not tell since when. So time zero can only be the
first contact that the file shows, which is another question than time since connecting: these sources deliver an
empty table of connections and say so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.schema import CONNECTIONS, KEPT, NOTE_STAGE, READ, AuditLog, Dataset
from etiquette_analysis.sources.deliver import deliver

_TOKEN: Final = re.compile(r"[A-Za-z]\w{0,39}", re.ASCII)
#: Different reasons that are counted each for itself.
_MOST_REASONS: Final = 60
#: Names of a group that stand in one cell: with all of them, a crowd in which everybody writes would be squared.
_MOST_NAMED: Final = 256


@dataclass
class Counts:
    """Counts the rows of one stage while they are read, so that the audit adds up.

    >>> counts = Counts()
    >>> counts.read(), counts.read()
    (1, 2)
    >>> counts.leave_out("service row", 2)
    >>> log = AuditLog()
    >>> counts.write(log, "result.json", kept=1)
    >>> log.rows
    [('result.json', 'read', 2, None), ('result.json', 'service row', 1, 2), ('result.json', 'kept', 1, None)]
    """

    n_read: int = 0
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)

    def read(self) -> int:
        """Count one row and return its number, from 1."""
        self.n_read += 1
        return self.n_read

    def leave_out(self, reason: str, example: int, n: int = 1) -> None:
        """Count ``n`` rows left out; ``example`` is the number of the first."""
        if len(self.left_out) >= _MOST_REASONS and reason not in self.left_out:
            reason = "for one of many other reasons"
        before, first = self.left_out.get(reason, (0, example))
        self.left_out[reason] = (before + n, first)

    def leave_out_rows(self, reason: str, rows: pd.DataFrame, mask: pd.Series) -> pd.DataFrame:
        """Count the rows under the mask, by their column ``row``, and return the others."""
        if not mask.any():
            return rows
        self.leave_out(reason, int(rows.loc[mask, "row"].iloc[0]), int(mask.sum()))
        return rows[~mask]

    def write(self, log: AuditLog, stage: str, *, kept: int) -> None:
        """Write the stage into the audit."""
        log.add(stage, READ, self.n_read)
        for reason, (n, example) in self.left_out.items():
            log.add(stage, reason, n, example=example)
        log.add(stage, KEPT, kept)

    def refuse_nothing(self, kept: int, where: str, remedy: str) -> None:
        """Raise ``SourceError`` where no row is kept."""
        if not kept:
            why = "; ".join(f"{n:,} {reason}" for reason, (n, _) in self.left_out.items())
            found = f"of its {self.n_read:,} rows none is ({why})" if why else "it holds no row at all"
            raise SourceError(f"{where}: no message between two people: {found}; {remedy}")


def as_token(value: object) -> str:
    """Return a word of a format (a type of chat or of event), "unknown" for anything else: no text enters the audit.

    >>> as_token("channel_join"), as_token("Call me, Ada")
    ('channel_join', 'unknown')
    """
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else "unknown"


def name_group(people: Collection[str], without: str) -> str:
    """Return everybody in a group but one of them, joined by ``"; "``; of a crowd the first ``_MOST_NAMED``.

    >>> name_group(["Ada", "Ben", "Cleo"], "Ben")
    'Ada; Cleo'
    """
    named = list(islice((person for person in people if person != without), _MOST_NAMED))
    more = len(people) - 1 - len(named)
    return "; ".join([*named, f"and {more} more"] if more else named)


def deliver_chats(
    rows: pd.DataFrame,
    log: AuditLog,
    *,
    source: str,
    ego: str | None,
    evidence: str,
    observed_until: pd.Timestamp,
) -> Dataset:
    """Hand over a Dataset without connections, its messages numbered in time order, ties in file order.

    Parameters
    ----------
    rows : DataFrame
        ``conversation_id``, ``sender``, ``recipient``, ``sent_at``, ``text``, ``kind``, in file order.
    """
    log.add(NOTE_STAGE, "connections: chats tell no date of connection, so time zero is the first contact seen", 1)
    if ego is None:
        log.add(NOTE_STAGE, "owner: nothing tells whose export this is, so both sides count; name one with owner=", 1)
    ordered = rows if rows["sent_at"].is_monotonic_increasing else rows.sort_values("sent_at", kind="stable")
    messages = ordered.assign(message_id=np.arange(len(rows), dtype=np.int64), channel=source)
    return deliver(
        messages,
        pd.DataFrame(columns=list(CONNECTIONS)),
        log,
        observed_until=observed_until,
        ego=ego,
        source=source,
        evidence=evidence,
        has_connection_dates=False,
    )


def find_by_name(given: str, names: Mapping[str, set[str]], where: str) -> str:
    """Return the identifier that is meant by an identifier or a name.

    Parameters
    ----------
    given : str
        What the caller passed as owner.
    names : dict
        Identifier -> the names it bears.

    Raises
    ------
    SourceError
        Where nobody or more than one person bears the name.

    Examples
    --------
    >>> find_by_name("ada king", {"U1": {"Ada King"}, "U2": {"Ben"}}, "users.json")
    'U1'
    """
    if given in names:
        return given
    wanted = given.strip().casefold()
    found = [person for person, borne in names.items() if wanted in {name.casefold() for name in {person, *borne}}]
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"{where}: owner={given!r} is the name of {len(found)} people; pass one of {', '.join(found[:5])}"
        raise SourceError(msg)
    known = ", ".join(sorted(names)[:5]) or "nobody"
    raise SourceError(f"{where}: owner={given!r} takes part in no conversation; expected a name or one of {known}")
