"""Where the rooms meet: the public functions that take a dataset through labels to dyads and to a report.

Data goes one way: messages are scored and flagged, sorted into turns by an engine, and reduced to one row per
connection. What is handed to the analysis holds no text, so nothing after this module can leak one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from etiquette_analysis.errors import DesignError
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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import Session
    from etiquette_analysis.report.inputs import ReportInputs

    Paths = str | Path | Sequence[str | Path]

HERE = Path(__file__).resolve().parent


def bundled(name: Literal["sample", "notebooks"]) -> Path:
    """Return a folder that lies beside the package in a checkout and inside it once installed."""
    beside = HERE.parent / {"sample": "data/sample", "notebooks": "notebooks"}[name]
    return beside if beside.is_dir() else HERE / f"_{name}"


def load_sample() -> Dataset:
    """Read the invented LinkedIn export that comes with the package (about 1,450 connections; safe to publish).

    Examples
    --------
    >>> load_sample().source
    'linkedin'
    """
    from etiquette_analysis.sources import read_linkedin

    return read_linkedin(bundled("sample"))


def score_messages(messages: pd.DataFrame, *, levels: pd.Series | None = None) -> pd.DataFrame:
    """Return the messages without their text, with ``pitch_score``, ``pitch_level`` and automatic answers flagged.

    Parameters
    ----------
    messages : DataFrame
        Columns as in ``schema.MESSAGES``.
    levels : Series, optional
        One's own coding instead of ours: ``none``, ``soft``, ``moderate``, ``hard`` or null, indexed by ``message_id``
        in any order; ids that are missing are null. Then ``pitch_score`` is null and no text is scored.

    Returns
    -------
    DataFrame
        The same rows and index; ``text`` gives way to ``has_text`` (bool).

    Raises
    ------
    SchemaError
        Where ``levels`` repeats an id or holds another value.
    """
    from etiquette_analysis.labels.auto_reply import flag_auto_reply
    from etiquette_analysis.labels.pitch import label_pitch

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
    flagged = flag_auto_reply(text) & scored["kind"].isin(TURN_KINDS).to_numpy()
    scored["kind"] = scored["kind"].mask(flagged, "auto_reply")
    return scored


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
    >>> turns = label_turns(load_sample())
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


def label_files(
    messages: Paths,
    connections: Paths | None,
    out: str | Path,
    *,
    engine: Literal["embedded", "spark"] = "embedded",
    what: Literal["turns", "messages"] = "turns",
    observed_until: pd.Timestamp | str | None = None,
    window_days: float = 14,
    follow_up_gap_hours: float = 24,
    immediate_hours: float = 24,
    pitch_level: str = "moderate",
    memory_limit: str = "1GB",
    threads: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Any:
    """Label CSV or Parquet files of any size into a Parquet file, in bounded memory.

    Parameters
    ----------
    messages, connections : path or sequence of paths
        Columns as in ``schema.MESSAGES`` and ``schema.CONNECTIONS``; globs as ``'messages/*.parquet'``.
    out : path
        The Parquet file to write; it appears whole or not at all.
    engine : {"embedded", "spark"}
        Where to sort: DuckDB on this machine, or Apache Spark (extra ``spark``).
    what : {"turns", "messages"}
        One row per turn, or per message.
    memory_limit : str
        What DuckDB may use before it spills to disk.
    threads : int, optional
        Threads of DuckDB; all where not given.
    progress : callable, optional
        Called with the number of messages labelled so far.

    Returns
    -------
    LabelledFile
        ``path``, ``n_rows``, ``audit`` and ``observed_until``.

    Raises
    ------
    SourceError, SchemaError
        Where a file or a column is not what it must be.
    DesignError
        Where an option makes no sense, or the engine is not there.
    """
    if engine != "embedded":
        msg = f"engine={engine!r} is not available in this version; use engine='embedded'"
        raise DesignError(msg)
    from etiquette_analysis.engine import files
    from etiquette_analysis.labels.pitch import score_batch

    return files.label_files(
        messages,
        connections,
        out,
        what=what,
        observed_until=observed_until,
        options=LabelOptions(window_days, follow_up_gap_hours, immediate_hours, pitch_level),
        score=score_batch,
        memory_limit=memory_limit,
        threads=threads,
        progress=progress,
    )


def audit_turns(scored: pd.DataFrame) -> pd.DataFrame:
    """Count the messages that enter turns and those left out, by reason; ``scored`` is from :func:`score_messages`."""
    log = AuditLog()
    log.add("turns", READ, len(scored))
    undated = scored["sent_at"].isna()
    nobody = scored["sender"].isna() | scored["recipient"].isna()
    to_self = scored["sender"] == scored["recipient"]
    reasons = [(f"kind {kind}", scored["kind"] == kind) for kind in LEFT_OUT_KINDS]
    reasons += [("no date", undated), ("sender or recipient unknown", nobody), ("written to oneself", to_self)]
    left = pd.Series(True, index=scored.index)
    for reason, mask in reasons:
        rows = left & mask
        left &= ~mask
        log.add("turns", reason, int(rows.sum()), example=_first_id(scored, rows))
    log.add("turns", KEPT, int(left.sum()))
    return log.frame()


def _first_id(scored: pd.DataFrame, rows: pd.Series) -> int | None:
    return int(scored.loc[rows, "message_id"].iloc[0]) if rows.any() else None


def build_dyads(dataset: Dataset, plan: Plan | None = None, *, levels: pd.Series | None = None) -> pd.DataFrame:
    """Reduce a dataset to one row per connection, for the analysis: counts of days, no names, no text.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    plan : Plan, optional
        The windows and thresholds; the default plan where not given.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``.

    Returns
    -------
    DataFrame
        One row per connected pair, orphans (in messages, but not in the list of connections) included; ``exclusion``
        holds the reason where a row cannot be judged, and is null where it can.
    """
    from etiquette_analysis.analysis.plan import Plan

    return _tabulate(score_messages(dataset.messages, levels=levels), dataset, plan or Plan())


def _tabulate(scored: pd.DataFrame, dataset: Dataset, plan: Plan) -> pd.DataFrame:
    """Return the dyads of scored messages."""
    from etiquette_analysis.analysis.dyads import tabulate_dyads
    from etiquette_analysis.engine import embedded

    labels = embedded.message_labels(
        scored, dataset.connections, observed_until=dataset.observed_until, options=_label_options(plan)
    )
    scored = scored.assign(first_message_id=labels["first_message_id"], timing=labels["timing"])
    return tabulate_dyads(
        scored, dataset.connections, observed_until=dataset.observed_until, ego=dataset.ego, plan=plan
    )


def _label_options(plan: Plan) -> LabelOptions:
    return LabelOptions(plan.window_days, plan.follow_up_gap_hours, 24, plan.pitch_level)


def coding_session(
    dataset: Dataset,
    path: str | Path,
    *,
    coder: str = "1",
    n: int | None = None,
    seed: int = 1,
    plan: Plan | None = None,
) -> Session:
    """Draw dyads to code by hand, stratified by predicted arm, or go on with those that the file of codes holds.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it, with texts.
    path : path
        The CSV file of codes; where it exists, its sample counts, and ``n`` and ``seed`` do not.
    coder : str
        Who is coding.
    n : int, optional
        Dyads to draw of those that can be judged; 100, or all where there are fewer.
    seed : int
        Of the draw.
    plan : Plan, optional
        Its windows make the arms; the default plan where not given.

    Returns
    -------
    coding.Session
        ``.current`` is the message to read, ``.answer(key)`` codes it; see :mod:`etiquette_analysis.coding`.
    """
    import numpy as np

    from etiquette_analysis.analysis.debias import sample_dyads
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import Session

    plan = plan or Plan()
    scored = score_messages(dataset.messages)
    dyads = _tabulate(scored, dataset, plan)
    # Whether a note pitched is for the coder to say; every other reason holds whatever the labels are.
    judged = dyads[dyads["exclusion"].isna() | (dyads["exclusion"] == "pitch_in_invitation")]
    if judged.empty:
        msg = (
            f"none of the {len(dyads)} contacts can be judged (too recent, no date, or before the message history), so "
            "there is nothing to code; give an export that covers more time"
        )
        raise DesignError(msg)
    rng = np.random.default_rng(seed)
    sample = sample_dyads(judged, plan, n=min(100, len(judged)) if n is None else n, rng=rng)
    return Session(
        sample.iloc[rng.permutation(len(sample))],
        _coding_material(scored, dataset, dyads),
        path,
        coder=coder,
        pitch_level=plan.pitch_level,
        last_day=plan.deferred[1],
    )


def coded_dyads(dataset: Dataset, session: Session, plan: Plan | None = None) -> pd.DataFrame:
    """Return the dyads that a coder has finished, built from the coder's levels, as ``debias`` takes them.

    Parameters
    ----------
    dataset : Dataset
        The one on which the session was opened.
    session : coding.Session
        From :func:`coding_session`.
    plan : Plan, optional
        The same as for the session.

    Returns
    -------
    DataFrame
        Rows as from :func:`build_dyads`, with the numbers of people that it gives, and ``inclusion_probability``.
    """
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.coding import answers_of

    answers = answers_of(session.codes(), session.coder)
    levels = pd.Series({i: answer.level for i, answer in answers.items()}, dtype="str")
    automatic = [i for i, answer in answers.items() if answer.is_automatic]
    predicted = score_messages(dataset.messages, levels=levels)
    message_id = predicted["message_id"]
    # Where a person has read the message, that person says whether a human wrote it.
    kind = predicted["kind"].mask(message_id.isin(list(answers)), dataset.messages["kind"])
    scored = predicted.assign(kind=kind.mask(message_id.isin(automatic), "auto_reply"))
    coded = _tabulate(scored, dataset, plan or Plan())
    names = _names_of_dyads(predicted, dataset)
    place = _names_of_dyads(scored, dataset).get_indexer(names)
    sender, contact = (pd.factorize(names.get_level_values(side))[0][place >= 0] for side in ("sender", "contact"))
    numbered = coded.iloc[place[place >= 0]].assign(sender=sender, contact=contact)
    return session.finished_dyads().merge(numbered, on=["sender", "contact"], how="inner")


def _coding_material(scored: pd.DataFrame, dataset: Dataset, dyads: pd.DataFrame) -> pd.DataFrame:
    """Return the messages of each dyad in time order, with text, and with people as numbered in ``dyads``."""
    from etiquette_analysis.analysis.pairing import find_pairs

    pairs, rows = find_pairs(scored, dataset.connections, dataset.ego)
    place = pairs.listing_order().argsort()[rows.dyad]
    messages = dataset.messages.iloc[rows.row].reset_index(drop=True)
    material = messages[["message_id", "kind", "text"]].assign(
        is_own=rows.own, day=rows.day, predicted_level=scored["pitch_level"].to_numpy(object)[rows.row]
    )
    return material.assign(**{side: dyads[side].to_numpy()[place] for side in ("sender", "contact")})


def _names_of_dyads(scored: pd.DataFrame, dataset: Dataset) -> pd.MultiIndex:
    """Return the identifiers of both people, in the order of the table of dyads."""
    from etiquette_analysis.analysis.pairing import find_pairs

    pairs, _ = find_pairs(scored, dataset.connections, dataset.ego)
    order = pairs.listing_order()
    sides = [pairs.names[pairs.sender[order]], pairs.names[pairs.contact[order]]]
    return pd.MultiIndex.from_arrays(sides, names=["sender", "contact"])


def prepare_report(
    dataset: Dataset, *, plan: Plan | None = None, levels: pd.Series | None = None
) -> tuple[ReportInputs, pd.DataFrame]:
    """Label a dataset and return what the report may know of it, and the table of turns with identifiers.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    plan : Plan, optional
        The windows and thresholds; the default plan where not given.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``.

    Returns
    -------
    ReportInputs, DataFrame
        Numbers only; and the turns as :func:`label_turns` gives them, which stay on this side.
    """
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.engine import embedded
    from etiquette_analysis.report.inputs import ReportInputs

    plan = plan or Plan()
    scored = score_messages(dataset.messages, levels=levels)
    turns = embedded.turns(
        scored, dataset.connections, observed_until=dataset.observed_until, options=_label_options(plan)
    )
    inputs = ReportInputs(
        turns=_without_names(turns, dataset.ego),
        dyads=_tabulate(scored, dataset, plan),
        audit=pd.concat([dataset.audit, audit_turns(scored)], ignore_index=True),
        plan=plan,
        about=_about(dataset, scored, is_own_coding=levels is not None),
    )
    return inputs, turns


def _without_names(turns: pd.DataFrame, ego: str | tuple[str, ...] | None) -> pd.DataFrame:
    """Return the turns with a number for each dyad and, for each side, only whether it is the owner's."""
    from etiquette_analysis.report.inputs import TURN_COLUMNS

    owners = [ego] if isinstance(ego, str) else list(ego or ())
    plain = turns.assign(
        dyad=pd.factorize(turns["dyad"])[0].astype("int64"),
        is_own=turns["sender"].isin(owners).astype("boolean") if owners else pd.array([None] * len(turns), "boolean"),
        day=turns["since_connection_max"].dt.floor("D").dt.days.astype("Int64"),
    )
    return plain[list(TURN_COLUMNS)]


