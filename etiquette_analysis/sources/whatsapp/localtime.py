"""From the phone's clock to UTC, over the hour that the clock shows twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from etiquette_analysis.schema import NOTE_STAGE, AuditLog


def localise(times: Sequence[datetime], timezone: str, log: AuditLog, stage: str) -> pd.DatetimeIndex:
    """Return local times of one chat, in file order, as UTC.

    In the hour that a clock repeats in autumn, times count as its first run until one steps back. An hour that the
    clock leaves out in spring is moved forward.

    Examples
    --------
    >>> night = [datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 2, 10)]
    >>> [f"{at:%H:%M}" for at in localise(night, "Europe/Rome", AuditLog(), "chat")]
    ['00:30', '01:10']
    """
    local = pd.DatetimeIndex(pd.Series(list(times), dtype="datetime64[us]"))
    known = local.tz_localize(timezone, ambiguous="NaT", nonexistent="shift_forward")
    twice = np.flatnonzero(known.isna())
    is_first = np.ones(len(local), dtype=bool)
    for i in range(1, len(twice)):
        now, before = local[twice[i]], local[twice[i - 1]]
        if now.date() == before.date():
            is_first[twice[i]] = is_first[twice[i - 1]] and now >= before
    log.add(
        NOTE_STAGE, f"{stage}: times in the hour that the clock repeats, first run until they step back", len(twice)
    )
    placed = local.tz_localize(timezone, ambiguous=is_first, nonexistent="shift_forward")
    return placed.tz_convert("UTC")
