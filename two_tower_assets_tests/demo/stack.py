"""The parts that the demo runs on, each the real one, behind the URL of a gateway of the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from two_tower_assets.environment import read_environment
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.publishing.target import Target
from two_tower_assets.storage.buckets import Buckets, open_buckets
from two_tower_assets_tests.demo.world import fill
from two_tower_assets_tests.functions.deno import Deno

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[1] / "infra" / "local" / "demo"


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    url: str
    """What clients use as SUPABASE_URL."""
    database: str = field(repr=False)
    """Postgres URL of the database behind it."""
    keys: ProjectKeys
    postgrest: PostgREST
    """To be stopped and started by tests of failures; it comes back at the same port."""
    deno: Deno
    environment: dict[str, str] = field(repr=False)
    """What the gateway is told."""


@contextmanager
def running(
    folder: Path, *, database: str, keys: ProjectKeys, programs: Path, port: int, deno: Deno
) -> Iterator[Stack]:
    """Fill an empty migrated database, release a version, and serve both until the block ends."""
    with ExitStack() as parts:
        storage = parts.enter_context(StorageServer(folder / "storage", key=keys.service_role))
        buckets = _buckets(storage.url, keys, folder)
        fill(Target(database, buckets), folder / "artifacts")
        postgrest = PostgREST(
            folder / "postgrest",
            database_url=authenticator_url(database, keys),
            keys=keys,
            programs=programs,
            port=port,
        )
        parts.enter_context(postgrest)
        environment = {
            "SUPABASE_SERVICE_ROLE_KEY": keys.service_role,
            "SUPABASE_ANON_KEY": keys.anon,
            "SUPABASE_JWT_SECRET": keys.secret,
            "MODEL_ARTIFACT_BASE_URL": buckets.base_url,
            "POSTGREST_URL": postgrest.url,
            # Rare enough chances would make a list that differs from run to run.
            "EXPLORE_SHARE": "0",
        }
        yield Stack(parts.enter_context(gateway(deno, environment)), database, keys, postgrest, deno, environment)


def _buckets(url: str, keys: ProjectKeys, folder: Path) -> Buckets:
    variables = {"SUPABASE_URL": url, "SUPABASE_SERVICE_ROLE_KEY": keys.service_role}
    return open_buckets(read_environment(variables, folder=folder), "tests")


@contextmanager
def gateway(deno: Deno, environment: dict[str, str]) -> Iterator[str]:
    """Serve the paths of a project and the demo until the block ends; returns the URL."""
    allowed = ("--allow-env", "--allow-net=127.0.0.1", f"--allow-read={DEMO}")
    command = deno.command("run", "--quiet", "--no-check", *allowed, HERE / "gateway.ts")
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, f"the gateway ended with {process.wait()}"
        try:
            yield url
        finally:
            process.terminate()
