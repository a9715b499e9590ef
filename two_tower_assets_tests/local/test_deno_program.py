from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.deno_program import VERSION, find_deno, infra_folder

deno = pytest.importorskip("deno", reason="no Deno: pip install deno")


def test_the_program_is_the_version_that_is_installed() -> None:
    """What runs says the version that the extra pins."""
    said = subprocess.check_output([find_deno(), "--version"], text=True)
    assert said.startswith(f"deno {VERSION} ")
    project = tomllib.loads((infra_folder().parent / "pyproject.toml").read_text())["project"]
    assert f"deno=={VERSION}" in project["optional-dependencies"]["local"]


def test_other_bytes_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of another hash is refused with its path and the hash that it has."""
    other = tmp_path / "deno"
    other.write_bytes(b"")
    monkeypatch.setattr(deno, "find_deno_bin", lambda: str(other))
    with pytest.raises(LocalStackError, match="e3b0c44298fc1c14") as caught:  # SHA-256 of nothing
        find_deno()
    assert str(other) in str(caught.value)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says what to install."""
    monkeypatch.setitem(sys.modules, "deno", None)
    with pytest.raises(LocalStackError, match=r"pip install .*two-tower-assets\[local\]"):
        find_deno()


def test_the_functions_lie_beside_the_gateway() -> None:
    """Both are below one folder, as the gateway's imports need."""
    assert (infra_folder() / "local" / "gateway" / "main.ts").is_file()
    assert (infra_folder() / "supabase" / "functions" / "deno.json").is_file()
