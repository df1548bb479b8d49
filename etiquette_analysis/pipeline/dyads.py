"""From labels to the table of the analysis: one row per connection, counts of days, no names, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.pipeline.labelling import audit_of, score_messages
from etiquette_analysis.pipeline.names import index_renamer
from etiquette_analysis.pipeline.origins import about_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.schema import Dataset


def build_dyads(
    dataset: Dataset,
    plan: Plan | None = None,
    *,
    levels: pd.Series | None = None,
    identify: bool = True,
    project: str = "default",
) -> pd.DataFrame:
    """Reduce a dataset to one row per connection, for the analysis: counts of days, no names, no text.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    plan : Plan, optional
        The windows and thresholds; the default plan where not given.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``.
    identify : bool
        List the connections of a day, and number people, in the order of their names; that tells them to whoever has
        the list of contacts. False: in the order of their pseudonyms. No result depends on it.
    project : str
        Whose key makes the pseudonyms.

    Returns
    -------
    DataFrame
        One row per connected pair, orphans (in messages, but not in the list of connections) included; ``exclusion``
        holds the reason where a row cannot be judged, and is null where it can. With which plan it was made, and from
        what, stays with the table (``attrs``), in Parquet too.
    """
    from etiquette_analysis import privacy
    from etiquette_analysis.analysis.origin import Origin
    from etiquette_analysis.analysis.plan import Plan

    plan = plan or Plan()
    scored = score_messages(dataset.messages, levels=levels)
    rename = None if identify else index_renamer(privacy.load_key(project))
    dyads = tabulate(scored, dataset, plan, rename=rename)
    about = about_dataset(dataset, scored, is_own_coding=levels is not None)
    dyads.attrs |= Origin(plan, about, audit_of(dataset, scored)).attrs
    return dyads


def tabulate(
    scored: pd.DataFrame,
    dataset: Dataset,
    plan: Plan,
    *,
    rename: Callable[[pd.Index], pd.Index] | None = None,
) -> pd.DataFrame:
    """Return the dyads of scored messages, in the order of the names that ``rename`` gives."""
    from etiquette_analysis.analysis.dyads import tabulate_dyads
    from etiquette_analysis.engine import embedded

    labels = embedded.message_labels(
        scored, dataset.connections, observed_until=dataset.observed_until, options=label_options(plan)
    )
    scored = scored.assign(first_message_id=labels["first_message_id"], timing=labels["timing"])
    return tabulate_dyads(
        scored, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=plan, rename=rename
    )


def label_options(plan: Plan) -> LabelOptions:
    """Return the options of the labels that the plan's question needs."""
    return LabelOptions(plan.window_days, plan.follow_up_gap_hours, 24, plan.pitch_level)
