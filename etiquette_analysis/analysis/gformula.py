"""The g-formula: let every connection live through a strategy, with the chances learned from the data.

Three things are learned: the daily chance that the sender opens, the daily chance that the contact writes (given how
old the unanswered opener is), and the chance of a reply to a pitch given all that. Then each covariate cell is carried
day by day through its possible states (no opener; opener s days old; answered) under a strategy: exactly, not by draws.
It uses no model of *when* the sender pitches, so it leans on nothing that the weighted estimate leans on; the two must
agree in sign, or the report says so (Robins 1986; Young et al. 2011; STATISTICS, sections 6 and 11).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

from etiquette_analysis.analysis.hazards import HAZARD_RIDGE, SENDER_RIDGE, day_bins
from etiquette_analysis.analysis.logistic import fit_logistic
from etiquette_analysis.analysis.problem import NEVER, Problem
from etiquette_analysis.analysis.resampling import resamples
from etiquette_analysis.analysis.wsr import day_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

#: Age in days of an unanswered opener: lower edges of the classes that share a coefficient. Class 0 is "no opener".
AGE_EDGES: Final = (0, 1, 2, 3, 4, 7, 14)
#: Ridge on the covariates of the reply model; history and day are nearly free, since strategies change them.
REPLY_RIDGE: Final = 1.0
_NAN: Final = float("nan")


@dataclass(frozen=True)
class PolicyValues:
    """Share of all connections that would reply under each strategy; NaN where no pitch teaches its reply model.

    Attributes
    ----------
    now, later : float
        Pitch within the immediate, or on a day of the deferred, window; openers as usual.
    gate : float
        Open on day 0; pitch, on the day drawn or later in the window, only those who have answered.
    later_opener, later_no_opener : float
        Pitch within the deferred window after an opener on day 0, or after none at all.
    """

    now: float
    later: float
    gate: float
    later_opener: float
    later_no_opener: float

    @property
    def rd(self) -> float:
        """P: now minus later."""
        return self.now - self.later

    @property
    def s1(self) -> float:
        """Gain from waiting alone."""
        return self.later_no_opener - self.now

    @property
    def s2(self) -> float:
        """Gain from opening alone, same calendar."""
        return self.later_opener - self.later_no_opener

    @property
    def s3(self) -> float:
        """Gain of the policy "open, pitch those who answer" over pitching at once."""
        return self.gate - self.now


def estimate_policies(problem: Problem) -> PolicyValues:
    """Estimate the value of every strategy.

    Parameters
    ----------
    problem : Problem
        With observation weights, if it is a resample (``dataclasses.replace(problem, weight=counts)``).
    """
    now, later, life = _usual(problem)
    on_day_0, never = life.course("day_0"), life.course("none")
    values = [life.value(course, problem.plan.deferred, life.reply_later) for course in (on_day_0, never)]
    return PolicyValues(now, later, life.gated_value(on_day_0), *values)


def estimate_usual(problem: Problem) -> PolicyValues:
    """Estimate only what the primary compares: now and later, openers as usual."""
    now, later, _ = _usual(problem)
    return PolicyValues(now, later, _NAN, _NAN, _NAN)


def _usual(problem: Problem) -> tuple[float, float, _Life]:
    plan, life = problem.plan, _Life.fit(problem)
    course = life.course("natural")
    now = life.value(course, plan.immediate, _fit_reply(problem, plan.immediate))
    return now, life.value(course, plan.deferred, life.reply_later), life


def bootstrap_policies(problem: Problem, *, n_draws: int, rng: np.random.Generator) -> Floats:
    """Return (n_draws, 5) values of :class:`PolicyValues` for resampled connections (senders, where six or more).

    Use estimate +- 1.96 standard deviations, which covers better than percentiles here (STATISTICS, 11.7).
    """
    values = [estimate_policies(p) for p in resamples(problem, n_draws=n_draws, rng=rng)]
    return np.array([[v.now, v.later, v.gate, v.later_opener, v.later_no_opener] for v in values]).reshape(n_draws, 5)


@dataclass(frozen=True)
class _Course:
    """Where each cell's connections stand on the evening of each day, if none were pitched: shares (days, cells).

    ``opened`` is the share that got its opener on the day, whatever came of it; ``waits`` the chance that an opener of
    some age is unanswered that evening; no opener comes after ``n_opening`` days. Each contact writes after the opener
    of the day and before its pitch.
    """

    nothing: Floats
    answered: Floats
    opened: Floats
    waits: Floats
    n_opening: int

    def waiting(self, day: int) -> tuple[slice, Floats]:
        """Return the days on which an unanswered opener may have been sent, and the shares, (those days, cells)."""
        days = slice(0, min(self.n_opening, day + 1))
        return days, self.opened[days] * self.waits[: day + 1][::-1][days]


@dataclass(frozen=True)
class _Life:
    """The learned chances, by covariate cell.

    ``open_chance`` is (days, cells), ``answer_chance`` (classes, cells) with class 0 for "no opener".
    """

    problem: Problem
    share: Floats
    open_chance: Floats
    answer_chance: Floats
    reply_later: _Reply | None

    @classmethod
    def fit(cls, problem: Problem) -> _Life:
        share = np.bincount(problem.cell, problem.weight, len(problem.X))
        reply_later = _fit_reply(problem, problem.plan.deferred)
        return cls(problem, share / share.sum(), _fit_openers(problem), _fit_answers(problem), reply_later)

    def course(self, opener: str) -> _Course:
        """Carry every cell through the days: openers as usual, to all on day 0, or to none."""
        n_days, n_cells = self.open_chance.shape
        opens = self.open_chance if opener == "natural" else np.zeros((n_days, n_cells))
        if opener == "day_0":
            opens[0] = 1.0
        waits = np.cumprod(1 - self.answer_chance[age_class(np.arange(n_days))], axis=0).astype(np.float64)
        unopened = np.cumprod(1 - opens, axis=0)
        silent = (1 - self.answer_chance[0]) ** np.arange(n_days + 1)[:, None]
        nothing = unopened * silent[1:]
        opened = opens * np.vstack([np.ones((1, n_cells)), unopened[:-1]]) * silent[:-1]
        n_opening = {"natural": n_days, "day_0": 1, "none": 0}[opener]
        course = _Course(nothing, np.empty_like(nothing), opened, waits, n_opening)
        for day in range(n_days):
            course.answered[day] = np.maximum(1 - nothing[day] - course.waiting(day)[1].sum(axis=0), 0.0)
        return course

    def value(self, course: _Course, window: tuple[int, int], reply: _Reply | None) -> float:
        """Return the expected share of replies when the pitch falls on a day drawn from the window's own days."""
        if reply is None:
            return _NAN
        due, total = day_shares(self.problem, window), 0.0
        for day in (np.flatnonzero(due) + window[0]).tolist():
            mean = course.nothing[day] * reply.chance(day) + course.answered[day] * reply.chance(day, answered=True)
            days, waiting = course.waiting(day)
            if len(waiting):
                chances = reply.chance_opened(day, day - np.arange(days.start, days.stop))
                mean += (waiting * chances).sum(axis=0)
            total += float(due[day - window[0]] * (self.share @ mean))
        return total

    def gated_value(self, course: _Course) -> float:
        """Return the same where only those who have answered are pitched: on the day drawn, or the day they answer."""
        window, reply = self.problem.plan.deferred, self.reply_later
        if reply is None:
            return _NAN
        due_so_far = np.cumsum(day_shares(self.problem, window))
        pitched, total = np.zeros(len(self.share)), 0.0
        for day in range(window[0], window[1] + 1):
            newly = due_so_far[day - window[0]] * course.answered[day] - pitched
            pitched += newly
            total += float(self.share @ (newly * reply.chance(day, answered=True)))
        return total


