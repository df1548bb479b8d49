"""Two groups of requests: the count, the same at equal traits, and what may be said of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from etiquette_analysis.analysis.intervals import newcombe
from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.analysis.public_claims import contrast_requests, regress


def requests(now: tuple[int, int], later: tuple[int, int]) -> pd.DataFrame:
    """Return a table of (n, answered) of each group."""
    groups = [
        (at_once, place < n_answered)
        for at_once, (n, n_answered) in ((True, now), (False, later))
        for place in range(n)
    ]
    return pd.DataFrame(groups, columns=["at_once", "answered"])


@pytest.mark.parametrize(
    ("now", "later", "verdict", "level", "words"),
    [
        ((100, 20), (100, 60), "supports", 2, "as the claim says"),
        ((100, 60), (100, 20), "contradicts", 2, "the opposite of the claim"),
        ((9000, 4500), (9000, 4500), "practically equal", 2, "practically equal"),
        ((100, 50), (100, 52), "inconclusive", 2, "do not tell"),
        ((100, 50), (29, 14), "inconclusive", 1, "The sample is small"),
        ((100, 50), (9, 4), "not answerable", 0, "Too few to compare"),
        ((100, 4), (100, 5), "not answerable", 0, "Too few to compare"),
    ],
)
def test_what_is_said_follows_the_interval(now, later, verdict, level, words) -> None:
    found = contrast_requests(requests(now, later))
    assert (found.verdict, found.level, found.now.n, found.later.n_replies) == (verdict, level, now[0], later[1])
    assert words in found.text("en")
    assert found.text("it") != found.text("en")
    if level:
        assert (found.low, found.high) == tuple(newcombe(now[1], now[0], later[1], later[0]))
    else:
        assert np.isnan([found.rd, found.low, found.high]).all()


def test_equal_traits_undo_what_a_trait_made() -> None:
    """Two lists, no difference within either; one answers more, and newcomers write there."""
    busy = requests((80, 60), (20, 15)).assign(list="busy")
    slow = requests((20, 5), (80, 20)).assign(list="slow")
    table = pd.concat([busy, slow], ignore_index=True)
    found = contrast_requests(table, traits=["list"])
    equal = found.frame[(found.frame["estimand"] == "A") & (found.frame["scale"] == "rd")].iloc[0]
    assert found.rd == pytest.approx(0.3)
    assert equal["estimate"] == pytest.approx(0, abs=1e-9)
    assert (found.frame["plan"] == Plan().hash[:12]).all()


def test_the_regression_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": rng.normal(size=400), "b": rng.integers(0, 2, 400)})
    table["answered"] = rng.random(400) < 1 / (1 + np.exp(0.5 - table["a"] + 0.3 * table["b"]))
    ours = regress(table, ["a", "b"])
    theirs = sm.Logit(table["answered"].astype(float), sm.add_constant(table[["a", "b"]])).fit(disp=False)
    np.testing.assert_allclose(ours.frame["estimate"], theirs.params, rtol=1e-8)
    np.testing.assert_allclose(ours.frame["se"], theirs.bse, rtol=1e-6)
    assert ours.pseudo_r2 == pytest.approx(theirs.prsquared)
    assert ours.n == 400
