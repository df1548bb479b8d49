"""Keys: one per project, for their owner's eyes, never replaced behind anybody's back."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.privacy import key_path, load_key, pseudonym, require_key

posix = pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")


@posix
def test_only_the_owner_may_read_the_key(own_keys: Path) -> None:
    key = load_key()
    assert len(key) == 32
    assert own_keys in key_path().parents
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(key_path().parent.stat().st_mode) == 0o700
    assert [file.name for file in key_path().parent.iterdir()] == ["default.key"], "no half-written key is left"


def test_the_same_project_has_the_same_key_and_another_has_another() -> None:
    assert load_key("one") == load_key("one")
    assert load_key("one") != load_key("two")
    assert pseudonym("Ann", key=load_key("one")) != pseudonym("Ann", key=load_key("two"))


@posix
@pytest.mark.parametrize("rights", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_not_used(rights: int) -> None:
    load_key()
    key_path().chmod(rights)
    with pytest.raises(DesignError, match=r"others on this machine may read .* forget --key default.*chmod 600"):
        load_key()
    key_path().chmod(0o600)
    load_key()


def test_a_broken_key_is_refused() -> None:
    load_key()
    key_path().write_bytes(b"short")
    with pytest.raises(DesignError, match="has 5 bytes; expected 16 to 64"):
        load_key()
    with pytest.raises(DesignError, match="has 65 bytes"):
        require_key(b"x" * 65)


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a b", ".hidden", "x" * 65, "a\n"])
def test_a_project_is_the_name_of_a_file_and_no_way_out(name: str) -> None:
    with pytest.raises(DesignError, match="expected letters, digits"):
        key_path(name)


def test_a_key_made_by_another_run_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    load_key()
    first = key_path().read_bytes()
    exists = iter([False, True])
    monkeypatch.setattr(Path, "exists", lambda _: next(exists, True))
    assert load_key() == first


def test_no_place_for_a_key_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(DesignError, match=r"cannot be read or made .*; set XDG_DATA_HOME to your folder"):
        load_key()
