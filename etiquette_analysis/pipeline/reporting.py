"""From a dataset to its report: numbers only go in; names become pseudonyms, texts stay behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from etiquette_analysis.errors import DesignError
from etiquette_analysis.pipeline.dyads import label_options, tabulate
from etiquette_analysis.pipeline.labelling import audit_of, score_messages
from etiquette_analysis.pipeline.names import pseudonymous
from etiquette_analysis.pipeline.origins import about_dataset
from etiquette_analysis.pipeline.package_data import bundled
from etiquette_analysis.pipeline.tables import write_table
from etiquette_analysis.schema import Dataset, count_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.report.inputs import ReportInputs


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
        scored, dataset.connections, observed_until=dataset.observed_until, options=label_options(plan)
    )
    inputs = ReportInputs(
        turns=_without_names(turns, dataset, plan),
        dyads=tabulate(scored, dataset, plan),
        audit=audit_of(dataset, scored),
        plan=plan,
        about=about_dataset(dataset, scored, is_own_coding=levels is not None),
    )
    return inputs, turns


def _without_names(turns: pd.DataFrame, dataset: Dataset, plan: Plan) -> pd.DataFrame:
    """Return the turns with a number for each dyad and, for each side, only whether it is the owner's."""
    from etiquette_analysis.report.inputs import TURN_COLUMNS

    ego = dataset.ego
    owners = [ego] if isinstance(ego, str) else list(ego or ())
    if not dataset.has_connection_dates:
        turns = _from_first_contact(turns, plan)
    plain = turns.assign(
        dyad=pd.factorize(turns["dyad"])[0].astype("int64"),
        is_own=turns["sender"].isin(owners).astype("boolean") if owners else pd.array([None] * len(turns), "boolean"),
        day=turns["since_connection_max"].dt.floor("D").dt.days.astype("Int64"),
    )
    return plain[list(TURN_COLUMNS)]


def _from_first_contact(turns: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return turns of a source without dates of connecting, time zero being the first turn, as for ``build_dyads``."""
    is_message = turns["kind"] == "message"
    days = turns["started_at"].dt.floor("D")
    is_pitch = is_message & (turns["pitch_level"] >= plan.pitch_level)
    again = turns[is_pitch].duplicated(["dyad", "sender"])
    return turns.assign(
        since_connection_max=days - days.where(is_message).groupby(turns["dyad"]).transform("min"),
        is_first_pitch=is_pitch & ~again.reindex(turns.index, fill_value=False),
    )


def prepare_report_on_dyads(dyads: pd.DataFrame, *, plan: Plan | None = None) -> ReportInputs:
    """Return what the report may know where only a table of dyads is at hand.

    Parameters
    ----------
    dyads : DataFrame
        From :func:`build_dyads`, or read from a Parquet file of them.
    plan : Plan, optional
        Other windows, say; the plan with which the table was made where not given.

    Returns
    -------
    ReportInputs
        Without turns.

    Raises
    ------
    DesignError
        Where the table does not say with which plan it was made, or was made with one whose pitches are others.
    """
    from etiquette_analysis.analysis.origin import origin_of, require_same_rows
    from etiquette_analysis.report.inputs import ReportInputs

    origin = origin_of(dyads)
    if origin is None:
        msg = (
            "the table does not say with which plan it was made; expected one row per connection, as build_dyads and "
            "etiquette label --rows dyads write it, in Parquet"
        )
        raise DesignError(msg)
    plan = plan or origin.plan
    require_same_rows(dyads, plan)
    return ReportInputs(turns=None, dyads=dyads, audit=origin.audit, plan=plan, about=dict(origin.about))


def write_report(
    dataset: Dataset | pd.DataFrame,
    out: str | Path,
    *,
    language: Literal["en", "it"] = "en",
    plan: Plan | None = None,
    levels: pd.Series | None = None,
    identify: bool = False,
    project: str = "default",
    pdf: bool = False,
    progress: Callable[[str], object] | None = None,
) -> Path:
    """Write the report on a dataset: a folder with one self-contained page, its notebook, and every number.

    Parameters
    ----------
    dataset : Dataset or DataFrame
        As a reader delivers it; or dyads, as :func:`build_dyads` makes them or as they are read from their Parquet
        file. With these what is counted by turn is left out, and there is no ``turns.csv``.
    out : path
        The folder; it appears whole or not at all. An earlier report there is replaced, anything else is left alone.
    language : {"en", "it"}
        Of the page.
    plan : Plan, optional
        The question; where not given, the default plan, or the one with which the dyads were made.
    levels : Series, optional
        One's own coding of pitch intensity, indexed by ``message_id``; not with dyads, where it is in the rows.
    identify : bool
        Write identifiers as they are in ``turns.csv``, not pseudonyms.
    pdf : bool
        Also print the page to ``report.pdf`` beside it, with a Chromium, Chrome or Edge that is on the machine.
    project : str
        Whose key makes the pseudonyms: those of two projects cannot be linked.
    progress : callable, optional
        Called with a few words before each step.

    Returns
    -------
    Path
        ``index.html``, to be opened by double-click.

    Raises
    ------
    DesignError
        Where the folder cannot be written or holds something else, the language is unknown, or dyads do not fit the
        plan.
    EtiquetteError
        Where a PDF was asked for and there is no such browser (nothing is written), or it fails (the page stays).
    """
    from etiquette_analysis import privacy
    from etiquette_analysis.analysis.plan import require_language
    from etiquette_analysis.report.folder import ReportFolder
    from etiquette_analysis.report.pdf import find_chromium, print_pdf
    from etiquette_analysis.report.render import render

    say = progress or (lambda _: None)
    require_language(language)
    chromium = find_chromium() if pdf else None
    if levels is not None and isinstance(dataset, pd.DataFrame):
        msg = "levels: dyads hold their own already; give levels to build_dyads, or the dataset to write_report"
        raise DesignError(msg)
    with ReportFolder(Path(out)) as folder:
        key = None if identify or isinstance(dataset, pd.DataFrame) else privacy.load_key(project)
        if isinstance(dataset, pd.DataFrame):
            inputs, turns = prepare_report_on_dyads(dataset, plan=plan), None
        else:
            say("labelling messages and building the table of connections")
            inputs, turns = prepare_report(dataset, plan=plan, levels=levels)
            turns = turns if key is None else pseudonymous(turns, key)
        say(f"running the report notebook on {count_of(len(inputs.dyads), 'connection', 'connections')}")
        render(inputs, bundled("notebooks") / "06_report.ipynb", folder.path, language=language)
        if turns is not None:
            write_table(turns, folder.path / "turns.csv")
        write_table(inputs.audit, folder.path / "audit.csv")
    page = folder.out / "index.html"
    if chromium is not None:
        say("printing the page")
        print_pdf(page, page.with_name("report.pdf"), chromium=chromium)
    say("done")
    return page
