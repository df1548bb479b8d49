"""Published numbers that a correct implementation reproduces, from the research data in ../shared/data.

Hernan and Robins' NHEFS programs, Petersen's clustered panel, Rossi's recidivism data, Greene's Spector logit,
Newcombe's
tables, VanderWeele and Ding's E-values, Benjamini and Hochberg's example. The pizza requests are in
test_references_raop.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.hazard_regression import PHReg

from etiquette_analysis.analysis import inference as inf
from etiquette_analysis.analysis import intervals as iv
from etiquette_analysis.analysis import survival as sv
from etiquette_analysis.analysis.multiplicity import benjamini_hochberg
from etiquette_analysis.analysis.sensitivity import e_value


@pytest.fixture(scope="module")
def answers(shared_data):
    return json.loads((shared_data / "REFERENCE_ANSWERS.json").read_text(encoding="utf-8"))


# --- NHEFS: does quitting smoking make people gain weight? (What If, chapters 12-17) ---


@pytest.fixture(scope="module")
def nhefs(shared_data):
    return pd.read_csv(shared_data / "causal" / "nhefs.csv")


def confounders(d, *, squared=("age", "smokeintensity", "smokeyrs", "wt71")):
    columns = [np.ones(len(d)), d["sex"], d["race"]]
    for name in squared:
        columns += [d[name], d[name] ** 2]
    for name in ("education", "exercise", "active"):
        columns += [d[name] == level for level in sorted(d[name].unique())[1:]]
    return np.column_stack(columns).astype(float)


@pytest.fixture(scope="module")
def complete(nhefs):
    return nhefs[nhefs["wt82"].notna()].reset_index(drop=True)


def test_nhefs_sizes_and_crude_difference(nhefs, complete, answers):
    assert (len(nhefs), len(complete)) == (answers["nhefs"]["n"], answers["nhefs"]["n_complete"])
    means = complete.groupby("qsmk")["wt82_71"].mean()
    assert means[1] - means[0] == pytest.approx(answers["nhefs"]["crude_diff"], abs=5e-4)


def quit_weights(d, *, stabilised):
    quit_ = d["qsmk"].to_numpy()
    chance = inf.logit(confounders(d), quit_).fitted
    received = np.where(quit_ == 1, chance, 1 - chance)
    numerator = np.where(quit_ == 1, quit_.mean(), 1 - quit_.mean()) if stabilised else 1.0
    return numerator / received


@pytest.mark.parametrize("which", ["ipw_unstabilised", "ipw_stabilised"])
def test_nhefs_inverse_probability_weighting(complete, answers, which):
    expected = answers["nhefs"][which]
    w = quit_weights(complete, stabilised=which == "ipw_stabilised")
    design = sm.add_constant(complete["qsmk"]).to_numpy()
    fit = inf.ols(design, complete["wt82_71"], weights=w, cluster=complete["seqn"])
    assert fit.coef[1] == pytest.approx(expected["est"], abs=5e-4)
    assert inf.ols(design, complete["wt82_71"], weights=w, robust="HC0").se[1] == pytest.approx(
        expected["se"], abs=6e-4
    )
    if "ci" in expected:
        limits = fit.coef[1] + np.array([-1, 1]) * 1.96 * fit.se[1]
        np.testing.assert_allclose(limits, expected["ci"], atol=6e-3)
    if "mean_weight" in expected:
        assert w.mean() == pytest.approx(expected["mean_weight"], abs=1e-4)


def test_nhefs_with_censoring_weights(nhefs, answers):
    kept = nhefs["wt82"].notna().to_numpy()
    quit_ = nhefs["qsmk"].to_numpy()
    stay = 1 - inf.logit(np.column_stack([confounders(nhefs), quit_]), ~kept).fitted
    stay_given_quit = 1 - inf.logit(np.column_stack([np.ones(len(nhefs)), quit_]), ~kept).fitted
    w = (quit_weights(nhefs, stabilised=True) * stay_given_quit / stay)[kept]
    design = np.column_stack([np.ones(kept.sum()), quit_[kept]])
    fit = inf.ols(design, nhefs["wt82_71"][kept], weights=w, robust="HC0")
    expected = answers["nhefs"]["ipw_with_censoring_weights"]
    assert fit.coef[1] == pytest.approx(expected["est"], abs=5e-4)
    assert fit.se[1] == pytest.approx(expected["se"], abs=1.1e-3)


def outcome_regression(complete, *, interaction):
    x = confounders(complete)
    design = np.column_stack([x, complete["qsmk"], complete["qsmk"] * complete["smokeintensity"]])
    return inf.ols(design if interaction else design[:, :-1], complete["wt82_71"], robust=None)


def test_nhefs_outcome_regression(complete, answers):
    plain = outcome_regression(complete, interaction=False)
    expected = answers["nhefs"]["outcome_regression_no_interaction"]
    assert plain.coef[-1] == pytest.approx(expected["est"], abs=1e-6)
    assert plain.se[-1] == pytest.approx(expected["se"], abs=1e-6)
    both = outcome_regression(complete, interaction=True)
    expected = answers["nhefs"]["outcome_regression_interaction"]
    np.testing.assert_allclose(both.coef[-2:], [expected["qsmk"], expected["qsmk:smokeintensity"]], atol=1e-6)


def test_nhefs_g_formula(nhefs, complete, answers):
    coef = outcome_regression(complete, interaction=True).coef
    expected = answers["nhefs"]["gformula_over_1629_with_qsmk_x_smokeintensity"]
    x = confounders(nhefs)
    y1, y0 = (
        float((np.column_stack([x, np.full(len(x), a), a * nhefs["smokeintensity"]]) @ coef).mean()) for a in (1.0, 0.0)
    )
    np.testing.assert_allclose([y1, y0, y1 - y0], [expected["y1"], expected["y0"], expected["diff"]], atol=2e-6)


def test_nhefs_g_estimation(nhefs, answers):
    kept = nhefs["wt82"].notna().to_numpy()
    quit_ = nhefs["qsmk"].to_numpy()
    w = 1 / (1 - inf.logit(np.column_stack([confounders(nhefs), quit_]), ~kept).fitted)[kept]
    x, a, y = confounders(nhefs)[kept], quit_[kept], nhefs["wt82_71"].to_numpy()[kept]
    excess = w * (a - inf.logit(x, a, weights=w).fitted)
    assert float(excess @ y / (excess @ a)) == pytest.approx(answers["nhefs"]["g_estimation_psi"], abs=1e-3)


def test_nhefs_survival(nhefs, answers):
    died = nhefs["death"] == 1
    months = np.where(died, (nhefs["yrdth"] - 83) * 12 + nhefs["modth"], 120)
    for name, arm in (("quit", 1), ("not", 0)):
        rows = nhefs["qsmk"] == arm
        table = sv.kaplan_meier(months[rows], died[rows])
        assert sv.at_time(table, 120) == pytest.approx(answers["nhefs"]["km_120_months"][name], abs=5e-4)
    test = sv.logrank(months, died, nhefs["qsmk"])
    assert test.statistic == pytest.approx(answers["nhefs"]["logrank"]["chi2"], abs=0.05)
    assert test.p_value == pytest.approx(answers["nhefs"]["logrank"]["p"], abs=1e-3)


# --- Petersen (2009): clusters by firm, by year, by both ---


@pytest.fixture(scope="module")
def petersen(shared_data):
    return pd.read_csv(shared_data / "causal" / "petersen_cl.csv")


def petersen_fits(d):
    x, y = sm.add_constant(d["x"]).to_numpy(), d["y"]
    return {
        "ols": inf.ols(x, y, robust=None),
        "white": inf.ols(x, y, robust="HC1"),
        "cluster_firm": inf.ols(x, y, cluster=d["firm"]),
        "cluster_year": inf.ols(x, y, cluster=d["year"]),
        "two_way": inf.ols(x, y, cluster=[d["firm"], d["year"]]),
    }


def test_petersen(petersen, answers):
    expected = answers["petersen"]
    fits = petersen_fits(petersen)
    np.testing.assert_allclose(fits["ols"].coef, [expected["intercept"], expected["slope"]], atol=5.1e-5)
    slope = {k.replace("_firm_year", ""): v for k, v in expected["se_slope"].items()}
    for kind, se in slope.items():
        # published to four digits; two-way differs in the last by the small-sample factor, as "ours" records
        assert fits[kind].se[1] == pytest.approx(se, abs=1.1e-4 if kind == "two_way" else 5.1e-5), kind
    for kind, se in expected["se_intercept"].items():
        assert fits[kind].se[0] == pytest.approx(se, abs=1.1e-4 if kind == "two_way" else 5.1e-5), kind
    for kind, se in expected["ours"].items():
        assert fits[kind].se[1] == pytest.approx(se, abs=5.1e-7), kind


def test_petersen_bootstrap_of_clusters_agrees(petersen):
    fit = petersen_fits(petersen)["cluster_firm"]
    x, y = petersen["x"].to_numpy() - petersen["x"].mean(), petersen["y"].to_numpy()
    draws = inf.cluster_bootstrap(x * y, x * x, petersen["firm"], n_draws=1500, rng=np.random.default_rng(1))
    assert draws.std() == pytest.approx(fit.se[1], rel=0.07)


# --- Rossi, Spector, and small published tables ---


def test_rossi_cox(shared_data, answers):
    d = pd.read_csv(shared_data / "causal" / "rossi.csv")
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    model = PHReg(d["week"], d[names], status=d["arrest"], ties="efron")
    fit = model.fit()
    expected = answers["rossi"]
    for k, name in enumerate(names):
        coef, se = expected[name]
        assert fit.params[k] == pytest.approx(coef, abs=5.1e-4), name
        assert fit.bse[k] == pytest.approx(se, abs=5.1e-4), name
    assert fit.llf == pytest.approx(expected["loglik"], abs=5.1e-3)
    assert 2 * (fit.llf - model.loglike(np.zeros(7))) == pytest.approx(expected["LR"], abs=6e-3)
    km = sv.kaplan_meier(d["week"], d["arrest"])
    assert sv.at_time(km, 52) == pytest.approx(expected["km_52_weeks"], abs=1e-12)


def test_spector_logit(answers):
    data = sm.datasets.spector.load_pandas()
    x = sm.add_constant(data.exog)
    fit = inf.logit(x, data.endog, robust=None)
    expected = answers["spector_logit"]
    for k, name in enumerate(x.columns):
        np.testing.assert_allclose([fit.coef[k], fit.se[k]], expected[name], atol=5.1e-4)
    y = data.endog.to_numpy()
    assert np.sum(y * np.log(fit.fitted) + (1 - y) * np.log(1 - fit.fitted)) == pytest.approx(expected["llf"], abs=1e-4)


@pytest.mark.parametrize(("method", "name"), [(iv.wilson, "wilson"), (iv.clopper_pearson, "clopper_pearson")])
def test_newcombe_table_one(answers, method, name):
    for case, limits in answers["wilson_newcombe"][name].items():
        np.testing.assert_allclose(method(*map(int, case.split("/"))), limits, atol=5.1e-5)


def test_newcombe_difference(answers):
    limits = answers["wilson_newcombe"]["diff_56_70_vs_48_80_method10"]
    np.testing.assert_allclose(iv.newcombe(56, 70, 48, 80), limits, atol=5.1e-5)


def test_e_values(answers):
    expected = answers["evalue"]
    assert e_value(3.9) == pytest.approx(expected["RR 3.9"], abs=5.1e-3)
    assert e_value(1.8) == pytest.approx(expected["RR lower limit 1.8"], abs=5.1e-3)
    assert e_value(0.80) == pytest.approx(expected["RR 0.80"], abs=5.1e-3)
    assert e_value(0.91) == pytest.approx(expected["RR upper limit 0.91"], abs=5.1e-3)


def test_benjamini_hochberg_example(answers):
    expected = answers["multiple_testing"]
    p = np.array(expected["p"])
    assert int((benjamini_hochberg(p) <= 0.05).sum()) == expected["bh_rejects"]
    assert int((p * len(p) <= 0.05).sum()) == expected["bonferroni_rejects"]
