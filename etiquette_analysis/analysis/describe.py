"""What happened, counted: works at every size of data, and claims no more than it counts.

Reply rates of pitches sent at once and after a wait, cold and warm, by intensity, and how long replies took. These are
facts about the pitches that were sent. They are not the effect of waiting, because people choose whom to pitch late:
often those who have already answered, who would have replied more anyway. In simulated worlds where timing does
nothing,
counting still shows 7 to 15 points (STATISTICS, section 11), so every text printed from here says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from etiquette_analysis.analysis import survival
from etiquette_analysis.analysis.association import associate
from etiquette_analysis.analysis.design import check_design
from etiquette_analysis.analysis.intervals import newcombe, wilson
from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.problem import days
from etiquette_analysis.analysis.results import Result, number, result_frame
from etiquette_analysis.schema import PITCH_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.design import Design
    from etiquette_analysis.analysis.plan import Language, Plan
    from etiquette_analysis.analysis.problem import Problem

    Bools = NDArray[np.bool_]

#: Below so many first pitches in an arm, or replies in both together, no two rates are compared (STATISTICS, section
#: 9).
FEWEST_PITCHES: Final = 10
FEWEST_REPLIES: Final = 10
#: Groups of first pitches, by when they were sent and whether the contact had written before.
GROUPS: Final = ("now", "later", "any_later", "later_warm", "later_cold", "any_later_warm", "any_later_cold")
#: What is set against "now", in the order of the tables.
CONTRASTS: Final = ("any_later", "later", "any_later_warm", "any_later_cold")


class Tally(NamedTuple):
    """First pitches of a group, their replies, the rate and Wilson's limits."""

    n: int
    n_replies: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class Description(Result):
    """Counts, rates and differences among the pitches that were sent.

    Attributes
    ----------
    frame : DataFrame
        Estimand ``D <group>``: rates (Wilson) and now minus that group (Newcombe); estimand ``A any_later``: the
        association among the pitched at equal traits, as a log odds ratio (``log_or``) and averaged as a difference.
    tables : dict of DataFrame
        ``groups`` (n, replies, rate, limits), ``timing_by_intensity``, ``time_to_reply`` (Kaplan-Meier by timing),
        ``first_reply`` (Aalen-Johansen, positive against not, where known), ``flow`` (dyads by reason of exclusion).
    tallies : dict of Tally
        The same as ``groups``, by name.
    design : Design
        What the data can bear; at level 0 no two rates are compared.
    """

    tables: dict[str, pd.DataFrame]
    tallies: dict[str, Tally]
    design: Design

    def text(self, language: Language = "en") -> str:
        """Return the counts in words, with the warning that they are counts, in English or Italian."""
        words = _TEXT[require_language(language)]
        lines = [
            words["rate"].format(
                n=t.n,
                group=words[g],
                replies=t.n_replies,
                rate=_percent(t.rate, language),
                low=_percent(t.low, language),
                high=_percent(t.high, language),
            )
            for g, t in self.tallies.items()
            if g in ("now", *CONTRASTS) and g != "later" and t.n > 0
        ]
        last = words["too_few"] if self.design.level == 0 else self._difference(words, language)
        return "\n".join(lines) + "\n\n" + last

    def _difference(self, words: dict[str, str], language: Language) -> str:
        is_shown = (self.frame["estimand"] == "D any_later") & (self.frame["scale"] == "rd")
        row: pd.Series[float] = self.frame.loc[is_shown, ["estimate", "low", "high"]].iloc[0]
        n_later = self.tallies["any_later"].n
        share = self.tallies["any_later_warm"].n / n_later if n_later else float("nan")
        return words["difference"].format(
            rd=number(100 * row["estimate"], language, signed=True),
            low=number(100 * row["low"], language, signed=True),
            high=number(100 * row["high"], language, signed=True),
            warm=_percent(share, language),
        )


