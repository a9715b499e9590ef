"""Dagster's own commands, run on this code location and this home's instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import click

from two_tower_assets.environment import read_environment

_CONSOLE: Final[dict[str, Any]] = {"loggers": {"console": {}}}


def materialize(select: str, data: Path | None) -> None:
    """Materialize assets, selected as Dagster selects them; `data` is a folder of rows."""
    config = ("--config-json", json.dumps(_CONSOLE))
    _dagster("asset", "materialize", "--select", select, *config, data=data, at="at which asset and what to do")


def execute(job: str, ops: dict[str, Any], data: Path | None) -> None:
    """Run a job; `ops` is the configuration of its ops."""
    # This command of Dagster's reads its configuration from a file; JSON is YAML.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({**_CONSOLE, "ops": ops}, file)
        file.flush()
        _dagster("job", "execute", "-j", job, "-c", file.name, data=data, at="why and what to do")


def _dagster(*words: str, data: Path | None, at: str) -> None:
    """Run one of Dagster's own commands on this code location and instance."""
    environment = {**instance_environment(), "PYTHONWARNINGS": "ignore"}
    if data:
        environment["TWO_TOWER_DATA"] = str(data.resolve())
    command = [sys.executable, "-m", "dagster", *words, "-m", "two_tower_assets.definitions"]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise click.ClickException(f"The run stopped; the lines above say {at}.")


def instance_environment() -> dict[str, str]:
    """Return the variables of a process that uses this home's Dagster instance, which is started."""
    from two_tower_assets.local.instance import prepare_instance

    environment = read_environment()
    return {**os.environ, **prepare_instance(environment.home, environment.dagster_url)}
