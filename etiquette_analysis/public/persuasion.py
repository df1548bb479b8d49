"""PersuasionForGood: one person asks another to give to a charity, sooner or later in a short talk.

Wang et al. (ACL 2019) had people talk in pairs; coders labelled what each sentence does in 300 of the talks, and what
was given in the end is known. The ask is a human label here, so the question of timing does not hang on our own. A
"turn" is one exchange, counted from 0. Talks in which nobody is asked have no first ask and are left out, with their
number; and some people agree before they are asked, which is counted, because it is the answer that came first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.labels.pitch import label_pitch

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The acts that ask for a gift outright, as the authors' coders named them.
ASKS: Final = ("proposition-of-donation", "ask-donation-amount", "ask-donate-more")
AGREES: Final = "agree-donation"
#: Asked in the first two exchanges is "at once".
AT_ONCE_TURNS: Final = 2


def find_asks(sentences: pd.DataFrame, acts: Sequence[str] = ASKS) -> pd.DataFrame:
    """Return the persuaders' turns and whether the coders, and our pitch labels, see an ask in them.

    Parameters
    ----------
    sentences : DataFrame
        As of :func:`etiquette_analysis.sources.public.read_dialogues`.
    acts : sequence of str
        Acts that count as an ask.

    Returns
    -------
    DataFrame
        One row per persuader's turn: ``dialogue_id``, ``turn``, ``is_ask`` (by the coders), ``is_pitch`` (ours: the
        whole turn read as one message, level moderate or above).

    Examples
    --------
    >>> sentences = pd.DataFrame({"dialogue_id": "a", "role": "persuader", "turn": [0, 1, 1], "persuader_label2": None,
    ...     "text": ["Hello!", "It helps children.", "Would you donate a dollar today?"],
    ...     "persuader_label": ["greeting", "logical-appeal", "proposition-of-donation"]})
    >>> find_asks(sentences)[["turn", "is_ask"]]
       turn  is_ask
    0     0   False
    1     1    True
    """
    said = sentences[sentences["role"] == "persuader"]
    is_ask = said["persuader_label"].isin(acts) | said["persuader_label2"].isin(acts)
    said = said.assign(is_ask=is_ask, text=said["text"].fillna("").astype("str"))
    turns = said.groupby(["dialogue_id", "turn"], as_index=False).agg(is_ask=("is_ask", "any"), text=("text", " ".join))
    level = label_pitch(turns["text"])["pitch_level"]
    return turns.assign(is_pitch=(level >= "moderate").fillna(False).astype(bool)).drop(columns="text")


def tabulate_dialogues(sentences: pd.DataFrame, gifts: pd.DataFrame, is_ask: pd.DataFrame) -> pd.DataFrame:
    """Return one row per dialogue in which the persuader asks: when first, and what came of it.

    Parameters
    ----------
    sentences, gifts : DataFrame
        As of :func:`etiquette_analysis.sources.public.read_dialogues`.
    is_ask : DataFrame
        ``dialogue_id``, ``turn``, ``is_ask``, as of :func:`find_asks`.

    Returns
    -------
    DataFrame
        ``dialogue_id``, ``first_ask`` (turn, from 0), ``at_once`` (in the first two), ``answered`` (the persuadee
        gave something in the end), ``agreed_before`` (they said so before the turn of the first ask), ``cluster``
        (the persuader).
    """
    first = is_ask[is_ask["is_ask"]].groupby("dialogue_id")["turn"].min().rename("first_ask")
    agreed = sentences[sentences["persuadee_label"] == AGREES].groupby("dialogue_id")["turn"].min()
    by_role = {role: people.set_index("dialogue_id") for role, people in gifts.groupby("role")}
    table = first.to_frame().join(by_role["persuadee"]["donation_usd"], how="inner")
    return pd.DataFrame(
        {
            "dialogue_id": table.index,
            "first_ask": table["first_ask"].to_numpy(),
            "at_once": (table["first_ask"] < AT_ONCE_TURNS).to_numpy(),
            "answered": (table["donation_usd"] > 0).to_numpy(),
            "agreed_before": (agreed.reindex(table.index).fillna(np.inf) < table["first_ask"]).to_numpy(),
            "cluster": by_role["persuader"]["user_id"].reindex(table.index).fillna("unknown").to_numpy(),
        }
    )
