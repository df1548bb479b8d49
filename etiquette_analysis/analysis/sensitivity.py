"""Ask how much hidden information it would take to erase the answer.

The estimate assumes that what made you pitch on a given day is in the data. It never all is. Two numbers say how much
could be missing. The *tipping odds factor* is the smallest factor by which hidden information may distort every
connection's weight, up or down, before zero enters the bounds and their sampling error (marginal sensitivity model);
within such a distortion the extremes of a weighted rate are found exactly, by sorting. The *E-value* asks for the
strength, as a risk ratio, that a hidden trait would need with both timing and reply.

References
----------
Zhao, Small and Bhattacharya 2019, JRSS B 81:735-761; VanderWeele and Ding 2017, Ann Intern Med 167:268-274.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etiquette_analysis.analysis.intervals import Interval
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.analysis.texts import is_slightest
from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from etiquette_analysis.analysis.comparison import Comparison
    from etiquette_analysis.analysis.plan import Language

    Floats = NDArray[np.float64]

#: Factors at which the bounds are tabulated.
FACTORS: Final = (1.0, 1.25, 1.5, 2.0, 3.0)
#: Beyond this the search stops: no hidden trait that strong is worth imagining.
LARGEST_FACTOR: Final = 1e4


def e_value(risk_ratio: ArrayLike) -> Floats:
    """Return the E-value of a risk ratio: 1 where there is nothing to explain away.

    Examples
    --------
    >>> e_value([3.9, 0.8, 1.0]).round(2)
    array([7.26, 1.81, 1.  ])
    """
    rr = np.asarray(risk_ratio, dtype=np.float64)
    if np.any(rr < 0):
        msg = f"a risk ratio of {float(rr[rr < 0].flat[0])}: expected 0 or more"
        raise DesignError(msg)
    with np.errstate(divide="ignore"):
        above = np.where(rr < 1, 1 / rr, rr)
    with np.errstate(invalid="ignore"):
        value = above + np.sqrt(above * (above - 1))
    return np.asarray(np.where(np.isinf(above), np.inf, value))[()]


def e_value_of_limit(low: float, high: float) -> float:
    """Return the E-value of the confidence limit nearer to 1; 1 where the interval of the ratio holds 1.

    Examples
    --------
    >>> round(e_value_of_limit(0.71, 0.91), 2), e_value_of_limit(0.8, 1.1)
    (1.43, 1.0)
    """
    if not low <= high:
        msg = f"an interval from {low} to {high} of a risk ratio; expected low <= high"
        raise DesignError(msg)
    if low <= 1 <= high:
        return 1.0
    return float(e_value(high if high < 1 else low))


def weighted_extremes(weights: ArrayLike, outcome: ArrayLike, factor: float) -> Interval:
    """Return the least and the greatest weighted mean outcome where every weight may be off by up to ``factor``.

    Each weight may be multiplied by its own number in [1/factor, factor]. The extremes raise the weights of the largest
    (smallest) outcomes and lower the others, so after sorting only the place of the cut remains to be tried.

    Parameters
    ----------
    weights, outcome : array_like
        Non-negative weights and any outcomes, shape (n,).
    factor : float
        1 gives the weighted mean twice.

    Examples
    --------
    Two replies of four at equal weights; at factor 2 the replies may count four times as much as the silences, or a
    quarter:

    >>> low, high = weighted_extremes([1, 1, 1, 1], [1, 1, 0, 0], 2.0)
    >>> round(float(low), 3), round(float(high), 3)
    (0.2, 0.8)
    """
    w, y = np.asarray(weights, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if not factor >= 1:
        msg = f"factor={factor!r}: expected 1 (nothing hidden) or more"
        raise DesignError(msg)
    kept = w > 0
    if not kept.any():
        return Interval(np.float64(np.nan), np.float64(np.nan))  # type: ignore[arg-type]
    order = np.argsort(-y[kept], kind="stable")
    w, y = w[kept][order], y[kept][order]
    return Interval(-_greatest(w[::-1], -y[::-1], factor), _greatest(w, y, factor))


def _greatest(w: Floats, y: Floats, factor: float) -> Floats:
    """Return the greatest mean for outcomes sorted downwards: the best cut between raised and lowered weights."""
    total, total_y = np.concatenate([[0.0], np.cumsum(w)]), np.concatenate([[0.0], np.cumsum(w * y)])
    raised, lowered = factor * total, (total[-1] - total) / factor
    means = (factor * total_y + (total_y[-1] - total_y) / factor) / (raised + lowered)
    return np.asarray(means.max())[()]


@dataclass(frozen=True)
class WeightedArms:
    """Weights and outcomes of the two arms, all that bounds under hidden information need."""

    weights_now: Floats
    outcome_now: Floats
    weights_later: Floats
    outcome_later: Floats

    def shifts(self, factor: float) -> Interval:
        """Return by how much the weighted difference (now - later) may move down and up at ``factor``."""
        now = weighted_extremes(self.weights_now, self.outcome_now, factor)
        later = weighted_extremes(self.weights_later, self.outcome_later, factor)
        centre = self._mean(self.weights_now, self.outcome_now) - self._mean(self.weights_later, self.outcome_later)
        return Interval(now.low - later.high - centre, now.high - later.low - centre)

    @staticmethod
    def _mean(w: Floats, y: Floats) -> float:
        return float(w @ y / w.sum()) if w.sum() > 0 else float("nan")


def tipping_factor(arms: WeightedArms, rd: float, low: float, high: float) -> float:
    """Return the smallest factor at which zero enters ``[low, high]`` widened by the bounds; 1 where it is inside.

    Parameters
    ----------
    arms : WeightedArms
        Weights and outcomes behind the estimate.
    rd, low, high : float
        The estimate and its interval; give ``rd`` three times for the factor without sampling error.

    Returns
    -------
    float
        NaN where the estimate is NaN; infinite where no factor up to 10,000 is enough.

    Examples
    --------
    Equal weights, 20 replies of 100 against 40 of 100; each arm's odds must move by about the root of their ratio:

    >>> w, y = np.ones(100), np.arange(100)
    >>> arms = WeightedArms(w, (y < 20) * 1.0, w, (y < 40) * 1.0)
    >>> round(tipping_factor(arms, -0.2, -0.2, -0.2), 3)
    1.278
    """
    if not np.isfinite([rd, low, high]).all():
        return float("nan")
    if low <= 0 <= high:
        return 1.0

    def reached(factor: float) -> bool:
        shift = arms.shifts(factor)
        return bool(low + shift.low <= 0 <= high + shift.high)

    if not reached(LARGEST_FACTOR):
        return float("inf")
    a, b = 0.0, float(np.log(LARGEST_FACTOR))
    for _ in range(60):
        middle = (a + b) / 2
        a, b = (a, middle) if reached(float(np.exp(middle))) else (middle, b)
    return float(np.exp(b))


@dataclass(frozen=True, repr=False)
class Sensitivity(Result):
    """What hidden information could do to a comparison.

    Attributes
    ----------
    frame : DataFrame
        The difference and its interval at each odds factor of ``FACTORS`` (method ``odds factor 1.25`` and so on; the
        estimate is the middle of the bounds, ``low`` and ``high`` are bounds plus sampling error), the tipping factors
        and the E-values (scale ``odds_factor`` and ``e_value``; ``low`` is that of the confidence limit).
    tipping_factor, tipping_factor_estimate : float
        Smallest odds factor at which zero enters the interval, and at which it enters the bounds alone. 1 where it is
        inside already, NaN where there is no answer.
    e_value, e_value_limit : float
        Of the ratio of the two rates, and of its confidence limit nearer to 1.
    """

    tipping_factor: float
    tipping_factor_estimate: float
    e_value: float
    e_value_limit: float

    def text(self, language: Language = "en") -> str:
        """Return the finding in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        if np.isnan(self.tipping_factor):
            return words["none"]
        if self.tipping_factor == 1:
            return words["inside"]
        if np.isinf(self.tipping_factor):
            return words["never"]
        return words["slightest" if is_slightest(self.tipping_factor) else "tipping"].format(
            tipping=number(self.tipping_factor, language, digits=2),
            e_value=number(self.e_value, language, digits=2),
            limit=number(self.e_value_limit, language, digits=2),
        )


