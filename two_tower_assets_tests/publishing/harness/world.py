"""A small world that releases are killed in: two versions published, a third on disk, and buckets in a folder.

It is made once, and each attempt gets a copy of its database and of its buckets.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.target import Target
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.artifacts.versions import feature_space, items, make_version
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, release, target_at

OLDER = "20260228T120000Z-0123456"
SETTINGS = ReleaseSettings(min_ann_recall=0.9, min_filtered_ann_recall=0.9, keep_versions=2)


@dataclass(frozen=True)
class World:
    """What every attempt starts from."""

    cluster: EmbeddedPostgres
    template: str
    """Database in which OLDER was live before OLD."""
    folder: Path
    """Holds `artifacts/<version>/` of all three and `buckets/`."""

    def version(self, name: str) -> Path:
        """A version's folder."""
        return self.folder / "artifacts" / name

    @contextmanager
    def attempt(self) -> Iterator[tuple[Target, Path]]:
        """A copy of the database and of the buckets, and where the buckets lie; gone afterwards."""
        name = f"attempt_{uuid.uuid4().hex}"
        with psycopg.connect(self.cluster.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(self.template))
            )
            buckets = shutil.copytree(self.folder / "buckets", self.folder / name)
            try:
                yield target_at(self.cluster.url(name), buckets), buckets
            finally:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
                shutil.rmtree(buckets)


def make_world(cluster: EmbeddedPostgres, migrated: str, folder: Path) -> World:
    """Publish OLDER, then OLD, and write NEW's folder.

    Args:
        cluster: a running Postgres.
        migrated: a database in it with all migrations applied; it is copied.
        folder: an empty folder.
    """
    template = f"world_{uuid.uuid4().hex}"
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(template), sql.Identifier(migrated))
        )
    world = World(cluster, template, folder)
    url = cluster.url(template)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        ids = items(feature_space(), VIDEOS).ids.tolist()
        cursor.executemany("insert into public.videos (id, title) values (%s, %s)", [(id_, "") for id_ in ids])
    for seed, version in enumerate((OLDER, OLD, NEW)):
        make_version(folder / "artifacts", version, videos=VIDEOS, seed=seed)
    target = target_at(url, folder / "buckets")
    for version in (OLDER, OLD):
        release(target, world.version(version), SETTINGS)
    return world
