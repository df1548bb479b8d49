"""The experiment: allocation by chance, sample size, and the reading of its result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import power_proportions_2indep

from etiquette_analysis.analysis import experiment as ex
from etiquette_analysis.errors import DesignError, SchemaError

PEOPLE = [f"contact-{k}" for k in range(400)]


def test_same_seed_same_list_other_seed_another():
    a, b, c = (ex.randomise(PEOPLE, seed=s).frame for s in (1, 1, 2))
    pd.testing.assert_frame_equal(a, b)
    assert not a["arm"].equals(c["arm"])
    assert a["contact"].tolist() == PEOPLE


def test_coin_is_fair_and_flips_are_independent():
    arms = np.array([ex.randomise(PEOPLE, seed=s).frame["arm"] == "NOW" for s in range(60)], dtype=float)
    assert abs(arms.mean() - 0.5) < 4 * 0.5 / arms.size**0.5
    assert stats.kstest((arms.sum(axis=1) - 200) / 10, "norm").pvalue > 1e-3


def test_blocks_hold_equal_numbers_within_strata():
    strata = np.array(["it", "en", "en", "it"] * 100)
    frame = ex.randomise(PEOPLE, seed=3, method="blocked", block_size=6, strata=strata).frame
    for label in ("it", "en"):
        own = (frame["arm"][strata == label] == "NOW").to_numpy()
        assert abs(own.sum() - 100) <= 3
        assert all(own[k : k + 6].sum() == 3 for k in range(0, 198, 6))


def test_sample_size_against_statsmodels_and_by_simulation():
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert ex.n_per_arm(base_rate=0.15, sesoi=0.05) == int(np.ceil(z**2 * (0.15 * 0.85 + 0.2 * 0.8) / 0.05**2))
    assert power_proportions_2indep(0.05, 0.15, 903).power == pytest.approx(0.8, abs=0.005)
    n = ex.n_per_arm(base_rate=0.15, sesoi=0.1)
    rng = np.random.default_rng(1)
    low, _ = ex.newcombe(rng.binomial(n, 0.25, 4000), np.full(4000, n), rng.binomial(n, 0.15, 4000), np.full(4000, n))
    assert 0.77 < (low > 0).mean() < 0.84


def test_result_is_newcombe_and_the_permutation_test_is_fishers_kin():
    arm = np.array(["NOW"] * 70 + ["LATER"] * 80)
    replied = np.array([True] * 56 + [False] * 14 + [True] * 48 + [False] * 32)
    result = ex.analyse_experiment(arm, replied)
    assert (round(result.low, 4), round(result.high, 4)) == (0.0524, 0.3339)
    exact = stats.fisher_exact([[56, 14], [48, 32]]).pvalue
    assert result.p_value == pytest.approx(exact, abs=0.006)
    assert result.frame["estimand"].tolist() == ["rate_now", "rate_later", "rd"]


def test_permutation_test_keeps_its_level():
    rng = np.random.default_rng(4)
    arm = np.where(np.arange(120) % 2, "NOW", "LATER")
    p = [ex.analyse_experiment(arm, rng.random(120) < 0.3, rng=rng).p_value for _ in range(200)]
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_stratified_test_shuffles_within_strata():
    strata = np.repeat(["a", "b"], 60)
    arm = np.where(np.arange(120) % 60 < np.where(strata == "a", 45, 15), "NOW", "LATER")
    replied = strata == "a"  # reply depends on the stratum alone
    assert ex.analyse_experiment(arm, replied).p_value < 0.001
    assert ex.analyse_experiment(arm, replied, strata=strata).p_value == 1.0


def test_texts():
    plan = ex.randomise(PEOPLE, seed=3, sesoi=0.05, base_rate=0.15)
    assert "2 x 903 contacts" in plan.text()
    assert "5,0 punti percentuali" in plan.text("it")
    result = ex.analyse_experiment(["NOW"] * 50 + ["LATER"] * 50, [True] * 30 + [False] * 70)
    assert "+60.0 percentage points" in result.text()
    assert "p < 0,001" in result.text("it")


def test_errors_say_what_was_found():
    with pytest.raises(SchemaError, match="1 contacts occur more than once; each can be allocated only once"):
        ex.randomise(["a", "b", "a"], seed=1)
    with pytest.raises(DesignError, match="block_size=3: expected an even number, 2 or more"):
        ex.randomise(["a"], seed=1, block_size=3)
    with pytest.raises(DesignError, match="method='dice': expected 'coin' or 'blocked'"):
        ex.randomise(["a"], seed=1, method="dice")
    with pytest.raises(SchemaError, match="2 strata for 1 contacts; expected one label per contact"):
        ex.randomise(["a"], seed=1, method="blocked", strata=[1, 2])
    with pytest.raises(DesignError, match="each is a share and has to lie between 0 and 1"):
        ex.n_per_arm(base_rate=15, sesoi=0.05)
    with pytest.raises(DesignError, match="leaves the range 0 to 1; choose a smaller sesoi"):
        ex.n_per_arm(base_rate=0.5, sesoi=0.6)
    with pytest.raises(SchemaError, match=r"\['SOON'\] with .* expected NOW or LATER"):
        ex.analyse_experiment(["NOW", "SOON"], [True, False])
    with pytest.raises(DesignError, match="2 contacts in NOW and 0 in LATER; both arms are needed"):
        ex.analyse_experiment(["NOW", "NOW"], [True, False])
