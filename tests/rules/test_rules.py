"""Rules of CONTRIBUTING.md that a script can hold: each failure says what to do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "etiquette_analysis"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Room -> rooms it may import, besides itself (DESIGN.md, "The flow").
MAY_IMPORT = {
    "errors": set(),
    "schema": {"errors"},
    "sources": {"errors", "schema"},
    "labels": {"errors", "schema"},
    "engine": {"errors", "schema", "labels"},
    "analysis": {"errors", "schema"},
    "report": {"errors", "schema", "analysis"},
    "privacy": {"errors", "schema"},
    "coding": {"errors", "schema", "labels"},
    "simulation": {"errors", "schema"},
    "public": {"errors", "schema", "sources", "labels", "analysis"},
}
ONLY_IN_ENGINE = {"duckdb", "pyspark"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: write absolute imports"
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_in_one_direction(path: Path) -> None:
    room = room_of(path)
    names = imported_names(path)
    if room in MAY_IMPORT:
        rooms = {n.split(".")[1] for n in names if n.startswith("etiquette_analysis.")}
        known = {r for r in rooms if (PACKAGE / r).exists() or (PACKAGE / f"{r}.py").exists()}
        wrong = known - MAY_IMPORT[room] - {room}
        assert not wrong, f"{room} may not import {sorted(wrong)}; move the code, or meet in pipeline/"
    outside = {n.split(".")[0] for n in names} & ONLY_IN_ENGINE
    assert not outside or room == "engine", f"only engine imports {sorted(outside)}"


def test_analysis_never_touches_text() -> None:
    for path in sorted((PACKAGE / "analysis").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            key = node.slice if isinstance(node, ast.Subscript) else None
            assert not (isinstance(key, ast.Constant) and key.value == "text"), (
                f"{path.name}: reads a column 'text'; analysis works on labelled, text-free tables"
            )


def test_public_names_exist() -> None:
    import etiquette_analysis as ea

    missing = []
    for name in ea.__all__:
        try:
            getattr(ea, name)
        except (ImportError, AttributeError) as error:
            missing.append(f"{name}: {error}")
    assert not missing, "\n".join(missing)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'; its public names are"):
        ea.nonsense  # noqa: B018


def test_import_is_lazy() -> None:
    heavy = "{'pandas', 'numpy', 'statsmodels', 'matplotlib'}"
    code = f"import sys, etiquette_analysis; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]", "import etiquette_analysis must not import pandas; import in the rooms"


def test_help_is_lazy() -> None:
    code = (
        "import sys\nfrom etiquette_analysis.cli import build_parser\nbuild_parser().format_help()\n"
        "print(sorted({'pandas', 'numpy'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]", "etiquette --help must not import pandas; import inside the command"


def tracked_files() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a checkout")
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_registry_hosts_and_no_machine_paths() -> None:
    # Spelled in parts, so that this file does not contain what it forbids.
    hosts = ["pypi" + r"\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs"]
    paths = ["/root" + "/", "/home" + r"/\w+/", r"(?<![\w.])/work" + "/"]
    forbidden = re.compile("|".join(hosts + paths))
    found = []
    for path in tracked_files():
        if path.suffix in {".npz", ".png", ".gz", ".zip"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if forbidden.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line[:100]}")
    assert not found, "take hosts and machine paths out:\n" + "\n".join(found)


def pins(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text, f"{path.name} names a host: make it with `make lock`"
    pinned = {}
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        match = re.match(r"([a-z0-9][a-z0-9._-]*)==(\S+)", block)
        assert match, f"{path.name}: not pinned: {block[:60]}"
        assert "--hash=sha256:" in block, f"{path.name}: no hash: {block[:60]}"
        pinned[match[1].replace("_", "-")] = match[2]
    return pinned


def wanted_by_file() -> dict[str, list[str]]:
    """What each file of requirements must cover, and CONTRIBUTING.md explain."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    extras = project["optional-dependencies"]
    wanted = {"all": project["dependencies"] + extras["dev"], "spark": extras["spark"], **settings["dependency-groups"]}
    return {
        name: [re.split(r"[<>=\[! ]", w)[0].lower().replace("_", "-") for w in list_] for name, list_ in wanted.items()
    }


@pytest.mark.parametrize(("name", "wanted"), wanted_by_file().items())
def test_requirements_are_pinned_hashed_and_complete(name: str, wanted: list[str]) -> None:
    pinned = pins(ROOT / "requirements" / f"{name}.txt")
    assert not set(wanted) - set(pinned), f"requirements/{name}.txt does not cover pyproject.toml: run `make lock`"
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    silent = [w for w in wanted if f"`{w}`" not in contributing]
    assert not silent, f"CONTRIBUTING.md does not say why we depend on {silent}"


def test_installed_is_pinned() -> None:
    from importlib import metadata

    from packaging.requirements import Requirement

    lines = (ROOT / "requirements" / "all.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith((" ", "#")) or not line.strip():
            continue
        wanted = Requirement(line.removesuffix("\\").strip())
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{wanted.name} is not installed: not the environment that `make env` builds")
        assert wanted.specifier.contains(version), f"{wanted.name} {version} is installed, {wanted.specifier} is pinned"


def test_no_rooms_without_meaning() -> None:
    vague = [p.name for p in MODULES if p.stem in {"utils", "helpers", "common", "misc"}]
    assert not vague, f"name a module by its one concept, not {vague}"


def test_every_command_is_in_the_readme() -> None:
    from etiquette_analysis.cli import build_parser

    actions = [a for a in build_parser()._actions if a.dest == "command"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in actions[0].choices if f"etiquette {name}" not in readme]
    assert not missing, f"README.md does not show the commands {missing}"
