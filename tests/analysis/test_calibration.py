"""The Monte Carlo study: its verdicts on tables made by hand, its cache, and its bars as the plan states them."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "calibration"


@pytest.fixture(scope="module")
def parts():
    """The scripts, imported as they import one another."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in ("studies", "judge", "figure", "run")}
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("studies", "judge", "figure", "run"):
            sys.modules.pop(name, None)


def made_up(estimates, *, half=0.05, level=2):
    values = np.asarray(estimates, dtype=float)
    return pd.DataFrame(
        {"seed": range(len(values)), "method": "wsr", "estimand": "rd", "estimate": values, "level": level}
    ).assign(low=values - half, high=values + half, se=half / 2)


def test_bias_coverage_and_rejections_are_counted_by_hand(parts):
    study = parts["studies"].Study("primary", "E", 1500, 4)
    table = made_up([-0.10, -0.06, -0.02, 0.06])
    row = parts["judge"].summarise({study: table}, {"E": {"rd": -0.08}}).iloc[0]
    assert row["bias"] == pytest.approx(100 * (-0.03 + 0.08))
    assert row["coverage"] == 50  # -0.10 and -0.06 hold -0.08
    assert row["rejects"] == 75
    assert row["wrong_side"] == 25


def test_only_what_the_gate_lets_through_is_judged(parts):
    study = parts["studies"].Study("primary", "J", 1500, 3)
    table = pd.concat([made_up([0.5, 0.5], level=1), made_up([0.0])], ignore_index=True)
    row = parts["judge"].summarise({study: table}, {"J": {"rd": 0.0}}).iloc[0]
    assert (row["bias"], row["coverage"]) == (0, 100)
    assert row["bias_always"] == pytest.approx(100 / 3)
    assert row["level_1"] == pytest.approx(200 / 3)


def test_a_bar_names_every_regime_that_misses_it(parts):
    tables = {}
    for regime, shift in (("A", 0.0), ("C", 0.007), ("D", -0.02)):
        tables[parts["studies"].Study("primary", regime, 1500, 4)] = made_up(
            np.array([-0.01, 0.01, -0.01, 0.01]) + shift
        )
    summary = parts["judge"].summarise(tables, {r: {"rd": 0.0} for r in "ACD"})
    bars = parts["judge"].judge_bars(summary)
    bias = bars[bars["what"] == "n = 1,500: absolute bias"].iloc[0]
    assert (bias["verdict"], bias["where"], bias["missed_in"]) == (
        "missed",
        "primary_D_1500",
        "primary_C_1500, primary_D_1500",
    )
    assert bars.loc[bars["bar"] == 14, "verdict"].eq("not run").all()
    assert parts["figure"].draw_figure(summary.assign(bias_always=0.0)).startswith("<svg")


def test_bars_are_those_of_the_plan(parts):
    bars = parts["judge"].judge_bars(pd.DataFrame(columns=["regime", "method", "estimand", "senders", "n"]))
    asked = bars.groupby("bar")["asked"].agg(list).to_dict()
    assert asked[1] == ["<= 0.6"]
    assert asked[4] == ["0.93 to 1.12"]
    assert asked[7] == ["<= 1", "91 to 98"]
    assert asked[14] == ["<= 1", ">= 91"]


def test_a_cut_line_is_run_again(parts, tmp_path):
    study = parts["studies"].Study("primary", "A", 150, 2)
    parts["run"].run_study(study, tmp_path)
    path = tmp_path / f"{study.name}.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-40], encoding="utf-8")
    assert len(parts["run"].read_sets(path)) == 1
    parts["run"].run_study(study, tmp_path)
    assert parts["run"].read_sets(path) == {
        entry["seed"]: entry["rows"] for entry in map(json.loads, whole.splitlines())
    }


def test_every_kind_of_study_gives_rows(parts):
    kinds = {}
    for study in parts["studies"].studies():
        kinds.setdefault(study.kind, study)
    assert set(kinds) == {"primary", "orphans", "hidden", "senders", "labels", "policy"}
    small = parts["studies"].Study("hidden", "G", 600, 1)
    methods = [row["method"] for row in parts["studies"].analyse(small, 1)]
    assert methods[:2] == ["latency, now", "latency, later"]
