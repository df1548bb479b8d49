"""The arrays behind every estimate, built once from the dyads table and the plan.

All estimators, robustness variants, placebos and resamples answer the same kind of question, so they share one
:class:`Problem`: the eligible connections, when each was pitched, opened and answered, the outcome, and the covariates
collapsed into *cells* (connections that no covariate tells apart). Another outcome, another exposure or observation
weights are ``dataclasses.replace(problem, ...)``, never another code path. Days are whole days since the connection;
``NEVER`` is a day that never comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.covariates import Covariates, covariate_columns, sender_habits
from etiquette_analysis.analysis.dyads import check_dyads, exclusions_under
from etiquette_analysis.analysis.origin import require_same_rows
from etiquette_analysis.errors import SchemaError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

NEVER: Final = 10_000
#: Up to so many senders each gets a random intercept; beyond, three columns of habits describe the sender.
MAX_SENDER_INTERCEPTS: Final = 200
RECENT_DAYS: Final = 3
_ALL: Final = slice(None)

#: States of a dyad on a day: nothing yet, opener unanswered, they wrote (more than 3 days ago / within 3 days).
NOTHING, OPENED, ANSWERED, RECENT = 0, 1, 2, 3


@dataclass(frozen=True)
class Problem:
    """Eligible connections as arrays (n) and their covariates by cell.

    Attributes
    ----------
    plan : Plan
        The question.
    rows : int64 array
        Positions in the dyads table.
    pitch_day, opener_day, answered_day : int64 array
        ``NEVER`` where it did not happen (before the pitch).
    outcome : float64 array
        1 where the pitch was answered in time, else 0 (0 where there was no pitch).
    weight : float64 array
        Observation weights (1; counts in a bootstrap).
    X : float64 array (cells, p)
        Standardised covariates without intercept; ``names`` are their columns.
    cell, sender, contact, week : int64 array
        Codes from 0 of covariate cell, sender, contact, week of connecting (counted from the first connection).
    cell_sender : int64 array (cells,)
        The sender of each cell; all 0 where senders have no intercepts.
    n_senders, n_intercepts : int
        Senders in all; sender intercepts in the regressions (0: none).
    """

    plan: Plan
    rows: Ints
    pitch_day: Ints
    opener_day: Ints
    answered_day: Ints
    outcome: Floats
    weight: Floats
    X: Floats
    names: tuple[str, ...]
    cell: Ints
    cell_sender: Ints
    sender: Ints
    contact: Ints
    week: Ints
    n_senders: int
    n_intercepts: int

    def __len__(self) -> int:
        """Return the number of eligible connections."""
        return len(self.rows)

    @property
    def groups(self) -> Ints | None:
        """Sender of each cell where senders have intercepts, else None."""
        return self.cell_sender if self.n_intercepts else None

    def in_window(self, window: tuple[int, int]) -> Bools:
        """Return which connections were first pitched in the window."""
        return np.asarray((self.pitch_day >= window[0]) & (self.pitch_day <= window[1]))

    def state(self, day: int, rows: Ints | slice = _ALL) -> Ints:
        """Return the state on ``day`` of each connection (or of some rows), its messages of that day included."""
        answered_day = self.answered_day[rows]
        answered = answered_day <= day
        state = np.where(answered, ANSWERED, np.where(self.opener_day[rows] <= day, OPENED, NOTHING))
        state[answered & (day - answered_day <= RECENT_DAYS)] = RECENT
        return state


def build_problem(dyads: pd.DataFrame, plan: Plan, *, weights: Floats | None = None) -> Problem:
    """Build the arrays of ``plan`` from a dyads table.

    Parameters
    ----------
    dyads : DataFrame
        As made by ``tabulate_dyads`` (or one's own, see ``check_dyads``).
    plan : Plan
        Its windows decide once more who has been followed for long enough.
    weights : float64 array, optional
        One per row of ``dyads``.

    Returns
    -------
    Problem
        The eligible rows only, in the table's order.

    Raises
    ------
    SchemaError
        Where the table contradicts itself.
    DesignError
        Where it says that it was made with a plan whose pitches are others.
    """
    check_dyads(dyads)
    require_same_rows(dyads, plan)
    rows = np.flatnonzero(is_eligible(dyads, plan))
    table = dyads.iloc[rows].reset_index(drop=True)
    sender, senders = pd.factorize(table["sender"])
    pitch_day = days(table["pitch_day"])
    columns = covariate_columns(table, plan)
    has_intercepts = 1 < len(senders) <= MAX_SENDER_INTERCEPTS
    if len(senders) > MAX_SENDER_INTERCEPTS:
        columns = columns.joined(sender_habits(sender, pitch_day, days(table["opener_day"]), plan))
    cell, X, cell_sender = _cells(columns, sender if has_intercepts else np.zeros(len(table), dtype=np.int64))
    return Problem(
        plan=plan,
        rows=rows,
        pitch_day=pitch_day,
        opener_day=days(table["opener_day"]),
        answered_day=days(table["answered_day"]),
        outcome=reply_within_window(table, plan).astype(np.float64),
        weight=np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)[rows],
        X=X,
        names=columns.names,
        cell=cell,
        cell_sender=cell_sender,
        sender=sender.astype(np.int64),
        contact=pd.factorize(table["contact"])[0].astype(np.int64),
        week=week_codes(table),
        n_senders=len(senders),
        n_intercepts=len(senders) if has_intercepts else 0,
    )


def is_eligible(dyads: pd.DataFrame, plan: Plan) -> Bools:
    """Return which rows are judged under ``plan``: no exclusion, and followed for long enough for its windows."""
    return exclusions_under(dyads, plan).isna().to_numpy(dtype=bool)


def reply_within_window(dyads: pd.DataFrame, plan: Plan) -> Bools:
    """Return whether each first pitch had the plan's outcome within the reply window (False where never pitched).

    Raises
    ------
    SchemaError
        Where the table lacks the column that the outcome is read from.
    """
    column = "hours_to_any_reply" if plan.outcome == "any_reply" else "hours_to_reply"
    for needed in (column, "reply_positive") if plan.outcome == "positive_reply" else (column,):
        if needed not in dyads.columns:
            msg = (
                f"the dyads table has no column {needed!r}, which outcome={plan.outcome!r} needs; "
                "add it (null where unknown), or ask with Plan(outcome='reply')"
            )
            raise SchemaError(msg)
    with np.errstate(invalid="ignore"):
        replied = dyads[column].to_numpy(dtype=np.float64) <= plan.window_days * 24
    if plan.outcome == "positive_reply":
        replied = replied & dyads["reply_positive"].fillna(False).to_numpy(dtype=bool)
    return np.asarray(replied & dyads["pitch_day"].notna().to_numpy())


def days(column: pd.Series) -> Ints:
    """Return a nullable column of days as int64, ``NEVER`` where null."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), NEVER, values).astype(np.int64)


def week_codes(dyads: pd.DataFrame) -> Ints:
    """Return the week of connecting, counted from the first connection, as a code without gaps."""
    day = dyads["time_zero"].to_numpy(dtype="datetime64[D]").astype(np.int64)
    first = int(day.min()) if len(day) else 0
    return np.unique((day - first) // 7, return_inverse=True)[1].astype(np.int64)


def _cells(columns: Covariates, sender: Ints) -> tuple[Ints, Floats, Ints]:
    """Collapse connections that no covariate (and no sender intercept) tells apart."""
    n = len(sender)
    key = np.zeros(n, dtype=np.int64)
    for j in range(columns.matrix.shape[1]):
        _, code = np.unique(columns.matrix[:, j], return_inverse=True)
        key = key * (int(code.max(initial=0)) + 1) + code
        _, key = np.unique(key, return_inverse=True)
    key = key * (int(sender.max(initial=0)) + 1) + sender
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    return cell.astype(np.int64), columns.matrix[first], sender[first].astype(np.int64)
