"""A folder that a researcher can send: structure, times and labels, without names and without texts.

The labels that need words (intensity, automatic answers) are made first and travel as columns; then names become
pseudonyms under a key that stays here, and texts go or are redacted. The receiver reads the folder with ``ea.read`` and
gets the same turns. It is pseudonymous, not anonymous: who knows when somebody wrote may recognise a line by its time.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etiquette_analysis import privacy
from etiquette_analysis.analysis.seniority import label_seniority
from etiquette_analysis.pipeline.labelling import audit_of, score_messages
from etiquette_analysis.pipeline.tables import write_table
from etiquette_analysis.report.folder import FolderKind, ReportFolder
from etiquette_analysis.schema import MESSAGES, NOTE_STAGE, READ, Dataset
from etiquette_analysis.sources.shareable import ABOUT, FILES, FORMAT, SCORED

if TYPE_CHECKING:
    from etiquette_analysis.privacy.dates import CoarseDates
    from etiquette_analysis.privacy.pseudonyms import Text


def _has_mark(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / ABOUT).read_text(encoding="utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, TypeError, KeyError):
        return False


SHAREABLE: Final = FolderKind("shareable folder", FILES, _has_mark)


def write_shareable(
    dataset: Dataset,
    out: str | Path,
    *,
    key: bytes,
    text: Text = "none",
    coarse_dates: CoarseDates | None = None,
) -> Path:
    """Write a folder without names and texts that ``ea.read`` reads again, with the same turns.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    out : path
        The folder; it appears whole or not at all. An earlier one there is replaced, anything else is left alone.
    key : bytes
        Of the pseudonyms; it is not written.
    text : {"none", "redacted"}
        Leave the texts out, or keep them redacted, which lowers the risk and does not end it.
    coarse_dates : {"day", "week"}, optional
        Blur instants; see :mod:`etiquette_analysis.privacy.dates` for what it costs.

    Returns
    -------
    Path
        The folder: ``messages.csv``, ``connections.csv``, ``audit.csv``, ``README.md``, ``etiquette.json``.

    Raises
    ------
    DesignError
        Where the folder cannot be written or holds something else, or an option is unknown.
    """
    with ReportFolder(Path(out), SHAREABLE) as folder:
        scored = score_messages(dataset.messages)
        audit = audit_of(dataset, scored)
        labelled = dataset.messages.assign(kind=scored["kind"], **{name: scored[name] for name in SCORED})
        shared = privacy.pseudonymise(
            replace(dataset, messages=labelled), key=key, text=text, coarse_dates=coarse_dates
        )
        write_table(_messages(shared), folder.path / "messages.csv")
        connections = _connections(shared, dataset.connections)
        write_table(connections, folder.path / "connections.csv")
        write_table(safe_audit(audit), folder.path / "audit.csv")
        about = _about(shared, text=text, coarse_dates=coarse_dates)
        (folder.path / ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        (folder.path / "README.md").write_text(_readme(about, connections), encoding="utf-8")
    return Path(out)


def _messages(shared: Dataset) -> pd.DataFrame:
    """Return the messages in time order, numbered in it: neither ids nor order of the source are kept."""
    table = shared.messages.sort_values(["sent_at", "message_id"], kind="stable", ignore_index=True)
    table["message_id"] = np.arange(len(table), dtype=np.int64)
    table["pitch_score"] = table["pitch_score"].round(2)  # more digits would tell whose text a guess is
    return _isoformat(table[[*MESSAGES, *SCORED]])


def _connections(shared: Dataset, known: pd.DataFrame) -> pd.DataFrame:
    """Return the connections in the order of the pseudonyms, with ranks for positions; what few bear is blanked."""
    table = shared.connections
    if "position" in known:
        table = table.assign(position=label_seniority(known["position"]))
    coarse = [c for c in table.columns if c.startswith("x_") or c == "position"]
    table = table.assign(**{c: table[c].mask(privacy.rare_values(table[c])) for c in coarse})
    return _isoformat(table.sort_values(["person_a", "person_b", "connected_at"], ignore_index=True))


def _isoformat(table: pd.DataFrame) -> pd.DataFrame:
    instants = {c: table[c] for c in table.columns if isinstance(table[c].dtype, pd.DatetimeTZDtype)}
    return table.assign(
        **{name: column.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").astype("str") for name, column in instants.items()}
    )


def safe_audit(audit: pd.DataFrame) -> pd.DataFrame:
    """Return an audit for others' eyes: no row numbers, and small counts blanked, also where a sum would tell them.

    >>> from etiquette_analysis.schema import AuditLog
    >>> log = AuditLog([("m", "read", 30, None), ("m", "no date", 2, 7), ("m", "spam", 8, 3), ("m", "kept", 20, None)])
    >>> safe_audit(log.frame())["n"].tolist()
    [30, <NA>, <NA>, 20]
    """
    n = audit["n"].astype("Int64")
    for stage, rows in audit.groupby("stage", sort=False):
        parts = rows[rows["reason"] != READ]
        if stage == NOTE_STAGE:
            n.loc[rows.index] = privacy.suppress_small(rows["n"], total=None).to_numpy()
            continue
        found = privacy.suppress_small(parts["n"])
        n.loc[parts.index] = found.iloc[:-1].to_numpy()
        n.loc[rows.index.difference(parts.index)] = found.iloc[-1]
    return audit.assign(n=n).drop(columns="example")


def _about(shared: Dataset, *, text: Text, coarse_dates: CoarseDates | None) -> dict[str, Any]:
    until = shared.observed_until
    return {
        "format": FORMAT,
        "source": shared.source,
        "ego": list(shared.ego) if isinstance(shared.ego, tuple) else shared.ego,
        "observed_until": None if pd.isna(until) else until.isoformat(),
        "has_connection_dates": shared.has_connection_dates,
        "text": text,
        "coarse_dates": coarse_dates or "none",
        "n_messages": len(shared.messages),
        "n_connections": len(shared.connections),
    }


_TEXTS: Final = {
    "none": "Texts were left out. `has_text` says where there was one.",
    "redacted": (
        "Texts were kept with names, mail addresses, links, phone numbers, IBANs, card numbers and tax codes replaced "
        "by placeholders.\n  **This lowers the risk; it does not make them anonymous**: an unusual name, a nickname, "
        "an employer or a story may be left, and\n  whoever wrote a message recognises it. "
        "Read them before you send them."
    ),
}
_DATES: Final = {
    "none": (
        "Times are exact to the second. **Whoever sent or received one of these messages can find it by its time**, "
        "and from it the\n  pseudonym of the other person; `--coarse-dates day` or `week` makes that harder."
    ),
    "day": "Times were taken down to the day (UTC), in exchange for hours of waiting and some labels at the borders.",
    "week": (
        "All dates of a pair were moved together so that it connects on a Monday, and taken down to the day: distances "
        "in days are true,\n  dates and days of the week are not. The end of observation was set 6 days earlier."
    ),
}


def _readme(about: dict[str, Any], connections: pd.DataFrame) -> str:
    """Return the datasheet: what the folder holds, what was done, what remains risky, how to read it."""
    texts, dates = _TEXTS[about["text"]], _DATES[about["coarse_dates"]]
    covariates = [c for c in connections.columns if c.startswith("x_")]
    kept = f" Covariates kept: {', '.join(covariates)}." if covariates else ""
    return f"""# Pseudonymous messages

