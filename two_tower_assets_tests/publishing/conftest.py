"""What the publishing tests share: two versions' folders, and a database that has their videos."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.artifacts.versions import feature_space, items, make_version
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, target_at


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions of other weights over the same videos. Nobody may change it."""
    folder = tmp_path_factory.mktemp("artifacts")
    make_version(folder, OLD, videos=VIDEOS, seed=1)
    make_version(folder, NEW, videos=VIDEOS, seed=2)
    return folder


@pytest.fixture
def old(artifacts: Path) -> Path:
    return artifacts / OLD


@pytest.fixture
def new(artifacts: Path) -> Path:
    return artifacts / NEW


@pytest.fixture
def serving(database: str) -> str:
    """URL of a migrated database with the videos of both versions."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.videos (id, title) values (%s, %s)",
            [(video, f"video {i}") for i, video in enumerate(items(feature_space(), VIDEOS).ids.tolist())],
        )
    return database


@pytest.fixture
def target(serving: str, tmp_path: Path) -> Target:
    """That database, and empty buckets in a folder."""
    return target_at(serving, tmp_path / "buckets")
