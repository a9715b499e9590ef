"""The Dagster instance of a home: its folder, its configuration and its database in the embedded Postgres.

What does not live here: Dagster itself; this only prepares the two variables its commands read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from two_tower_assets.home import Home

DATABASE: Final = "dagster"
THREADS: Final[Mapping[str, str]] = {"GOMP_SPINCOUNT": "20000", "MALLOC_ARENA_MAX": "1"}
"""How the threads of a process get along, where the environment says nothing else.

GOMP_SPINCOUNT: how often one of torch's threads looks for work before it sleeps. Left to itself it takes a core from
whatever else runs for as long as it waits, and fits on a busy machine take twice as long. MALLOC_ARENA_MAX: glibc
gives each thread a heap of its own and keeps there what was freed; works side by side would hold as much again."""


def prepare_instance(home: Home, dagster_url: str | None) -> dict[str, str]:
    """Return DAGSTER_HOME and DAGSTER_POSTGRES_URL, having made what they point at, and how threads get along.

    Args:
        home: where the instance lives.
        dagster_url: Dagster's storage when it is not the embedded Postgres.
    """
    home.dagster.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_instance_file("dagster.yaml"), home.dagster / "dagster.yaml")
    if dagster_url is None:
        # Needs the extra `local`, which is no need where Dagster has a storage of its own.
        from two_tower_assets.local.postgres import EmbeddedPostgres  # noqa: PLC0415

        embedded = EmbeddedPostgres(home.postgres)
        embedded.start()
        dagster_url = embedded.ensure_database(DATABASE)
    return {
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_POSTGRES_URL": for_dagster(dagster_url),
        **{name: os.environ.get(name, value) for name, value in THREADS.items()},
    }


def for_dagster(url: str) -> str:
    """Name the psycopg2 driver, which Dagster's LISTEN/NOTIFY needs; SQLAlchemy 2.1 would take psycopg 3."""
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg2://{rest}"


def workspace_file() -> Path:
    """The workspace file that names this package's code location."""
    return _instance_file("workspace.yaml")


def _instance_file(name: str) -> Path:
    package = Path(__file__).parents[1]
    installed = package / "_instance" / name
    return installed if installed.exists() else package.parent / name
