"""The same question under other definitions, so that a reader sees whether the answer hangs on ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from etiquette_analysis.analysis.public_claims import contrast_requests
from etiquette_analysis.errors import DesignError
from etiquette_analysis.public.help_lists import tabulate_posts
from etiquette_analysis.public.persuasion import ASKS, find_asks, tabulate_dialogues
from etiquette_analysis.public.studies import STUDIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etiquette_analysis.public.studies import Studies
    from etiquette_analysis.schema import Dataset

COLUMNS: Final = (
    "definition",
    "at once",
    "later",
    "difference",
    "low",
    "high",
    "at equal traits",
    "low (equal)",
    "high (equal)",
)


def vary_definitions(name: str, studies: Studies) -> pd.DataFrame:
    """Return the difference, at once minus later, under other definitions; the first row is ours.

    Parameters
    ----------
    name : {"gifts", "lists"}
        The study.
    studies : Studies
        What was found.

    Returns
    -------
    DataFrame
        ``definition``, the numbers of requests, and the difference in points with its interval: counted, and at equal
        traits where the study has any. Null where there are too few; no row where the data were not found.

    Raises
    ------
    DesignError
        Where the study has no other definitions.

    Examples
    --------
    >>> from etiquette_analysis.public.studies import read_studies
    >>> vary_definitions("gifts", read_studies(None)).empty
    True
    """
    if name == "gifts":
        tables = {} if studies.dialogues is None else _gifts(*studies.dialogues)
    elif name == "lists":
        tables = _lists(studies.lists) if studies.lists else {}
    else:
        raise DesignError(f"no other definitions for {name!r}; there are some for gifts and lists")
    table = pd.DataFrame([_row(words, table, name) for words, table in tables.items()], columns=COLUMNS)
    return table if STUDIES[name].traits else table[list(COLUMNS[:6])]


def _row(words: str, table: pd.DataFrame, name: str) -> tuple[object, ...]:
    found = contrast_requests(table, traits=STUDIES[name].traits)
    is_equal = (found.frame["estimand"] == "A") & (found.frame["scale"] == "rd")
    equal = 100 * found.frame.loc[is_equal, ["estimate", "low", "high"]]
    at_equal = equal.iloc[0].tolist() if len(equal) else [None] * 3
    return words, found.now.n, found.later.n, 100 * found.rd, 100 * found.low, 100 * found.high, *at_equal


def _gifts(sentences: pd.DataFrame, gifts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    asks = find_asks(sentences)
    ours = tabulate_dialogues(sentences, gifts, asks)
    acts = {"only a proposition counts": ASKS[:1], "a foot in the door counts too": (*ASKS, "foot-in-the-door")}
    return {
        "asks by the coders": ours,
        "without those who had agreed before": ours[~ours["agreed_before"]],
        **{w: tabulate_dialogues(sentences, gifts, find_asks(sentences, act)) for w, act in acts.items()},
        "our pitch labels instead": tabulate_dialogues(sentences, gifts, asks.assign(is_ask=asks["is_pitch"])),
    }


def _lists(lists: Mapping[str, Dataset]) -> dict[str, pd.DataFrame]:
    return {
        "posts that begin a thread, 7 days": tabulate_posts(lists),
        "14 days": tabulate_posts(lists, window_days=14),
        "any time before the archive ends": tabulate_posts(lists, window_days=10_000, keep_open=True),
        "every post, answers too": tabulate_posts(lists, every_post=True),
        **{f"every post, {name} only": tabulate_posts({name: d}, every_post=True) for name, d in lists.items()},
    }
