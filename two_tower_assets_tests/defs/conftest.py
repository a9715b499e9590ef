"""What the tests of commands and jobs share: the files of two versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets_tests.defs.two_releases import make_two


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions. Nobody may change it."""
    return make_two(tmp_path_factory.mktemp("versions") / "artifacts")
