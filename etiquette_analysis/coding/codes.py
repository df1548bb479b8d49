"""The file of codes: ids, levels, coder and inclusion probability, never a text; and what can be read from it.

A CSV table: first the sample, one row per dyad in the order in which it is shown (``message_id`` empty), then one row
per answer. Agreement between coders, and of each with the labeller, comes from these rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from etiquette_analysis.errors import DesignError, SchemaError, SourceError
from etiquette_analysis.labels.reliability import reliability
from etiquette_analysis.schema import PITCH_LEVELS, require_columns

if TYPE_CHECKING:
    from pathlib import Path

CODES: Final = {
    "sender": "int64",
    "contact": "int64",
    "inclusion_probability": "float64",
    "message_id": "Int64",
    "coder": "str",
    "level": "str",
    "is_automatic": "boolean",
}
#: How the labeller is called among the coders.
LABELLER: Final = "labeller"


@dataclass(frozen=True)
class Answer:
    """What a coder said of a message: a level (None: no level), and whether it is an automatic answer."""

    level: str | None
    is_automatic: bool = False


def sample_rows(sample: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the file that hold a sample: one per dyad, without an answer."""
    require_columns(sample, list(CODES)[:3], table_name="sample")
    return sample.reindex(columns=list(CODES)).astype(CODES).reset_index(drop=True)


def read_codes(path: str | Path) -> pd.DataFrame:
    """Read a file of codes: the sample's rows (``message_id`` null), then one row per answer.

    Returns
    -------
    DataFrame
        Columns as in ``CODES``; ``level`` is null where the coder saw none.

    Raises
    ------
    SourceError
        Where the file cannot be read, or is another kind of file.
    SchemaError
        Where it holds an unknown level, a probability outside (0, 1], or a message twice by one coder.
    """
    try:
        columns = pd.read_csv(path, nrows=0).columns
        if list(columns) != list(CODES):
            msg = f"{path}: has columns {', '.join(map(str, columns))}; expected {', '.join(CODES)}: another file?"
            raise SourceError(msg)
        codes = pd.read_csv(path, dtype=dict(CODES), keep_default_na=False, na_values=[""])
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error}); expected a file that etiquette code has written"
        raise SourceError(msg) from error
    except ValueError as error:
        msg = f"{path}: not a readable file of codes; expected one that etiquette code has written, as it was"
        raise SourceError(msg) from error
    problems = {
        f"unknown level; expected {', '.join(PITCH_LEVELS)} or nothing": codes["level"].notna()
        & ~codes["level"].isin(PITCH_LEVELS),
        "inclusion_probability is not above 0 and at most 1": ~codes["inclusion_probability"].between(
            0, 1, inclusive="right"
        ),
        "the same message twice by one coder": codes["message_id"].notna() & codes.duplicated(["message_id", "coder"]),
        "a message without a coder": codes["message_id"].notna() & codes["coder"].isna(),
    }
    for what, bad in problems.items():
        if bad.any():
            msg = f"{path}, line {int(bad.to_numpy().argmax()) + 2}: {what}; correct the line or start another file"
            raise SchemaError(msg)
    return codes


def write_codes(codes: pd.DataFrame, path: Path) -> None:
    """Write a table of codes; the file appears whole or stays as it was."""
    part = path.with_name(f".{path.name}.part")
    try:
        codes.to_csv(part, index=False, lineterminator="\n")
        part.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error}); choose a folder that you may write to"
        raise DesignError(msg) from error
    finally:
        part.unlink(missing_ok=True)


def coders_of(codes: pd.DataFrame) -> list[str]:
    """Return the coders of a table of codes, in the order in which they began."""
    return [str(name) for name in codes["coder"].dropna().unique()]


def answers_of(codes: pd.DataFrame, coder: str) -> dict[int, Answer]:
    """Return one coder's answers by message id, in the order given."""
    own = codes[(codes["coder"] == coder).fillna(False) & codes["message_id"].notna()]
    rows = zip(own["message_id"], own["level"], own["is_automatic"], strict=True)
    return {int(i): Answer(None if pd.isna(level) else str(level), bool(auto)) for i, level, auto in rows}


def levels_of(codes: pd.DataFrame, coder: str | None = None) -> pd.Series:
    """Return one coder's levels by message id, as ``label_turns(levels=...)`` and ``reliability`` take them.

    Parameters
    ----------
    codes : DataFrame
        From :func:`read_codes`.
    coder : str, optional
        Whose; the one who began first where not given.

    Raises
    ------
    DesignError
        Where that coder has coded nothing.
    """
    names = coders_of(codes)
    if not names or coder not in (None, *names):
        msg = f"no codes by {coder or 'anybody'}; there are codes by {', '.join(names) or 'nobody'}"
        raise DesignError(msg)
    own = codes[codes["coder"] == (coder or names[0])]
    return pd.Series(own["level"].to_numpy(), index=own["message_id"].astype("int64"), name="level", dtype="str")


def agreement(codes: pd.DataFrame, predicted: pd.Series | None = None) -> pd.DataFrame:
    """Compare each coder with the labeller, and each coder with those who began earlier.

    Parameters
    ----------
    codes : DataFrame
        From :func:`read_codes`.
    predicted : Series, optional
        The labeller's levels by message id.

    Returns
    -------
    DataFrame
        ``gold``, ``coded``, ``statistic``, ``estimate``, ``low``, ``high`` (95 %), ``n``; of the messages that both
        have coded, as they are in the sample. No rows where nobody shares a message with anybody.
    """
    names = coders_of(codes)
    levels = {name: levels_of(codes, name) for name in names}
    pairs = [(a, b, levels[a], levels[b]) for j, b in enumerate(names) for a in names[:j]]
    if predicted is not None:
        pairs = [(name, LABELLER, levels[name], predicted.reindex(levels[name].index)) for name in names] + pairs
    columns = ["gold", "coded", "statistic", "estimate", "low", "high", "n"]
    frames = [pd.DataFrame(columns=columns)]
    for gold, coded, a, b in pairs:
        if len(a.dropna().index.intersection(b.dropna().index)):
            frames.append(reliability(a, b).frame.assign(gold=gold, coded=coded)[columns])
    return pd.concat(frames[1:], ignore_index=True) if len(frames) > 1 else frames[0]
