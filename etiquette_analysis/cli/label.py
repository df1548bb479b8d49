"""``etiquette label``: an export, or tables of any size, in; labels out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, check_audit, read_audited, read_mapping
from etiquette_analysis.errors import DesignError

TABLE_SUFFIXES: Final = (".parquet", ".csv")
_COMPRESSED: Final = (".gz", ".zst")
_PATTERN: Final = frozenset("*?[")
_STOPPED: Final = 130


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Label an export; or CSV and Parquet files of any size, folders and patterns of them (in quotes:\n"
        "'messages/*.parquet'), with --connections. The result holds pseudonyms (unless --identify) and no text.\n"
        "--out decides what is written: labelled.parquet, labelled.csv, or labelled/, a folder of Parquet parts.\n"
        "Beside it, named labelled.audit.csv, stands what became of every row. Stopped? The same command goes on."
    )
    command.add_argument("messages", nargs="+", help="export, or files with columns sender, recipient, sent_at, ...")
    command.add_argument("--out", required=True, metavar="PATH", help="labelled.parquet, labelled.csv or labelled/")
    command.add_argument(
        "--rows",
        choices=("turns", "messages", "dyads"),
        default="turns",
        help="one row per turn (default), per message, or per connection: what ea.compare takes, without any name",
    )
    command.add_argument("--memory-limit", default="1GB", metavar="SIZE", help="before sorting spills to disk (1GB)")
    command.add_argument("--threads", type=int, metavar="N", help="to use; default: one for each processor")
    command.add_argument("--engine", choices=("embedded", "spark"), default="embedded", help="where tables are sorted")
    command.add_argument("--master", metavar="URL", help="with --engine spark: local[2], spark://host:7077, yarn")
    command.add_argument("--remote", metavar="URL", help="with --engine spark: a Spark Connect server, sc://host:15002")
    command.add_argument("--window-days", type=float, default=14, help="a reply counts within so many days (14)")
    command.add_argument("--identify", action="store_true", help="write identifiers as they are instead of pseudonyms")
    command.add_argument(
        "--project", metavar="NAME", default="default", help="whose key makes the pseudonyms (default)"
    )
    add_source_options(command)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    if options.engine == "spark":
        return _label_files(options, options.out)
    out = Path(options.out)
    if out.suffix not in ("", *TABLE_SUFFIXES):
        msg = f"--out {out}: expected a folder, or a name ending in {' or '.join(TABLE_SUFFIXES)}"
        raise DesignError(msg)
    _check_not_theirs(out)
    return _label_files(options, out) if _are_tables(options, out) else _label_export(options, out)


def _check_not_theirs(out: Path) -> None:
    """Raise ``DesignError`` where a file is there that is no earlier result, and so perhaps the source itself."""
    from etiquette_analysis.pipeline.forgetting import is_own_table

    if out.is_file() and not is_own_table(out):
        msg = f"--out {out}: is a file that this command did not write, and will not be overwritten; choose another"
        raise DesignError(msg)


def _are_tables(options: argparse.Namespace, out: Path) -> bool:
    """Return whether files are to be labelled as tables of any size, and not read as an export."""
    are_tables = all(map(_may_be_table, options.messages))
    asked = options.connections or len(options.messages) > 1 or _PATTERN & set(options.messages[0])
    if out.suffix == ".csv" or not asked:
        if len(options.messages) > 1:
            msg = "several files are labelled together only into Parquet: --out labelled.parquet, or a folder"
            raise DesignError(msg)
        if not out.suffix:
            msg = f"--out {out}: a folder of parts needs tables: give --connections, or name an --out ending in .csv"
            raise DesignError(msg)
        return False
    if len(options.messages) > 1 and not are_tables:
        msg = "several files are labelled together only where all are .csv or .parquet"
        raise DesignError(msg)
    return are_tables


def _may_be_table(name: str) -> bool:
    path = Path(name)
    return path.is_dir() or (path.with_suffix("") if path.suffix in _COMPRESSED else path).suffix in TABLE_SUFFIXES


def _label_files(options: argparse.Namespace, out: Path | str) -> int:
    from etiquette_analysis import pipeline
    from etiquette_analysis.analysis.plan import Plan

    ignored = {
        "--on-bad-row drop": options.on_bad_row != "error",
        "--timezone": options.timezone is not None,
        "--date-order": options.date_order is not None,
        "--encoding": options.encoding is not None,
        f"--owner with --rows {options.rows}": options.owner is not None and options.rows != "dyads",
    }
    if any(ignored.values()):
        told = " and ".join(name for name, is_given in ignored.items() if is_given)
        msg = f"{told}: not for tables of any size; without --connections, or into .csv, the table is read as an export"
        raise DesignError(msg)
    if options.engine == "spark" and options.rows == "dyads":
        msg = "--rows dyads: not with --engine spark; expected turns or messages, or the embedded engine"
        raise DesignError(msg)
    progress = Progress(quiet=options.quiet)
    given: dict[str, Any] = {
        "mapping": read_mapping(Path(options.mapping)) if options.mapping else None,
        "observed_until": options.observed_until,
        "strict": options.strict,
        "memory_limit": options.memory_limit,
        "threads": options.threads,
        "progress": progress.advance,
        "say": progress.step,
    }
    source = options.messages, options.connections, out
    try:
        if options.rows == "dyads":
            plan = Plan(window_days=options.window_days)
            given |= {"identify": options.identify, "project": options.project}
            done = pipeline.build_dyads_file(*source, plan, owner=options.owner, **given)
        else:
            given |= {"what": options.rows, "window_days": options.window_days, "identify": options.identify}
            given |= {"project": options.project, "engine": options.engine}
            given |= {"master": options.master, "remote": options.remote}
            done = pipeline.label_files(*source, **given)
    except KeyboardInterrupt:
        sys.stderr.write("\netiquette: stopped; the same command goes on from here\n")
        return _STOPPED
    check_audit(done.audit, options)
    if "://" not in str(out):  # elsewhere the folder itself holds the audit
        pipeline.write_table(done.audit, _audit_beside(Path(out)))
    progress.step(f"{done.n_rows:,} {options.rows} in {done.path}")
    return 0


def _label_export(options: argparse.Namespace, out: Path) -> int:
    from etiquette_analysis import pipeline, privacy
    from etiquette_analysis.analysis.plan import Plan
    from etiquette_analysis.pipeline.names import pseudonymous

    progress = Progress(quiet=options.quiet)
    dataset, audit = read_audited(options, options.messages[0])
    if options.rows == "dyads":
        plan = Plan(window_days=options.window_days)
        table = pipeline.build_dyads(dataset, plan, identify=options.identify, project=options.project)
    else:
        label = pipeline.label_turns if options.rows == "turns" else pipeline.label_messages
        table = label(dataset, window_days=options.window_days)
        if not options.identify:
            table = pseudonymous(table, privacy.load_key(options.project))
    pipeline.write_table(table, out)
    pipeline.write_table(audit, _audit_beside(out))
    progress.step(f"{len(table):,} {options.rows} in {out}")
    return 0


def _audit_beside(out: Path) -> Path:
    """Return where the audit of a labelled file goes."""
    return out.with_name(f"{out.stem}.audit.csv")
