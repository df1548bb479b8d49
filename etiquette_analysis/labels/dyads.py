"""Who belongs together: people as numbers, pairs of people as one key, and the day each pair connected.

A dyad is the unordered pair of two people; its name is the two identifiers in byte order, joined by a tab. Strings
are slow to sort, so the people of a table are numbered in byte order first; a dyad is then one integer, and integers
sort as the names do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.labels.structure import DAY, NAT
from etiquette_analysis.schema import CONNECTIONS, RESOLUTIONS, as_instant, check_connections

if TYPE_CHECKING:
    from etiquette_analysis.labels.structure import Bools, Codes, Ints

NO_DYAD: Final = -1
SEPARATOR: Final = "\t"


@dataclass(frozen=True)
class People:
    """Everyone who occurs in some columns, numbered in byte order.

    Attributes
    ----------
    names : pyarrow.Array
        Distinct identifiers (large strings) in byte order.
    rank : int64 array
        Position of each as the *first* name of a dyad: the order of the name with the separator behind it, which
        differs from ``names`` only where an identifier holds a control character below the tab.
    """

    names: Any
    rank: Ints

    def dyad(self, a: Ints, b: Ints) -> Ints:
        """Return one key per pair that orders as the dyad's name does; ``NO_DYAD`` where it is not two people."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        if not len(self.names):
            return np.full(len(a), NO_DYAD, dtype=np.int64)
        return np.where((low >= 0) & (low != high), self.rank[low] * len(self.names) + high, NO_DYAD)

    def named(self, person: Ints) -> Any:
        """Return the identifiers of some people as an Arrow dictionary array over ``names``; null for -1."""
        return pa.DictionaryArray.from_arrays(pa.array(person, mask=person < 0), self.names)


def people_named(names: Any) -> People:
    """Give distinct identifiers, an Arrow array of strings without null, their numbers."""
    names = names.take(pc.sort_indices(names))
    return People(names, _rank_as_first(names))


def code_people(*columns: pd.Series) -> tuple[People, list[Ints]]:
    """Give the people of some columns numbers in byte order; -1 where the identifier is null.

    Examples
    --------
    >>> people, (sender, recipient) = code_people(pd.Series(["zoë", "ann"]), pd.Series(["ann", None]))
    >>> people.names.to_pylist(), sender.tolist(), recipient.tolist()
    (['ann', 'zoë'], [1, 0], [0, -1])
    """
    arrays = [_strings(column) for column in columns]
    encoded = pa.chunked_array(arrays, type=pa.large_string()).dictionary_encode().combine_chunks()
    order = pc.sort_indices(encoded.dictionary)
    names = encoded.dictionary.take(order)
    position = np.empty(len(order) + 1, dtype=np.int64)
    position[order.to_numpy()] = np.arange(len(order))
    position[-1] = -1  # where a null points to
    codes = position[pc.fill_null(encoded.indices, -1).to_numpy()]
    borders = np.cumsum([0, *map(len, arrays)])
    return People(names, _rank_as_first(names)), [codes[a:b] for a, b in pairwise(borders)]


