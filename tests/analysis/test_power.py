"""What the data could see: the table of the plan, from simulated worlds."""

from __future__ import annotations

import numpy as np
import pytest

from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.power import power

PLAN = Plan()


@pytest.mark.parametrize(
    ("world", "n", "published"), [("A", 600, 11), ("A", 1500, 7.5), ("D", 600, 16), ("D", 1500, 9.4)]
)
def test_minimum_detectable_difference_is_that_of_the_plan(simulated_dyads, world, n, published):
    found = [power(simulated_dyads(world, n=n, seed=s), PLAN).minimum_detectable for s in (1, 2, 3)]
    assert 100 * np.mean(found) == pytest.approx(published, rel=0.2)


def test_it_is_2_8_standard_errors_and_shrinks_by_root_n(simulated_dyads):
    d = simulated_dyads("A")
    result = compare(d, PLAN)
    p = power(d, PLAN, result=result)
    assert p.minimum_detectable == pytest.approx(2.8 * result.se)
    assert p.n_needed == pytest.approx(1500 * (p.minimum_detectable / PLAN.sesoi) ** 2, rel=0.01)
    assert p.n_more == p.n_needed - 1500
    assert p.months_more == pytest.approx(p.n_more / 1500 * 21.2, rel=0.05)  # 644 days of connecting


def test_power_at_the_minimum_detectable_is_eighty_percent(simulated_dyads):
    d = simulated_dyads("A")
    mde = power(d, PLAN).minimum_detectable
    assert power(d, Plan(sesoi=mde)).power_at_sesoi == pytest.approx(0.8, abs=0.005)
    assert power(d, Plan(sesoi=2 * mde)).n_more == 0
    assert "That is enough" in power(d, Plan(sesoi=2 * mde)).text()


def test_refused_data_are_planned_from_counts(simulated_dyads):
    p = power(simulated_dyads("J"), PLAN)
    assert not p.is_answered
    assert "counts alone" in p.text("en")
    assert "soli conteggi" in p.text("it")
    assert p.frame["level"].eq(1).all()
    assert (p.frame["reason"] == "strict_gating; imbalance").all() or p.frame["reason"].notna().all()


def test_small_exports_say_so(simulated_dyads):
    p = power(simulated_dyads("D", n=150), PLAN)
    assert p.minimum_detectable > 0.2
    assert p.power_at_sesoi < 0.5
    assert "wrong" in p.text("en")
    assert "segno sbagliato" in p.text("it")


def test_no_pitches_in_a_window(simulated_dyads):
    d = simulated_dyads("D")
    p = power(d[d["pitch_day"].isna() | (d["pitch_day"] <= 1).fillna(False)], PLAN)
    assert np.isnan(p.minimum_detectable)
    assert "nothing can be compared" in p.text()
