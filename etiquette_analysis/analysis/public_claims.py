"""The claim where anybody can check it: two groups of requests, those made at once and those made by somebody known.

Public data hold no connections, so there is no time zero and no sequence of hazards: what can be had is the difference
in answers between the groups, counted, and the same difference at equal traits. Both are associations. Who asks at
once differs from who asks later in more than time, and unlike on an export of one's own nothing tells how.

A table of requests has one row per request, and no text: ``at_once`` and ``answered`` (bool), traits to hold equal, and
``cluster`` where rows share an author.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis import inference
from etiquette_analysis.analysis.association import adjusted_difference
from etiquette_analysis.analysis.describe import Tally
from etiquette_analysis.analysis.design import ENOUGH_PITCHES, MIN_PITCHES, MIN_REPLIES
from etiquette_analysis.analysis.intervals import critical_value, newcombe, wilson
from etiquette_analysis.analysis.plan import Plan, require_language
from etiquette_analysis.analysis.results import Result, number, read_verdict, result_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etiquette_analysis.analysis.plan import Language

_NAN: Final = float("nan")


@dataclass(frozen=True, repr=False)
class Contrast(Result):
    """How often requests made at once were answered, against the others.

    Attributes
    ----------
    frame : DataFrame
        Estimand ``D``: both rates (Wilson) and their difference, at once minus later (Newcombe). Estimand ``A``: the
        same at equal traits, as a log odds ratio and as a difference, where there are traits.
    now, later : Tally
        The two groups.
    rd, low, high : float
        Difference of the rates and its interval; NaN at level 0. Negative: as the claim says.
    verdict : str
        One of ``results.VERDICTS``, read from that interval.
    level : int
        0 too few to compare, 1 few (a group below 30), 2 enough, by the bounds of ``design``.
    """

    now: Tally
    later: Tally
    rd: float
    low: float
    high: float
    verdict: str
    level: int

    def text(self, language: Language = "en") -> str:
        """Return the difference in words, saying so where the sample is small."""
        words = _WORDS[require_language(language)]
        rates = {
            f"{arm}_{name}": number(100 * value, language)
            for arm, tally in (("now", self.now), ("later", self.later))
            for name, value in zip(("rate", "low", "high"), tally[2:], strict=True)
        }
        first = words["rates"].format(n_now=self.now.n, n_later=self.later.n, **rates)
        if self.level == 0:
            return f"{first} {words['too_few']}"
        signed = {"rd": self.rd, "low": self.low, "high": self.high}
        shown = {name: number(100 * value, language, signed=True) for name, value in signed.items()}
        parts = [first, words["rd"].format(**shown), words[self.verdict]]
        return " ".join([*parts, words["few"]] if self.level == 1 else parts)


@dataclass(frozen=True)
class Regression:
    """A logistic regression on named columns.

    Attributes
    ----------
    frame : DataFrame
        ``coefficient``, ``estimate``, ``se``, ``low``, ``high``, on the scale of log odds; model-based errors.
    n : int
        Rows.
    pseudo_r2 : float
        McFadden's: the share of the log likelihood that the columns explain.
    """

    frame: pd.DataFrame
    n: int
    pseudo_r2: float


def contrast_requests(requests: pd.DataFrame, *, traits: Sequence[str] = (), plan: Plan | None = None) -> Contrast:
    """Compare requests made at once with the others.

    Parameters
    ----------
    requests : DataFrame
        ``at_once``, ``answered``, the traits; optionally ``cluster``.
    traits : sequence of str
        Columns to hold equal: numbers as they are, anything else as groups.
    plan : Plan, optional
        For the confidence level and the smallest difference of interest; the default plan where not given.

    Examples
    --------
    >>> requests = pd.DataFrame({"at_once": [True] * 60 + [False] * 40, "answered": [True, False, False, False] * 15
    ...     + [True, False] * 20})
    >>> contrast_requests(requests)
    At once 25.0% of 60 were answered (15.8 to 37.2), the others 50.0% of 40 (35.2 to 64.8). ...
    """
    plan = plan or Plan()
    at_once, answered = (requests[name].to_numpy(dtype=bool) for name in ("at_once", "answered"))
    now, later = (_tally(answered[group], plan) for group in (at_once, ~at_once))
    is_too_few = min(now.n, later.n) < MIN_PITCHES or now.n_replies + later.n_replies < MIN_REPLIES
    level = 0 if is_too_few else 1 if min(now.n, later.n) < ENOUGH_PITCHES else 2
    rd, low, high = _NAN, _NAN, _NAN
    arms = (("now", now), ("later", later))
    rows = [{"scale": f"rate_{arm}", "estimate": t.rate, "low": t.low, "high": t.high} for arm, t in arms]
    if level > 0:
        limits = newcombe(now.n_replies, now.n, later.n_replies, later.n, conf_level=plan.conf_level)
        rd, low, high = now.rate - later.rate, float(limits.low), float(limits.high)
    rows.append({"scale": "rd", "estimate": rd, "low": low, "high": high})
    rows = [{"estimand": "D", "method": "counting", **row} for row in rows]
    if level > 0 and traits:
        rows += [{"estimand": "A", **row} for row in _adjusted(requests, traits, plan)]
    shared = {"n_now": now.n, "n_later": later.n, "level": level, "plan": plan.hash[:12]}
    verdict = read_verdict(low, high, sesoi=plan.sesoi)
    return Contrast(result_frame([shared | row for row in rows]), now, later, rd, low, high, verdict, level)


def regress(table: pd.DataFrame, columns: Sequence[str], *, outcome: str = "answered") -> Regression:
    """Fit a logistic regression with model-based errors, as published tables have them.

    Parameters
    ----------
    table : DataFrame
        Holds the columns and the outcome (bool).
    columns : sequence of str
        Regressors, beside an intercept.

    Raises
    ------
    DesignError
        Where no finite estimate exists.

    Examples
    --------
    >>> answered = [False, False, False, True, True, False, True, True]
    >>> table = pd.DataFrame({"x": [0, 0, 0, 0, 1, 1, 1, 1], "answered": answered})
    >>> fit = regress(table, ["x"])
    >>> fit.frame.set_index("coefficient")["estimate"].round(4).to_dict(), round(fit.pseudo_r2, 3)
    ({'Intercept': -1.0986, 'x': 2.1972}, 0.189)
    """
    y = table[outcome].to_numpy(dtype=np.float64)
    X = np.column_stack([np.ones(len(table)), table[list(columns)].to_numpy(dtype=np.float64)])
    fit = inference.logit(X, y, robust=None)
    z = float(critical_value())
    frame = pd.DataFrame({"coefficient": ["Intercept", *columns], "estimate": fit.coef, "se": fit.se})
    frame = frame.assign(low=frame["estimate"] - z * frame["se"], high=frame["estimate"] + z * frame["se"])
    explained, alone = (_log_likelihood(y, chance) for chance in (fit.fitted, np.full(len(y), y.mean())))
    return Regression(frame, len(y), 1 - explained / alone)


def _tally(answered: np.ndarray, plan: Plan) -> Tally:
    n, n_answered = len(answered), int(answered.sum())
    limits = wilson(n_answered, n, conf_level=plan.conf_level)
    return Tally(n, n_answered, n_answered / n if n else _NAN, float(limits.low), float(limits.high))


def _adjusted(requests: pd.DataFrame, traits: Sequence[str], plan: Plan) -> list[dict[str, object]]:
    """Return the difference at equal traits; a trait that does not vary is left out."""
    columns = pd.get_dummies(requests[list(traits)], drop_first=True).to_numpy(dtype=np.float64)
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    X = np.column_stack([np.ones(len(requests)), requests["at_once"].to_numpy(dtype=np.float64), columns])
    y = requests["answered"].to_numpy(dtype=np.float64)
    cluster = requests["cluster"].to_numpy() if "cluster" in requests.columns else None
    return adjusted_difference(X, y, cluster=cluster, unit="author", conf_level=plan.conf_level)


def _log_likelihood(y: np.ndarray, chance: np.ndarray) -> float:
    return float(np.sum(np.log(np.where(y > 0, chance, 1 - chance))))


_WORDS: Final = {
    "en": {
        "rates": "At once {now_rate}% of {n_now:,} were answered ({now_low} to {now_high}), the others {later_rate}% "
        "of {n_later:,} ({later_low} to {later_high}).",
        "rd": "Difference {rd} points ({low} to {high}), counted.",
        "supports": "This is as the claim says.",
        "contradicts": "This is the opposite of the claim.",
        "practically equal": "The two are practically equal.",
        "inconclusive": "The interval holds both signs: these data do not tell.",
        "few": "The sample is small.",
        "too_few": "Too few to compare.",
    },
    "it": {
        "rates": "Subito ha avuto risposta il {now_rate}% di {n_now} ({now_low}-{now_high}), gli altri il "
        "{later_rate}% di {n_later} ({later_low}-{later_high}).",
        "rd": "Differenza {rd} punti (da {low} a {high}), contata.",
        "supports": "È quello che dice la tesi.",
        "contradicts": "È il contrario della tesi.",
        "practically equal": "I due sono in pratica uguali.",
        "inconclusive": "L'intervallo contiene i due segni: questi dati non lo dicono.",
        "few": "Il campione è piccolo.",
        "too_few": "Troppo pochi per un confronto.",
    },
}
