"""What the tests of automation share: a live release, and a Dagster instance that remembers nothing afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets_tests.defs.automation.ticking import Live
from two_tower_assets_tests.defs.two_releases import release_two
from two_tower_assets_tests.publishing.releasing import target_at

SETTINGS = """
[automation]
retrain_after_decisions = 5
retrain_after_videos = 3
max_new_videos = 4
retry_videos_minutes = 30
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield instance


@pytest.fixture
def empty(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    """A home over a migrated database in which nothing was ever released."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_STORAGE_URL", str(tmp_path / "buckets"))
    monkeypatch.setenv("SUPABASE_DB_URL", database)
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    (tmp_path / "two_tower.toml").write_text(SETTINGS)
    return Live(database, tmp_path / "home", target_at(database, tmp_path / "buckets"))


@pytest.fixture
def live(empty: Live, versions: Path) -> Live:
    """The same after two releases, of which NEW is live."""
    release_two(empty.target, versions, empty.home / "artifacts")
    return empty
