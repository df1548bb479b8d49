"""Coarse dates: when somebody wrote, to the second, is a fingerprint; a day says less, a week less still.

``day`` takes every instant down to its day (UTC). ``week`` says of each pair only in which week it connected: all
dates of a pair are moved back together, so that it connects (or, without a date of connection, first writes) on a
Monday. Days between the events of a pair survive both; the order within a day survives as the order of ``message_id``.

What is lost: ``hours_to_reply`` becomes whole days; a reply just within or beyond the window, a follow-up just before
or after the gap, and connections known to the second may be labelled otherwise. ``week`` also takes six days from the
end of observation, so some turns become ``censored``; days of the week can no longer be studied. How many labels of
the sample change is a test.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import INSTANT

if TYPE_CHECKING:
    from etiquette_analysis.schema import Dataset

CoarseDates = Literal["day", "week"]


def coarsen(dataset: Dataset, to: CoarseDates) -> Dataset:
    """Return the dataset with coarse dates.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    to : {"day", "week"}
        Days in UTC; or, of each pair, the week in which it connected.

    Returns
    -------
    Dataset
        ``message_id`` is numbered anew in time order, so that the order within a day is kept; every connection has the
        resolution ``day``.

    Raises
    ------
    DesignError
        Where ``to`` is something else.
    """
    if to not in get_args(CoarseDates):
        msg = f"coarse_dates={to!r}: expected 'day' or 'week'"
        raise DesignError(msg)
    messages = dataset.messages.sort_values(["sent_at", "message_id"], kind="stable", ignore_index=True)
    messages["message_id"] = np.arange(len(messages), dtype=np.int64)
    connections, until = dataset.connections.copy(), dataset.observed_until.floor("D")
    messages["sent_at"] = messages["sent_at"].dt.floor("D")
    for column in {"connected_at", "invited_at"} & set(connections.columns):
        connections[column] = connections[column].dt.floor("D")
    connections["resolution"] = connections["resolution"].mask(connections["resolution"].notna(), "day")
    if to == "week":
        back = _days_after_monday(messages, connections)
        messages["sent_at"] -= _of_pairs(messages["sender"], messages["recipient"], back)
        shift = _of_pairs(connections["person_a"], connections["person_b"], back)
        for column in {"connected_at", "invited_at"} & set(connections.columns):
            connections[column] -= shift
        until -= pd.Timedelta(days=6)
    messages["sent_at"] = messages["sent_at"].astype(INSTANT)
    return replace(dataset, messages=messages, connections=connections, observed_until=until)


def _pairs(a: pd.Series, b: pd.Series) -> pd.Series:
    both = pd.DataFrame({"a": a.fillna(""), "b": b.fillna("")})
    return both.min(axis=1) + "\t" + both.max(axis=1)


def _days_after_monday(messages: pd.DataFrame, connections: pd.DataFrame) -> pd.Series:
    """Return, by pair, on which day of the week it connected, or else first wrote; Monday is 0."""
    connected = connections["connected_at"].groupby(_pairs(connections["person_a"], connections["person_b"])).min()
    written = messages["sent_at"].groupby(_pairs(messages["sender"], messages["recipient"])).min()
    first = connected.combine_first(written)
    return pd.Series(pd.to_timedelta(first.dt.day_of_week, unit="D"), index=first.index)


def _of_pairs(a: pd.Series, b: pd.Series, back: pd.Series) -> pd.Series:
    return _pairs(a, b).map(back).fillna(pd.Timedelta(0)).set_axis(a.index)
