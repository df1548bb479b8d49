"""From messages to labels: scored and flagged, then sorted into turns by an engine; what leaves here holds no text."""

from __future__ import annotations

from typing import Final

import pandas as pd

from etiquette_analysis.labels.structure import LabelOptions
from etiquette_analysis.schema import (
    KEPT,
    LEFT_OUT_KINDS,
    PITCH_LEVEL_DTYPE,
    READ,
    TURN_KINDS,
    AuditLog,
    Dataset,
    check_levels,
)

#: Stage of the audit: which of the messages that were read enter a turn.
FOR_TURNS: Final = "messages for turns"


def score_messages(messages: pd.DataFrame, *, levels: pd.Series | None = None) -> pd.DataFrame:
    """Return the messages without their text, with ``pitch_score``, ``pitch_level`` and automatic answers flagged.

    Parameters
    ----------
    messages : DataFrame
        Columns as in ``schema.MESSAGES``. Where ``has_text``, ``pitch_score`` and ``pitch_level`` are there too, they
        stand as they are.
    levels : Series, optional
        One's own coding instead of ours: ``none``, ``soft``, ``moderate``, ``hard`` or null, indexed by ``message_id``
        in any order; ids that are missing are null. Then ``pitch_score`` is null and no text is scored.

    Returns
    -------
    DataFrame
        The same rows and index; ``text`` gives way to ``has_text`` (bool) and ``template`` (the number of the mass-sent
        text that it is a copy of, as str; null where it is none).

    Raises
    ------
    SchemaError
        Where ``levels`` repeats an id or holds another value.
    """
    from etiquette_analysis.labels.pitch import label_pitch

    if levels is None and "pitch_level" in messages:  # a source that was labelled before its texts were taken away
        return messages.drop(columns="text")
    text = messages["text"]
    scored = messages.drop(columns="text")
    scored["has_text"] = (text.notna() & (text.str.strip() != "")).to_numpy(dtype=bool, na_value=False)
    if levels is None:
        # What enters no turn (sponsored, spam, drafts, groups) needs no score.
        is_turn = messages["kind"].isin(TURN_KINDS)
        pitch = label_pitch(text[is_turn]).reindex(messages.index)
        scored["pitch_score"], scored["pitch_level"] = pitch["pitch_score"], pitch["pitch_level"]
    else:
        scored["pitch_score"] = float("nan")
        scored["pitch_level"] = _own_levels(messages["message_id"], levels)
    scored["kind"] = _kinds(messages)
    scored["template"] = _templates(messages)
    return scored


def _templates(messages: pd.DataFrame) -> pd.Series:
    """Return the number of each mass-sent text, counted from the earliest message id on: a number tells no text."""
    from etiquette_analysis.labels.templates import label_templates

    ids = label_templates(messages["text"], messages["sender"], messages["recipient"])
    first = messages["message_id"].groupby(ids).min().sort_values()
    return ids.map({template: str(k) for k, template in enumerate(first.index, start=1)}).astype("str")


def _own_levels(message_id: pd.Series, levels: pd.Series) -> pd.Categorical:
    check_levels(levels, name="levels")
    return pd.Categorical(levels.astype(object).reindex(message_id), dtype=PITCH_LEVEL_DTYPE)


