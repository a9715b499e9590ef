"""The Deployments of Dagster's Helm chart with the values of `infra/k8s/values.yaml` in them; see `instance`."""

from __future__ import annotations

from typing import Final

from two_tower_assets_tests.kubernetes.chart.release import FULL_NAME, RELEASE
from two_tower_assets_tests.kubernetes.chart.values import Values
from two_tower_assets_tests.kubernetes.manifests import Object

_WORKSPACE: Final = "/dagster-workspace"
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - within a pod


def deployments(values: Values) -> dict[str, Object]:
    """Code location, webserver and daemon, by name."""
    made = _code_location(values), _webserver(values), _daemon(values)
    return dict(
        zip((values("dagster-user-deployments.deployments.0.name"), "webserver", "daemon"), made, strict=True)
    )


def _code_location(values: Values) -> Object:
    path = "dagster-user-deployments.deployments.0"
    assert values("dagster-user-deployments.enabled")
    assert values("dagster-user-deployments.enableSubchart")
    # a run would inherit the sizes of the code location's server
    assert not values(f"{path}.includeConfigInLaunchedRuns.enabled")
    # the chart's schema demands the switches
    assert all(values(f"{path}.{probe}.enabled") for probe in ("startupProbe", "readinessProbe"))
    container = _container(values, path)
    port = str(values(f"{path}.port"))
    container["args"] = [
        "dagster",
        "api",
        "grpc",
        "-h",
        _EVERYWHERE,
        "-p",
        port,
        *values(f"{path}.dagsterApiGrpcArgs"),
    ]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        container[probe]["exec"] = {"command": ["dagster", "api", "grpc-health-check", "-p", port]}
    return _deployment(values, path, "user-deployments", container)


def _webserver(values: Values) -> Object:
    assert values("dagsterWebserver.service.type") == "ClusterIP"
    port = values("dagsterWebserver.service.port")
    container = _container(values, "dagsterWebserver", *_mounts(values))
    command = f"dagster-webserver -h {_EVERYWHERE} -p {port} -w {_WORKSPACE}/workspace.yaml"
    container["command"] = ["/bin/bash", "-c", command]
    container["ports"] = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
    replicas = values("dagsterWebserver.replicaCount")
    return _deployment(values, "dagsterWebserver", "dagster-webserver", container, replicas=replicas)


def _daemon(values: Values) -> Object:
    assert values("dagsterDaemon.enabled")
    container = _container(values, "dagsterDaemon", *_mounts(values))
    container["command"] = ["/bin/bash", "-c", f"dagster-daemon run -w {_WORKSPACE}/workspace.yaml"]
    return _deployment(values, "dagsterDaemon", "dagster-daemon", container)


def _mounts(values: Values) -> tuple[str, str]:
    return f"{values('global.dagsterHome')}/dagster.yaml", _WORKSPACE


def _container(values: Values, path: str, *chart_mounts: str) -> Object:
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
