"""From sets to a table, and from the table to a verdict on every bar of STATISTICS, section 13.

The bars stand in ``judge_bars`` as written in the plan; nothing is widened for Monte Carlo error. Percentage points
and percent throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from studies import Study

#: Regimes that the bars on bias, coverage and standard errors name.
JUDGED = "ABCDEFKLMNP"


def summarise(tables: dict[Study, pd.DataFrame], truths: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return one row per study, method and estimand, in percentage points and percent.

    Bias and coverage of the weighted estimate are those of the sets that the gate let through; ``bias_always`` and
    ``coverage_always`` are what all sets would have shown. ``level_0`` to ``level_2`` are shares of sets.
    """
    rows = []
    for study, table in tables.items():
        for (method, estimand), sets in table.groupby(["method", "estimand"], sort=False):
            if estimand not in truths[study.regime]:
                rows.append(_plain(study, str(method), str(estimand), sets))
                continue
            truth = truths[study.regime][estimand]
            row = _head(study, str(method), str(estimand), len(sets)) | {"truth": 100 * truth}
            shown = sets
            if "level" in sets.columns and sets["level"].notna().any():
                row |= {f"level_{k}": 100 * float((sets["level"] == k).mean()) for k in range(3)}
                shown = sets[sets["level"] == 2]
            row |= _errors(shown, truth)
            always = _errors(sets, truth)
            row |= {"bias_always": always["bias"], "coverage_always": always["coverage"]}
            if "is_flagged" in sets.columns and sets["is_flagged"].notna().any():
                row["flagged"] = 100 * float(sets["is_flagged"].astype(bool).mean())
            rows.append(row)
    return pd.DataFrame(rows)


def _head(study: Study, method: str, estimand: str, n_sets: int) -> dict[str, object]:
    shared = {"study": study.name, "regime": study.regime, "n": study.n, "senders": study.senders}
    return {**shared, "method": method, "estimand": estimand, "sets": n_sets}


def _plain(study: Study, method: str, estimand: str, sets: pd.DataFrame) -> dict[str, object]:
    """Describe what has no true value: a p-value by how often it is below 0.05, a count by its mean."""
    known = sets["estimate"].dropna()
    row = _head(study, method, estimand, len(sets))
    if estimand == "p":
        return row | {"rejects": 100 * float((known < 0.05).mean())}
    return row | {"mean": float(known.mean()), "present": 100 * float((known > 0).mean())}


def _errors(sets: pd.DataFrame, truth: float) -> dict[str, float]:
    error = sets["estimate"] - truth
    has_interval = "low" in sets.columns and sets["low"].notna().any()
    low, high = (sets[c] if has_interval else pd.Series(np.nan, index=sets.index) for c in ("low", "high"))
    seen = low.notna()
    wrong = ((low > 0) & (truth < 0)) | ((high < 0) & (truth > 0))
    if abs(truth) < 0.002:
        wrong = wrong & False
    spread = float(error.std()) if len(error) > 1 else np.nan
    spread = spread if spread > 0 else np.nan
    se = float(sets["se"].mean()) if "se" in sets.columns else np.nan
    nothing = not seen.any()
    return {
        "bias": 100 * float(error.mean()),
        "mc_error": 100 * spread / max(len(error), 1) ** 0.5,
        "sd": 100 * spread,
        "se": 100 * se,
        "se_ratio": se / spread,
        "coverage": np.nan if nothing else 100 * float(((low <= truth) & (high >= truth))[seen].mean()),
        "rejects": np.nan if nothing else 100 * float(((low > 0) | (high < 0))[seen].mean()),
        "wrong_side": np.nan if nothing else 100 * float(wrong[seen].mean()),
    }


class _Bars:
    """Collects one row per check."""

    def __init__(self, summary: pd.DataFrame) -> None:
        self.summary = summary
        self.rows: list[dict[str, object]] = []

    def find(
        self, regimes: str, *, n: int | None = None, method: str = "wsr", estimand: str = "rd", senders: bool = False
    ) -> pd.DataFrame:
        s = self.summary
        chosen = s["regime"].isin(list(regimes)) & (s["method"] == method) & (s["estimand"] == estimand)
        chosen &= (s["senders"] > 1) == senders
        if n is not None:
            chosen &= s["n"] == n
        return s[chosen].drop_duplicates(["regime", "n", "senders"])

    def check(self, bar: int, what: str, found: pd.DataFrame, column: str, low: float, high: float) -> None:
        """Hold the farthest value of a column against a bar: which one it is, and where."""
        values = found.get(column, pd.Series(dtype=np.float64)).dropna().astype(np.float64)
        values = values.abs() if column.startswith("bias") else values
        if not len(values):
            self.rows.append({"bar": bar, "what": what, "asked": _asked(low, high), "verdict": "not run"})
            return
        excess = np.maximum(low - values, values - high)
        worst = excess.idxmax()
        where = str(found.loc[worst, "study"])
        failing = ", ".join(found.loc[excess[excess > 0].index, "study"])
        self.rows.append(
            {
                "bar": bar,
                "what": what,
                "asked": _asked(low, high),
                "farthest": float(values[worst]),
                "where": where,
                "sets": int(found.loc[values.index, "sets"].min()),
                "verdict": "missed" if failing else "met",
                "missed_in": failing,
            }
        )


