"""Draw connections, or whole senders, anew: the parts of a problem, and its bootstrap resamples.

A resample is the same problem with other counts. What is drawn is numbered by what happened to it, never by its place
in the table, so that the same seed gives the same standard error whatever the order of the rows or the names of people.
Connections that share a sender may err together, so with six or more senders whole senders are drawn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etiquette_analysis.analysis.uncertainty import MIN_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etiquette_analysis.analysis.problem import Problem

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


def resamples(problem: Problem, *, n_draws: int, rng: np.random.Generator) -> Iterator[Problem]:
    """Yield ``n_draws`` bootstrap resamples of the connections (of the senders, where six or more)."""
    by_sender = problem.n_senders >= MIN_CLUSTERS
    size = problem.n_senders if by_sender else len(problem)
    unit = _sender_rank(problem)[problem.sender] if by_sender else _inverse(canonical_order(problem))
    for _ in range(n_draws):
        counts = np.bincount(rng.integers(0, size, size), minlength=size).astype(np.float64)
        yield reweighted(problem, counts[unit])


def canonical_order(problem: Problem) -> Ints:
    """Return the connections sorted by what is known of them: dates, covariates, sender, in no one's names.

    Connections that tie are alike in all that an estimate sees, so their order among themselves is of no consequence.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> alike = np.zeros(3, dtype=np.int64)
    >>> found = SimpleNamespace(pitch_day=np.array([7, 0, 3]), opener_day=alike, answered_day=alike, outcome=alike,
    ...     weight=alike, week=alike, X=np.zeros((1, 0)), cell=alike, sender=alike, n_senders=1)
    >>> canonical_order(found).tolist()
    [1, 2, 0]
    """
    covariates = problem.X[problem.cell]
    sender = _sender_rank(problem)[problem.sender]
    return np.lexsort([*covariates.T, problem.weight, sender, *_events(problem)])


def reweighted(problem: Problem, counts: Floats) -> Problem:
    """Return the problem with its connections counted ``counts`` times; those counted 0 times leave it."""
    return subset(replace(problem, weight=problem.weight * counts), counts > 0)


def subset(problem: Problem, kept: Bools) -> Problem:
    """Return the problem of some of its connections, covariate cells that they leave empty dropped.

    Covariates stay on their scale, and sender intercepts keep their number.
    """
    used = np.flatnonzero(np.bincount(problem.cell[kept], minlength=len(problem.X)))
    number = np.zeros(len(problem.X), dtype=np.int64)
    number[used] = np.arange(len(used))
    per_row = ("rows", "pitch_day", "opener_day", "answered_day", "outcome", "weight", "sender", "contact", "week")
    return replace(
        problem,
        X=problem.X[used],
        cell=number[problem.cell[kept]],
        cell_sender=problem.cell_sender[used],
        **{name: getattr(problem, name)[kept] for name in per_row},
    )


def _events(problem: Problem) -> list[Floats | Ints]:
    return [problem.outcome, problem.answered_day, problem.opener_day, problem.week, problem.pitch_day]


def _sender_rank(problem: Problem) -> Ints:
    """Return the place of each sender among all, by the sums of what happened to their contacts."""
    size = problem.n_senders
    sums = [np.bincount(problem.sender, values, size) for values in (problem.weight, *_events(problem))]
    return _inverse(np.lexsort(sums))


def _inverse(order: Ints) -> Ints:
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place