def _strings(column: pd.Series) -> Any:
    if not isinstance(column.dtype, pd.StringDtype):
        column = column.astype("str")
    array = pa.array(column, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.cast(pa.large_string())


def _rank_as_first(names: Any) -> Ints:
    rank = np.arange(len(names))
    if pc.any(pc.match_substring_regex(names, r"[\x00-\x08]")).as_py():
        order = pc.sort_indices(pc.binary_join_element_wise(names, *pa.array(["", SEPARATOR], names.type))).to_numpy()
        rank[order] = np.arange(len(names))
    return rank


@dataclass(frozen=True)
class ConnectionDates:
    """The earliest connection of each dyad: sorted keys, the instant, and whether only the day is known."""

    dyad: Ints
    connected: Ints
    by_day: Bools

    def of(self, dyad: Ints) -> tuple[Ints, Bools]:
        """Return the instant (``NAT`` where unknown) and the resolution for each dyad key."""
        if not len(self.dyad):
            return np.full(len(dyad), NAT), np.zeros(len(dyad), dtype=bool)
        row = np.minimum(np.searchsorted(self.dyad, dyad), len(self.dyad) - 1)
        found = self.dyad[row] == dyad
        return np.where(found, self.connected[row], NAT), self.by_day[row] & found


def earliest_connections(dyad: Ints, connected: Ints, by_day: Bools) -> ConnectionDates:
    """Keep the earliest connection of each dyad.

    A day stands for its midnight. Where a day and an exact midnight tie, the exact one counts: nothing within the day
    can be earlier.

    Examples
    --------
    >>> dates = earliest_connections(np.array([7, 7]), np.array([3 * DAY, DAY + 5]), np.array([False, True]))
    >>> dates.connected.tolist() == [DAY], dates.by_day.tolist()
    (True, [True])
    """
    usable = np.flatnonzero((dyad != NO_DYAD) & (connected != NAT))
    dyad, by_day = dyad[usable], by_day[usable]
    connected = np.where(by_day, connected[usable] // DAY * DAY, connected[usable])
    order = np.lexsort((by_day, connected, dyad))
    dyad = dyad[order]
    is_first = np.ones(len(dyad), dtype=bool)
    is_first[1:] = dyad[1:] != dyad[:-1]
    keep = order[is_first]
    return ConnectionDates(dyad[is_first], connected[keep], by_day[keep])


def connection_columns(connections: pd.DataFrame | None) -> tuple[pd.Series, pd.Series, Ints, Bools]:
    """Return person_a, person_b, the instant and ``by_day`` of a checked connection table; None has no rows.

    A missing resolution is read as ``day``: where the second is known, so is the day.
    """
    if connections is None:
        connections = pd.DataFrame(columns=list(CONNECTIONS)[:4]).astype({"connected_at": CONNECTIONS["connected_at"]})
    check_connections(connections)
    connected = instants(connections["connected_at"], name="connected_at")
    by_day = category_codes(connections["resolution"], RESOLUTIONS, name="resolution") != RESOLUTIONS.index("second")
    return connections["person_a"], connections["person_b"], connected, by_day


def instants(column: pd.Series, *, name: str) -> Ints:
    """Return a column of dates as int64 microseconds since 1970 UTC (naive ones are UTC), ``NAT`` where missing."""
    values: Ints = as_instant(column, column=name)[0].to_numpy(dtype="datetime64[us]").view("int64")
    return values


def instant(given: pd.Timestamp | str, *, name: str) -> int:
    """Return one date as int64 microseconds since 1970 UTC; a naive one is UTC.

    >>> instant("1970-01-02", name="observed_until") == DAY
    True
    """
    try:
        return int(instants(pd.Series([pd.Timestamp(given)]), name=name)[0])
    except ValueError as error:
        msg = f"{name} is {given!r}; expected a date such as '2024-02-28 09:15:00'"
        raise DesignError(msg) from error


def category_codes(column: pd.Series, values: tuple[str, ...], *, name: str) -> Codes:
    """Return the position of each element in ``values``, -1 for null.

    Raises
    ------
    SchemaError
        Where an element is none of ``values``.
    """
    if not isinstance(column.dtype, pd.CategoricalDtype):
        encoded = _strings(column).dictionary_encode()
        distinct, position = encoded.dictionary.to_pylist(), pc.fill_null(encoded.indices, -1).to_numpy()
    else:
        distinct, position = column.cat.categories.tolist(), column.cat.codes.to_numpy()
    lookup = [values.index(value) if value in values else -2 for value in distinct]
    found: Codes = np.array([*lookup, -1], dtype=np.int8)[position]  # a null points to the last
    strange = column[found == -2]
    if len(strange):
        msg = f"column {name!r} holds {strange.iloc[0]!r}; expected one of {', '.join(values)}"
        raise SchemaError(msg)
    return found
