"""What comes with the package: the invented sample and the notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from etiquette_analysis.schema import Dataset

PACKAGE: Final = Path(__file__).resolve().parents[1]


def bundled(name: Literal["sample", "notebooks"]) -> Path:
    """Return a folder that lies beside the package in a checkout and inside it once installed."""
    beside = PACKAGE.parent / {"sample": "data/sample", "notebooks": "notebooks"}[name]
    return beside if beside.is_dir() else PACKAGE / f"_{name}"


def load_sample() -> Dataset:
    """Read the invented LinkedIn export that comes with the package (about 1,450 connections; safe to publish).

    Examples
    --------
    >>> load_sample().source
    'sample'
    """
    from dataclasses import replace

    from etiquette_analysis.sources import read_linkedin

    return replace(read_linkedin(bundled("sample")), source="sample")
