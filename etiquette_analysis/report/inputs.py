"""What the report is given: turns, dyads and the audit as tables of numbers, without a name or a text in them.

The notebook runs in a process of its own, so the tables travel through a folder. People are integers there and
messages are counts; whoever opens the folder learns how often things happened, and nobody's words.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis.analysis.plan import Plan
from etiquette_analysis.errors import SchemaError
from etiquette_analysis.schema import require_columns

if TYPE_CHECKING:
    from pathlib import Path

#: One row per turn. ``is_own``: written by the owner's side, null where the source has no owner; ``day``: days since
#: connecting (since the first turn, where the source has no such dates), null where unknown.
TURN_COLUMNS: Final = (
    "dyad",
    "is_own",
    "started_at",
    "n_messages",
    "kind",
    "day",
    "timing",
    "rapport",
    "pitch_level",
    "reply_status",
    "hours_to_reply",
    "is_approach",
    "is_first_pitch",
    "immediate_pitch",
)
_TABLES: Final = ("turns", "dyads", "audit")


@dataclass(frozen=True)
class ReportInputs:
    """Everything that the report may know.

    Attributes
    ----------
    turns : DataFrame or None
        Columns ``TURN_COLUMNS``; ``dyad`` is an integer. None: only dyads are known, and whatever is counted by turn is
        left out.
    dyads : DataFrame
        One row per connection, as made by ``build_dyads``.
    audit : DataFrame
        What was read, kept and left out, as in the schema.
    plan : Plan
        The question.
    about : dict
        Facts on the source, all optional: ``source``, ``observed_until`` (ISO date), ``n_messages``, ``n_owners``,
        ``has_connection_dates``, ``is_own_coding`` (levels given by the user), ``n_labelled``, ``n_abstained``,
        ``sensitivity`` and ``specificity`` of the pitch labels.
    """

    turns: pd.DataFrame | None
    dyads: pd.DataFrame
    audit: pd.DataFrame
    plan: Plan = dataclasses.field(default_factory=Plan)
    about: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.turns is None:
            return
        require_columns(self.turns, TURN_COLUMNS, table_name="report turns")
        named = [c for c in ("sender", "recipient", "text") if c in self.turns.columns]
        if named or not pd.api.types.is_integer_dtype(self.turns["dyad"].dtype):
            msg = f"the report's turns hold {named or ['dyad as text']}; expected numbers for people and no text"
            raise SchemaError(msg)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of turns, where known, and dyads as CSV: the same for the same labelled data on every machine."""
        digest = hashlib.sha256()
        for table in (self.dyads,) if self.turns is None else (self.turns[list(TURN_COLUMNS)], self.dyads):
            digest.update(table.to_csv(index=False, float_format="%.10g", lineterminator="\n").encode())
        return digest.hexdigest()

    def __repr__(self) -> str:
        """Describe the tables in one line."""
        turns = "no" if self.turns is None else f"{len(self.turns):,}"
        return (
            f"<ReportInputs: {turns} turns, {len(self.dyads):,} connections, "
            f"{len(self.audit):,} audit rows, plan {self.plan.hash[:12]}>"
        )


def write_inputs(inputs: ReportInputs, folder: Path) -> None:
    """Write the tables as Parquet and the rest as JSON into an existing folder."""
    for name in _TABLES:
        if (table := getattr(inputs, name)) is not None:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    rest = {"plan": dataclasses.asdict(inputs.plan), "about": inputs.about}
    (folder / "inputs.json").write_text(json.dumps(rest, indent=1, sort_keys=True), encoding="utf-8")


def read_inputs(folder: Path) -> ReportInputs:
    """Read back what :func:`write_inputs` wrote."""
    rest = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    chosen: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in rest["plan"].items()}
    paths = {name: folder / f"{name}.parquet" for name in _TABLES}
    tables: dict[str, Any] = {name: pd.read_parquet(path) if path.exists() else None for name, path in paths.items()}
    return ReportInputs(**tables, plan=Plan(**chosen), about=rest["about"])