def sensitivity(result: Comparison) -> Sensitivity:
    """Ask of a comparison how much hidden information would erase it.

    Parameters
    ----------
    result : Comparison
        From ``compare``; its interval is widened by as much as the bounds of the weighted difference move.

    Examples
    --------
    >>> import pandas as pd
    >>> from etiquette_analysis.analysis.comparison import compare
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> sensitivity(compare(dyads, Plan()))
    There is no estimate, so there is nothing that hidden information could erase.
    """
    shared = {
        "estimand": "P",
        "n_now": int(result.design.values["n_now"]),
        "n_later": int(result.design.values["n_later"]),
        "level": result.level,
        "reason": "; ".join(result.reasons) or None,
        "plan": result.plan.hash[:12],
    }
    if result.estimate is None:
        nothing = float("nan")
        return Sensitivity(result_frame([{**shared, "scale": "odds_factor"}]), *(nothing,) * 4)
    arms = _arms(result)
    rows = []
    for factor in FACTORS:
        shift = arms.shifts(factor)
        low, high = result.low + float(shift.low), result.high + float(shift.high)
        centre = result.rd + float(shift.low + shift.high) / 2
        rows.append({"method": f"odds factor {factor:g}", "scale": "rd", "estimate": centre, "low": low, "high": high})
    tipping = tipping_factor(arms, result.rd, result.low, result.high)
    alone = tipping_factor(arms, result.rd, result.rd, result.rd)
    rows.append({"method": "tipping odds factor", "scale": "odds_factor", "estimate": alone, "low": tipping})
    has_ratio = not np.isnan([result.ratio, result.ratio_low, result.ratio_high]).any()
    value = float(e_value(result.ratio)) if has_ratio else float("nan")
    limit = e_value_of_limit(result.ratio_low, result.ratio_high) if has_ratio else float("nan")
    rows.append({"method": "e-value", "scale": "e_value", "estimate": value, "low": limit})
    return Sensitivity(result_frame([{**shared, **row} for row in rows]), tipping, alone, value, limit)


