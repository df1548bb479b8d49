"""The key behind the pseudonyms: one per project, in a file that only its owner can read, outside every output.

Two studies with two keys cannot be linked through their pseudonyms; within one, the same person keeps the same
pseudonym from run to run. Who has the key can test any guess ("is this Ann?"), so it is never sent along, and it is not
used while others can read it. Without it, nobody can look anybody up again: that is what deleting it is for.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

from etiquette_analysis.errors import DesignError

KEY_BYTES: Final = 32
#: The project of who names none.
DEFAULT_PROJECT: Final = "default"
_PROJECT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def require_key(key: bytes) -> bytes:
    """Return ``key``; ``DesignError`` where it is too short to keep a secret or too long for BLAKE2b."""
    if not 16 <= len(key) <= 64:
        msg = f"the pseudonym key has {len(key)} bytes; expected 16 to 64, e.g. secrets.token_bytes(32)"
        raise DesignError(msg)
    return key


def keys_folder() -> Path:
    """Return where this user's keys are kept: below ``$XDG_DATA_HOME``, or ``~/.local/share``."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(base) / "etiquette_analysis" / "keys"


def key_path(project: str = DEFAULT_PROJECT) -> Path:
    """Return where the key of a project is kept; the file need not exist.

    Raises
    ------
    DesignError
        Where the name of the project would not do as the name of a file.

    Examples
    --------
    >>> key_path("study-1").name
    'study-1.key'
    """
    if not _PROJECT.fullmatch(project):
        msg = f"project {project!r}: expected letters, digits, '.', '_' and '-', at most 64, e.g. study-2024"
        raise DesignError(msg)
    return keys_folder() / f"{project}.key"


def load_key(project: str = DEFAULT_PROJECT) -> bytes:
    """Return the key of a project, made at the first call with rights for its owner alone.

    Raises
    ------
    DesignError
        Where the file cannot be read or made, or others may read it.
    """
    where = key_path(project)
    try:
        if not where.exists():
            _make(where)
        if os.name == "posix" and where.stat().st_mode & 0o077:
            msg = (
                f"{where}: others on this machine may read the pseudonym key, so it may be known; make a new one after "
                f"`etiquette forget --key {project}`, or keep it with `chmod 600`"
            )
            raise DesignError(msg)
        return require_key(where.read_bytes())
    except OSError as error:
        msg = f"{where}: the pseudonym key cannot be read or made ({error.strerror}); set XDG_DATA_HOME to your folder"
        raise DesignError(msg) from error


def _make(where: Path) -> None:
    """Write a new key beside its place and link it there: whole or not at all, and never over another's."""
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = where.with_name(f".{where.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        where.hardlink_to(part)
    except FileExistsError:
        return
    finally:
        part.unlink()
