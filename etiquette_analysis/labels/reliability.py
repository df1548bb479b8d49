"""How far two codings of pitch intensity agree: two people, or a person and the labeller.

A label is worth what its agreement with a careful reader is worth. Krippendorff's alpha (ordinal) allows for missing
codes; quadratic-weighted kappa (Cohen 1968) is its usual companion for two coders on four ordered levels; sensitivity
and specificity for "a pitch" (moderate or hard) are what the analysis needs to carry label error into its interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import PITCH_LEVEL_DTYPE, PITCH_LEVELS, check_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_LEVELS: Final = len(PITCH_LEVELS)
N_DRAWS: Final = 1000


@dataclass(frozen=True)
class Reliability:
    """Agreement of two codings.

    Attributes
    ----------
    frame : DataFrame
        One row per group and statistic: ``group`` (``all`` or a language), ``statistic`` (``alpha``, ``kappa``,
        ``accuracy``, ``sensitivity``, ``specificity``), ``estimate``, ``low``, ``high`` (95 %), ``n``. Null where there
        is nothing to tell agreement from: kappa where one of the two used a single level, alpha where both used the
        same, sensitivity without pitches, specificity with nothing else.
    confusion : DataFrame
        Counts, gold levels down, coded levels across.
    n_missing : int
        Units that only one of the two has coded.
    """

    frame: pd.DataFrame
    confusion: pd.DataFrame
    n_missing: int

    def __getattr__(self, name: str) -> float:
        """Return the estimate of a statistic over all units, as ``.alpha`` or ``.kappa``."""
        frame = self.__dict__.get("frame")
        if frame is not None:
            row = frame[(frame["group"] == "all") & (frame["statistic"] == name)]
            if len(row):
                return float(row["estimate"].iloc[0])
        msg = f"no statistic {name!r}; there are alpha, kappa, accuracy, sensitivity, specificity"
        raise AttributeError(msg)

    def _repr_html_(self) -> str:
        return str(self.frame.round(3).to_html(index=False)) + str(self.confusion.to_html())


def reliability(
    gold: pd.Series,
    coded: pd.Series,
    *,
    language: pd.Series | None = None,
    pitch_level: str = "moderate",
    seed: int = 0,
) -> Reliability:
    """Compare two codings of the same units.

    Parameters
    ----------
    gold, coded : Series
        Levels ``none``, ``soft``, ``moderate``, ``hard`` or null, indexed by message id (any order). Units only one
        has coded are counted and left out.
    language : Series, optional
        A group for each unit, by the same index; the statistics are given for each as well.
    pitch_level : str
        The weakest level that counts as a pitch, for sensitivity and specificity.
    seed : int
        Of the bootstrap over units (1,000 draws) behind the intervals of alpha and kappa.

    Returns
    -------
    Reliability
        ``.alpha``, ``.kappa``, ``.frame``, ``.confusion``.

    Raises
    ------
    SchemaError
        Where an id repeats, a value is no level, or no unit is coded by both.

    Examples
    --------
    >>> gold = pd.Series(["none", "none", "hard", "moderate"])
    >>> coded = pd.Series(["none", "soft", "hard", "moderate"])
    >>> found = reliability(gold, coded)
    >>> round(found.kappa, 3), found.sensitivity
    (0.917, 1.0)
    """
    a, b = _codes(gold, "gold"), _codes(coded, "coded")
    both = pd.concat([a, b], axis=1, keys=["gold", "coded"])
    n_missing = int(both.isna().any(axis=1).sum())
    both = both.dropna().astype("int64")
    if both.empty:
        msg = "no unit is coded by both; gold and coded must share an index of message ids"
        raise SchemaError(msg)
    threshold = PITCH_LEVELS.index(pitch_level)
    rng = np.random.default_rng(seed)
    rows = _statistics("all", both, threshold, rng)
    if language is not None:
        for name, part in both.groupby(language.reindex(both.index)):
            rows += _statistics(str(name), part, threshold, rng)
    table = pd.crosstab(
        pd.Categorical.from_codes(both["gold"], dtype=PITCH_LEVEL_DTYPE),
        pd.Categorical.from_codes(both["coded"], dtype=PITCH_LEVEL_DTYPE),
        rownames=["gold"],
        colnames=["coded"],
        dropna=False,
    )
    return Reliability(pd.DataFrame(rows), table, n_missing)


def _codes(levels: pd.Series, name: str) -> pd.Series:
    check_levels(levels, name=name)
    codes = pd.Series(pd.Categorical(levels.astype(object), dtype=PITCH_LEVEL_DTYPE).codes, index=levels.index)
    return codes.where(codes >= 0)


def _statistics(group: str, both: pd.DataFrame, threshold: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    from statsmodels.stats.proportion import proportion_confint

    gold, coded = both["gold"].to_numpy(), both["coded"].to_numpy()
    n = len(gold)
    table = np.bincount(gold * N_LEVELS + coded, minlength=N_LEVELS**2).astype(float)
    draws = rng.multinomial(n, table / n, size=N_DRAWS).astype(float)
    rows = []
    for name, statistic in (("alpha", alpha_of), ("kappa", kappa_of)):
        spread = statistic(draws.reshape(-1, N_LEVELS, N_LEVELS))
        low, high = np.nanquantile(spread, [0.025, 0.975]) if np.isfinite(spread).any() else (np.nan, np.nan)
        estimate = float(statistic(table.reshape(1, N_LEVELS, N_LEVELS))[0])
        if name == "kappa" and min(len(np.unique(gold)), len(np.unique(coded))) == 1:
            # One of the two never varied: kappa is 0 whatever the other did, and every resample says so too.
            estimate = low = high = float("nan")
        rows.append({"group": group, "statistic": name, "estimate": estimate, "low": low, "high": high, "n": n})
    is_pitch, found = gold >= threshold, coded >= threshold
    counts = {
        "accuracy": (int((gold == coded).sum()), n),
        "sensitivity": (int((is_pitch & found).sum()), int(is_pitch.sum())),
        "specificity": (int((~is_pitch & ~found).sum()), int((~is_pitch).sum())),
    }
    for name, (k, size) in counts.items():
        low, high = proportion_confint(k, size, method="wilson") if size else (np.nan, np.nan)
        estimate = k / size if size else float("nan")
        rows.append({"group": group, "statistic": name, "estimate": estimate, "low": low, "high": high, "n": size})
    return rows


def kappa_of(tables: Floats) -> Floats:
    """Return the quadratic-weighted kappa (Cohen 1968) of tables of counts, shape (draws, levels, levels)."""
    level = np.arange(N_LEVELS)
    weight = (level[:, None] - level[None, :]) ** 2
    n = tables.sum(axis=(1, 2))
    expected = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :] / n[:, None, None]
    return _one_minus((tables * weight).sum(axis=(1, 2)), (expected * weight).sum(axis=(1, 2)))


def alpha_of(tables: Floats) -> Floats:
    """Return Krippendorff's alpha with the ordinal metric (Krippendorff 2019, ch. 12) of tables of counts."""
    coincidence = tables + tables.transpose(0, 2, 1)
    margin = coincidence.sum(axis=2)
    below = np.cumsum(margin, axis=1)
    # Distance of two levels: the ranks between them, each end counted half.
    middle = below - margin / 2
    distance = (middle[:, :, None] - middle[:, None, :]) ** 2
    n = margin.sum(axis=1)
    expected = margin[:, :, None] * margin[:, None, :] / (n - 1)[:, None, None]
    return _one_minus((coincidence * distance).sum(axis=(1, 2)), (expected * distance).sum(axis=(1, 2)))


def _one_minus(observed: Floats, expected: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        answer: Floats = np.where(expected > 0, 1.0 - observed / expected, np.nan)
    return answer