@dataclass(frozen=True)
class _Reply:
    """A fitted reply model: logit by cell, and what state, age of the opener and day add."""

    by_cell: Floats
    answered: float
    opened: float
    age: float
    day: float
    first_day: int

    @cached_property
    def odds_against(self) -> Floats:
        """Odds of silence to a pitch on the first day with nothing sent before, per cell."""
        return np.asarray(np.exp(-self.by_cell))

    def chance(self, day: int, *, answered: bool = False) -> Floats:
        """Return the chance of a reply, per cell, to a pitch on ``day``: after an answer, or nothing before."""
        shift = (self.answered if answered else 0.0) + self.day * (day - self.first_day)
        return np.asarray(expit(self.by_cell + shift))

    def chance_opened(self, day: int, ages: Ints) -> Floats:
        """Return the same with an opener unanswered, for several ages of it: (ages, cells)."""
        shift = self.opened + self.age * np.log1p(ages) + self.day * (day - self.first_day)
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-shift)[:, None] * self.odds_against))


def age_class(age: Ints) -> Ints:
    """Return the class of an opener's age in days, 1 for the youngest (0 is "no opener")."""
    return np.searchsorted(np.array(AGE_EDGES), age, side="right")


def _fit_openers(problem: Problem) -> Floats:
    """Return the daily chance of an opener while nothing has been written, (days, cells)."""
    n_days, n_cells = problem.plan.deferred[1] + 1, len(problem.X)
    bins = day_bins(0, n_days - 1)
    at_risk, events = np.zeros((len(bins), n_cells)), np.zeros((len(bins), n_cells))
    for k, days in enumerate(bins):
        for day in days:
            risk = _unpitched(problem, day) & (problem.opener_day >= day) & (problem.answered_day >= day)
            weight = np.where(risk, problem.weight, 0.0)
            at_risk[k] += np.bincount(problem.cell, weight, n_cells)
            events[k] += np.bincount(problem.cell, np.where(problem.opener_day == day, weight, 0.0), n_cells)
    chance = _fit_chances(problem, at_risk, events)
    return np.vstack([np.repeat(chance[k][None, :], len(days), axis=0) for k, days in enumerate(bins)])


