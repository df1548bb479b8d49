"""What a table of dyads says of itself: with which plan it was made, and from what.

Rows of dyads are kept in files and analysed later, by somebody else perhaps, and some choices of the plan are in them
for good: what counted as a pitch cannot be read off a row. So the plan travels with the table, in ``attrs``, which
pandas writes into Parquet and reads back, and a question that the rows cannot answer is refused.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import AUDIT

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The name under which ``attrs`` holds it, as a line of JSON.
ATTRIBUTE: Final = "etiquette_dyads"
#: What of a plan is in the rows; the rest (windows, covariates, confidence ...) is applied when they are analysed.
IN_THE_ROWS: Final = ("pitch_level", "follow_up_gap_hours", "history_days")


@dataclass(frozen=True)
class Origin:
    """Where a table of dyads comes from.

    Attributes
    ----------
    plan : Plan
        With which it was made.
    about : dict
        Facts on the source, as in ``report.inputs``; no name among them.
    audit : DataFrame
        What was read, kept and left out, as in the schema.
    """

    plan: Plan
    about: Mapping[str, Any]
    audit: pd.DataFrame

    @property
    def attrs(self) -> dict[str, str]:
        """What goes into the table's ``attrs``.

        >>> origin = Origin(Plan(window_days=7), {"n_messages": 3}, pd.DataFrame(columns=list(AUDIT)).astype(AUDIT))
        >>> table = pd.DataFrame()
        >>> table.attrs |= origin.attrs
        >>> origin_of(table).plan.window_days, origin_of(table).about
        (7, {'n_messages': 3})
        """
        audit = self.audit.astype(object).where(self.audit.notna(), None).to_dict("list")
        told = {"plan": dataclasses.asdict(self.plan), "about": dict(self.about), "audit": audit}
        return {ATTRIBUTE: json.dumps(told, sort_keys=True)}


def origin_of(dyads: pd.DataFrame) -> Origin | None:
    """Return what a table of dyads says of itself; None where it says nothing."""
    told = dyads.attrs.get(ATTRIBUTE)
    if told is None:
        return None
    known = json.loads(told)
    chosen: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known["plan"].items()}
    return Origin(Plan(**chosen), known["about"], pd.DataFrame(known["audit"], columns=list(AUDIT)).astype(AUDIT))


def require_same_rows(dyads: pd.DataFrame, plan: Plan) -> None:
    """Raise ``DesignError`` where a table says that it was made with a plan whose rows are not those of ``plan``.

    >>> table = pd.DataFrame()
    >>> table.attrs |= Origin(Plan(), {}, pd.DataFrame(columns=list(AUDIT)).astype(AUDIT)).attrs
    >>> require_same_rows(table, Plan(window_days=7, deferred=(5, 20)))
    >>> require_same_rows(table, Plan(pitch_level="hard"))
    Traceback (most recent call last):
    etiquette_analysis.errors.DesignError: the dyads were made with pitch_level='moderate', not 'hard'; make them ...
    """
    origin = origin_of(dyads)
    if origin is None:
        return
    for name in IN_THE_ROWS:
        made, asked = getattr(origin.plan, name), getattr(plan, name)
        if made != asked:
            msg = (
                f"the dyads were made with {name}={made!r}, not {asked!r}; make them anew from the messages with this "
                f"plan, or ask with {name}={made!r}"
            )
            raise DesignError(msg)
