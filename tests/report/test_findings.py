"""What the report finds in worlds whose truth is known, and what it refuses to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.privacy import suppress_small
from etiquette_analysis.report.findings import dump, find
from etiquette_analysis.report.habits import by_rapport, first_pitches
from etiquette_analysis.report.inputs import TURN_COLUMNS, ReportInputs, read_inputs, write_inputs
from etiquette_analysis.report.tallies import SMALLEST_CELL
from tests.report.conftest import find_world, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from etiquette_analysis.report.findings import Findings


def test_where_pitching_at_once_harms_the_report_says_so(answered: Findings) -> None:
    answer = answered.results["answer"]
    assert answer["verdict"] == "supports"
    assert answer["low"] < -0.094 < answer["high"], "the true difference of world B"
    assert answered.tipping is not None
    assert answered.tipping > 1


def test_too_few_contacts_give_counts_and_no_comparison() -> None:
    results = find_world("too_small").results
    assert results["answer"]["verdict"] == "not answerable"
    assert results["answer"]["rd"] is None
    assert results["counted"]["rd_any_later"]["estimate"] is None
    assert results["counted"]["now"]["rate"] is not None


def test_without_any_pitch_the_report_still_describes() -> None:
    findings = find_world("no_pitch")
    assert findings.n_pitched == 0
    assert findings.results["habits"]["share_opened"] > 0
    assert findings.results["waiting"] == {"now": None, "any_later": None}


def test_strict_gating_is_told_with_what_can_be_said() -> None:
    results = find_world("gated").results
    assert "strict_gating" in results["design"]["reasons"]
    policy = results["secondary"]["S3"]
    assert policy["low"] < policy["estimate"] < policy["high"]
    assert [results["secondary"][name]["lacks"] for name in ("S1", "S2", "S4")] == ["data"] * 3


def test_small_cells_are_not_shown(findings: Findings) -> None:
    cells = [*findings.results["grid"], *findings.results["rapport"], *findings.results["habits"]["whom"]]
    sizes = [c["n"] for c in cells] + [row["n"] for row in findings.results["habits"]["when"]]
    assert not [n for n in sizes if n is not None and 0 < n < SMALLEST_CELL]


def test_results_are_plain_json_and_the_same_twice(answered: Findings) -> None:
    assert json.loads(dump(answered.results)) == answered.results
    assert dump(find(prepare("too_small"), suppress=suppress_small).results) == dump(find_world("too_small").results)


def test_inputs_travel_unchanged(tmp_path: Path) -> None:
    inputs = prepare("too_small")
    write_inputs(inputs, tmp_path)
    back = read_inputs(tmp_path)
    assert back.fingerprint == inputs.fingerprint
    assert back.plan == inputs.plan
    assert dump(find(back, suppress=suppress_small).results) == dump(find(inputs, suppress=suppress_small).results)


def test_the_report_takes_no_names_and_no_text() -> None:
    inputs = prepare("too_small")
    with pytest.raises(SchemaError, match=r"hold \['text'\]; expected numbers for people and no text"):
        ReportInputs(inputs.turns.assign(text="hello"), inputs.dyads, inputs.audit)


def turns_by_hand() -> pd.DataFrame:
    """Six pitches by others (two at once; three answered, one too recent), six by the owner after one word."""
    n = 12
    others = np.arange(n) < 6
    status = ["replied", "replied", "replied", "no_reply", "no_reply", "censored", *["replied"] * 2, *["no_reply"] * 4]
    table = {
        "dyad": range(n),
        "is_own": pd.array(~others, dtype="boolean"),
        "started_at": pd.Timestamp("2024-05-01", tz="UTC"),
        "n_messages": 1,
        "kind": "message",
        "day": pd.array([0, 1, 5, 8, 9, 10, *[3] * 6], dtype="Int64"),
        "timing": ["immediate", "immediate", *["first_week"] * 10],
        "rapport": np.where(others, "none", "acknowledged"),
        "pitch_level": ["hard", *["moderate"] * 11],
        "reply_status": status,
        "hours_to_reply": [1.0, 2.0, 3.0, *[np.nan] * 3, 5.0, 6.0, *[np.nan] * 4],
        "is_approach": True,
        "is_first_pitch": True,
        "immediate_pitch": False,
    }
    return pd.DataFrame(table)[list(TURN_COLUMNS)]


def test_pitches_of_both_sides_counted_by_hand() -> None:
    found = first_pitches(turns_by_hand(), Plan(), is_own=False)
    assert found is not None
    assert (found["n"], found["share_now"], found["share_hard"]) == (6, 2 / 6, 1 / 6)
    assert (found["answers"]["n"], found["answers"]["rate"]) == (5, 3 / 5), "a pitch still waiting is not a refusal"
    assert found["answers_later"]["n"] is None, "with the two at once hidden, the others would tell of them"
    assert found["median_hours"] is None, "three answers are too few for a median"
    own = first_pitches(turns_by_hand(), Plan(), is_own=True)
    assert own is not None
    assert (own["share_now"], own["median_day"], own["answers_later"]["rate"]) == (0.0, 3.0, 2 / 6)


def test_replies_by_rapport_counted_by_hand() -> None:
    rows = {row["rapport"]: row for row in by_rapport(turns_by_hand(), suppress_small, conf_level=0.95)}
    assert rows["acknowledged"]["rate"] == 2 / 6
    assert rows["none"]["n"] is None


def test_a_source_without_owner_has_no_received_pitches() -> None:
    turns = turns_by_hand().assign(is_own=pd.array([None] * 12, dtype="boolean"))
    assert first_pitches(turns, Plan(), is_own=False) is None
    sent = first_pitches(turns, Plan(), is_own=True)
    assert sent is not None
    assert sent["n"] == 12


def test_the_four_questions_are_corrected_for_being_four(answered: Findings) -> None:
    found = answered.results["secondary"]
    tested = [found[name] for name in ("S1", "S2", "S3", "S4") if found[name]["lacks"] is None]
    assert len(tested) == 4
    assert all(q["p_holm"] >= q["p_value"] for q in tested)
    assert min(q["p_holm"] for q in tested) == pytest.approx(min(4 * q["p_value"] for q in tested))
    assert found["S1"]["low"] < 0.075 < found["S1"]["high"], "the true gain of waiting alone in world B"
    assert found["S4"]["says"] == "claimed"
    assert all((q["says"] != "open") == (q["p_holm"] < 0.05) for q in tested)


def test_no_small_count_follows_from_the_totals_beside_it(findings: Findings) -> None:
    arms = findings.results["flow"]["arms"]
    hidden = [name for name, n in arms.items() if n is None]
    shown = sum(n for n in arms.values() if n is not None)
    rest = findings.results["flow"]["n_eligible"] - shown
    assert not hidden or (len(hidden) > 1 and rest >= SMALLEST_CELL)
    for arm in ("now", "later", "between"):
        parts = [row["n"] for row in findings.results["habits"]["when"] if row["arm"] == arm]
        assert arms[arm] is not None or parts == [None] * len(parts), f"the days of {arm!r} would tell its total"


def test_both_rooms_mean_the_same_small_cell() -> None:
    from etiquette_analysis.privacy import SMALLEST_CELL as SUPPRESSED_BELOW

    assert SMALLEST_CELL == SUPPRESSED_BELOW
