"""Coding by hand: a random sample of dyads to read, and the dyads that a coder has finished.

The file of codes goes from hand to hand, and may lie beside a list of contacts. So people are numbered there in the
order of their first messages, which is the same on every machine; the order of their names would give these away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.pipeline.dyads import tabulate
from etiquette_analysis.pipeline.labelling import score_messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import Session
    from etiquette_analysis.schema import Dataset


_SIDES: Final = ("sender", "contact")


def coding_session(
    dataset: Dataset,
    path: str | Path,
    *,
    coder: str = "1",
    n: int | None = None,
    seed: int = 1,
    plan: Plan | None = None,
) -> Session:
    """Draw dyads to code by hand, stratified by predicted arm, or go on with those that the file of codes holds.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it, with texts.
    path : path
        The CSV file of codes; where it exists, its sample counts, and ``n`` and ``seed`` do not.
    coder : str
        Who is coding.
    n : int, optional
        Dyads to draw of those that can be judged; 100, or all where there are fewer.
    seed : int
        Of the draw.
    plan : Plan, optional
        Its windows make the arms; the default plan where not given.

    Returns
    -------
    coding.Session
        ``.current`` is the message to read, ``.answer(key)`` codes it; see :mod:`etiquette_analysis.coding`.
    """
    from etiquette_analysis.analysis.debias import sample_dyads
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import Session

    plan = plan or Plan()
    scored = score_messages(dataset.messages)
    dyads = tabulate(scored, dataset, plan, rename=_by_first_message(dataset))
    # Whether a note pitched is for the coder to say; every other reason holds whatever the labels are.
    judged = dyads[dyads["exclusion"].isna() | (dyads["exclusion"] == "pitch_in_invitation")]
    if judged.empty:
        msg = (
            f"none of the {len(dyads)} contacts can be judged (too recent, no date, or before the message history), so "
            "there is nothing to code; give an export that covers more time"
        )
        raise DesignError(msg)
    rng = np.random.default_rng(seed)
    sample = sample_dyads(judged, plan, n=min(100, len(judged)) if n is None else n, rng=rng)
    return Session(
        sample.iloc[rng.permutation(len(sample))],
        _coding_material(scored, dataset, dyads),
        path,
        coder=coder,
        pitch_level=plan.pitch_level,
        last_day=plan.deferred[1],
    )


def coded_dyads(dataset: Dataset, session: Session, plan: Plan | None = None) -> pd.DataFrame:
    """Return the dyads that a coder has finished, built from the coder's levels, as ``debias`` takes them.

    Parameters
    ----------
    dataset : Dataset
        The one on which the session was opened.
    session : coding.Session
        From :func:`coding_session`.
    plan : Plan, optional
        The same as for the session.

    Returns
    -------
    DataFrame
        Rows as from :func:`build_dyads`, with the numbers of people that it gives, and ``inclusion_probability``.
    """
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import answers_of

    answers = answers_of(session.codes(), session.coder)
    levels = pd.Series({i: answer.level for i, answer in answers.items()}, dtype="str")
    automatic = [i for i, answer in answers.items() if answer.is_automatic]
    predicted = score_messages(dataset.messages, levels=levels)
    message_id = predicted["message_id"]
    # Where a person has read the message, that person says whether a human wrote it.
    kind = predicted["kind"].mask(message_id.isin(list(answers)), dataset.messages["kind"])
    scored = predicted.assign(kind=kind.mask(message_id.isin(automatic), "auto_reply"))
    coded = tabulate(scored, dataset, plan or Plan())
    names, in_codes = (_names_of_dyads(predicted, dataset, rename) for rename in (None, _by_first_message(dataset)))
    at = in_codes.get_indexer(names)
    numbers = pd.DataFrame({side: pd.factorize(in_codes.get_level_values(side))[0][at] for side in _SIDES})
    place = _names_of_dyads(scored, dataset).get_indexer(names)
    kept = place >= 0
    numbered = coded.iloc[place[kept]].assign(**{f"{side}_of_codes": numbers[side][kept].to_numpy() for side in _SIDES})
    numbered = numbered.assign(**{side: pd.factorize(names.get_level_values(side))[0][kept] for side in _SIDES})
    done = session.finished_dyads().rename(columns={side: f"{side}_of_codes" for side in _SIDES})
    return done.merge(numbered, how="inner").drop(columns=[f"{side}_of_codes" for side in _SIDES])


def _coding_material(scored: pd.DataFrame, dataset: Dataset, dyads: pd.DataFrame) -> pd.DataFrame:
    """Return the messages of each dyad in time order, with text, and with people as numbered in ``dyads``."""
    from etiquette_analysis.analysis.pairing import find_pairs

    pairs, rows = find_pairs(scored, dataset.connections, dataset.ego)
    place = pairs.listing_order(_by_first_message(dataset)(pairs.names)).argsort()[rows.dyad]
    messages = dataset.messages.iloc[rows.row].reset_index(drop=True)
    material = messages[["message_id", "kind", "text"]].assign(
        is_own=rows.own, day=rows.day, predicted_level=scored["pitch_level"].to_numpy(object)[rows.row]
    )
    return material.assign(**{side: dyads[side].to_numpy()[place] for side in ("sender", "contact")})


def _by_first_message(dataset: Dataset) -> Callable[[pd.Index], pd.Index]:
    """Return what gives people, instead of their names, their place in the order of their first messages."""
    messages = dataset.messages
    sides = [messages.set_index(side)["message_id"] for side in ("sender", "recipient")]
    first = pd.concat(sides).groupby(level=0).min()

    def rename(names: pd.Index) -> pd.Index:
        found = first.reindex(names)
        # Nothing is to be coded of those without a message; they come last.
        return pd.Index(np.lexsort((found.fillna(0), found.isna())).argsort())

    return rename


def _names_of_dyads(
    scored: pd.DataFrame, dataset: Dataset, rename: Callable[[pd.Index], pd.Index] | None = None
) -> pd.MultiIndex:
    """Return the identifiers of both people, in the order of the table of dyads."""
    from etiquette_analysis.analysis.pairing import find_pairs

    pairs, _ = find_pairs(scored, dataset.connections, dataset.ego)
    order = pairs.listing_order(None if rename is None else rename(pairs.names))
    sides = [pairs.names[pairs.sender[order]], pairs.names[pairs.contact[order]]]
    return pd.MultiIndex.from_arrays(sides, names=["sender", "contact"])
