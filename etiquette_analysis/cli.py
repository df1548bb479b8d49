"""The command line, ``etiquette``: a report from an export, labels for files, a score for a sentence.

Everything runs on this machine; no command opens a network connection. A mistake in what was asked or given ends
with one sentence on the error stream and exit code 2, and leaves nothing half-written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.errors import DesignError, EtiquetteError, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE_ERROR: Final = 2
TABLE_SUFFIXES: Final = (".parquet", ".csv")

EPILOG = """examples:
  etiquette report                                    the report on the invented sample
  etiquette report Complete_LinkedInDataExport.zip --out my-report --language it
  etiquette score "20% off until Friday, book here"   how hard does this sell, and why
  etiquette label 'messages/*.parquet' --connections connections.parquet --out labelled.parquet
  etiquette code export.zip --out codes.csv            check the labels by hand on a sample of your own
  etiquette simulate D --n 1500 --out world            an export whose truth is known
  etiquette lab                                       JupyterLab on a copy of the notebooks
"""


class Progress:
    """Says on the error stream what is going on, once a step has taken two seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.began = time.monotonic()

    def step(self, what: str) -> None:
        """Announce the next step."""
        if not self.quiet:
            sys.stderr.write(f"[{time.monotonic() - self.began:5.1f} s] {what}\n")
            sys.stderr.flush()

    def rows(self, n: int) -> None:
        """Announce how many rows are done, at most every two seconds."""
        now = time.monotonic()
        if not self.quiet and now - getattr(self, "_said", self.began) > 2:
            self._said = now
            self.step(f"{n:,} messages labelled ({n / (now - self.began):,.0f} a second)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        return int(options.run(options) or 0)
    except EtiquetteError as error:
        sys.stderr.write(f"etiquette: {error}\n")
        return USAGE_ERROR
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("etiquette: stopped; nothing was left half-written\n")
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all its commands."""
    parser = argparse.ArgumentParser(
        prog="etiquette",
        description="Does pitching right after connecting cost you replies? Labels outreach messages and tests the "
        "claim on your own export. Nothing leaves this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for add in (_add_report, _add_label, _add_score, _add_code, _add_simulate, _add_lab):
        add(commands)
    parser.set_defaults(run=lambda _: 0)
    return parser


def _command(commands: Any, name: str, run: Any, help_: str, description: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(run=run)
    return command


def _add_source_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--owner", metavar="NAME", help="whose export it is: name, URL or address")
    command.add_argument(
        "--on-bad-row",
        choices=("error", "drop"),
        default="error",
        help="stop at a row that cannot be read (default), or leave it out and count it in audit.csv",
    )
    command.add_argument("--connections", metavar="FILE", help="table of connections, where the source is a table")
    command.add_argument(
        "--mapping",
        metavar="FILE",
        help='TOML file naming your columns, one line each: sender = "From" (ours = theirs)',
    )
    command.add_argument(
        "--observed-until", metavar="DATE", help="end of observation, e.g. 2024-06-30; default: the latest message"
    )
    command.add_argument("--timezone", metavar="ZONE", help="of a source without one (WhatsApp), e.g. Europe/Rome")
    command.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), help="of a WhatsApp file that leaves it open")
    command.add_argument("--quiet", action="store_true", help="say nothing but errors")


def _add_report(commands: Any) -> None:
    command = _command(
        commands,
        "report",
        _report,
        "write the report on an export (no source: the sample)",
        "Read an export, label it, and write a folder with index.html (open it by double-click), report.ipynb,\n"
        "results.json (every number), provenance.json, audit.csv (every row left out, and why) and turns.csv\n"
        "(pseudonymous, no text). LinkedIn: ask for your data under Settings > Data privacy > Get a copy of your\n"
        "data, and give the zip as it came.",
    )
    command.add_argument("source", nargs="?", help="zip, folder, CSV or Parquet file; none: the invented sample")
    command.add_argument("--out", default="reports", metavar="FOLDER", help="folder to write (default: reports)")
    command.add_argument("--language", choices=("en", "it"), default="en", help="of the report (default: en)")
    command.add_argument("--window-days", type=float, default=14, help="a reply counts within so many days (14)")
    command.add_argument(
        "--identify", action="store_true", help="write identifiers as they are in turns.csv instead of pseudonyms"
    )
    _add_source_options(command)


def _add_label(commands: Any) -> None:
    command = _command(
        commands,
        "label",
        _label,
        "label messages: timing, intensity, rapport, reply",
        "Label an export, or CSV and Parquet files of any size (quote globs: 'messages/*.parquet'), into one file.\n"
        "The result holds identifiers but no text; --out decides the format: .parquet or .csv.",
    )
    command.add_argument("messages", nargs="+", help="export, or files with columns sender, recipient, sent_at, ...")
    command.add_argument("--out", required=True, metavar="FILE", help="labelled.parquet or labelled.csv")
    command.add_argument(
        "--rows", choices=("turns", "messages"), default="turns", help="one row per turn (default) or per message"
    )
    command.add_argument("--memory-limit", default="1GB", metavar="SIZE", help="before sorting spills to disk (1GB)")
    command.add_argument("--window-days", type=float, default=14, help="a reply counts within so many days (14)")
    _add_source_options(command)


def _add_score(commands: Any) -> None:
    command = _command(
        commands,
        "score",
        _score,
        "how hard does a text sell, and why",
        "Score texts by the codebook: none, soft, moderate or hard, with what in the words led to it.\n"
        "With no TEXT, reads one text per line from standard input.",
    )
    command.add_argument("text", nargs="*", help="a text; several are scored one by one")
    command.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_code(commands: Any) -> None:
    command = _command(
        commands,
        "code",
        _code,
        "hand-code a sample of your messages",
        "Draw a random sample of contacts and show their messages one by one, the codebook beside: 0 to 3 how hard it\n"
        "sells, x no level, a automatic answer, b back, q stop. The same command goes on where you stopped; another\n"
        "--coder goes through the same sample. Kept in --out: numbers, levels and the coder; no text, nobody's name.",
    )
    command.add_argument("source", help="zip, folder, CSV or Parquet file")
    command.add_argument("--out", required=True, metavar="FILE", help="codes.csv; where it exists, it is gone on with")
    command.add_argument("--n", type=int, help="contacts to draw (100, or all where there are fewer)")
    command.add_argument("--coder", default="1", metavar="NAME", help="who is coding (default: 1)")
    command.add_argument("--seed", type=int, default=1, help="same seed, same sample (1)")
    command.add_argument("--language", choices=("en", "it"), default="en", help="of the codebook (default: en)")
    _add_source_options(command)


def _add_simulate(commands: Any) -> None:
    command = _command(
        commands,
        "simulate",
        _simulate,
        "invent an export whose truth is known",
        "Write a LinkedIn-shaped export of invented people, and print the true difference. A: nothing matters;\n"
        "B: pitching at once harms; D: nothing matters, but senders wait for an answer before they pitch (counting is\n"
        "fooled); E: harm, and the same trap; F: pitching at once helps; see STATISTICS for all letters.",
    )
    command.add_argument("world", help="letter of the world: A B C D E F G J K L M N P S")
    command.add_argument("--n", type=int, default=1500, help="connections that can be judged (1500)")
    command.add_argument("--seed", type=int, default=1, help="same seed, same rows (1)")
    command.add_argument("--out", required=True, metavar="PATH", help="folder, or file ending in .zip")


def _add_lab(commands: Any) -> None:
    command = _command(
        commands,
        "lab",
        _lab,
        "open JupyterLab on a copy of the notebooks",
        "Copy the notebooks into a folder (files already there are kept) and open JupyterLab there.",
    )
    command.add_argument("--folder", default="etiquette-notebooks", help="where to copy (default: etiquette-notebooks)")
    command.add_argument("--no-browser", action="store_true", help="start the server only")
    command.add_argument("--copy-only", action="store_true", help="copy, and do not start JupyterLab")


def _read(options: argparse.Namespace, source: str | None) -> Any:
    """Read the source that the options describe."""
    from etiquette_analysis import pipeline, sources

    if source is None:
        return pipeline.load_sample()
    given: dict[str, Any] = {"owner": options.owner, "observed_until": options.observed_until}
    given |= {"timezone": options.timezone, "date_order": options.date_order}
    if options.connections:
        given["connections"] = options.connections
    if options.mapping:
        given["mapping"] = read_mapping(Path(options.mapping))
    if options.on_bad_row != "error":
        given["on_bad_row"] = options.on_bad_row
    return sources.read(source, **{name: value for name, value in given.items() if value is not None})


def read_mapping(path: Path) -> dict[str, str]:
    """Read a column mapping (ours = "theirs") from a TOML file."""
    import tomllib

    try:
        mapping = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f'{path}: not a readable TOML file ({error}); expected lines such as sender = "From"'
        raise SourceError(msg) from error
    wrong = [name for name, value in mapping.items() if not isinstance(value, str)]
    if wrong:
        msg = f'{path}: {wrong[0]} is not a column name in quotes; expected lines such as sender = "From"'
        raise SourceError(msg)
    return mapping


def _report(options: argparse.Namespace) -> int:
    from etiquette_analysis import pipeline
    from etiquette_analysis.analysis.plan import Plan

    progress = Progress(quiet=options.quiet)
    progress.step(f"reading {options.source or 'the sample'}")
    dataset = _read(options, options.source)
    if not options.quiet:
        sys.stderr.write(f"{dataset!r}\n")
    written = pipeline.write_report(
        dataset,
        Path(options.out),
        language=options.language,
        plan=Plan(window_days=options.window_days),
        identify=options.identify,
        progress=progress.step,
    )
    sys.stdout.write(f"{written}\n")
    return 0


def _label(options: argparse.Namespace) -> int:
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
    table = label(_read(options, options.messages[0]), window_days=options.window_days)
    pipeline.write_table(table, out)
    progress.step(f"{len(table):,} {options.rows} in {out}")
    return 0


def _score(options: argparse.Namespace) -> int:
    from etiquette_analysis.labels.pitch import explain_pitch

    for text in options.text or (line.rstrip("\n") for line in sys.stdin):
        found = explain_pitch(text)
        if options.json:
            sys.stdout.write(json.dumps(found.as_dict(), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"{found}\n")
    return 0


def _code(options: argparse.Namespace) -> int:
    import shutil

    from etiquette_analysis import coding, pipeline

    out = Path(options.out)
    if out.suffix != ".csv":
        msg = f"--out {out}: expected a name ending in .csv"
        raise DesignError(msg)
    Progress(quiet=options.quiet).step(f"reading {options.source}")
    dataset = _read(options, options.source)
    session = pipeline.coding_session(dataset, out, coder=options.coder, n=options.n, seed=options.seed)
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


def _simulate(options: argparse.Namespace) -> int:
    from etiquette_analysis.simulation import simulate, true_values, write_linkedin

    world = simulate(options.world, n=options.n, seed=options.seed, texts=True)
    write_linkedin(world, options.out)
    truth = true_values(options.world, n=100_000)
    sys.stdout.write(
        f"{options.out}: {world.world.name}. Of 100 new contacts, {100 * truth['now']:.1f} reply to a pitch on day 0-1 "
        f"and {100 * truth['later']:.1f} to one on day 7-30: true difference {100 * truth['rd']:+.1f} points; "
        f"counting shows {100 * truth['counted_any']:+.1f}.\n"
    )
    return 0


def _lab(options: argparse.Namespace) -> int:
    import shutil
    import subprocess

    from etiquette_analysis import pipeline

    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(pipeline.bundled("notebooks").glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copy(notebook, folder / notebook.name)
    sys.stderr.write(f"notebooks in {folder}\n")
    if options.copy_only:
        return 0
    start = [sys.executable, "-m", "jupyter", "lab", "--notebook-dir", str(folder)]
    return subprocess.call([*start, "--no-browser"] if options.no_browser else start)