Written by `etiquette pseudonymise` from a {about["source"]} source: {about["n_messages"]:,} messages,
{about["n_connections"]:,} connections. **Pseudonymous is not anonymous: these are personal data** (GDPR, Recital 26) of
people who were not asked. Pass the folder on only under an agreement, keep it encrypted, delete it when done.

## What was done
- People and conversations are keyed BLAKE2b hashes. The key is not in this folder; only its holder can look anybody up.
- {texts}
- {dates}
- Companies, profile and mail addresses were left out; of a position, its rank was kept (staff, manager, executive).
  Values of covariates that fewer than 5 bear are blank.{kept}
- Pitch scores were rounded to two digits, messages numbered anew; connections stand in the order of their pseudonyms.
  In `audit.csv`, counts below 5 are blank, and others with them where a sum would give them away.

## What remains
Who wrote to whom, how often, when, and how hard it sold. Someone who knows the owner's contacts may recognise a person
by the pattern of an exchange alone (its length, its dates, who answered). Do not try to.

## Files
| file | rows |
|---|---|
| `messages.csv` | one per message; `pitch_score`, `pitch_level`, `kind` (automatic answers) were made from the texts |
| `connections.csv` | one per connection |
| `audit.csv` | what was read, kept, left out and why |
| `etiquette.json` | how it was made; the mark by which this folder is recognised |

Read it with `etiquette_analysis.read(folder)`, then `label_turns`, `build_dyads`, `write_report` as with any source.
"""
