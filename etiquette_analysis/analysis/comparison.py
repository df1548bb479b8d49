"""The headline: of 100 new connections, how many more or fewer would reply if pitched at once rather than later.

``compare`` first asks the design, blind to the replies, whether the data can bear an answer. If they can, it estimates
both strategies on the same connections and says what the interval means for the claim; if not, it says why, and what
was counted. Counting is always shown beside the estimate, because that is the number everybody already believes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etiquette_analysis.analysis import texts
from etiquette_analysis.analysis.design import check_design
from etiquette_analysis.analysis.intervals import newcombe, wilson
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.results import Result, number, read_verdict, result_frame
from etiquette_analysis.analysis.uncertainty import Limits, Uncertainty, assess, find_limits
from etiquette_analysis.analysis.wsr import Estimate, estimate

if TYPE_CHECKING:
    import pandas as pd

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem

_NAN = float("nan")
_NOWHERE = (_NAN, _NAN)


@dataclass(frozen=True)
class Counted:
    """What somebody who only counts would see: first pitches and replies, at once and on any later day.

    ``rd`` is now minus later, with Newcombe's interval; both rates have Wilson's.
    """

    n_now: int
    replies_now: int
    n_later: int
    replies_later: int
    rate_now: float
    rate_later: float
    limits: Limits

    @property
    def rd(self) -> float:
        """Difference of the two rates."""
        return self.rate_now - self.rate_later


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """The primary result.

    Attributes
    ----------
    plan : Plan
        The question.
    design : Design
        What the data can bear; ``level`` and ``reasons`` are its own.
    rd, low, high, se : float
        V(now) - V(later) and its interval; NaN where the design refuses. Negative: the claim is right.
    rate_now, rate_later : float
        Expected share of replies if all were pitched at once, and if all were pitched later.
    ratio, ratio_low, ratio_high : float
        V(now) / V(later).
    verdict : str
        ``supports``, ``contradicts``, ``practically equal``, ``inconclusive`` or ``not answerable``.
    counted : Counted
        The plain count, which is not causal.
    estimate : Estimate
        Influence values and weights, for what builds on them; NaN values where there was nothing to estimate.
    uncertainty : Uncertainty
        Covariance, degrees of freedom and clustering.
    n_orphans : int
        Eligible connections that the source no longer lists.
    """

    plan: Plan
    design: Design
    rd: float
    low: float
    high: float
    se: float
    rate_now: float
    rate_later: float
    ratio: float
    ratio_low: float
    ratio_high: float
    verdict: str
    counted: Counted
    estimate: Estimate | None
    uncertainty: Uncertainty | None
    n_orphans: int
    dates: tuple[str, str]

    @property
    def level(self) -> int:
        """0 counts only, 1 plain difference only, 2 an answer."""
        return self.design.level

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of what stood in the way of an answer."""
        return self.design.reasons

    @property
    def problem(self) -> Problem:
        """The arrays behind the estimate."""
        return self.design.problem

    def headline(self, language: Language = "en") -> str:
        """Return the answer, or the refusal, in one paragraph."""
        require_language(language)
        if self.level < 2:
            return self.design.text(language)
        conf = f"{100 * self.plan.conf_level:g}"
        return texts.HEADLINE[language].format(
            **texts.pitch_words(self.plan, language),
            now=number(100 * self.rate_now, language),
            later=number(100 * self.rate_later, language),
            rd=texts.points(self.rd, language),
            low=number(100 * self.low, language, signed=True),
            high=number(100 * self.high, language, signed=True),
            conf=conf,
            naive=texts.points(self.counted.rd, language),
        )

    def text(
        self,
        language: Language = "en",
        *,
        sensitivity: float | None = None,
        specificity: float | None = None,
        tipping: float | None = None,
    ) -> str:
        """Return headline, verdict, why counting differs and what the estimate rests on.

        Parameters
        ----------
        language : {"en", "it"}
            Language.
        sensitivity, specificity : float, optional
            Measured error of the pitch labels, as shares.
        tipping : float, optional
            The tipping odds factor of the sensitivity analysis.
        """
        verdict = texts.VERDICT[require_language(language)][self.verdict].format(
            sesoi=number(100 * self.plan.sesoi, language, digits=0)
        )
        parts = [self.headline(language), verdict]
        if self.level == 0:
            parts.append(self._counts_text(language))
        if self.level == 1:
            parts.append(self._counted_text(language))
        if self.level == 2:
            rests_on = texts.assumptions_text(
                self.plan,
                language,
                orphans=self.n_orphans,
                n_senders=self.problem.n_senders,
                dates=self.dates,
                sensitivity=sensitivity,
                specificity=specificity,
                tipping=tipping,
            )
            parts += [texts.WHY_COUNTING_DIFFERS[language], rests_on]
        return "\n\n".join(parts)

    def _counts_text(self, language: Language) -> str:
        c = self.counted
        shares = {
            f"{arm}_{end}": number(100 * value, language, digits=0)
            for arm, limits in (("now", c.limits.rate_now), ("later", c.limits.rate_later))
            for end, value in zip(("low", "high"), limits, strict=True)
        }
        return texts.ONLY_COUNTS[language].format(
            r_now=c.replies_now,
            n_now=c.n_now,
            r_later=c.replies_later,
            n_later=c.n_later,
            conf=f"{100 * self.plan.conf_level:g}",
            **shares,
        )

    def _counted_text(self, language: Language) -> str:
        c = self.counted
        return texts.ONLY_COUNTED[language].format(
            now=number(100 * c.rate_now, language),
            later=number(100 * c.rate_later, language),
            n_now=c.n_now,
            n_later=c.n_later,
            naive=texts.points(c.rd, language),
            low=number(100 * c.limits.rd[0], language, signed=True),
            high=number(100 * c.limits.rd[1], language, signed=True),
            conf=f"{100 * self.plan.conf_level:g}",
        )