def describe(dyads: pd.DataFrame, plan: Plan) -> Description:
    """Count replies to first pitches by timing, rapport and intensity.

    Parameters
    ----------
    dyads : DataFrame
        One row per connection.
    plan : Plan
        Windows, outcome, confidence level.

    Returns
    -------
    Description
        Rates at every size of data; differences from level 1 on (10 pitches in each arm, 10 replies in both).

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> days = [0, 0, 1, 1, 9, 12, None]
    >>> dyads = pd.DataFrame({"sender": 0, "contact": range(7), "followup_days": 90.0, "exclusion": None,
    ...     "time_zero": pd.Timestamp("2024-05-01", tz="UTC"), "pitch_day": pd.array(days, dtype="Int64"),
    ...     "opener_day": pd.array([None] * 7, dtype="Int64"), "answered_day": pd.array([None] * 7, dtype="Int64"),
    ...     "hours_to_reply": [5.0] + [float("nan")] * 6})
    >>> print(describe(dyads, Plan()).text())
    4 first pitches at once: 1 replied, 25.0% (4.6% to 69.9%).
    2 first pitches later: 0 replied, 0.0% (0.0% to 65.8%).
    2 first pitches later, before any word from the contact: 0 replied, 0.0% (0.0% to 65.8%).
    <BLANKLINE>
    Too few pitches or replies to compare.
    """
    design = check_design(dyads, plan)
    problem = design.problem
    groups = pitch_groups(problem.pitch_day, problem.answered_day, plan)
    tallies = _count(groups, problem)
    reason = "; ".join(design.reasons)
    rows = [_rate_row(g, t) for g, t in tallies.items()]
    rows += [_difference_row(g, tallies, plan, withheld=design.level == 0) for g in CONTRASTS]
    rows += associate(problem, groups["now"], groups["any_later"], withheld=design.level == 0)
    shared = {"level": design.level, "reason": reason or None, "plan": plan.hash[:12]}
    tables = {
        "groups": pd.DataFrame([(g, *t) for g, t in tallies.items()], columns=["group", *Tally._fields]),
        "timing_by_intensity": _timing_by_intensity(dyads, problem),
        **_waiting(dyads, plan),
        "flow": _flow(dyads, len(problem)),
    }
    return Description(result_frame([{**shared, **row} for row in rows]), tables, tallies, design)


def pitch_groups(pitch_day: NDArray[np.int64], answered_day: NDArray[np.int64], plan: Plan) -> dict[str, Bools]:
    """Return who belongs to each of ``GROUPS``; "any later" runs from the first day after the immediate window.

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> groups = pitch_groups(np.array([0, 3, 9, 99]), np.array([10_000, 2, 10_000, 10_000]), Plan())
    >>> {k: v.astype(int).tolist() for k, v in groups.items() if k in ("now", "later", "any_later_warm")}
    {'now': [1, 0, 0, 0], 'later': [0, 0, 1, 0], 'any_later_warm': [0, 1, 0, 0]}
    """
    warm = answered_day <= pitch_day
    now = (pitch_day >= plan.immediate[0]) & (pitch_day <= plan.immediate[1])
    later = (pitch_day >= plan.deferred[0]) & (pitch_day <= plan.deferred[1])
    any_later = (pitch_day > plan.immediate[1]) & (pitch_day <= plan.deferred[1])
    return {
        "now": now,
        "later": later,
        "any_later": any_later,
        "later_warm": later & warm,
        "later_cold": later & ~warm,
        "any_later_warm": any_later & warm,
        "any_later_cold": any_later & ~warm,
    }


def _count(groups: dict[str, Bools], problem: Problem) -> dict[str, Tally]:
    out = {}
    for name in GROUPS:
        n, replies = int(groups[name].sum()), int(problem.outcome[groups[name]].sum())
        low, high = wilson(replies, n, conf_level=problem.plan.conf_level)
        out[name] = Tally(n, replies, replies / n if n else float("nan"), float(low), float(high))
    return out


def _rate_row(group: str, tally: Tally) -> dict[str, Any]:
    arm = "now" if group == "now" else "later"
    return {
        "estimand": f"D {group}",
        "method": "wilson",
        "scale": f"rate_{arm}",
        "estimate": tally.rate,
        "low": tally.low,
        "high": tally.high,
        f"n_{arm}": tally.n,
    }


def _difference_row(group: str, tallies: dict[str, Tally], plan: Plan, *, withheld: bool) -> dict[str, Any]:
    now, other = tallies["now"], tallies[group]
    row: dict[str, Any] = {
        "estimand": f"D {group}",
        "method": "newcombe",
        "scale": "rd",
        "n_now": now.n,
        "n_later": other.n,
    }
    if withheld:
        return row
    if not other.n or not now.n:
        return {**row, "reason": "no such pitches"}
    low, high = newcombe(now.n_replies, now.n, other.n_replies, other.n, conf_level=plan.conf_level)
    p1, p0 = now.rate, other.rate
    se = float(np.sqrt(p1 * (1 - p1) / now.n + p0 * (1 - p0) / other.n))
    return {**row, "estimate": p1 - p0, "low": float(low), "high": float(high), "se": se}


