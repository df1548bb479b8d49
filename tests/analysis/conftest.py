"""Simulated exports, reduced to dyads once per session: their true levels stand in for a labeller."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import pytest

from etiquette_analysis.analysis.dyads import tabulate_dyads
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.simulation import simulate


def label(dataset):
    """Return the dataset's messages as the analysis receives them: labelled and without text."""
    return dataset.messages.drop(columns=["text", "conversation_id", "channel"]).assign(
        pitch_level=dataset.levels.to_numpy(), has_text=True
    )


@lru_cache(maxsize=256)
def _dyads(world, n, seed, plan):
    dataset = simulate(world, n=n, seed=seed)
    return tabulate_dyads(
        label(dataset), dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=plan
    )


@pytest.fixture(scope="session")
def simulated_dyads():
    """Return a function (world, n, seed) -> dyads; do not change the table it returns."""

    def make(world: str, n: int = 1500, seed: int = 1, plan: Plan | None = None) -> pd.DataFrame:
        return _dyads(world, n, seed, Plan() if plan is None else plan)

    return make


@pytest.fixture(scope="session")
def label_dataset():
    return label
