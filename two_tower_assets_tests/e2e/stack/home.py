"""One home with two releases and people in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.database.migrate import migrate
from two_tower_assets.environment import read_environment
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.target import Target
from two_tower_assets.storage.buckets import open_buckets
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.defs.two_releases import make_two, release_two
from two_tower_assets_tests.e2e.stack.people import put_people
from two_tower_assets_tests.e2e.stack.running import two_tower

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

    @property
    def stored(self) -> Path:
        """The folder in the public bucket that holds a folder for each version."""
        return self.home.storage / DATASET / "model-artifacts" / "two-tower" / "v3"


@contextmanager
def released_home(folder: Path) -> Iterator[Released]:
    """Make the home in a folder; its Postgres runs until the block ends."""
    home = Home(folder / "home")
    home.root.mkdir()
    postgres = EmbeddedPostgres(home.postgres, settings=THROW_AWAY)
    postgres.start()
    try:
        yield _release(home, postgres.ensure_database(DATASET), folder / "versions")
        two_tower(home.root, "down")
    finally:
        postgres.destroy()


def _release(home: Home, url: str, versions: Path) -> Released:
    migrate(url)
    environment = read_environment({"TWO_TOWER_HOME": str(home.root)}, folder=home.root)
    target = Target(url, open_buckets(environment, DATASET))
    release_two(target, make_two(versions), home.artifacts)
    put_people(url)
    return Released(home, target)
