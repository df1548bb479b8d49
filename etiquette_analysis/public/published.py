"""What others have published about the same questions, beside our figures.

A published figure stands here only where it was read in the paper's own table or abstract. Where none was found the
row says so; it is never filled from memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.describe import Tally
from etiquette_analysis.analysis.intervals import wilson
from etiquette_analysis.analysis.public_claims import regress
from etiquette_analysis.errors import DesignError
from etiquette_analysis.public.help_lists import tabulate_posts
from etiquette_analysis.public.pizza import COLUMNS, TABLE_3

if TYPE_CHECKING:
    from etiquette_analysis.public.studies import Studies

_NAN: Final = float("nan")
NONE_FOUND: Final = "no published figure found"


class Figure(NamedTuple):
    """A published figure (NaN where none was found), and where it stands."""

    what: str
    published: float
    source: str


GIFTS: Final = (
    Figure("dialogues labelled by coders", 300, "Wang et al., ACL 2019 (description of the data)"),
    Figure(
        "pseudo R² of giving: published, of all strategies; ours, of the turn of the first ask",
        0.015,
        "Petrova, Sokol and State, SoCon-NLPSI 2026 (abstract; all 1,017 dialogues, labels by language models)",
    ),
    Figure("log odds of giving, per exchange that the first ask waits", _NAN, NONE_FOUND),
)
LISTS: Final = (
    Figure(
        "first posts answered: eight lists of four free-software projects",
        0.80,
        'Jensen, King and Kuechler, HICSS 2011 (abstract: "nearly 80%")',
    ),
    Figure("first posts answered: six newsgroups", 0.61, "Joyce and Kraut, JCMC 2006 (abstract)"),
    Figure(
        "posts that begin a thread answered: Usenet groups",
        0.60,
        "Burke et al., 2007 (abstract: forty percent receive no response)",
    ),
    Figure(
        "first posts against others, difference in answers",
        _NAN,
        f"{NONE_FOUND}; Arguello et al., CHI 2006, as others sum it up, saw fewer replies to newcomers on Usenet",
    ),
)


def beside_published(name: str, studies: Studies) -> pd.DataFrame:
    """Return the published figures of a study and, where its data were found, ours.

    Parameters
    ----------
    name : {"pizza", "gifts", "lists"}
        The study.
    studies : Studies
        What was found.

    Returns
    -------
    DataFrame
        ``figure``, ``published``, ``ours`` with ``low`` and ``high`` (95 %, null where none belongs), ``source``. For
        the pizza forum both standard errors instead of the interval, and ``z``, how many published standard errors
        ours lies from theirs. Without the data, no column of ours.

    Raises
    ------
    DesignError
        Where there is no such study.

    Examples
    --------
    >>> from etiquette_analysis.public.studies import read_studies
    >>> beside_published("lists", read_studies(None))["published"].tolist()
    [0.8, 0.61, 0.6, nan]
    """
    if name == "pizza":
        return _pizza(studies)
    if name not in ("gifts", "lists"):
        raise DesignError(f"no study {name!r}; there are pizza, gifts, lists")
    figures, ours = (GIFTS, _gifts(studies)) if name == "gifts" else (LISTS, _lists(studies))
    table = pd.DataFrame(figures, columns=["figure", "published", "source"])
    if ours is not None:
        for place, column in enumerate(("ours", "low", "high"), start=2):
            table.insert(place, column, [row[place - 2] for row in ours])
    return table


def _pizza(studies: Studies) -> pd.DataFrame:
    """Return the paper's table 3 and its rebuild."""
    rows = [(name, *values) for name, values in TABLE_3.items()]
    table = pd.DataFrame(rows, columns=["figure", "published", "published se"])
    if "pizza" in studies.tables:
        ours = regress(studies.tables["pizza"], COLUMNS).frame
        table = table.assign(ours=ours["estimate"], **{"our se": ours["se"]})
        table["z"] = (table["ours"] - table["published"]) / table["published se"]
    return table.assign(source="Althoff et al., ICWSM 2014, table 3")


def _gifts(studies: Studies) -> list[tuple[float, float, float]] | None:
    if studies.dialogues is None:
        return None
    fit = regress(studies.tables["gifts"], ["first_ask"])
    turn = fit.frame.iloc[1]
    n_dialogues = studies.dialogues[0]["dialogue_id"].nunique()
    alone = [(float(value), _NAN, _NAN) for value in (n_dialogues, fit.pseudo_r2)]
    return [*alone, (turn["estimate"], turn["low"], turn["high"])]


def _lists(studies: Studies) -> list[tuple[float, float, float]] | None:
    if not studies.lists:
        return None
    contrast = studies.contrasts["lists"]
    begun = tabulate_posts(studies.lists)["answered"]
    limits = wilson(begun.sum(), len(begun))
    all_of_them = (float(np.mean(begun)), float(limits.low), float(limits.high))
    first = _rate(contrast.now)
    return [first, first, all_of_them, (contrast.rd, contrast.low, contrast.high)]


def _rate(tally: Tally) -> tuple[float, float, float]:
    return tally.rate, tally.low, tally.high
