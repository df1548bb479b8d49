"""Where tests find what is not in the repository: real data that may not be committed."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy is imported: small matrices on many threads cost more than they save, most of all on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of public research data and export fixtures; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the research data in ../shared/data, which may not be redistributed")
    return SHARED


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the checkout."""
    return ROOT
