"""``etiquette code``: coding a random sample by hand, one message at a time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from etiquette_analysis.cli.progress import Progress
from etiquette_analysis.cli.reading import add_source_options, read_source
from etiquette_analysis.errors import DesignError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Draw a random sample of contacts and show their messages one by one, the codebook beside: 0 to 3 how hard it\n"
        "sells, x no level, a automatic answer, b back, q stop. The same command goes on where you stopped; another\n"
        "--coder goes through the same sample. Kept in --out: numbers, levels and the coder; no text, nobody's name."
    )
    command.add_argument("source", help="zip, folder, CSV or Parquet file")
    command.add_argument("--out", required=True, metavar="FILE", help="codes.csv; where it exists, it is gone on with")
    command.add_argument("--n", type=int, help="contacts to draw (100, or all where there are fewer)")
    command.add_argument("--coder", default="1", metavar="NAME", help="who is coding (default: 1)")
    command.add_argument("--seed", type=int, help="same seed, same sample (1)")
    command.add_argument("--language", choices=("en", "it"), default="en", help="of the codebook (default: en)")
    add_source_options(command)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    import shutil

    from etiquette_analysis import coding, pipeline

    out = Path(options.out)
    if out.suffix != ".csv":
        msg = f"--out {out}: expected a name ending in .csv"
        raise DesignError(msg)
    progress = Progress(quiet=options.quiet)
    if out.exists() and (options.n is not None or options.seed is not None):
        progress.step(f"{out}: this file's own sample goes on; --seed and --n are ignored")
    progress.step(f"reading {options.source}")
    dataset = read_source(options, options.source)
    seed = 1 if options.seed is None else options.seed
    session = pipeline.coding_session(dataset, out, coder=options.coder, n=options.n, seed=seed)
    while session.current is not None:
        sys.stdout.write(coding.card(session, options.language, width=shutil.get_terminal_size().columns))
        sys.stdout.flush()
        while (key := coding.read_key(sys.stdin)) not in (*coding.ANSWER_KEYS, "b", "q", ""):
            sys.stdout.write(f"{coding.WORDS[options.language]['unknown']}\n")
        if key in ("q", ""):
            break
        if key == "b":
            session.back()
        else:
            session.answer(key)
    sys.stdout.write(coding.summary(session, options.language))
    return 0
