"""The one tidy form of a notebook in this repository: sources only, so that a diff shows what was changed by hand.

Outputs are not kept: on a personal export they hold other people's messages. ``python -m
etiquette_analysis.report.notebooks FILE ...`` puts files into that form.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

_METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tidy(notebook: Any) -> Any:
    """Return a copy without outputs, counts and volatile metadata; cell ids and tags stay."""
    import nbformat

    cells = []
    for cell in notebook.cells:
        kept = {"id": cell["id"], "cell_type": cell["cell_type"], "source": cell["source"].strip("\n")}
        kept["metadata"] = {"tags": cell["metadata"]["tags"]} if cell["metadata"].get("tags") else {}
        if cell["cell_type"] == "code":
            kept |= {"outputs": [], "execution_count": None}
        cells.append(nbformat.from_dict(kept))  # type: ignore[no-untyped-call]
    bare = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(bare)  # type: ignore[no-untyped-call]


def tidy_text(path: Path) -> str:
    """Return the tidy form of a notebook file."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return str(nbformat.writes(tidy(notebook))) + "\n"  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(tidy_text(Path(name)), encoding="utf-8")
