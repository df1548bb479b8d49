"""Every hostile file ends soon, in bounded memory, with one plain sentence or with a right result."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .cases import CASES

#: Nobody waits longer for a refusal, on a slow and busy machine. The largest file here weighs 257 MiB.
MOST_SECONDS = 20.0
MOST_MEBIBYTES = 600.0


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """How each case ended, read in a process of its own with a limit on memory."""
    pytest.importorskip("resource", reason="limits on memory need the resource module of Unix")
    script = Path(__file__).with_name("cases.py")
    run = [sys.executable, str(script), str(tmp_path_factory.mktemp("hostile")), *CASES]
    shown = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert shown.returncode == 0, shown.stderr[-2000:]
    return {found["name"]: found for found in map(json.loads, shown.stdout.splitlines())}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused_in_one_sentence_or_read_right(endings: dict[str, Any], name: str) -> None:
    case, found = CASES[name], endings[name]
    assert "crash" not in found, found["crash"]
    assert found["seconds"] < MOST_SECONDS
    assert found["mebibytes"] < MOST_MEBIBYTES
    if case.says is None:
        assert (found["says"], found["n"], found["left_out"]) == (None, case.n, case.left_out)
    else:
        assert re.search(case.says, found["says"] or "was read", re.DOTALL), found["says"]
        assert len(found["says"]) < 1_000
        assert "\n" not in found["says"]
