"""Adjusted p-values: against statsmodels, with what was not asked left out."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from etiquette_analysis.analysis.multiplicity import benjamini_hochberg, holm
from etiquette_analysis.errors import DesignError


@pytest.mark.parametrize(("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
@pytest.mark.parametrize("seed", range(5))
def test_equal_statsmodels(ours, theirs, seed):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(12) ** 3, 2)  # with ties
    np.testing.assert_allclose(ours(p), multipletests(p, method=theirs)[1], atol=1e-14)


@pytest.mark.parametrize("ours", [holm, benjamini_hochberg])
def test_not_asked_does_not_count(ours):
    p = np.array([0.02, np.nan, 0.01])
    np.testing.assert_allclose(ours(p)[[0, 2]], ours(p[[0, 2]]))
    assert np.isnan(ours(p)[1])
    assert ours([]).size == 0


@pytest.mark.parametrize("ours", [holm, benjamini_hochberg])
def test_never_below_the_raw_value_and_order_kept(ours):
    p = np.random.default_rng(3).random(30)
    adjusted = ours(p)
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_error_names_the_value():
    with pytest.raises(DesignError, match=r"a p-value of 1\.2 is outside \[0, 1\]"):
        holm([0.1, 1.2])