def _about(dataset: Dataset, scored: pd.DataFrame, *, is_own_coding: bool) -> dict[str, Any]:
    """Return facts on the source that the report prints; no identifier among them."""
    from etiquette_analysis.labels.pitch.model import load_model

    until, enters = dataset.observed_until, scored["kind"].isin(TURN_KINDS)
    model = None if is_own_coding else load_model()
    has_level = scored["pitch_level"].notna()
    return {
        "source": dataset.source,
        "observed_until": None if pd.isna(until) else f"{until:%Y-%m-%d}",
        "has_connection_dates": dataset.has_connection_dates,
        "n_messages": len(scored),
        "n_owners": 0 if dataset.ego is None else 1 if isinstance(dataset.ego, str) else len(dataset.ego),
        "n_labelled": int((enters & has_level).sum()),
        "n_abstained": int((enters & ~has_level).sum()),
        "n_auto_replies": int((scored["kind"] == "auto_reply").sum()),
        "is_own_coding": is_own_coding,
        "sensitivity": model and model.sensitivity,
        "specificity": model and model.specificity,
    }


def write_report(
    dataset: Dataset,
    out: str | Path,
    *,
    language: Literal["en", "it"] = "en",
    plan: Plan | None = None,
    levels: pd.Series | None = None,
    identify: bool = False,
    progress: Callable[[str], object] | None = None,
) -> Path:
    """Write the report on a dataset: a folder with one self-contained page, its notebook, and every number.

    Parameters
    ----------
    dataset : Dataset
        As a reader delivers it.
    out : path
        The folder; it appears whole or not at all. An earlier report there is replaced, anything else is left alone.
    language : {"en", "it"}
        Of the page.
    plan : Plan, optional
        The question; the default plan where not given.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``.
    identify : bool
        Write identifiers as they are in ``turns.csv``, not pseudonyms.
    progress : callable, optional
        Called with a few words before each step.

    Returns
    -------
    Path
        ``index.html``, to be opened by double-click.

    Raises
    ------
    DesignError
        Where the folder cannot be written or holds something else, or the language is unknown.
    """
    from etiquette_analysis import privacy
    from etiquette_analysis.analysis.plan import require_language
    from etiquette_analysis.report.folder import ReportFolder
    from etiquette_analysis.report.render import render

    say = progress or (lambda _: None)
    require_language(language)
    with ReportFolder(Path(out)) as folder:
        key = None if identify else privacy.load_key()
        say("labelling messages and building the table of connections")
        inputs, turns = prepare_report(dataset, plan=plan, levels=levels)
        say(f"running the report notebook on {len(inputs.dyads):,} connections")
        render(inputs, bundled("notebooks") / "06_report.ipynb", folder.path, language=language)
        if key is not None:
            turns = _pseudonymous(turns, key)
        write_table(turns, folder.path / "turns.csv")
        write_table(inputs.audit, folder.path / "audit.csv")
    say("done")
    return folder.out / "index.html"


