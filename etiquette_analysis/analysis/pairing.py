"""Who wrote to whom: dyads from identifiers, and their messages in order.

A dyad is the sender and one other person, connected at some time; connections that a source no longer lists are kept
if there is a one-to-one message to show for them, and then begin with it (an export lists current connections, so the
annoyed who disconnected are missing from it, and dropping them would flatter every pitch). Group threads, drafts and
the like never count; automatic replies are kept apart. Instants are int64 microseconds, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import PITCH_LEVELS, as_instant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

HUMAN_KINDS: Final = ("message", "inmail")
READ_KINDS: Final = (*HUMAN_KINDS, "invitation", "auto_reply")
DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
NAT: Final = int(np.iinfo(np.int64).min)
#: A position that does not exist: after every message.
NONE: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Pairs:
    """The dyads: codes of both people, when they connected, and the row of the connections table (-1: none).

    ``time_zero`` is the midnight (UTC) of the day, ``NAT`` where unknown; ``names`` are the people in byte order.
    """

    sender: Ints
    contact: Ints
    time_zero: Ints
    connection: Ints
    names: pd.Index

    def __len__(self) -> int:
        """Return the number of dyads."""
        return len(self.sender)

    def listing_order(self, names: pd.Index | None = None) -> NDArray[np.intp]:
        """Return the order in which the table of dyads lists them: time zero (unknown last), then both people.

        Where people are given other ``names`` (pseudonyms, as many), the order is that of these.
        """
        rank = np.arange(len(self.names)) if names is None else names.argsort().argsort()
        return np.lexsort((rank[self.contact], rank[self.sender], self.time_zero.view("datetime64[us]")))


@dataclass(frozen=True)
class Rows:
    """Messages of those dyads, sorted by (dyad, time, message id); ``row`` points into the messages table."""

    row: Ints
    dyad: Ints
    sent: Ints
    day: Ints
    own: Bools
    kind: NDArray[np.str_]
    level: Ints

    def first(self, flag: Bools, n: int) -> Ints:
        """Return, per dyad, the position of its first flagged message; ``NONE`` where there is none."""
        where = np.flatnonzero(flag)
        out = np.full(n, NONE)
        out[self.dyad[where[::-1]]] = where[::-1]
        return out


@dataclass(frozen=True)
class Whole:
    """What must be known of all messages and connections where only those of some pairs are at hand.

    ``n_partners``: with how many others each person makes a pair, by identifier; ``first_message``: the instant of the
    earliest message by a human within a dyad, in microseconds, ``NAT`` where there is none.
    """

    n_partners: pd.Series
    first_message: int


def find_pairs(
    messages: pd.DataFrame,
    connections: pd.DataFrame,
    ego: str | tuple[str, ...] | None,
    whole: Whole | None = None,
) -> tuple[Pairs, Rows]:
    """Code the people, find the dyads and their time zero, and sort their messages.

    The sender's side is the ego's; where there is no ego, or both are: the one with more distinct partners, then the
    inviter, then byte order. Pairs without an ego (where one is given) are not dyads of the study.
    """
    codes, names = _code_people(messages, connections)
    n_m, n_c, n_people = len(messages), len(connections), max(len(names), 1)
    author, reader = codes[:n_m], codes[n_m : 2 * n_m]
    person_a, person_b, invited_by = np.split(codes[2 * n_m :], [n_c, 2 * n_c])
    m_key, c_key = _pair_key(author, reader, n_people), _pair_key(person_a, person_b, n_people)
    sent = microseconds(messages["sent_at"], "sent_at")
    kind = messages["kind"].to_numpy(dtype=str)
    useful = np.flatnonzero((m_key >= 0) & (sent != NAT) & np.isin(kind, READ_KINDS))
    ordinary = useful[kind[useful] == "message"]
    connected = microseconds(connections["connected_at"], "connected_at")
    keys, connection, time_zero = _date_pairs(c_key, connected, m_key[ordinary], sent[ordinary])

    low, high = keys // n_people, keys % n_people
    inviter = np.append(invited_by, -1)[connection]
    partners = (
        np.bincount(np.concatenate([low, high]), minlength=len(names))
        if whole is None
        else whole.n_partners.reindex(names, fill_value=0).to_numpy()
    )
    is_low, is_kept = _sender_side(low, high, inviter, names, ego, partners)
    sender, contact = np.where(is_low, low, high)[is_kept], np.where(is_low, high, low)[is_kept]
    pairs = Pairs(sender, contact, time_zero[is_kept], connection[is_kept], names)

    kept = keys[is_kept]
    place = np.searchsorted(kept, m_key[useful])
    belongs = np.append(kept, -1)[place] == m_key[useful]
    row, dyad = useful[belongs], place[belongs]
    by_time = np.lexsort((messages["message_id"].to_numpy()[row], sent[row], dyad))
    row, dyad = row[by_time], dyad[by_time]
    zero = pairs.time_zero[dyad]
    day = np.where(zero == NAT, -1, sent[row] // DAY - np.where(zero == NAT, 0, zero) // DAY)
    own = author[row] == pairs.sender[dyad]
    return pairs, Rows(row, dyad, sent[row], day, own, kind[row], _level_codes(messages["pitch_level"])[row])


def _date_pairs(listed: Ints, connected: Ints, written: Ints, sent: Ints) -> tuple[Ints, Ints, Ints]:
    """Return every pair's key, its earliest row among the listed (-1: none), and the day from which it counts."""
    order = np.lexsort((connected, connected == NAT, listed))
    order = order[listed[order] >= 0]
    unique, at = np.unique(listed[order], return_index=True)
    keys = np.union1d(unique, written)
    connection = np.full(len(keys), -1)
    connection[np.searchsorted(keys, unique)] = order[at]
    date = np.append(connected, NAT)[connection]
    evidence = np.full(len(keys), NONE)
    np.minimum.at(evidence, np.searchsorted(keys, written), sent)
    date = np.where((date == NAT) & (evidence < NONE), evidence, date)
    return keys, connection, np.where(date == NAT, NAT, date // DAY * DAY)


def _level_codes(levels: pd.Series) -> Ints:
    """Return the position of each pitch level, -1 for null."""
    found, distinct = pd.factorize(levels)
    position = pd.Index(PITCH_LEVELS).get_indexer(pd.Index(distinct).astype(object))
    codes = np.append(position, -1)[found].astype(np.int64)
    strange = (codes < 0) & levels.notna().to_numpy()
    if strange.any():
        msg = (
            f"column 'pitch_level' holds {levels[strange].iloc[0]!r}; expected one of {', '.join(PITCH_LEVELS)} or null"
        )
        raise SchemaError(msg)
    return codes


def _code_people(messages: pd.DataFrame, connections: pd.DataFrame) -> tuple[Ints, pd.Index]:
    """Return everyone's position in byte order (-1 where null), the inviters last, and the identifiers."""
    inviter = (
        connections["invited_by"]
        if "invited_by" in connections.columns
        else pd.Series(pd.NA, index=connections.index, dtype="str")
    )
    columns = [messages["sender"], messages["recipient"], connections["person_a"], connections["person_b"], inviter]
    codes, names = pd.factorize(pd.concat([c.astype("str") for c in columns], ignore_index=True), sort=False)
    order = pd.Index(names).argsort()
    rank = np.empty(len(names) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(names)), -1
    return rank[codes], pd.Index(names)[order]


def _pair_key(a: Ints, b: Ints, n_people: int) -> Ints:
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.where((low >= 0) & (low != high), low * n_people + high, -1)


def _sender_side(
    low: Ints, high: Ints, inviter: Ints, names: pd.Index, ego: str | tuple[str, ...] | None, partners: Ints
) -> tuple[Bools, Bools]:
    """Return whether the person with the lower code is the sender, and which pairs have a sender at all."""
    is_low = (partners[low] > partners[high]) | ((partners[low] == partners[high]) & (inviter != high))
    if ego is None:
        return is_low, np.ones(len(low), dtype=bool)
    is_ego = names.isin([ego] if isinstance(ego, str) else list(ego))
    if not is_ego.any() and len(low):
        msg = "none of the dataset's owners occurs in its messages or connections; expected ego to be an identifier"
        raise SchemaError(msg)
    both = is_ego[low] & is_ego[high]
    return np.where(both, is_low, is_ego[low]), is_ego[low] | is_ego[high]


def find_turns(rows: Rows, *, gap: int) -> tuple[Ints, Ints]:
    """Return, per message, the position of the first message of its turn and the turn's highest level."""
    inside = np.flatnonzero(rows.kind != "auto_reply")
    start, level = np.arange(len(rows.row)), rows.level.copy()
    if len(inside):
        dyad, own, sent = rows.dyad[inside], rows.own[inside], rows.sent[inside]
        before = (rows.kind[inside] == "invitation") | (rows.day[inside] < 0)
        opens = np.ones(len(inside), dtype=bool)
        opens[1:] = (
            (dyad[1:] != dyad[:-1]) | (own[1:] != own[:-1]) | (sent[1:] - sent[:-1] > gap) | (before[:-1] & ~before[1:])
        )
        turn = np.cumsum(opens) - 1
        start[inside] = inside[np.flatnonzero(opens)[turn]]
        level[inside] = np.maximum.reduceat(rows.level[inside], np.flatnonzero(opens))[turn]
    return start, level


def microseconds(values: pd.Series, column: str) -> Ints:
    """Return dates as int64 microseconds since 1970 UTC, ``NAT`` where missing."""
    instants = as_instant(values, column=column)[0]
    return np.asarray(instants.to_numpy(dtype="datetime64[us]").view("int64"))
