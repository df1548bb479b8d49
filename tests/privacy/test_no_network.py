"""Everything runs with the network cut off: Python's sockets refused here and in the kernel, and, where the system
allows it, in a network namespace without any way out, which C libraries (DuckDB, ZeroMQ) cannot get around either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.privacy import no_network

SCRIPT = Path(no_network.__file__)


def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which every Python started blocks its sockets, and no key of the user is touched."""
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    shutil.copy(SCRIPT, site / "sitecustomize.py")
    paths = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    return os.environ | {
        "PYTHONPATH": paths,
        "XDG_DATA_HOME": str(tmp_path / "home"),
        no_network.LOG: str(tmp_path / "network.log"),
    }


def run(
    tmp_path: Path, *arguments: str, stdin: str = "", before: tuple[str, ...] = (), flags: tuple[str, ...] = ()
) -> str:
    command = [*before, sys.executable, str(SCRIPT), str(tmp_path / "network.log"), *flags, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment(tmp_path), timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from etiquette_analysis.cli import main

    out = tmp_path_factory.mktemp("world") / "w.zip"
    assert main(["simulate", "D", "--n", "60", "--out", str(out)]) == 0
    return out


def test_with_sockets_blocked(world: Path, tmp_path: Path) -> None:
    commands = [
        ("label", str(world), "--out", str(tmp_path / "turns.csv")),
        ("score", "20% off until Friday"),
        ("code", str(world), "--out", str(tmp_path / "codes.csv")),
        ("simulate", "A", "--n", "30", "--out", str(tmp_path / "w2.zip")),
        ("pseudonymise", str(world), str(tmp_path / "shareable"), "--text", "redacted"),
        ("lab", "--folder", str(tmp_path / "lab"), "--copy-only"),
        ("forget", str(tmp_path / "shareable"), "--yes"),
    ]
    said = run(tmp_path, *[part for command in commands for part in (*command, "--then")][:-1], stdin="1\nq\n")
    assert "hard (score" in said
    assert not (tmp_path / "network.log").exists(), (tmp_path / "network.log").read_text()


def test_blocking_blocks(tmp_path: Path) -> None:
    """The guard is alive in every Python below, and the log would tell."""
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(tmp_path))
    assert "network blocked" in done.stderr
    assert "192.0.2.1" in (tmp_path / "network.log").read_text()


NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")


@pytest.fixture(scope="module")
def namespace() -> tuple[str, ...]:
    """Return what starts a program without any network; empty where the system does not let users do that."""
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ()
    return NAMESPACE


def test_report_and_large_files_without_a_network(namespace: tuple[str, ...], world: Path, tmp_path: Path) -> None:
    """The kernel talks over loopback; DuckDB and ZeroMQ have sockets of their own, which only a namespace ends."""
    import etiquette_analysis as ea

    dataset = ea.read(world)
    dataset.messages.to_parquet(tmp_path / "m.parquet", index=False)
    dataset.connections.to_parquet(tmp_path / "c.parquet", index=False)
    files = (str(tmp_path / "m.parquet"), "--connections", str(tmp_path / "c.parquet"))
    commands = [
        *("label", *files, "--out", str(tmp_path / "big.parquet"), "--then"),
        *("report", str(world), "--out", str(tmp_path / "report")),
    ]
    run(tmp_path, *commands, before=namespace, flags=("--namespace",) if namespace else ())
    assert (tmp_path / "report" / "index.html").exists()
    assert (tmp_path / "big.parquet").exists()
    assert not (tmp_path / "network.log").exists(), (tmp_path / "network.log").read_text()


def test_the_namespace_has_no_way_out(namespace: tuple[str, ...]) -> None:
    if not namespace:
        pytest.skip("needs a Linux that lets users make network namespaces (unshare)")
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([*namespace, sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "unreachable" in done.stderr
