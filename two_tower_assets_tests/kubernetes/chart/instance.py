"""The files that Dagster's Helm chart writes for webserver and daemon: `dagster.yaml` and `workspace.yaml`.

The chart is on no registry that the tests reach. Written down here is where its templates put each value of
`infra/k8s/values.yaml`, and of no others; `pods` does the same for Deployments.
"""

from __future__ import annotations

from typing import Any, Final

from two_tower_assets_tests.kubernetes.chart.release import FULL_NAME, NAMESPACE
from two_tower_assets_tests.kubernetes.chart.values import Values

_CAMEL: Final = {
    "run_monitoring": {
        "enabled": "enabled",
        "start_timeout_seconds": "startTimeoutSeconds",
        "cancel_timeout_seconds": "cancelTimeoutSeconds",
        "max_runtime_seconds": "maxRuntimeSeconds",
        "max_resume_run_attempts": "maxResumeRunAttempts",
        "poll_interval_seconds": "pollIntervalSeconds",
        "free_slots_after_run_end_seconds": "freeSlotsAfterRunEndSeconds",
    },
    "sensors": {"use_threads": "useThreads", "num_workers": "numWorkers"},
    "runs": {"max_concurrent_runs": "maxConcurrentRuns", "tag_concurrency_limits": "tagConcurrencyLimits"},
    "run_k8s_config": {"pod_spec_config": "podSpecConfig", "job_spec_config": "jobSpecConfig"},
}


def instance_configuration(values: Values) -> dict[str, Any]:
    """The `dagster.yaml` of webserver and daemon."""
    storage = {"config": {"postgres_db": _postgres(values)}}
    assert values("dagsterDaemon.runCoordinator") == {"enabled": True, "type": "QueuedRunCoordinator"}
    assert not values("dagsterDaemon.schedules.useThreads")
    assert not values("dagsterDaemon.runRetries.enabled")
    assert values("computeLogManager.type") == "CustomComputeLogManager"
    assert values("concurrency.enabled")
    assert values("retention.enabled")
    return {
        "scheduler": {"module": "dagster._core.scheduler", "class": "DagsterDaemonScheduler"},
        "run_storage": {"module": "dagster_postgres.run_storage", "class": "PostgresRunStorage", **storage},
        "event_log_storage": {"module": "dagster_postgres.event_log", "class": "PostgresEventLogStorage", **storage},
        "schedule_storage": {
            "module": "dagster_postgres.schedule_storage",
            "class": "PostgresScheduleStorage",
            **storage,
        },
        "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator"},
        "run_launcher": _run_launcher(values),
        "compute_logs": values("computeLogManager.config.customComputeLogManager"),
        "run_monitoring": _snake(values, "run_monitoring", "dagsterDaemon.runMonitoring"),
        "sensors": _snake(values, "sensors", "dagsterDaemon.sensors"),
        "telemetry": {"enabled": values("telemetry.enabled")},
        "retention": {
            kind: {"purge_after_days": values(f"retention.{kind}.purgeAfterDays")} for kind in ("schedule", "sensor")
        },
        "concurrency": {"runs": _snake(values, "runs", "concurrency.runs")},
        **values("additionalInstanceConfig"),
    }


def _postgres(values: Values) -> dict[str, Any]:
    assert not values("postgresql.enabled")
    return {
        "username": values("postgresql.postgresqlUsername"),
        "password": {"env": "DAGSTER_PG_PASSWORD"},
        "hostname": values("postgresql.postgresqlHost"),
        "db_name": values("postgresql.postgresqlDatabase"),
        "port": values("postgresql.service.port"),
        "params": values("postgresql.postgresqlParams"),
        "scheme": values("postgresql.postgresqlScheme"),
    }


def _run_launcher(values: Values) -> dict[str, Any]:
    assert values("runLauncher.type") == "K8sRunLauncher"
    path = "runLauncher.config.k8sRunLauncher"
    kubeconfig = {"kubeconfig_file": values(f"{path}.kubeconfigFile")} if f"{path}.kubeconfigFile" in values else {}
    return {
        "module": "dagster_k8s",
        "class": "K8sRunLauncher",
        "config": {
            "load_incluster_config": not kubeconfig,
            **kubeconfig,
            "job_namespace": NAMESPACE,
            "image_pull_policy": values(f"{path}.imagePullPolicy"),
            "service_account_name": FULL_NAME,
            "dagster_home": values("global.dagsterHome"),
            "instance_config_map": f"{FULL_NAME}-instance",
            "postgres_password_secret": values("global.postgresqlSecretName"),
            "env_secrets": [secret["name"] for secret in values(f"{path}.envSecrets")],
            "env_vars": values(f"{path}.envVars"),
            "volume_mounts": values(f"{path}.volumeMounts"),
            "volumes": values(f"{path}.volumes"),
            "resources": values(f"{path}.resources"),
            "security_context": values(f"{path}.securityContext"),
            "fail_pod_on_run_failure": values(f"{path}.failPodOnRunFailure"),
            "run_k8s_config": _snake(values, "run_k8s_config", f"{path}.runK8sConfig"),
        },
    }


def _snake(values: Values, section: str, path: str) -> dict[str, Any]:
    """A section of `dagster.yaml`, from values named as the chart names them."""
    return {name: values(f"{path}.{camel}") for name, camel in _CAMEL[section].items()}


def workspace(values: Values) -> list[dict[str, Any]]:
    """The servers in the `workspace.yaml` of webserver and daemon."""
    assert values("dagsterWebserver.workspace.enabled")
    return [
        {"grpc_server": {"host": server["host"], "port": server["port"], "location_name": server["name"]}}
        for server in values("dagsterWebserver.workspace.servers")
    ]
