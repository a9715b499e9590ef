"""Deno as the functions run in it, and model versions for it to read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from two_tower_assets_tests.functions.deno import Deno
from two_tower_assets_tests.functions.versions_for_deno import write_versions


@pytest.fixture(scope="session")
def deno() -> Deno:
    """The Deno of the environment that pytest runs in."""
    return Deno(Path(sys.executable).parent / "deno")


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, deno: Deno) -> Path:
    """Folder of three model versions, made by Python, and of what it computes for comparison."""
    folder = tmp_path_factory.mktemp("versions")
    write_versions(folder, deno.wasm())
    return folder
