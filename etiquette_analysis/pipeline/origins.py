"""Where dyads come from: facts on a source that travel with them and that the report prints, no identifier among them.

A file of dyads is known by its columns, and is of use where it says with which plan it was made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etiquette_analysis.errors import SourceError
from etiquette_analysis.pipeline.tables import columns_of
from etiquette_analysis.schema import TURN_KINDS, Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etiquette_analysis.analysis.origin import Origin


def about_dataset(dataset: Dataset, scored: pd.DataFrame, *, is_own_coding: bool) -> dict[str, Any]:
    """Return the facts on a dataset; ``scored`` are its messages from ``score_messages``."""
    until, enters = dataset.observed_until, scored["kind"].isin(TURN_KINDS)
    has_level = scored["pitch_level"].notna()
    ego = dataset.ego
    return {
        "source": dataset.source,
        "observed_until": None if pd.isna(until) else f"{until:%Y-%m-%d}",
        "has_connection_dates": dataset.has_connection_dates,
        "n_messages": len(scored),
        "n_owners": 0 if ego is None else 1 if isinstance(ego, str) else len(ego),
        "n_labelled": int((enters & has_level).sum()),
        "n_abstained": int((enters & ~has_level).sum()),
        "n_auto_replies": int((scored["kind"] == "auto_reply").sum()),
        **_labels(is_own_coding=is_own_coding),
    }


def about_files(counted: Mapping[str, Any], ego: Sequence[str] | None) -> dict[str, Any]:
    """Return the facts on files; ``counted`` is what the engine found there."""
    facts = {"source": "table", "n_owners": len(ego or ()), **counted}
    return {**facts, **_labels(is_own_coding=facts["is_own_coding"])}


def _labels(*, is_own_coding: bool) -> dict[str, Any]:
    from etiquette_analysis.labels.pitch.model import load_model

    model = None if is_own_coding else load_model()
    return {
        "is_own_coding": is_own_coding,
        "sensitivity": model and model.sensitivity,
        "specificity": model and model.specificity,
    }


def read_dyads(path: str | Path) -> tuple[pd.DataFrame, Origin] | None:
    """Read a file of dyads and what it says of itself; None where it is something else.

    Raises
    ------
    SourceError
        Where it holds dyads, but does not say with which plan they were made.
    """
    from etiquette_analysis.analysis.dyads import NEEDED
    from etiquette_analysis.analysis.origin import origin_of

    path = Path(path)
    if not path.is_file() or not set(NEEDED) <= set(columns_of(path)):
        return None
    dyads = pd.read_parquet(path) if path.suffix == ".parquet" else pd.DataFrame()
    origin = origin_of(dyads)
    if origin is None:
        msg = (
            f"{path}: holds a row per connection, but does not say with which plan they were made; expected the "
            "Parquet file that etiquette label --rows dyads --out dyads.parquet writes"
        )
        raise SourceError(msg)
    return dyads, origin
