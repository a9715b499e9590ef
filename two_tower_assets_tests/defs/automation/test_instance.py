from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import (
    ModuleTarget,
    PyProjectFileTarget,
    WorkspaceFileTarget,
    WorkspaceLoadTarget,
)

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.going import ONE_AT_A_TIME
from two_tower_assets.home import Home
from two_tower_assets.local.instance import prepare_instance, workspace_file

ROOT = Path(__file__).parents[3]
SPELLINGS: dict[str, WorkspaceLoadTarget] = {
    "-w workspace.yaml": WorkspaceFileTarget([str(workspace_file())]),
    "pyproject.toml": PyProjectFileTarget(str(ROOT / "pyproject.toml")),
    "-m two_tower_assets.definitions": ModuleTarget("two_tower_assets.definitions", None, None, "two_tower_assets"),
}


@pytest.fixture
def loaded(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance as every command loads it: from the file, the environment and a real Postgres."""
    for name, value in prepare_instance(Home(tmp_path), empty_database).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_every_key_of_the_file_is_one_that_dagster_knows_and_has_an_effect(loaded: dg.DagsterInstance) -> None:
    """Storage in Postgres, one run of each kind at a time, runs watched, ticks purged, nothing sent to anybody."""
    assert type(loaded.run_storage).__name__ == "PostgresRunStorage"
    assert not loaded.telemetry_enabled
    assert not loaded.nux_enabled
    limits = loaded.get_concurrency_config().run_queue_config
    assert limits is not None
    assert limits.max_concurrent_runs == 4
    (limit,) = limits.tag_concurrency_limits
    assert limit == {"key": ONE_AT_A_TIME, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    assert loaded.run_monitoring_enabled
    assert loaded.run_monitoring_max_runtime_seconds == 12 * 3600
    assert loaded.run_monitoring_start_timeout_seconds == loaded.run_monitoring_cancel_timeout_seconds == 300
    assert not loaded.run_retries_enabled
    kept = loaded.get_tick_retention_settings(InstigatorType.SENSOR)
    assert kept[TickStatus.SKIPPED] == 3
    assert min(kept.values()) > 0
    assert set(loaded.get_tick_retention_settings(InstigatorType.SCHEDULE).values()) == {365}
    assert loaded.get_sensor_settings()["use_threads"]
    assert loaded.freshness_enabled


def test_a_misspelt_key_is_refused(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So what the test above loads says something of the keys that it does not name."""
    for name, value in prepare_instance(Home(tmp_path), empty_database).items():
        monkeypatch.setenv(name, value)
    file = Home(tmp_path).dagster / "dagster.yaml"
    values = yaml.safe_load(file.read_text())
    values["run_monitoring"]["max_runtime"] = 1
    file.write_text(yaml.safe_dump(values))
    with pytest.raises(dg.DagsterInvalidConfigError, match="max_runtime"):
        dg.DagsterInstance.get()


def test_jobs_that_write_are_kept_apart_by_their_tag() -> None:
    """`release`, `train`, `monitor` share one value; the small ones have their own; going back waits for nobody."""
    jobs = {job.name: job.tags.get(ONE_AT_A_TIME) for job in build_defs().get_repository_def().get_all_jobs()}
    assert jobs == {
        "__ASSET_JOB": None,
        "release": "release",
        "train": "release",
        "monitor": "release",
        "read_experiments": "read_experiments",
        "tune": "tune",
        "rollback": None,
        "embed_new_videos": "embed_new_videos",
        "refresh_user_vectors": "refresh_user_vectors",
    }


def test_every_spelling_loads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workspace file, project file and module: one location, the same assets, jobs, schedules and sensors."""
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path))
    ending = {"code_servers": {"wait_for_local_processes_on_shutdown": True}}
    with dg.instance_for_test(overrides=ending) as instance:
        found = {spelling: loaded_from(target, instance) for spelling, target in SPELLINGS.items()}
    first = found["-m two_tower_assets.definitions"]
    assert first["location"] == ["two_tower_assets"]
    assert len(first["assets"]) == 50
    assert first["schedules"] == ["daily_monitoring", "daily_readout", "nightly_release"]
    assert len(first["sensors"]) == 5
    assert all(listed == first for listed in found.values())


def loaded_from(target: WorkspaceLoadTarget, instance: dg.DagsterInstance) -> dict[str, list[str]]:
    """What a server of code of that spelling says that there is."""
    with WorkspaceProcessContext(instance, target) as process:
        (entry,) = process.create_request_context().get_code_location_entries().values()
        assert entry.code_location is not None, entry.load_error
        (repository,) = entry.code_location.get_repositories().values()
        return {
            "location": [entry.code_location.name],
            "assets": sorted(node.asset_key.to_user_string() for node in repository.get_asset_node_snaps()),
            "jobs": sorted(job.name for job in repository.get_all_jobs()),
            "schedules": sorted(schedule.name for schedule in repository.get_schedules()),
            "sensors": sorted(sensor.name for sensor in repository.get_sensors()),
        }


@pytest.mark.parametrize(
    "command",
    [
        ["dagster", "definitions", "validate", "-w", "workspace.yaml"],
        ["dagster", "definitions", "validate", "-m", "two_tower_assets.definitions"],
        ["dg", "check", "defs"],
    ],
    ids=" ".join,
)
def test_dagsters_own_check_passes(command: list[str], empty_database: str, tmp_path: Path) -> None:
    """Both spellings, and the newer command, with the variables that `two-tower env` prints."""
    program = str(Path(sys.executable).parent / command[0])
    variables = prepare_instance(Home(tmp_path), empty_database)
    environment = {**os.environ, **variables, "TWO_TOWER_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
