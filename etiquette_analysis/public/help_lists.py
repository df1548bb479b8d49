"""Help lists: people ask a mailing list, some in the first mail they ever send to it.

An archive knows who wrote, when, and which mail answers which. The posts that begin a thread are compared: the first
post of an address in the archive, and posts by addresses seen before. An archive begins somewhere, so a "first" post
may be the first one after years; that mixes the groups and makes any difference look smaller. A post near the end of
the archive whose window is still open is left out: it has not been ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etiquette_analysis.schema import Dataset

#: What is held equal: lists differ in how often they answer anybody.
TRAITS: Final = ("list",)


def tabulate_posts(
    lists: Mapping[str, Dataset], *, window_days: float = 7, every_post: bool = False, keep_open: bool = False
) -> pd.DataFrame:
    """Return the posts of all lists, without their words.

    Parameters
    ----------
    lists : mapping of str to Dataset
        As of :func:`etiquette_analysis.sources.public.read_lists`.
    window_days : float
        An answer counts within so many days. Archives are cut by month or quarter, so a long window leaves few posts.
    every_post : bool
        Answers as well, not only posts that begin a thread.
    keep_open : bool
        Keep posts whose window is still open when the archive ends.

    Returns
    -------
    DataFrame
        One row per post: ``list``, ``at_once`` (the first post of this address in the archive), ``answered``
        (somebody else wrote in the thread afterwards, within the window), ``hours`` to that answer, ``cluster`` (a
        number for the address).

    Examples
    --------
    >>> from etiquette_analysis.schema import Dataset
    >>> at = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-02-01"], utc=True)
    >>> messages = pd.DataFrame({"message_id": range(4), "sender": ["ann", "ben", "ann", "cy"], "sent_at": at,
    ...     "conversation_id": ["1", "1", "2", "2"]})
    >>> archive = Dataset(messages, pd.DataFrame(), pd.DataFrame(), pd.Timestamp("2024-02-01", tz="UTC"))
    >>> tabulate_posts({"help": archive})[["at_once", "answered", "hours"]]
       at_once  answered  hours
    0     True      True   24.0
    1    False     False  696.0
    """
    tables = [
        _posts(dataset, window_days, every_post=every_post, keep_open=keep_open).assign(list=name)
        for name, dataset in lists.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    table["cluster"] = pd.factorize(table["list"] + "\t" + table["sender"])[0]
    return table.drop(columns="sender")


def _posts(dataset: Dataset, window_days: float, *, every_post: bool, keep_open: bool) -> pd.DataFrame:
    """Return the posts of one list in time order."""
    mails = dataset.messages.sort_values(["sent_at", "message_id"])[["conversation_id", "sender", "sent_at"]]
    mails = mails.reset_index(drop=True)
    hours = _hours_to_answer(mails)
    posts = pd.DataFrame(
        {
            "sender": mails["sender"],
            "at_once": ~mails.duplicated("sender"),
            "answered": hours <= 24 * window_days,
            "hours": hours,
        }
    )
    is_asked = pd.Series(True, index=mails.index) if every_post else ~mails.duplicated("conversation_id")
    is_closed = mails["sent_at"] + pd.Timedelta(days=window_days) <= dataset.observed_until
    return posts[is_asked & (is_closed | keep_open)]


def _hours_to_answer(mails: pd.DataFrame) -> pd.Series:
    """Return the hours to the next mail of the thread by somebody else; null where none came.

    Within a thread, mails of one person in a row are a run; what answers a run is the beginning of the next.
    """
    ordered = mails.sort_values("conversation_id", kind="stable")
    is_start = (ordered[["conversation_id", "sender"]] != ordered[["conversation_id", "sender"]].shift()).any(axis=1)
    runs = ordered[is_start]
    answered_at = runs["sent_at"].shift(-1).where(runs["conversation_id"] == runs["conversation_id"].shift(-1))
    waited = answered_at.iloc[is_start.cumsum().to_numpy() - 1].set_axis(ordered.index) - ordered["sent_at"]
    hours = waited.dt.total_seconds() / 3600
    return hours.reindex(mails.index)
