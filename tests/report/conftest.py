"""Findings of a few invented worlds, computed once: harm, too small, strict gating, no pitch, and no dates."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from etiquette_analysis.pipeline import prepare_report
from etiquette_analysis.privacy import suppress_small
from etiquette_analysis.report import sections
from etiquette_analysis.report.findings import Findings, find
from etiquette_analysis.simulation import simulate
from etiquette_analysis.sources import read_table

if TYPE_CHECKING:
    from etiquette_analysis.report.inputs import ReportInputs

WORLDS = {
    "answered": ("B", 900, 2),
    "too_small": ("D", 60, 1),
    "gated": ("J", 500, 2),
    "no_pitch": ("D", 80, 3),
    "undated": ("D", 500, 4),
}


def prepare(name: str) -> ReportInputs:
    world, n, seed = WORLDS[name]
    dataset = simulate(world, n=n, seed=seed)
    if name == "undated":
        bare = read_table(dataset.messages, observed_until=dataset.observed_until)
        return prepare_report(replace(bare, ego=dataset.ego), levels=dataset.levels)[0]
    levels = dataset.levels.where(dataset.levels == "none", "none") if name == "no_pitch" else dataset.levels
    return prepare_report(dataset, levels=levels)[0]


@functools.cache
def find_world(name: str) -> Findings:
    return find(prepare(name), suppress=suppress_small)


@pytest.fixture(scope="session", params=list(WORLDS))
def findings(request: pytest.FixtureRequest) -> Findings:
    return find_world(request.param)


@pytest.fixture(scope="session")
def parts(findings: Findings) -> dict[str, dict[str, str]]:
    """Return the HTML of every section, by language and name."""
    return {
        language: {section.__name__: section(findings, language=language).html for section in sections.IN_ORDER}
        for language in ("en", "it")
    }


@pytest.fixture(scope="session")
def answered() -> Findings:
    return find_world("answered")