def _fit_answers(problem: Problem) -> Floats:
    """Return the daily chance that the contact writes first, (classes of the opener's age, cells)."""
    n_days, n_cells, n_classes = problem.plan.deferred[1] + 1, len(problem.X), len(AGE_EDGES) + 1
    at_risk, events = np.zeros(n_classes * n_cells), np.zeros(n_classes * n_cells)
    for day in range(n_days):
        risk = _unpitched(problem, day) & (problem.answered_day >= day)
        age = np.where(problem.opener_day <= day, age_class(day - np.minimum(problem.opener_day, day)), 0)
        key, weight = age * n_cells + problem.cell, np.where(risk, problem.weight, 0.0)
        at_risk += np.bincount(key, weight, len(at_risk))
        events += np.bincount(key, np.where(problem.answered_day == day, weight, 0.0), len(events))
    return _fit_chances(problem, at_risk.reshape(n_classes, n_cells), events.reshape(n_classes, n_cells))


def _fit_chances(problem: Problem, at_risk: Floats, events: Floats) -> Floats:
    """Fit a logistic chance on class and covariates to (class, cell) counts; return it for every class and cell."""
    n_classes, n_cells = at_risk.shape
    happens = np.flatnonzero(events.sum(axis=1) > 0)
    chance = np.zeros((n_classes, n_cells))
    if not len(happens):
        return chance
    place, cell = np.nonzero(at_risk[happens])
    n_risk = at_risk[happens][place, cell]
    reference = int(np.bincount(place, n_risk).argmax())
    others = np.array([k for k in range(len(happens)) if k != reference], dtype=np.int64)
    fit = fit_logistic(
        np.column_stack([np.ones(len(place)), problem.X[cell], place[:, None] == others]),
        events[happens][place, cell] / n_risk,
        weights=n_risk,
        ridge=HAZARD_RIDGE,
        groups=problem.cell_sender[cell] if problem.n_intercepts else None,
        n_groups=problem.n_intercepts,
        group_ridge=SENDER_RIDGE,
    )
    p = problem.X.shape[1]
    by_cell = _by_cell(problem, fit.coef[: p + 1], fit.group_coef)
    shift = np.zeros(len(happens))
    shift[others] = fit.coef[p + 1 :]
    chance[happens] = expit(by_cell[None, :] + shift[:, None])
    return chance


def _fit_reply(problem: Problem, window: tuple[int, int]) -> _Reply | None:
    """Fit the chance of a reply among those pitched in the window; None where there were none."""
    chosen = np.flatnonzero(problem.in_window(window) & (problem.weight > 0))
    if not len(chosen):
        return None
    day, cell = problem.pitch_day[chosen], problem.cell[chosen]
    answered = problem.answered_day[chosen] < NEVER
    opened = ~answered & (problem.opener_day[chosen] < NEVER)
    age = np.where(opened, np.log1p(np.maximum(day - problem.opener_day[chosen], 0)), 0.0)
    X = np.column_stack([np.ones(len(chosen)), problem.X[cell], answered, opened, age, day - window[0]]).astype(
        np.float64
    )
    p = problem.X.shape[1]
    fit = fit_logistic(
        X,
        problem.outcome[chosen],
        weights=problem.weight[chosen],
        ridge=np.concatenate([[0.0], np.full(p, REPLY_RIDGE), np.full(3, 4 * HAZARD_RIDGE), [HAZARD_RIDGE]]),
        groups=problem.cell_sender[cell] if problem.n_intercepts else None,
        n_groups=problem.n_intercepts,
        group_ridge=SENDER_RIDGE,
    )
    by_cell = _by_cell(problem, fit.coef[: p + 1], fit.group_coef)
    answered_shift, opened_shift, age_shift, day_shift = (float(v) for v in fit.coef[p + 1 :])
    return _Reply(by_cell, answered_shift, opened_shift, age_shift, day_shift, window[0])


def _by_cell(problem: Problem, coef: Floats, group_coef: Floats) -> Floats:
    out = coef[0] + problem.X @ coef[1:]
    return np.asarray(out + group_coef[problem.cell_sender] if problem.n_intercepts else out)


def _unpitched(problem: Problem, day: int) -> NDArray[np.bool_]:
    return np.asarray(problem.pitch_day >= day)
