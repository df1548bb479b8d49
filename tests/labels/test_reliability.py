"""Agreement: held to scikit-learn, to nltk, and to answers that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.reliability import reliability
from etiquette_analysis.schema import PITCH_LEVELS


@pytest.fixture(scope="module")
def codings() -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(3)
    gold = rng.integers(0, 4, 400)
    coded = np.clip(gold + rng.choice([-1, 0, 0, 0, 1], 400), 0, 3)
    names = np.array(PITCH_LEVELS)
    return pd.Series(names[gold]), pd.Series(names[coded])


def test_kappa_equals_scikit_learn(codings: tuple[pd.Series, pd.Series]) -> None:
    from sklearn.metrics import cohen_kappa_score

    gold, coded = codings
    expected = cohen_kappa_score(gold, coded, labels=list(PITCH_LEVELS), weights="quadratic")
    assert reliability(gold, coded).kappa == pytest.approx(expected, abs=1e-12)


def test_alpha_by_hand() -> None:
    # Two units, each coded twice: (none, none) and (hard, soft). Coincidences: none-none 2, hard-soft 1, soft-hard 1;
    # margins none 2, soft 1, hard 1; ordinal distances of ranks 1, 2.5, 3.5.
    found = reliability(pd.Series(["none", "hard"]), pd.Series(["none", "soft"]))
    observed = 2 * 1.0**2
    expected = 2 * (2 * 1 * 1.5**2 + 2 * 1 * 2.5**2 + 1 * 1 * 1.0**2) / 3
    assert found.alpha == pytest.approx(1 - observed / expected)


def test_alpha_matches_nltk_with_the_same_distance(codings: tuple[pd.Series, pd.Series]) -> None:
    from nltk.metrics.agreement import AnnotationTask

    gold, coded = codings
    rank = {name: k for k, name in enumerate(PITCH_LEVELS)}
    both = pd.concat([gold, coded]).map(rank)
    middle = {k: float((both < k).sum() + (both == k).sum() / 2) for k in range(4)}
    rows = [("gold", str(i), rank[v]) for i, v in gold.items()] + [("coded", str(i), rank[v]) for i, v in coded.items()]
    task = AnnotationTask(rows, distance=lambda a, b: (middle[a] - middle[b]) ** 2)
    assert reliability(gold, coded).alpha == pytest.approx(task.alpha(), abs=1e-12)


def test_order_does_not_matter_and_missing_is_counted(codings: tuple[pd.Series, pd.Series]) -> None:
    gold, coded = codings
    shuffled = coded.sample(frac=1, random_state=1)
    shuffled = shuffled.drop(shuffled.index[:5])
    found = reliability(gold, shuffled)
    assert found.n_missing == 5
    assert found.kappa == reliability(gold[found_index := sorted(shuffled.index)], coded[found_index]).kappa


def test_by_language_with_intervals(codings: tuple[pd.Series, pd.Series]) -> None:
    gold, coded = codings
    language = pd.Series(np.where(gold.index % 2 == 0, "it", "en"), index=gold.index)
    frame = reliability(gold, coded, language=language).frame
    assert set(frame["group"]) == {"all", "it", "en"}
    assert ((frame["low"] <= frame["estimate"]) & (frame["estimate"] <= frame["high"])).all()


def test_unknown_level_names_what_is_expected() -> None:
    with pytest.raises(SchemaError, match=r"gold holds \['loud'\]; expected none, soft, moderate, hard or null"):
        reliability(pd.Series(["loud"]), pd.Series(["none"]))


def test_nothing_in_common() -> None:
    with pytest.raises(SchemaError, match="no unit is coded by both"):
        reliability(pd.Series(["none"], index=[1]), pd.Series(["none"], index=[2]))
