"""Write the sample export and its datasheet, the same bytes every time: ``python data/sample/make_sample.py``.

The sample is what the report shows before anybody has data of their own, so its truth is known: it comes from a
simulated world in which pitching at once costs replies, and in which counting exaggerates by how much.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from etiquette_analysis.simulation import WORLDS, SimulatedDataset, World, simulate, true_values, write_linkedin
from etiquette_analysis.simulation.people import person

#: Half the selection trap of world E around the harm of world B.
WORLD: Final[World] = replace(
    WORLDS["E"],
    name="harm, half the selection trap",
    immediate=-0.60,
    rapport=0.55,
    reply_hidden=1.0,
    pitch_answered=1.3,
    pitch_unanswered=-0.5,
    answer_hidden=1.2,
)
N_CONTACTS: Final = 1_340
#: The first of 1, 2, 3, ... whose estimate from the true levels lies within half a point of the truth.
SEED: Final = 16
N_TRUTH: Final = 100_000


class Truth(NamedTuple):
    """What is true of the world, in percentage points."""

    now: float
    later: float
    rd: float
    counted: float


def make_dataset() -> SimulatedDataset:
    """Return the simulated messages and connections behind the sample."""
    return simulate(WORLD, n=N_CONTACTS, seed=SEED, texts=True)


def write_sample(folder: Path) -> None:
    """Write the CSV files of the export into ``folder``."""
    write_linkedin(make_dataset(), folder, seed=SEED, clutter=True)


def compute_truth() -> Truth:
    """Return the true effect from potential outcomes under both strategies, and what counting shows on average."""
    values = true_values(WORLD, n=N_TRUTH)
    return Truth(*(100 * values[key] for key in ("now", "later", "rd", "counted_any")))


def datasheet(folder: Path, truth: Truth) -> str:
    """Return the text of README.md; every number in it is computed."""
    dataset = make_dataset()
    messages = pd.read_csv(folder / "messages.csv")
    invitations = pd.read_csv(folder / "Invitations.csv")
    size = sum(file.stat().st_size for file in sorted(folder.glob("*.csv"))) / 1e6
    levels = dataset.levels.value_counts()
    template = (Path(__file__).parent / "datasheet.md").read_text(encoding="utf-8")
    return template.format(
        owner=person(str(dataset.ego)).name,
        n_connections=f"{len(dataset.connections):,}",
        n_rows=f"{len(messages):,}",
        n_clutter=f"{len(messages) - _n_shown(dataset, messages):,}",
        n_messages=f"{len(dataset.messages):,}",
        n_invitations=f"{len(invitations):,}",
        n_notes=f"{int(invitations['Message'].notna().sum()):,}",
        n_moderate=f"{int(levels['moderate']):,}",
        n_hard=f"{int(levels['hard']):,}",
        size=f"{size:.1f}",
        until=f"{dataset.observed_until:%Y-%m-%d}",
        seed=SEED,
        world=WORLD.name,
        n_truth=f"{N_TRUTH:,}",
        now=f"{truth.now:.1f}",
        later=f"{truth.later:.1f}",
        rd=f"{truth.rd:+.1f}",
        counted=f"{truth.counted:+.1f}",
    )


def _n_shown(dataset: SimulatedDataset, messages: pd.DataFrame) -> int:
    """Return how many rows of messages.csv come from the world: a note counts where the thread repeats it."""
    notes = dataset.messages["kind"].eq("invitation")
    note_times = set(dataset.messages["sent_at"][notes].dt.strftime("%Y-%m-%d %H:%M:%S UTC"))
    return int((~notes).sum()) + int(messages["DATE"].isin(note_times).sum())


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    write_sample(here)
    (here / "README.md").write_text(datasheet(here, compute_truth()), encoding="utf-8")