def _pseudonymous(turns: pd.DataFrame, key: bytes) -> pd.DataFrame:
    """Return the turns with pseudonyms; ``dyad`` is put together anew from those of its two people."""
    from etiquette_analysis import privacy

    sides = {side: privacy.pseudonymise_column(turns[side], key=key) for side in ("sender", "recipient")}
    both = pd.DataFrame(sides)
    return turns.assign(**sides, dyad=both.min(axis=1) + "\t" + both.max(axis=1))


def write_table(table: pd.DataFrame, out: str | Path) -> None:
    """Write a table as CSV or Parquet, by the name's ending; the file appears whole or not at all.

    In CSV, text that a spreadsheet would take for a formula (``=``, ``+``, ``-``, ``@`` first) is led by an apostrophe.

    Raises
    ------
    DesignError
        Where the ending is another, or the file cannot be written.
    """
    out = Path(out)
    if out.suffix not in (".csv", ".parquet"):
        msg = f"{out}: expected a name ending in .csv or .parquet"
        raise DesignError(msg)
    part = out.with_name(f".{out.name}.part")
    try:
        if out.suffix == ".parquet":
            table.to_parquet(part, index=False)
        else:
            _harmless(table).to_csv(part, index=False, lineterminator="\n")
        part.replace(out)
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}); choose a folder that you may write to"
        raise DesignError(msg) from error
    finally:
        part.unlink(missing_ok=True)


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text that begins like a formula led by an apostrophe."""
    text = [c for c in table.columns if pd.api.types.is_string_dtype(table[c].dtype)]
    return table.assign(**{c: table[c].str.replace(r"^([=+\-@\t\r])", r"'\1", regex=True) for c in text})