def compare(dyads: pd.DataFrame, plan: Plan) -> Comparison:
    """Compare pitching at once with pitching after a wait, if the data can bear it.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection, as made by ``build_dyads`` / ``tabulate_dyads``.
    plan : Plan
        The question.

    Returns
    -------
    Comparison
        At level 0 and 1 a refusal: NaN estimates, ``reasons`` and words.

    Examples
    --------
    >>> import pandas as pd
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(5), "time_zero": pd.Timestamp("2024-05-01", tz="UTC"),
    ...     "pitch_day": 0, "opener_day": None, "answered_day": None, "hours_to_reply": 5.0, "followup_days": 90.0})
    >>> result = compare(dyads, Plan())
    >>> result.verdict, result.level, result.reasons[0]
    ('not answerable', 0, 'too_few_pitches')
    """
    design = check_design(dyads, plan)
    problem = design.problem
    counted = count(problem)
    found = estimate(problem, design.hazards) if design.level == 2 else None
    uncertainty = None if found is None else assess(problem, found)
    limits = Limits(*[_NOWHERE] * 4)
    if found is not None and uncertainty is not None:
        limits = find_limits(found, uncertainty, conf_level=plan.conf_level)
    now, later = (found.now.value, found.later.value) if found else _NOWHERE
    table = dyads.iloc[problem.rows]
    return Comparison(
        frame=result_frame(_rows(design, found, uncertainty, limits, counted)),
        plan=plan,
        design=design,
        rd=now - later,
        low=limits.rd[0],
        high=limits.rd[1],
        se=uncertainty.se if uncertainty else _NAN,
        rate_now=now,
        rate_later=later,
        ratio=now / later if later > 0 else _NAN,
        ratio_low=limits.ratio[0],
        ratio_high=limits.ratio[1],
        verdict=read_verdict(*limits.rd, sesoi=plan.sesoi),
        counted=counted,
        estimate=found,
        uncertainty=uncertainty,
        n_orphans=int((table["time_zero_source"] == "first_evidence").sum()) if "time_zero_source" in table else 0,
        dates=(f"{table['time_zero'].min():%Y-%m-%d}", f"{table['time_zero'].max():%Y-%m-%d}")
        if len(table)
        else ("?", "?"),
    )


def count(problem: Problem) -> Counted:
    """Count first pitches and replies in the immediate window, and on any later day to the end of the deferred one."""
    plan = problem.plan
    now = problem.in_window(plan.immediate)
    later = problem.in_window((plan.immediate[1] + 1, plan.deferred[1]))
    sizes = [int(arm.sum()) for arm in (now, later)]
    replies = [int(problem.outcome[arm].sum()) for arm in (now, later)]
    rates = [r / n if n else _NAN for r, n in zip(replies, sizes, strict=True)]
    intervals = [wilson(r, n, conf_level=plan.conf_level) for r, n in zip(replies, sizes, strict=True)]
    rd = newcombe(replies[0], sizes[0], replies[1], sizes[1], conf_level=plan.conf_level)
    pairs = [(float(i.low), float(i.high)) for i in (*intervals, rd)]
    limits = Limits(pairs[0], pairs[1], pairs[2], _NOWHERE)
    return Counted(sizes[0], replies[0], sizes[1], replies[1], rates[0], rates[1], limits)


def _rows(
    design: Design, found: Estimate | None, uncertainty: Uncertainty | None, limits: Limits, counted: Counted
) -> list[dict[str, Any]]:
    ess = design.counts["ess"]
    shared = {"level": design.level, "reason": "; ".join(design.reasons) or None, "plan": design.plan.hash[:12]}
    causal = {
        **shared,
        "estimand": "P",
        "method": "wsr",
        "n_now": int(design.counts["n"][0]),
        "n_later": int(design.counts["n"][1]),
        "ess_now": float(ess[0]),
        "ess_later": float(ess[1]),
    }
    now, later = (found.now.value, found.later.value) if found else _NOWHERE
    se = (*uncertainty.se_rates, uncertainty.se) if uncertainty else (_NAN,) * 3
    ratio = now / later if later > 0 else _NAN
    values = {
        "rd": (now - later, limits.rd, se[2]),
        "rate_now": (now, limits.rate_now, se[0]),
        "rate_later": (later, limits.rate_later, se[1]),
        "rr": (ratio, limits.ratio, _NAN),
    }
    plain = {**shared, "estimand": "D", "method": "counting", "n_now": counted.n_now, "n_later": counted.n_later}
    rates = {
        "rd": (counted.rd if design.level > 0 else _NAN, counted.limits.rd if design.level > 0 else _NOWHERE),
        "rate_now": (counted.rate_now, counted.limits.rate_now),
        "rate_later": (counted.rate_later, counted.limits.rate_later),
    }
    return [
        *({**causal, "scale": s, "estimate": v, "low": i[0], "high": i[1], "se": e} for s, (v, i, e) in values.items()),
        *({**plain, "scale": s, "estimate": v, "low": i[0], "high": i[1], "se": np.nan} for s, (v, i) in rates.items()),
    ]