def _asked(low: float, high: float) -> str:
    if low == -np.inf:
        return f"<= {high:g}"
    return f">= {low:g}" if high == np.inf else f"{low:g} to {high:g}"


def judge_bars(summary: pd.DataFrame) -> pd.DataFrame:
    """Return one row per check of STATISTICS, section 13 (bars 1 to 14; 15 to 17 are tests and benchmarks)."""
    b = _Bars(summary)
    inf = np.inf
    main = b.find(JUDGED, n=1500)
    b.check(1, "n = 1,500: absolute bias", main, "bias", -inf, 0.6)
    b.check(2, "n = 1,500: coverage in each regime", main, "coverage", 92.5, 97.5)
    mean = pd.DataFrame()
    if {"coverage", "sets"} <= set(main.columns):
        mean = pd.DataFrame({"coverage": [main["coverage"].mean()], "study": ["mean"], "sets": [main["sets"].min()]})
    b.check(2, "n = 1,500: mean coverage", mean, "coverage", 94.0, 96.0)
    b.check(3, "type-I error", b.find("ACDKP", n=1500), "rejects", 2.5, 7.5)
    b.check(4, "mean s.e. / s.d.", main, "se_ratio", 0.93, 1.12)
    b.check(5, "power in B", b.find("B", n=1500), "rejects", 95, inf)
    b.check(5, "power in E and M", b.find("EM", n=1500), "rejects", 60, inf)
    b.check(6, "wrong side", b.find("BEFLMN", n=1500), "wrong_side", -inf, 1)
    several = b.find("HI", senders=True)
    b.check(7, "several senders: absolute bias", several, "bias", -inf, 1)
    b.check(7, "several senders: coverage", several, "coverage", 91, 98)
    gated = b.find("J")
    b.check(8, "strict gating: share answered, at any n", gated, "level_2", -inf, 1)
    small = b.find(JUDGED, n=600)
    b.check(9, "n = 600: coverage when answered", small, "coverage", 92, inf)
    b.check(9, "n = 600: absolute bias when answered", small, "bias", -inf, 1)
    b.check(9, "n = 150: share answered", b.find("DEFP", n=150), "level_2", -inf, 5)
    b.check(10, "A and B at n = 600: share answered", b.find("AB", n=600), "level_2", 95, inf)
    b.check(11, "latency placebo in G", b.find("G", method="latency, now", estimand="p"), "rejects", 60, inf)
    b.check(11, "latency placebo in D", b.find("D", method="latency, now", estimand="p"), "rejects", -inf, 8)
    b.check(11, "bounds at 1.25 hold the truth in G", b.find("G", method="bounds 1.25"), "coverage", 95, inf)
    for how in ("alike", "stratified"):
        corrected = b.find("DE", method=f"predict-then-debias, {how}")
        b.check(12, f"debiased, coded {how}: absolute bias", corrected, "bias", -inf, 1.5)
        b.check(12, f"debiased, coded {how}: coverage", corrected, "coverage", 92, 98)
    b.check(12, "uncorrected number flagged", b.find("DE", method="uncorrected"), "flagged", 100, inf)
    b.check(13, "orphans kept: absolute bias", b.find("S", n=1500), "bias", -inf, 0.8)
    b.check(13, "orphans counted", b.find("S", method="orphans", estimand="n"), "present", 100, inf)
    policy = b.find("J", method="gformula, bootstrap", estimand="s3")
    b.check(14, "S3 under strict gating: absolute bias", policy, "bias", -inf, 1)
    b.check(14, "S3 under strict gating: coverage", policy, "coverage", 91, inf)
    return pd.DataFrame(b.rows)


def to_markdown(summary: pd.DataFrame, bars: pd.DataFrame, code: str) -> str:
    """Return both tables for a reader."""
    n_missed = int((bars["verdict"] == "missed").sum())
    shown = summary[summary["estimand"].isin(["rd", "s3", "p"]) & (summary["method"] != "gformula")]
    columns = {
        "study": "study",
        "method": "method",
        "estimand": "of",
        "sets": "sets",
        "level_2": "answered",
        "truth": "truth",
        "bias": "bias",
        "mc_error": "±",
        "sd": "s.d.",
        "se_ratio": "s.e./s.d.",
        "coverage": "coverage",
        "rejects": "excludes 0",
        "wrong_side": "wrong side",
    }
    parts = [
        "# Calibration: last result",
        "",
        f"Written by `make calibrate` (code witness `{code}`). Percentage points and percent; ± is the Monte Carlo",
        "s.e. of the bias. `answered` is the share of sets that the gate let through; bias and coverage of `wsr`",
        "are theirs.",
        "",
        f"## Bars: {len(bars) - n_missed} of {len(bars)} checks met",
        "",
        _table(bars[["bar", "what", "asked", "farthest", "where", "sets", "verdict", "missed_in"]]),
        "",
        "## Studies",
        "",
        _table(shown[list(columns)].rename(columns=columns)),
        "",
    ]
    return "\n".join(parts)


def _table(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for values in frame.itertuples(index=False):
        lines.append("| " + " | ".join(_cell(v) for v in values) + " |")
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.0f}" if value == int(value) and abs(value) > 9 else f"{value:.2f}"
    return "" if value is None or value is pd.NA else str(value)
