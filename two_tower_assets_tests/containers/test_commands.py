"""Every command of the compose file and of the image, run in order on this machine over a real Postgres."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from two_tower_assets.local.account import server_account
from two_tower_assets.local.binaries import find_binaries
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.containers.compose_file import COMPOSE, REPOSITORY, REQUIRED, Service, read_services
from two_tower_assets_tests.containers.image_file import read_image
from two_tower_assets_tests.containers.outside import Outside
from two_tower_assets_tests.loopback import free_port

QUESTION = """{
  workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
}"""


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """A cluster as the Postgres image leaves it when its volume is new, and the image's files."""
    postgres = EmbeddedPostgres(tmp_path / "postgres", settings=THROW_AWAY)
    postgres.start()
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        _first_start(connection, read_services(REQUIRED)["postgres"])
        port = connection.info.port
    shutil.copyfile(REPOSITORY / "infra" / "workspace.docker.yaml", tmp_path / "workspace.yaml")
    programs = find_binaries(server_account()).program("pg_isready").parent
    outside = Outside(tmp_path, programs, port, code_port=free_port(), web_port=free_port())
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(outside.words(workspace.read_text(encoding="utf-8")), encoding="utf-8")
    yield outside
    postgres.destroy()


def _first_start(connection: psycopg.Connection, service: Service) -> None:
    """Make the role and the database that the environment names, and run what is mounted for the first start."""
    said = service["environment"]
    role, database = sql.Identifier(said["POSTGRES_USER"]), sql.Identifier(said["POSTGRES_DB"])
    password = sql.Literal(said["POSTGRES_PASSWORD"])
    connection.execute(sql.SQL("create role {} superuser login password {}").format(role, password))
    connection.execute(sql.SQL("create database {} owner {}").format(database, role))
    (script,) = (volume.split(":")[0] for volume in service["volumes"] if "docker-entrypoint-initdb.d" in volume)
    connection.execute((COMPOSE.parent / script).read_bytes())


def test_every_command_works_in_order(outside: Outside) -> None:
    """Postgres passes its check, `prepare` ends well, and each server fails its check before it runs and passes then.

    At last the UI knows the code location, and every daemon that is needed is healthy.
    """
    image, services = read_image(), read_services(REQUIRED)
    postgres = services.pop("postgres")
    asked = outside.run(postgres["healthcheck"]["test"][1:], outside.environment(image, postgres))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    with ExitStack() as stack:
        for name, service in services.items():
            _start(name, service, outside, stack)
        told = httpx.post(outside.words("http://127.0.0.1:3000/graphql"), json={"query": QUESTION}).json()["data"]
    locations = told["workspaceOrError"]["locationEntries"]
    assert locations == [{"name": "two_tower_assets", "locationOrLoadError": {"__typename": "RepositoryLocation"}}]
    statuses = told["instance"]["daemonHealth"]["allDaemonStatuses"]
    assert {status["daemonType"] for status in statuses} >= {"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR"}
    assert all(status["healthy"] for status in statuses if status["required"])


def _start(name: str, service: Service, outside: Outside, stack: ExitStack) -> None:
    image = read_image()
    environment = outside.environment(image, service)
    command = service.get("command", image.command)
    kind, *words = service.get("healthcheck", {"test": ["CMD", *image.health]})["test"]
    if kind == "NONE":
        ended = outside.run(command, environment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return
    assert kind == "CMD"
    assert outside.run(words, environment).returncode != 0, f"{name} passes its check before it runs"
    process = stack.enter_context(outside.running(name, command, environment))
    outside.until_healthy(name, process, words, environment)
