"""How small a difference these data could see, and how long it would take to see one that matters.

A finding of "no difference" is worth as much as the difference that would have been found. The minimum detectable
difference is 2.8 standard errors (80 % power, 5 % two-sided). From past behaviour, at reply rates of 12 to 20 %, with
27 %
of connections pitched at once and 24 % after a wait (STATISTICS, section 10):

=====================  ==================================  ===================
eligible connections   timing unrelated to the person      selection as in D
=====================  ==================================  ===================
300                    17 pp                               22 pp
600                    11 pp                               16 pp
1,500                  7.5 pp                              9.4 pp
5,000 (by root n)      4.1 pp                              5.1 pp
15,000 (by root n)     2.4 pp                              3.0 pp
100,000 (by root n)    0.9 pp                              1.2 pp
=====================  ==================================  ===================

A personal export below some 600 eligible connections can only see differences above 11 to 16 points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import stats

from etiquette_analysis.analysis.comparison import compare
from etiquette_analysis.analysis.design import ENOUGH_PITCHES, PLANNING_RATE
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.results import Result, number, result_frame, round_up

if TYPE_CHECKING:
    import pandas as pd

    from etiquette_analysis.analysis.comparison import Comparison
    from etiquette_analysis.analysis.plan import Language, Plan

#: Standard errors that an effect has to measure for 80 % power at 5 % two-sided: 1.96 + 0.84.
STANDARD_ERRORS: Final = 2.8
DAYS_IN_MONTH: Final = 365.25 / 12


@dataclass(frozen=True, repr=False)
class Power(Result):
    """What these data can see.

    Attributes
    ----------
    frame : DataFrame
        Minimum detectable difference (scale ``rd``), connections needed and months, as rows.
    minimum_detectable : float
        Difference found with 80 % power, as a fraction; NaN where an arm is empty.
    power_at_sesoi : float
        Chance of finding the smallest difference of interest.
    n_eligible, n_needed, n_more : int
        Eligible connections now, needed in all to see the smallest difference of interest, and still missing.
    months_more : float
        Months until then at the present rate of connecting; NaN where the rate is unknown.
    is_answered : bool
        Whether the standard error is that of the estimate (level 2), or only of the counts, which flatters.
    plan : Plan
        The question.
    """

    minimum_detectable: float
    power_at_sesoi: float
    n_eligible: int
    n_needed: int
    n_more: int
    months_more: float
    is_answered: bool
    plan: Plan

    def text(self, language: Language = "en") -> str:
        """Return it in words, in English or Italian."""
        words = _TEXT[require_language(language)]
        if np.isnan(self.minimum_detectable):
            return words["none"].format(n=self.n_eligible)
        parts = [
            words["mde"].format(n=self.n_eligible, mde=number(100 * self.minimum_detectable, language)),
            words["enough" if self.n_more == 0 else "more"].format(
                sesoi=number(100 * self.plan.sesoi, language),
                more=round_up(self.n_more),
                months=number(self.months_more, language, digits=0),
            ),
        ]
        if not self.is_answered:
            parts.append(words["counts"])
        if self.power_at_sesoi < 0.5:
            parts.append(words["low_power"])
        return " ".join(parts)


def power(dyads: pd.DataFrame, plan: Plan, *, result: Comparison | None = None) -> Power:
    """Return the smallest difference that these data could see, and what a smaller one would take.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        ``sesoi`` is the difference of interest.
    result : Comparison, optional
        From ``compare``, to save computing it again.

    Examples
    --------
    >>> import pandas as pd
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> power(dyads, Plan())
    5 eligible connections, but no pitches in one of the two windows: nothing can be compared.
    """
    result = compare(dyads, plan) if result is None else result
    problem, values = result.problem, result.design.values  # noqa: PD011 (a dict)
    n_now, n_later, n = int(values["n_now"]), int(values["n_later"]), len(problem)
    is_answered = result.level == 2
    se = result.se if is_answered else _counted_se(values)
    detectable = STANDARD_ERRORS * se
    n_needed, months = n, float("nan")
    if np.isfinite(detectable):
        by_precision = n * max((detectable / plan.sesoi) ** 2, 1.0)
        by_arms = n * ENOUGH_PITCHES / min(n_now, n_later)
        n_needed = max(int(np.ceil(by_precision)), int(np.ceil(by_arms)), n)
        months = (n_needed - n) / _monthly_rate(dyads, result)
    at_sesoi = float(stats.norm.sf(1.96 - plan.sesoi / se) + stats.norm.cdf(-1.96 - plan.sesoi / se)) if se > 0 else 0.0
    shared = {
        "estimand": "P",
        "n_now": n_now,
        "n_later": n_later,
        "level": result.level,
        "reason": "; ".join(result.reasons) or None,
        "plan": plan.hash[:12],
        "method": "2.8 standard errors of the estimate" if is_answered else "2.8 standard errors of the counts",
    }
    rows: list[dict[str, Any]] = [
        {"scale": "minimum detectable rd", "estimate": detectable, "se": se},
        {"scale": "power at sesoi", "estimate": at_sesoi},
        {"scale": "connections needed", "estimate": n_needed if np.isfinite(detectable) else np.nan},
        {"scale": "months more", "estimate": months},
    ]
    frame = result_frame([{**shared, **row} for row in rows])
    return Power(frame, detectable, at_sesoi, n, n_needed, n_needed - n, months, is_answered, plan)


def _counted_se(values: dict[str, float]) -> float:
    """Return the standard error of a plain difference at the pooled reply rate, or at 15 % where there is none."""
    n_now, n_later, replies = values["n_now"], values["n_later"], values["n_replies"]
    if min(n_now, n_later) < 1:
        return float("nan")
    rate = replies / (n_now + n_later)
    rate = rate if 0 < rate < 1 else PLANNING_RATE
    return float(np.sqrt(rate * (1 - rate) * (1 / n_now + 1 / n_later)))


def _monthly_rate(dyads: pd.DataFrame, result: Comparison) -> float:
    """Return eligible connections per month, from the first to the last of them."""
    time_zero = dyads["time_zero"].iloc[result.problem.rows]
    days = (time_zero.max() - time_zero.min()).days + 1
    return float(len(time_zero) / (days / DAYS_IN_MONTH))


_TEXT: Final = {
    "en": {
        "none": "{n} eligible connections, but no pitches in one of the two windows: nothing can be compared.",
        "mde": "With {n} eligible connections a difference of {mde} percentage points or more would be found 4 "
        "times in 5.",
        "enough": "That is enough for a difference of {sesoi} points.",
        "more": (
            "For a difference of {sesoi} points it would take {more} more connections, about {months} months at the "
            "present rate."
        ),
        "counts": "These figures come from counts alone; correcting for whom you pitch will need more.",
        "low_power": (
            "With so little power a significant finding would overstate the difference, and might even have the wrong "
            "sign."
        ),
    },
    "it": {
        "none": "{n} collegamenti utilizzabili, ma in una delle due finestre nessuna proposta: non c'è confronto.",
        "mde": (
            "Con {n} collegamenti utilizzabili si troverebbe 4 volte su 5 una differenza di almeno {mde} punti "
            "percentuali."
        ),
        "enough": "Bastano per una differenza di {sesoi} punti.",
        "more": (
            "Per una differenza di {sesoi} punti servirebbero altri {more} collegamenti, circa {months} mesi al ritmo "
            "attuale."
        ),
        "counts": "Le cifre vengono dai soli conteggi; per correggere a chi proponi ne serviranno di più.",
        "low_power": (
            "Con una potenza così bassa un risultato significativo ingrandirebbe la differenza, e potrebbe perfino "
            "averne il segno sbagliato."
        ),
    },
}
