"""The last step of every reader: number the messages in time order, check the tables, hand over a Dataset.

Turns depend on the order of messages, and files write several within one second. Exports list newest first, so
two rows of one second stand in reverse; a file that lists oldest first keeps its order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from etiquette_analysis.schema import (
    CONNECTIONS,
    INSTANT,
    MESSAGES,
    AuditLog,
    Dataset,
    check_audit,
    check_connections,
    check_messages,
)


def time_order(
    sent_at: pd.Series, *, thread: pd.Series | None = None, part: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """Return the positions of rows in time order, ties broken by the direction in which their file runs.

    Parameters
    ----------
    sent_at : Series of datetime64[us, UTC]
        In file order; no nulls.
    thread : Series, optional
        Conversation of each row: exports may list one conversation after the other, so direction is judged
        between neighbours of one conversation.
    part : array of int, optional
        Number of the file each row comes from; each file has its own direction.

    Examples
    --------
    >>> newest_first = pd.to_datetime(pd.Series(["2024-03-02", "2024-03-01", "2024-03-01"]), utc=True)
    >>> time_order(newest_first).tolist()
    [2, 1, 0]
    """
    n = len(sent_at)
    times = np.asarray(sent_at.astype(INSTANT).astype("int64"), dtype=np.int64)
    parts = np.zeros(n, dtype=np.int64) if part is None else np.asarray(part, dtype=np.int64)
    codes = np.zeros(n, dtype=np.int64) if thread is None else pd.factorize(thread)[0].astype(np.int64)
    tie = np.arange(n, dtype=np.int64)
    for number in np.unique(parts):
        rows = np.flatnonzero(parts == number)
        if not _oldest_first(times[rows], codes[rows]):
            tie[rows] = tie[rows][::-1]
    return np.lexsort((tie, parts, times))


def _oldest_first(times: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> bool:
    """Tell whether neighbours of one conversation mostly go forward in time."""
    by_thread = np.argsort(codes, kind="stable")
    steps = np.diff(times[by_thread])[np.diff(codes[by_thread]) == 0]
    forward, back = int((steps > 0).sum()), int((steps < 0).sum())
    if forward == back:
        steps = np.diff(times)
        forward, back = int((steps > 0).sum()), int((steps < 0).sum())
    return forward > back


def deliver(
    messages: pd.DataFrame,
    connections: pd.DataFrame,
    log: AuditLog,
    *,
    observed_until: pd.Timestamp,
    ego: str | tuple[str, ...] | None,
    source: str,
    evidence: str = "",
    has_connection_dates: bool | None = None,
) -> Dataset:
    """Bring the tables into the form of the schema, check them and the audit, and return the Dataset."""
    messages = messages[list(MESSAGES)].astype(MESSAGES).reset_index(drop=True)
    known = [name for name in CONNECTIONS if name in connections.columns]
    extra = [name for name in connections.columns if name not in CONNECTIONS]
    connections = connections[known + extra].astype({name: CONNECTIONS[name] for name in known}).reset_index(drop=True)
    audit = log.frame()
    check_messages(messages)
    check_connections(connections)
    check_audit(audit)
    dated = not connections.empty if has_connection_dates is None else has_connection_dates
    return Dataset(messages, connections, audit, observed_until, ego, source, dated, evidence)
