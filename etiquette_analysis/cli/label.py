"""``etiquette label``: an export, or tables of any size, in; one labelled file out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, read_source
from etiquette_analysis.errors import DesignError

TABLE_SUFFIXES: Final = (".parquet", ".csv")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Label an export, or CSV and Parquet files of any size (quote globs: 'messages/*.parquet'), into one file.\n"
        "The result holds identifiers but no text; --out decides the format: .parquet or .csv."
    )
    command.add_argument("messages", nargs="+", help="export, or files with columns sender, recipient, sent_at, ...")
    command.add_argument("--out", required=True, metavar="FILE", help="labelled.parquet or labelled.csv")
    command.add_argument(
        "--rows", choices=("turns", "messages"), default="turns", help="one row per turn (default) or per message"
    )
    command.add_argument("--memory-limit", default="1GB", metavar="SIZE", help="before sorting spills to disk (1GB)")
    command.add_argument("--window-days", type=float, default=14, help="a reply counts within so many days (14)")
    add_source_options(command)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis import pipeline

    out = Path(options.out)
    if out.suffix not in TABLE_SUFFIXES:
        msg = f"--out {out}: expected a name ending in {' or '.join(TABLE_SUFFIXES)}"
        raise DesignError(msg)
    progress = Progress(quiet=options.quiet)
    is_table = all(Path(name).suffix in TABLE_SUFFIXES for name in options.messages) and options.mapping is None
    if is_table and options.connections and out.suffix == ".parquet":
        done = pipeline.label_files(
            options.messages,
            options.connections,
            out,
            what=options.rows,
            window_days=options.window_days,
            observed_until=options.observed_until,
            memory_limit=options.memory_limit,
            progress=progress.rows,
        )
        progress.step(f"{done.n_rows:,} {options.rows} in {done.path}")
        return 0
    if len(options.messages) > 1:
        msg = "several files are labelled together only as tables: give --connections, and --out ending in .parquet"
        raise DesignError(msg)
    label = pipeline.label_turns if options.rows == "turns" else pipeline.label_messages
    table = label(read_source(options, options.messages[0]), window_days=options.window_days)
    pipeline.write_table(table, out)
    progress.step(f"{len(table):,} {options.rows} in {out}")
    return 0
