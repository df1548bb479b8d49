"""What was known when two people connected, as standardised numeric columns.

Only what precedes the first message may be adjusted for. Continuous traits are rounded (a quarter on the log scale, 30
days of the calendar), so that connections fall into cells and a million of them cost little. Unknown values get an
indicator of their own, except where a trait is unknown *because* the connection has since been dissolved: that is a
consequence of the pitch, so such orphans get the average instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etiquette_analysis.analysis.plan import DEFAULT_COVARIATES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etiquette_analysis.analysis.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: A category, or an "unknown", held by fewer connections than this (or 1 %) is merged with the most common one.
RARE: Final = 10
#: A trait that is known for so much a larger share of those with messages than of those without was not known at
#: connection but read off the messages; it is not adjusted for.
MAX_KNOWN_GAP: Final = 0.10
_LEVELS_OF_X: Final = 32
#: Calendar time of connecting counts in steps of so many days from the first connection.
CALENDAR_DAYS: Final = 30


@dataclass(frozen=True)
class Covariates:
    """Named columns (n, p), each with mean 0 and standard deviation 1."""

    matrix: Floats
    names: tuple[str, ...]

    def joined(self, other: Covariates) -> Covariates:
        """Return both sets of columns."""
        return Covariates(np.column_stack([self.matrix, other.matrix]), self.names + other.names)


def covariate_columns(table: pd.DataFrame, plan: Plan) -> Covariates:
    """Return the covariates of eligible connections, constant columns dropped.

    Examples
    --------
    >>> from etiquette_analysis.analysis.plan import Plan
    >>> table = pd.DataFrame({"pitch_day": [0, 1] * 20, "x_score": [1.0, 3.0] * 20, "has_note": [True] * 40})
    >>> columns = covariate_columns(table, Plan())
    >>> columns.names, columns.matrix[:2, 0].tolist()
    (('x_score',), [-1.0, 1.0])
    """
    is_orphan = (
        (table["time_zero_source"] == "first_evidence").fillna(False).to_numpy(dtype=bool)
        if "time_zero_source" in table.columns
        else np.zeros(len(table), dtype=bool)
    )
    names: list[str] = []
    parts: list[Floats] = []
    for name in covariate_names(table, plan):
        for label, column in _columns(name, table, is_orphan):
            spread = float(column.std()) if len(column) else 0.0
            if spread > 1e-9:
                names.append(label)
                parts.append((column - column.mean()) / spread)
    values = np.column_stack(parts) if parts else np.zeros((len(table), 0))
    return Covariates(values, tuple(names))


def covariate_names(table: pd.DataFrame, plan: Plan) -> tuple[str, ...]:
    """Return which columns of the table are adjusted for under ``plan``."""
    wanted = plan.covariates
    if wanted is None:
        wanted = (*DEFAULT_COVARIATES, *(str(c) for c in table.columns if str(c).startswith("x_")))
    has_messages = table["pitch_day"].notna().to_numpy()
    if "first_own_day" in table.columns:
        has_messages = has_messages | table["first_own_day"].notna().to_numpy()
    return tuple(
        name
        for name in wanted
        if (name == "calendar" and "time_zero" in table.columns)
        or (name in table.columns and _known_at_connection(table[name].notna().to_numpy(), has_messages))
    )


def _known_at_connection(known: Bools, has_messages: Bools) -> bool:
    if not known.any():
        return False
    if has_messages.all() or not has_messages.any():
        return True
    return bool(known[has_messages].mean() - known[~has_messages].mean() <= MAX_KNOWN_GAP)


def _columns(name: str, table: pd.DataFrame, is_orphan: Bools) -> list[tuple[str, Floats]]:
    if name == "calendar":
        day = table["time_zero"].to_numpy(dtype="datetime64[D]").astype(np.int64)
        return [("calendar", ((day - day.min()) // CALENDAR_DAYS).astype(np.float64))] if len(day) else []
    if name in ("seniority", "language"):
        return _dummies(name, table[name], is_orphan)
    values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
    if name == "acceptance_days":
        values = np.round(4 * np.log1p(np.maximum(values, 0))) / 4
    elif name.startswith("x_") and len(np.unique(values)) > _LEVELS_OF_X and len(values) > 20_000:
        values = _rounded(values)
    unknown = np.isnan(values)
    filled = np.where(unknown, values[~unknown].mean(), values)
    return [(name, filled), *_unknown(name, unknown, is_orphan)]


def _dummies(name: str, column: pd.Series, is_orphan: Bools) -> list[tuple[str, Floats]]:
    codes, categories = pd.factorize(column, sort=True)
    counts = np.bincount(codes[codes >= 0], minlength=len(categories))
    reference = int(counts.argmax())
    is_rare = counts < max(RARE, 0.01 * len(column))
    out = []
    for k, category in enumerate(categories):
        if k != reference and not is_rare[k]:
            own = codes == k
            share = own[codes >= 0].mean()
            out.append((f"{name}={category}", np.where(codes < 0, share, own.astype(np.float64))))
    return [*out, *_unknown(name, codes < 0, is_orphan)]


def _unknown(name: str, unknown: Bools, is_orphan: Bools) -> list[tuple[str, Floats]]:
    """Return the indicator of unknown values, orphans apart, where there are enough of them on both sides."""
    marked = unknown & ~is_orphan
    if min(marked.sum(), (~marked).sum()) < max(RARE, 0.01 * len(marked)):
        return []
    indicator = marked.astype(np.float64)
    indicator[unknown & is_orphan] = marked[~is_orphan].mean()
    return [(f"{name} unknown", indicator)]


def _rounded(values: Floats) -> Floats:
    """Replace a continuous covariate by the mean of its quantile bin."""
    known = ~np.isnan(values)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _LEVELS_OF_X + 1)[1:-1]))
    place = np.searchsorted(edges, values[known], side="right")
    means = np.bincount(place, values[known], len(edges) + 1) / np.maximum(
        np.bincount(place, minlength=len(edges) + 1), 1
    )
    out = values.copy()
    out[known] = means[place]
    return out


def sender_habits(sender: Ints, pitch_day: Ints, opener_day: Ints, plan: Plan) -> Covariates:
    """Return three habits of each sender: share pitched at once, share pitched after a wait, share sent an opener.

    They stand in for sender intercepts where there are many senders (Mundlak 1978). Each share leaves the connection
    itself out and is pulled towards the average of all as if five more average connections had been seen, so that a
    sender with few connections is not described by the very outcome that is to be explained.
    """
    habits = {
        "habit: at once": (pitch_day >= plan.immediate[0]) & (pitch_day <= plan.immediate[1]),
        "habit: after a wait": (pitch_day >= plan.deferred[0]) & (pitch_day <= plan.deferred[1]),
        "habit: opener": opener_day <= plan.deferred[1],
    }
    n = np.bincount(sender)
    names, parts = [], []
    for name, flag in habits.items():
        total = np.bincount(sender, flag)
        share = (total[sender] - flag + _PRIOR * flag.mean()) / (n[sender] - 1 + _PRIOR)
        share = np.round(share, 2)
        if share.std() > 1e-9:
            names.append(name)
            parts.append((share - share.mean()) / share.std())
    return Covariates(np.column_stack(parts) if parts else np.zeros((len(sender), 0)), tuple(names))


_PRIOR: Final = 5.0
