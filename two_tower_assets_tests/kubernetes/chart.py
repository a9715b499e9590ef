"""What Dagster's Helm chart makes of `infra/k8s/values.yaml`, for the values that are used there and no others.

The chart is on no registry that the tests reach. Written down here is where its templates put each value: into the
instance's `dagster.yaml`, or into the pods of code location, webserver and daemon. `Values.unread` names the values
that nothing took, such as misspelt ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from two_tower_assets_tests.kubernetes.manifests import FOLDER, Object

RELEASE: Final = "two-tower"
NAMESPACE: Final = "two-tower"
FULL_NAME: Final = f"{RELEASE}-dagster"
_WORKSPACE: Final = "/dagster-workspace"
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - within a pod
# These choose what is rendered and go nowhere.
_SWITCHES: Final = (
    "generatePostgresqlPasswordSecret",
    "rabbitmq.enabled",
    "redis.enabled",
    "flower.enabled",
    "ingress.enabled",
)
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


@dataclass
class Values:
    """Values by dotted path, remembering which were taken."""

    content: dict[str, Any]
    _taken: set[str] = field(default_factory=set)

    def __call__(self, path: str) -> Any:
        """One value, or a whole tree of them."""
        self._taken.add(path)
        return self._at(path)

    def __contains__(self, path: str) -> bool:
        """Whether there is such a value."""
        above, _, key = path.rpartition(".")
        return key in self._at(above)

    def _at(self, path: str) -> Any:
        value: Any = self.content
        for key in path.split("."):
            value = value[int(key) if isinstance(value, list) else key]
        return value

    def snake(self, section: str, path: str) -> dict[str, Any]:
        """A section of `dagster.yaml`, from values named as the chart names them."""
        return {name: self(f"{path}.{camel}") for name, camel in _CAMEL[section].items()}

    @property
    def unread(self) -> set[str]:
        """Paths of the values that nothing took."""
        return {
            path
            for path in _leaves(self.content)
            if not any(path == taken or path.startswith(f"{taken}.") for taken in (*self._taken, *_SWITCHES))
        }


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    entries = list(inner)
    if not entries:
        yield path
    for key, each in entries:
        yield from _leaves(each, f"{path}.{key}" if path else str(key))


def read_values(own: Mapping[str, Any] | None = None) -> Values:
    """The repository's values, and over them somebody's own."""
    content = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    return Values(_merged(content, own or {}))


def _merged(values: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


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
        "run_monitoring": values.snake("run_monitoring", "dagsterDaemon.runMonitoring"),
        "sensors": values.snake("sensors", "dagsterDaemon.sensors"),
        "telemetry": {"enabled": values("telemetry.enabled")},
        "retention": {
            kind: {"purge_after_days": values(f"retention.{kind}.purgeAfterDays")} for kind in ("schedule", "sensor")
        },
        "concurrency": {"runs": values.snake("runs", "concurrency.runs")},
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
            "run_k8s_config": values.snake("run_k8s_config", f"{path}.runK8sConfig"),
        },
    }


def deployments(values: Values) -> dict[str, Object]:
    """Code location, webserver and daemon, by name."""
    code, web, daemon = "dagster-user-deployments.deployments.0", "dagsterWebserver", "dagsterDaemon"
    assert values("dagster-user-deployments.enabled")
    assert values("dagster-user-deployments.enableSubchart")
    assert values(f"{daemon}.enabled")
    mounts = f"{values('global.dagsterHome')}/dagster.yaml", _WORKSPACE
    served = _container(values, code)
    port = values(f"{code}.port")
    served["args"] = ["dagster", "api", "grpc", "-h", _EVERYWHERE, "-p", str(port)]
    served["args"] += values(f"{code}.dagsterApiGrpcArgs")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        served[probe]["exec"] = {"command": ["dagster", "api", "grpc-health-check", "-p", str(port)]}
    shown = _container(values, web, *mounts)
    assert values(f"{web}.service.type") == "ClusterIP"
    port = values(f"{web}.service.port")
    shown["command"] = [
        "/bin/bash",
        "-c",
        f"dagster-webserver -h {_EVERYWHERE} -p {port} -w {_WORKSPACE}/workspace.yaml",
    ]
    shown["ports"] = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
    ticking = _container(values, daemon, *mounts)
    ticking["command"] = ["/bin/bash", "-c", f"dagster-daemon run -w {_WORKSPACE}/workspace.yaml"]
    return {
        values(f"{code}.name"): _deployment(values, code, "user-deployments", served),
        "webserver": _deployment(values, web, "dagster-webserver", shown, replicas=values(f"{web}.replicaCount")),
        "daemon": _deployment(values, daemon, "dagster-daemon", ticking),
    }


def _container(values: Values, path: str, *chart_mounts: str) -> Object:
    if path.startswith("dagster-user"):
        # a run would inherit the sizes of the code location's server
        assert not values(f"{path}.includeConfigInLaunchedRuns.enabled")
        # the chart's schema demands the switches
        assert all(values(f"{path}.{probe}.enabled") for probe in ("startupProbe", "readinessProbe"))
    probes = {
        name: {key: value for key, value in values(f"{path}.{name}").items() if key != "enabled"}
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
        if f"{path}.{name}" in values
    }
    return {
        "name": "dagster",
        "image": image(values, f"{path}.image"),
        "imagePullPolicy": values(f"{path}.image.pullPolicy"),
        "env": [
            {
                "name": "DAGSTER_PG_PASSWORD",
                "valueFrom": {
                    "secretKeyRef": {"name": values("global.postgresqlSecretName"), "key": "postgresql-password"}
                },
            },
            {"name": "DAGSTER_HOME", "value": values("global.dagsterHome")},
            *({"name": name, "value": value} for name, value in values(f"{path}.env").items()),
        ],
        "envFrom": [{"secretRef": secret} for secret in values(f"{path}.envSecrets")],
        "volumeMounts": [
            *({"name": f"chart-{number}", "mountPath": mount} for number, mount in enumerate(chart_mounts)),
            *values(f"{path}.volumeMounts"),
        ],
        "securityContext": values(f"{path}.securityContext"),
        "resources": values(f"{path}.resources"),
        **probes,
    }


def _deployment(values: Values, path: str, component: str, container: Object, *, replicas: int = 1) -> Object:
    labels = {"app.kubernetes.io/instance": RELEASE, "component": component}
    own = [mount["name"] for mount in container["volumeMounts"] if mount["name"].startswith("chart-")]
    waiting = image(values, "postgresql.image"), values("postgresql.image.pullPolicy")
    first = {
        "name": "check-db-ready",
        "image": f"{values('postgresql.image.registry')}/{waiting[0]}",
        "imagePullPolicy": waiting[1],
        "securityContext": container["securityContext"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{RELEASE}-{component}"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": FULL_NAME,
                    "securityContext": values(f"{path}.podSecurityContext"),
                    "initContainers": [first] if own else [],
                    "containers": [container],
                    "volumes": [*({"name": name, "emptyDir": {}} for name in own), *values(f"{path}.volumes")],
                },
            },
        },
    }


def image(values: Values, path: str) -> str:
    """Name and tag of an image."""
    return f"{values(f'{path}.repository')}:{values(f'{path}.tag')}"


def workspace(values: Values) -> list[dict[str, Any]]:
    """The servers in the `workspace.yaml` of webserver and daemon."""
    assert values("dagsterWebserver.workspace.enabled")
    return [
        {"grpc_server": {"host": server["host"], "port": server["port"], "location_name": server["name"]}}
        for server in values("dagsterWebserver.workspace.servers")
    ]
