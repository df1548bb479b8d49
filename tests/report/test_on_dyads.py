"""A report on a table of dyads says what a report on the messages says, but for what is counted by turn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis.analysis.origin import ATTRIBUTE, origin_of
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.pipeline import prepare_report_on_dyads, read_dyads, write_report
from etiquette_analysis.privacy import suppress_small
from etiquette_analysis.report import questions, sections
from etiquette_analysis.report.findings import find, tidy_numbers
from etiquette_analysis.report.folder import FILES
from etiquette_analysis.report.language import load_words
from etiquette_analysis.simulation import simulate
from tests.report.conftest import WORLDS, find_world

if TYPE_CHECKING:
    from pathlib import Path

    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings
    from etiquette_analysis.schema import Dataset

BY_TURN = ("sent", "received", "rapport")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    world, n, seed = WORLDS["too_small"]
    return simulate(world, n=n, seed=seed)


@pytest.fixture(scope="module")
def file(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dyads") / "dyads.parquet"
    ea.build_dyads(dataset, levels=dataset.levels).to_parquet(path, index=False)
    return path


def test_the_report_on_a_file_says_what_the_one_on_the_messages_says(file: Path, tmp_path: Path) -> None:
    page = write_report(pd.read_parquet(file), tmp_path / "report", language="it")
    found = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    expected = find_world("too_small").results
    assert [found.pop(name) for name in BY_TURN] == [None] * 3
    assert found["data"].pop("n_turns") is None
    assert found["data"].pop("fingerprint") != expected["data"]["fingerprint"], "the turns are missing from it"
    assert found["data"] == {k: v for k, v in expected["data"].items() if k not in ("n_turns", "fingerprint")}
    assert {k: v for k, v in found.items() if k != "data"} == {
        k: v for k, v in expected.items() if k not in ("data", *BY_TURN)
    }
    assert sorted(p.name for p in page.parent.iterdir()) == [n for n in FILES if n not in ("report.pdf", "turns.csv")]
    html = page.read_text(encoding="utf-8")
    assert html.count(load_words("it")["habits"]["no_turns"]) == 1
    assert 'id="received"' not in html
    assert 'id="rapport"' not in html


@pytest.mark.parametrize("language", ["en", "it"])
def test_one_sentence_says_what_is_left_out(file: Path, language: Language) -> None:
    on_dyads = find(prepare_report_on_dyads(pd.read_parquet(file)), suppress=suppress_small)
    sentence = load_words(language)["habits"]["no_turns"]
    for findings, n in ((on_dyads, 1), (find_world("too_small"), 0)):
        html = "".join(section(findings, language=language).html for section in sections.IN_ORDER)
        assert html.count(sentence) == n


def test_resampling_is_left_out_where_it_would_take_hours(answered: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "DRAWS", {10: 100})
    found = questions.take_apart(answered.inputs)
    expected = answered.results["secondary"]
    assert [found[name]["lacks"] for name in questions.QUESTIONS] == ["time"] * 3 + [None]
    assert found["n_draws"] == 0
    assert found["per_pitch"] is None
    assert found["S4"]["estimate"] == pytest.approx(expected["S4"]["estimate"])
    html = sections.questions(replace(answered, results={**answered.results, "secondary": tidy_numbers(found)})).html
    assert html.count(load_words("en")["questions"]["lacks"]["time"]) == 3


def test_the_plan_travels_with_the_file(dataset: Dataset, tmp_path: Path) -> None:
    plan = Plan(window_days=7, deferred=(5, 20), pitch_level="hard", history_days=0)
    ea.build_dyads(dataset, plan, levels=dataset.levels).to_parquet(tmp_path / "dyads.parquet", index=False)
    dyads = pd.read_parquet(tmp_path / "dyads.parquet")
    inputs = prepare_report_on_dyads(dyads)
    assert inputs.plan == plan
    assert inputs.about["observed_until"] == f"{dataset.observed_until:%Y-%m-%d}"
    assert inputs.about["is_own_coding"]
    assert inputs.audit["stage"].tolist()[-1] == "messages for turns"
    for change in ({"pitch_level": "moderate"}, {"history_days": 30}, {"follow_up_gap_hours": 5}):
        other = replace(plan, **change)
        (name,) = change
        with pytest.raises(DesignError, match=rf"the dyads were made with {name}=.*make them anew from the messages"):
            prepare_report_on_dyads(dyads, plan=other)
        with pytest.raises(DesignError, match=f"the dyads were made with {name}="):
            ea.compare(dyads, other)


def test_other_windows_give_what_dyads_made_with_them_give(dataset: Dataset, file: Path) -> None:
    plan = Plan(window_days=7, deferred=(5, 20))
    made_with_it = ea.build_dyads(dataset, plan, levels=dataset.levels)
    found, expected = (ea.describe(dyads, plan).frame for dyads in (pd.read_parquet(file), made_with_it))
    pd.testing.assert_frame_equal(found, expected)


def test_a_table_that_does_not_say_its_plan_is_refused(dataset: Dataset, file: Path, tmp_path: Path) -> None:
    bare = pd.read_parquet(file)
    bare.attrs.pop(ATTRIBUTE)
    assert origin_of(bare) is None
    with pytest.raises(DesignError, match="the table does not say with which plan it was made; expected one row per"):
        write_report(bare, tmp_path / "report")
    assert not (tmp_path / "report").exists()
    with pytest.raises(DesignError, match="levels: dyads hold their own already"):
        write_report(bare, tmp_path / "report", levels=dataset.levels)
    for name in ("bare.parquet", "bare.csv"):
        bare.to_parquet(tmp_path / name) if name.endswith("parquet") else bare.to_csv(tmp_path / name, index=False)
        with pytest.raises(SourceError, match=rf"{name}: holds a row per connection, but does not say with which plan"):
            read_dyads(tmp_path / name)
    dataset.messages.to_parquet(tmp_path / "messages.parquet")
    assert read_dyads(tmp_path / "messages.parquet") is None
    assert read_dyads(tmp_path) is None