def _arms(result: Comparison) -> WeightedArms:
    problem, found = result.problem, result.estimate
    if found is None:
        msg = "this comparison has no estimate, so no weights; expected one at level 2"
        raise DesignError(msg)
    parts = []
    for arm in (found.now, found.later):
        weights = arm.weights * problem.weight
        chosen = weights > 0
        parts += [weights[chosen], problem.outcome[chosen]]
    return WeightedArms(*parts)


_TEXT: Final = {
    "en": {
        "none": "There is no estimate, so there is nothing that hidden information could erase.",
        "inside": "The interval contains zero already: no hidden trait is needed to explain a difference.",
        "never": "No hidden trait, however strong, would bring zero into the bounds.",
        "slightest": (
            "The slightest trait unknown to us that made immediate pitching more likely and fully decided the reply "
            "would erase this."
        ),
        "tipping": (
            "A trait unknown to us that made immediate pitching {tipping} times more likely and fully decided the "
            "reply "
            "would erase this. On the scale of risk ratios, such a trait would have to be tied to both timing and "
            "reply by at least {e_value} (by {limit} to bring the interval to zero)."
        ),
    },
    "it": {
        "none": "Non c'è una stima, perciò nulla che un'informazione nascosta possa annullare.",
        "inside": "L'intervallo contiene già lo zero: per spiegare una differenza non serve alcun tratto nascosto.",
        "never": "Nessun tratto nascosto, per quanto forte, porterebbe lo zero dentro i limiti.",
        "slightest": (
            "Ad annullare questo risultato basterebbe anche il più piccolo tratto a noi ignoto che rendesse più "
            "probabile proporre subito, e che decidesse del tutto la risposta."
        ),
        "tipping": (
            "Un tratto a noi ignoto che rendesse {tipping} volte più probabile proporre subito, e che decidesse del "
            "tutto la risposta, annullerebbe questo risultato. In termini di rapporto fra rischi, un tratto simile "
            "dovrebbe legarsi sia ai tempi sia alla risposta per almeno {e_value} (per {limit} basta a portare "
            "l'intervallo allo zero)."
        ),
    },
}
