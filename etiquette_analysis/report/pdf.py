"""The page on paper: ``report.pdf``, printed by a Chromium that is already on the machine.

Nothing is installed and nothing is fetched: the browser opens one file of ours, which holds no script, with an empty
profile that is thrown away and with every name of the network unresolvable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from etiquette_analysis.errors import EtiquetteError

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
#: Where browsers are that no command finds: macOS, then Windows below its folders of programs.
_APPLICATIONS: Final = ("Google Chrome", "Chromium", "Microsoft Edge")
_WINDOWS: Final = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
_WINDOWS_FOLDERS: Final = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
TIMEOUT_SECONDS: Final = 120
_OPTIONS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def find_chromium() -> str:
    """Return the path of a Chromium, Chrome or Edge.

    Raises
    ------
    EtiquetteError
        Where there is none, saying what to do.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        found = next((str(path) for path in _usual_places() if path.is_file()), None)
    if found is None:
        msg = (
            "no PDF can be written, because neither Chromium nor Chrome nor Edge was found on this machine; install "
            "one (e.g. apt-get install chromium), or leave out --pdf, open index.html and print it from any browser"
        )
        raise EtiquetteError(msg)
    return found


def _usual_places() -> list[Path]:
    places = [Path("/Applications", f"{name}.app", "Contents", "MacOS", name) for name in _APPLICATIONS]
    folders = [Path(os.environ[name]) for name in _WINDOWS_FOLDERS if os.environ.get(name)]
    return [*places, *(folder / name for folder in folders for name in _WINDOWS)]


def print_pdf(page: Path, out: Path, *, chromium: str) -> None:
    """Print a page; ``out`` appears whole or not at all.

    Parameters
    ----------
    page : Path
        ``index.html``.
    out : Path
        The PDF, in the same folder.
    chromium : str
        From :func:`find_chromium`.

    Raises
    ------
    EtiquetteError
        Where the browser fails or writes nothing; the page itself stays.
    """
    unfinished = out.with_name(f".{out.name}")
    with tempfile.TemporaryDirectory(prefix="etiquette-pdf-", ignore_cleanup_errors=True) as profile:
        command = [chromium, *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={unfinished.resolve()}"]
        # The administrator of a machine, as in a container, has no lesser user to lock the browser into.
        command += ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        try:
            done = subprocess.run(
                [*command, page.resolve().as_uri()], capture_output=True, timeout=TIMEOUT_SECONDS, check=False
            )
            why = f"exit code {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            why = type(error).__name__
    try:
        is_pdf = unfinished.read_bytes()[:4] == b"%PDF"
    except OSError:
        is_pdf = False
    if not is_pdf:
        unfinished.unlink(missing_ok=True)
        msg = f"{page}: is written, but {Path(chromium).name} printed no PDF of it ({why}); print it from any browser"
        raise EtiquetteError(msg)
    unfinished.replace(out)
