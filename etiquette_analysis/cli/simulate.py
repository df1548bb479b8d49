"""``etiquette simulate``: an invented export whose true answer is known."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from etiquette_analysis.errors import DesignError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    command.description = (
        "Write a LinkedIn-shaped export of invented people, and print the true difference. A: nothing matters;\n"
        "B: pitching at once harms; D: nothing matters, but senders wait for an answer before they pitch (counting is\n"
        "fooled); E: harm, and the same trap; F: pitching at once helps; see STATISTICS for all letters."
    )
    command.add_argument("world", help="letter of the world: A B C D E F G J K L M N P S")
    command.add_argument("--n", type=int, default=1500, help="connections that can be judged (1500)")
    command.add_argument("--seed", type=int, default=1, help="same seed, same rows (1)")
    command.add_argument("--out", required=True, metavar="PATH", help="folder, or file ending in .zip")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from etiquette_analysis.simulation import simulate, true_values, write_linkedin

    out = Path(options.out)
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        msg = f"--out {out}: is there already, perhaps a real export, and will not be overwritten; choose another"
        raise DesignError(msg)
    world = simulate(options.world, n=options.n, seed=options.seed, texts=True)
    write_linkedin(world, out)
    truth = true_values(options.world, n=100_000)
    sys.stdout.write(
        f"{options.out}: {world.world.name}. Of 100 new contacts, {100 * truth['now']:.1f} reply to a pitch on day 0-1 "
        f"and {100 * truth['later']:.1f} to one on day 7-30: true difference {100 * truth['rd']:+.1f} points; "
        f"counting shows {100 * truth['counted_any']:+.1f}.\n"
    )
    return 0
