"""The stack that the demo is tested on: one for all tests, with people enough for each test to have its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.demo.stack import Stack, running
from two_tower_assets_tests.evaluation.page.browser import chromium
from two_tower_assets_tests.functions.deno import Deno
from two_tower_assets_tests.loopback import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DATABASE = "demo"


@pytest.fixture(scope="session")
def stack(
    cluster: EmbeddedPostgres,
    migrated_template: str,
    project_keys: ProjectKeys,
    programs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A running stack with the sample's people and a live release."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"create database {DATABASE} template {migrated_template}")
    with running(
        tmp_path_factory.mktemp("demo"),
        database=cluster.url(DATABASE),
        keys=project_keys,
        programs=programs,
        port=free_port(),
        deno=Deno(Path(sys.executable).parent / "deno"),
    ) as started:
        yield started
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"drop database {DATABASE} with (force)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real one."""
    with chromium() as started:
        yield started


@pytest.fixture
def deno(stack: Stack) -> Deno:
    """The Deno that the stack runs on."""
    return stack.deno
