"""A home of its own for a module of end-to-end tests, and the command line in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose Postgres goes with it."""
    home = Home(tmp_path_factory.mktemp("e2e") / "home")
    home.root.mkdir()
    yield home
    EmbeddedPostgres(home.postgres).destroy()


@pytest.fixture(scope="module")
def two_tower(home: Home) -> Command:
    """Run `two-tower …` in an environment that knows nothing but the home, and the settings file in it if any."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home.root),
            "TWO_TOWER_HOME": str(home.root),
            "COLUMNS": "200",
            # Beside other tests a second thread spins for a core that it does not get.
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        command = [sys.executable, "-m", "two_tower_assets.cli", *arguments]
        return subprocess.run(command, env=environment, cwd=home.root, capture_output=True, text=True, check=False)

    return run
