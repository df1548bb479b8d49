"""From labels to the table of the analysis: one row per connection, counts of days, no names, no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.pipeline.labelling import score_messages

if TYPE_CHECKING:
    import pandas as pd

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.schema import Dataset


def build_dyads(dataset: Dataset, plan: Plan | None = None, *, levels: pd.Series | None = None) -> pd.DataFrame:
    """Reduce a dataset to one row per connection, for the analysis: counts of days, no names, no text.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    plan : Plan, optional
        The windows and thresholds; the default plan where not given.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``.

    Returns
    -------
    DataFrame
        One row per connected pair, orphans (in messages, but not in the list of connections) included; ``exclusion``
        holds the reason where a row cannot be judged, and is null where it can.
    """
    from etiquette_analysis.analysis.plan import Plan

    return tabulate(score_messages(dataset.messages, levels=levels), dataset, plan or Plan())


def tabulate(scored: pd.DataFrame, dataset: Dataset, plan: Plan) -> pd.DataFrame:
    """Return the dyads of scored messages."""
    from etiquette_analysis.analysis.dyads import tabulate_dyads
    from etiquette_analysis.engine import embedded

    labels = embedded.message_labels(
        scored, dataset.connections, observed_until=dataset.observed_until, options=label_options(plan)
    )
    scored = scored.assign(first_message_id=labels["first_message_id"], timing=labels["timing"])
    return tabulate_dyads(
        scored, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=plan
    )


def label_options(plan: Plan) -> LabelOptions:
    """Return the options of the labels that the plan's question needs."""
    return LabelOptions(plan.window_days, plan.follow_up_gap_hours, 24, plan.pitch_level)
