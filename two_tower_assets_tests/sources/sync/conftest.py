"""A project with rows behind a real PostgREST, and an empty copy in another database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets_tests.conftest import _database
from two_tower_assets_tests.publishing.gateway import Gateway, gateway
from two_tower_assets_tests.sources.sync.project import Project, fill


@pytest.fixture
def copy_url(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """URL of a second migrated database without rows."""
    yield from _database(cluster, template=migrated_template)


@pytest.fixture
def front(postgrest: PostgREST) -> Iterator[Gateway]:
    """The paths of a project before PostgREST, with faults on demand."""
    with gateway(postgrest.url) as state:
        yield state


@pytest.fixture
def project(database: str, front: Gateway, project_keys: ProjectKeys) -> Project:
    """A project with rows."""
    fill(database)
    return Project(database, front, project_keys.service_role)
