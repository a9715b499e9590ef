"""One home with two releases, and one stack that serves it, for all tests of the stack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from two_tower_assets.database.migrate import migrate
from two_tower_assets.environment import read_environment
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.target import Target
from two_tower_assets.storage.buckets import open_buckets
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.defs.two_releases import make_two, release_two
from two_tower_assets_tests.e2e.stack.people import put_people
from two_tower_assets_tests.e2e.stack.running import Up, brought_up, two_tower

DATASET = "sample"


@dataclass(frozen=True)
class Released:
    """A home in which two versions were released, the later one live."""

    home: Home
    target: Target

    @property
    def database(self) -> str:
        """URL of the serving database."""
        return self.target.url


@pytest.fixture(scope="package")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    """The home, its Postgres running."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH, which brings PostgREST")
    pytest.importorskip("deno", reason="no Deno, which runs the functions: pip install deno")
    folder = tmp_path_factory.mktemp("stack")
    home = Home(folder / "home")
    home.root.mkdir()
    postgres = EmbeddedPostgres(home.postgres, settings=THROW_AWAY)
    postgres.start()
    yield _release(home, postgres.ensure_database(DATASET), folder / "versions")
    two_tower(home.root, "down")
    postgres.destroy()


@pytest.fixture(scope="package")
def up(released: Released) -> Iterator[Up]:
    """The stack, as `two-tower up` starts it; it looks for a new release five times a second."""
    with brought_up(released.home.root, MODEL_REFRESH_SECONDS="0.2") as running:
        yield running


def _release(home: Home, url: str, versions: Path) -> Released:
    migrate(url)
    environment = read_environment({"TWO_TOWER_HOME": str(home.root)}, folder=home.root)
    target = Target(url, open_buckets(environment, DATASET))
    release_two(target, make_two(versions), home.artifacts)
    put_people(url)
    return Released(home, target)
