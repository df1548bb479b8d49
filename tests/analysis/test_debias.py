"""Predict then debias: right labels are left alone, wrong ones corrected, thin samples refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.analysis import debias as db
from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.dyads import tabulate_dyads
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.simulation import simulate

PLAN = Plan()


def coded_and_predicted(label_dataset, world, seed, *, miss=0.15, invent=0.07, n=1500):
    """True dyads, and those of a labeller that misses pitches and takes other own messages for pitches."""
    dataset = simulate(world, n=n, seed=seed)
    messages = label_dataset(dataset)
    level = messages["pitch_level"].astype(str).to_numpy().astype(object)
    own = messages["sender"].str.startswith("sender").to_numpy() & (messages["kind"] == "message").to_numpy()
    is_pitch = np.isin(level, ["moderate", "hard"])
    draw = np.random.default_rng(seed).random(len(level))
    wrong = level.copy()
    wrong[own & is_pitch & (draw < miss)] = "none"
    wrong[own & ~is_pitch & (draw < invent)] = "moderate"

    def tabulate(levels):
        return tabulate_dyads(
            messages.assign(pitch_level=levels),
            dataset.connections,
            observed_until=dataset.observed_until,
            ego=dataset.ego,
            plan=PLAN,
        )

    return tabulate(level), tabulate(wrong)


def take(dyads, sample):
    return dyads.merge(sample, on=["sender", "contact"], how="right", validate="one_to_one")


def row(found, method, estimand="P"):
    return found.frame[(found.frame["estimand"] == estimand) & (found.frame["method"] == method)].iloc[0]


def test_right_labels_leave_the_estimate_alone(simulated_dyads):
    d = simulated_dyads("E")
    found = db.debias(d, d.sample(400, random_state=3), PLAN)
    primary = compare(d, PLAN)
    assert (found.sensitivity, found.specificity) == (1, 1)
    assert row(found, "uncorrected")["estimate"] == pytest.approx(primary.rd, abs=1e-9)
    assert pd.isna(row(found, "uncorrected")["reason"])
    # nothing is left to correct, so the more the predictions weigh the better; lambda itself is estimated
    assert 0.5 < found.lambdas["P"] <= 1
    corrected = row(found, "predict-then-debias")
    assert abs(corrected["estimate"] - primary.rd) < 2 * row(found, "coded sample only")["se"]


def test_wrong_labels_are_flagged_and_corrected_on_average(label_dataset):
    """Held against what perfect labels of the same data would have shown."""
    before, after, errors = [], [], []
    for seed in range(900, 910):
        gold, predicted = coded_and_predicted(label_dataset, "E", seed)
        found = db.debias(predicted, gold.sample(400, random_state=seed + 1), PLAN)
        perfect = compare(gold, PLAN).rd
        corrected = row(found, "predict-then-debias")
        before.append(row(found, "uncorrected")["estimate"] - perfect)
        after.append(corrected["estimate"] - perfect)
        errors.append(abs(after[-1]) / corrected["se"])
        assert row(found, "uncorrected")["reason"] == "not corrected for label errors"
        assert 0.7 < found.sensitivity < 0.95
        assert 0.9 < found.specificity < 1
    assert np.mean(before) > 0.02
    assert abs(np.mean(after)) < np.mean(before)
    assert max(errors) < 3


def test_correction_is_more_precise_than_the_coded_sample_alone(label_dataset):
    gold, predicted = coded_and_predicted(label_dataset, "D", 31)
    found = db.debias(predicted, gold.sample(400, random_state=1), PLAN)
    for estimand in ("P", "D any_later"):
        assert row(found, "predict-then-debias", estimand)["se"] < row(found, "coded sample only", estimand)["se"]
        assert 0 <= found.lambdas[estimand] <= 1
    assert "hand-coded dyads show" in found.text("en")
    assert "codificate a mano" in found.text("it")


def test_stratified_sample_stands_for_all(label_dataset):
    gold, predicted = coded_and_predicted(label_dataset, "E", 33)
    sample = db.sample_dyads(predicted, PLAN, n=450, rng=np.random.default_rng(2))
    assert len(sample) == 450
    assert (1 / sample["inclusion_probability"]).sum() == pytest.approx(len(predicted))
    found = db.debias(predicted, take(gold, sample), PLAN)
    truth = compare(gold, PLAN)
    corrected = row(found, "predict-then-debias")
    assert abs(corrected["estimate"] - truth.rd) < 3 * corrected["se"]


def test_the_sample_does_not_depend_on_the_order_of_rows(simulated_dyads):
    d = simulated_dyads("E")
    shuffled = d.sample(frac=1, random_state=1)
    both = [db.sample_dyads(x, PLAN, n=40, rng=np.random.default_rng(5)).sort_values(db.KEY) for x in (d, shuffled)]
    np.testing.assert_array_equal(*(x.to_numpy() for x in both))


def test_coding_everybody_gives_the_gold_estimate(label_dataset):
    gold, predicted = coded_and_predicted(label_dataset, "E", 35, n=800)
    found = db.debias(predicted, gold, PLAN)
    assert row(found, "coded sample only")["estimate"] == pytest.approx(compare(gold, PLAN).rd, abs=1e-9)
    assert row(found, "predict-then-debias")["estimate"] == pytest.approx(compare(gold, PLAN).rd, abs=1e-9)


def test_lambda_has_least_variance():
    rng = np.random.default_rng(1)
    pulls = [rng.standard_normal(200) / 200 for _ in range(3)]
    parts = [db.Influenced(v, p, 30.0, 50, 50) for v, p in zip((0.1, 0.2, 0.15), pulls, strict=True)]
    share = np.where(np.arange(200) < 50, 4.0, 0.0)
    combined, best = db.combine(*parts, share=share)

    def variance(x):
        steady = share * pulls[0]
        return float(np.sum((pulls[1] - pulls[2] + steady + x * (pulls[0] - steady)) ** 2))

    assert variance(best) == pytest.approx(min(variance(x) for x in np.linspace(0, 1, 1001)), rel=1e-5)
    assert combined.value == pytest.approx(0.2 + best * (0.1 - 0.15))


def test_thin_samples_are_refused(simulated_dyads):
    d = simulated_dyads("E")
    found = db.debias(d, d.head(50), PLAN)
    assert np.isnan(row(found, "predict-then-debias")["estimate"])
    assert "50 coded dyads; at least 100 are needed" in row(found, "predict-then-debias")["reason"]
    assert "Confirm every first pitch by hand" in found.text("en")
    assert "non sono state corrette" in found.text("it")


def test_errors_name_the_row(simulated_dyads):
    d = simulated_dyads("E")
    with pytest.raises(SchemaError, match="coded, row 1: this sender and contact is not among the dyads"):
        db.debias(d, d.head(3).assign(contact=[d["contact"].iloc[0], 10**9, d["contact"].iloc[2]]), PLAN)
    with pytest.raises(SchemaError, match="coded, row 2: this sender and contact is coded twice"):
        db.debias(d, d.iloc[[0, 1, 1]], PLAN)
    with pytest.raises(SchemaError, match=r"coded, row 0: inclusion_probability is 1\.5; expected a number above 0"):
        db.debias(d, d.head(2).assign(inclusion_probability=[1.5, 0.5]), PLAN)
    for n in (0, 2):
        with pytest.raises(DesignError, match=rf"n={n} dyads to code of \d+; expected between 3 and all of them"):
            db.sample_dyads(d, PLAN, n=n, rng=np.random.default_rng(1))
