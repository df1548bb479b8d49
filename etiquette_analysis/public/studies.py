"""The three studies side by side: what was found in a folder, our figures, and what others have published.

They were chosen because they do not agree: a tool that confirms the claim on all of them would be broken. What is
absent is skipped, and :meth:`Studies.how_to_fetch` says what to fetch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pandas as pd

from etiquette_analysis.analysis.public_claims import Contrast, contrast_requests
from etiquette_analysis.public.help_lists import TRAITS as LIST_TRAITS
from etiquette_analysis.public.help_lists import tabulate_posts
from etiquette_analysis.public.persuasion import find_asks, tabulate_dialogues
from etiquette_analysis.public.pizza import TRAITS as PIZZA_TRAITS
from etiquette_analysis.public.pizza import tabulate_requests
from etiquette_analysis.sources.public import find_public, read_dialogues, read_lists, read_pizza_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etiquette_analysis.schema import Dataset


@dataclass(frozen=True)
class Study:
    """What a study asks, in words.

    Attributes
    ----------
    title : str
        The data.
    at_once, answered : str
        What "at once" and "answered" mean there.
    fetch : str
        Where the data come from and under which names they are looked for.
    traits : tuple of str
        What is held equal beside the count.
    """

    title: str
    at_once: str
    answered: str
    fetch: str
    traits: tuple[str, ...] = ()


STUDIES: Final[Mapping[str, Study]] = {
    "pizza": Study(
        "Random Acts of Pizza",
        "the request is the first post on the forum",
        "a stranger sent the pizza",
        "Random Acts of Pizza (Althoff, Danescu-Niculescu-Mizil and Jurafsky, ICWSM 2014): train.json of the Kaggle "
        "competition of that name, on whose requests the published regression rests; or the authors' full "
        "pizza_request_dataset.json.",
        PIZZA_TRAITS,
    ),
    "gifts": Study(
        "PersuasionForGood",
        "the first ask comes in the first two exchanges",
        "the other person gave something",
        "PersuasionForGood (Wang et al., ACL 2019): the sheets 300_dialog.xlsx and 300_info.xlsx in the folder "
        "AnnotatedData of the authors' repository, each saved as CSV: 300_dialog.csv and 300_info.csv.",
    ),
    "lists": Study(
        "Help lists",
        "the first mail of an address in the archive",
        "somebody else wrote in the thread within a week",
        "Help lists: the archives that a mailing list publishes by month or quarter, as mbox, packed with gzip or not, "
        "named LIST_PERIOD.mbox or .mbox.gz. Used here: r-package-devel_2023q1.mbox.gz and "
        "numpy-discussion_2001-November.mbox.gz.",
        LIST_TRAITS,
    ),
}


@dataclass(frozen=True)
class Studies:
    """The public data that were found.

    Attributes
    ----------
    requests : DataFrame or None
        Requests for pizza.
    dialogues : (DataFrame, DataFrame) or None
        Labelled sentences, and gifts.
    lists : dict of str to Dataset
        Archives by list; empty where there are none.
    """

    requests: pd.DataFrame | None
    dialogues: tuple[pd.DataFrame, pd.DataFrame] | None
    lists: Mapping[str, Dataset]

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The requests of each study that was found, without their words."""
        tables = {}
        if self.requests is not None:
            tables["pizza"] = tabulate_requests(self.requests)
        if self.dialogues is not None:
            sentences, gifts = self.dialogues
            tables["gifts"] = tabulate_dialogues(sentences, gifts, find_asks(sentences))
        if self.lists:
            tables["lists"] = tabulate_posts(self.lists)
        return tables

    @cached_property
    def contrasts(self) -> dict[str, Contrast]:
        """At once against later, for each study that was found."""
        return {name: contrast_requests(table, traits=STUDIES[name].traits) for name, table in self.tables.items()}

    def overview(self) -> pd.DataFrame:
        """Return the three questions, and how many requests were found for each."""
        rows = [(s.title, s.at_once, s.answered, len(self.tables.get(name, ()))) for name, s in STUDIES.items()]
        return pd.DataFrame(rows, columns=["data", "at once means", "answered means", "requests found"])

    def how_to_fetch(self) -> str:
        """Say what to fetch for the studies that were not found."""
        absent = [f"- {study.fetch}" for name, study in STUDIES.items() if name not in self.tables]
        if not absent:
            return "All three were found."
        return "\n".join(["Not found, so skipped. Put these into one folder and set export to its path:", "", *absent])


def read_studies(folder: str | os.PathLike[str] | None) -> Studies:
    """Read what a folder and its subfolders hold of the three studies; without a folder, nothing.

    Raises
    ------
    SourceError
        Where the folder does not exist, or a file in it is damaged.

    Examples
    --------
    >>> studies = read_studies(None)
    >>> studies.contrasts, studies.overview()["requests found"].tolist()
    ({}, [0, 0, 0])
    >>> studies.how_to_fetch().splitlines()[0]
    'Not found, so skipped. Put these into one folder and set export to its path:'
    """
    files = find_public(folder)
    return Studies(
        None if files.pizza is None else read_pizza_requests(files.pizza),
        None if files.dialogues is None else read_dialogues(files.dialogues),
        read_lists(files.lists),
    )
