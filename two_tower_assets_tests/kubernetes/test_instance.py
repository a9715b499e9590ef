"""The instance that the chart makes of the values: Dagster's own schema takes it, and it equals dagster.yaml."""

from __future__ import annotations

import dagster as dg
import pytest
import yaml
from dagster._config import validate_config
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_k8s import K8sRunLauncher
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage

from two_tower_assets_tests.containers.compose_file import REPOSITORY
from two_tower_assets_tests.kubernetes.chart.instance import instance_configuration
from two_tower_assets_tests.kubernetes.chart.values import read_values
from two_tower_assets_tests.kubernetes.conftest import Deployed

SAME = ("concurrency", "run_monitoring", "retention", "sensors", "freshness", "nux", "telemetry")
# what the chart writes though it is Dagster's default
DEFAULTS = {"run_monitoring": {"max_resume_run_attempts": 0}}


@pytest.mark.parametrize("section", SAME)
def test_the_values_say_what_the_repository_says(section: str) -> None:
    """Concurrency, monitoring and the rest are the same inside the cluster and outside."""
    everywhere = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))
    assert instance_configuration(read_values())[section] == {**everywhere[section], **DEFAULTS.get(section, {})}


def test_nothing_of_the_repositorys_file_is_left_out() -> None:
    """A section that is added to dagster.yaml must be added to the values; storage and retries are said otherwise."""
    everywhere = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))
    assert set(everywhere) - set(SAME) == {"storage", "run_retries"}
    assert everywhere["run_retries"] == {"enabled": False}


def test_dagster_k8s_takes_the_launchers_values() -> None:
    """The configuration type of the run launcher allows every key, with its type."""
    config = instance_configuration(read_values())["run_launcher"]["config"]
    assert config["load_incluster_config"]
    verdict = validate_config(K8sRunLauncher.config_type(), config)
    assert verdict.success, verdict.errors


def test_the_instance_can_be_made(deployed: Deployed) -> None:
    """Dagster makes an instance of it: runs are queued, become Jobs, are not retried, and are kept in Postgres."""
    instance = deployed.instance
    assert isinstance(instance.run_launcher, K8sRunLauncher)
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    assert isinstance(instance.run_storage, PostgresRunStorage)
    assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
    assert isinstance(instance.schedule_storage, PostgresScheduleStorage)
    assert instance.get_runs_count() == 0
    assert not instance.run_retries_enabled
    assert instance.run_monitoring_enabled
    limits = instance.get_concurrency_config().run_queue_config
    assert limits is not None
    assert limits.max_concurrent_runs == 4
    assert [limit["key"] for limit in limits.tag_concurrency_limits] == ["two_tower/one_at_a_time"]


def test_it_is_refused_with_a_misspelt_key(deployed: Deployed) -> None:
    """What the instance is held against is Dagster's own schema, and it is strict."""
    text = (deployed.dagster_home / "dagster.yaml").read_text(encoding="utf-8")
    (deployed.home / "dagster.yaml").write_text(text.replace("max_runtime_seconds", "max_runtime"), encoding="utf-8")
    with pytest.raises(dg.DagsterInvalidConfigError, match="max_runtime"):
        dg.DagsterInstance.from_config(str(deployed.home))