def label_turns(
    dataset: Dataset,
    *,
    levels: pd.Series | None = None,
    window_days: float = 14,
    follow_up_gap_hours: float = 24,
    immediate_hours: float = 24,
    pitch_level: str = "moderate",
    observed_until: pd.Timestamp | str | None = None,
) -> pd.DataFrame:
    """Build the table of turns: who wrote to whom, how soon after connecting, how hard, and whether it was answered.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``; then ``pitch_score`` is null.
    window_days : float
        A reply counts when it comes within so many days (≤).
    follow_up_gap_hours : float
        A silence longer than this makes the sender's next message a new turn.
    immediate_hours : float
        What counts as immediate; with day resolution the same or the next ``ceil(hours / 24)`` calendar days.
    pitch_level : {"none", "soft", "moderate", "hard"}
        The weakest level that makes a turn a pitch.
    observed_until : Timestamp, optional
        End of observation; the dataset's own where not given.

    Returns
    -------
    DataFrame
        One row per turn, in (dyad, started_at, first_message_id) order; columns and meanings as in the codebook.

    Raises
    ------
    DesignError
        Where an option makes no sense.

    Examples
    --------
    >>> import etiquette_analysis as ea
    >>> turns = label_turns(ea.load_sample())
    >>> int(turns["immediate_pitch"].sum()) > 100
    True
    """
    from etiquette_analysis.engine import embedded

    options = LabelOptions(window_days, follow_up_gap_hours, immediate_hours, pitch_level)
    return embedded.turns(
        score_messages(dataset.messages, levels=levels),
        dataset.connections,
        observed_until=dataset.observed_until if observed_until is None else observed_until,
        options=options,
    )


def label_messages(
    dataset: Dataset,
    *,
    levels: pd.Series | None = None,
    window_days: float = 14,
    follow_up_gap_hours: float = 24,
    immediate_hours: float = 24,
    pitch_level: str = "moderate",
    observed_until: pd.Timestamp | str | None = None,
) -> pd.DataFrame:
    """Label every message: its own timing and intensity, and the rapport, reply and flags of its turn.

    Parameters are those of :func:`label_turns`.

    Returns
    -------
    DataFrame
        The rows and index of ``dataset.messages``, no text; ``first_message_id`` names the turn.
    """
    from etiquette_analysis.engine import embedded

    options = LabelOptions(window_days, follow_up_gap_hours, immediate_hours, pitch_level)
    return embedded.message_labels(
        score_messages(dataset.messages, levels=levels),
        dataset.connections,
        observed_until=dataset.observed_until if observed_until is None else observed_until,
        options=options,
    )


def audit_of(dataset: Dataset, scored: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what became of every row: of reading as in ``dataset.audit``, then which messages enter turns.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    scored : DataFrame, optional
        Its messages from :func:`score_messages`, where they are at hand.
    """
    if scored is None:
        scored = dataset.messages.assign(kind=_kinds(dataset.messages))
    return pd.concat([dataset.audit, audit_turns(scored)], ignore_index=True)


def _kinds(messages: pd.DataFrame) -> pd.Series:
    """Return the kind of each message, automatic answers recognised by their text."""
    from etiquette_analysis.labels.auto_reply import flag_auto_reply

    flagged = flag_auto_reply(messages["text"]) & messages["kind"].isin(TURN_KINDS).to_numpy()
    return messages["kind"].mask(flagged, "auto_reply")


def audit_turns(scored: pd.DataFrame) -> pd.DataFrame:
    """Count the messages that enter turns and those left out, by reason; ``scored`` is from :func:`score_messages`."""
    log = AuditLog()
    log.add(FOR_TURNS, READ, len(scored))
    undated = scored["sent_at"].isna()
    nobody = scored["sender"].isna() | scored["recipient"].isna()
    to_self = scored["sender"] == scored["recipient"]
    reasons = [(f"kind {kind}", scored["kind"] == kind) for kind in LEFT_OUT_KINDS]
    reasons += [("no date", undated), ("sender or recipient unknown", nobody), ("written to oneself", to_self)]
    left = pd.Series(True, index=scored.index)
    for reason, mask in reasons:
        rows = left & mask
        left &= ~mask
        log.add(FOR_TURNS, reason, int(rows.sum()), example=_first_id(scored, rows))
    log.add(FOR_TURNS, KEPT, int(left.sum()))
    return log.frame()


def _first_id(scored: pd.DataFrame, rows: pd.Series) -> int | None:
    return int(scored.loc[rows, "message_id"].iloc[0]) if rows.any() else None