def _timing_by_intensity(dyads: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Return pitches, replies and rate by when the pitch came and how hard it pressed."""
    columns = ["timing", "pitch_level", "n", "n_replies", "rate", "low", "high"]
    if "pitch_level" not in dyads.columns:
        return pd.DataFrame(columns=columns)
    level = dyads["pitch_level"].astype("str").to_numpy()[problem.rows]
    day, plan = problem.pitch_day, problem.plan
    spans = {
        "now": (plan.immediate[0], plan.immediate[1]),
        "between": (plan.immediate[1] + 1, plan.deferred[0] - 1),
        "later": (plan.deferred[0], plan.deferred[1]),
    }
    rows = []
    for timing, (first, last) in spans.items():
        for name in PITCH_LEVELS[PITCH_LEVELS.index(plan.pitch_level) :]:
            chosen = (day >= first) & (day <= last) & (level == name)
            rows.append((timing, name, int(chosen.sum()), int(problem.outcome[chosen].sum())))
    table = pd.DataFrame(rows, columns=columns[:4])
    low, high = wilson(table["n_replies"], table["n"], conf_level=plan.conf_level)
    return table.assign(rate=table["n_replies"] / table["n"].where(table["n"] > 0), low=low, high=high)


def _waiting(dyads: pd.DataFrame, plan: Plan) -> dict[str, pd.DataFrame]:
    """Return time to reply by timing; pitches too recent to be judged enter for as long as they were watched."""
    kept = dyads["pitch_day"].notna()
    if "exclusion" in dyads.columns:
        kept &= dyads["exclusion"].isna() | (dyads["exclusion"] == "too_recent")
    d = dyads[kept]
    day = days(d["pitch_day"])
    hours = d["hours_to_reply"].to_numpy(dtype=np.float64)
    # Only the day of the pitch is known, so a silence was watched from the end of that day at the latest.
    watched = np.maximum((d["followup_days"].to_numpy(dtype=np.float64) - day - 1) * 24, 0.0)
    replied = ~np.isnan(hours)
    wait = np.where(replied, hours, watched)
    positive = (
        d["reply_positive"].to_numpy(dtype=np.float64, na_value=np.nan)
        if "reply_positive" in d.columns
        else np.full(len(d), np.nan)
    )
    groups = pitch_groups(day, days(d["answered_day"]), plan)
    km, aj = [], []
    for name in ("now", "any_later"):
        rows = groups[name]
        if not rows.any():
            continue
        table = survival.kaplan_meier(wait[rows], replied[rows], conf_level=plan.conf_level)
        km.append(table.assign(group=name))
        known = rows & (~replied | ~np.isnan(positive))
        if replied[known].any():
            kind = np.where(~replied, 0, np.where(positive == 1, 1, 2))[known]
            aj.append(survival.aalen_johansen(wait[known], kind, conf_level=plan.conf_level).assign(group=name))
    empty = pd.DataFrame()
    return {
        "time_to_reply": pd.concat(km, ignore_index=True) if km else empty,
        "first_reply": pd.concat(aj, ignore_index=True) if aj else empty,
    }


def _flow(dyads: pd.DataFrame, n_eligible: int) -> pd.DataFrame:
    reasons = dyads["exclusion"].dropna().value_counts() if "exclusion" in dyads.columns else pd.Series(dtype="int64")
    rows = [("connections", len(dyads)), *((str(k), int(v)) for k, v in reasons.items()), ("eligible", n_eligible)]
    return pd.DataFrame(rows, columns=["step", "n"])


def _percent(share: float, language: Language) -> str:
    return f"{number(100 * share, language)}%"


_TEXT: Final = {
    "en": {
        "rate": "{n} first pitches {group}: {replies} replied, {rate} ({low} to {high}).",
        "now": "at once",
        "any_later": "later",
        "any_later_warm": "later, after the contact had written",
        "any_later_cold": "later, before any word from the contact",
        "too_few": "Too few pitches or replies to compare.",
        "difference": (
            "Counted, immediate pitches differ from all later ones by {rd} percentage points ({low} to {high}). This "
            "describes the pitches that were sent; it is not what waiting would do. {warm} of the later pitches went "
            "to people who had already written, and such people reply more whatever the timing: counting alone would "
            "show a difference even if timing had none."
        ),
    },
    "it": {
        "rate": "{n} prime proposte {group}: {replies} risposte, {rate} (da {low} a {high}).",
        "now": "immediate",
        "any_later": "più tardi",
        "any_later_warm": "più tardi, dopo che il contatto aveva scritto",
        "any_later_cold": "più tardi, prima di qualunque parola del contatto",
        "too_few": "Troppo poche proposte o risposte per un confronto.",
        "difference": (
            "A contarle, le proposte immediate differiscono di {rd} punti percentuali (da {low} a {high}) da tutte "
            "quelle successive. È una descrizione delle proposte inviate, non ciò che produrrebbe l'attesa. Il "
            "{warm} delle "
            "proposte successive è andato a persone che avevano già scritto, e queste rispondono di più quali che "
            "siano i "
            "tempi: il solo contare mostrerebbe una differenza anche se i tempi non contassero nulla."
        ),
    },
}
