"""`infra/k8s` read as files: schemas, rights, secrets, and what must say the same as elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator

import pytest
import yaml

from two_tower_assets.settings import load_settings
from two_tower_assets_tests.containers.compose_file import REPOSITORY, REQUIRED, read_services
from two_tower_assets_tests.containers.image_file import read_image
from two_tower_assets_tests.kubernetes.chart.instance import instance_configuration, workspace
from two_tower_assets_tests.kubernetes.chart.pods import deployments, image
from two_tower_assets_tests.kubernetes.chart.values import read_values
from two_tower_assets_tests.kubernetes.manifests import (
    BASE,
    FOLDER,
    Object,
    hold_against_schemas,
    named,
    resources,
    secrets,
)

KUBECTL = shutil.which("kubectl")
OVERLAYS = ("base", "gpu")


def _pods() -> Iterator[tuple[str, Object]]:
    yield "prepare", named("Job", "prepare")["spec"]["template"]["spec"]
    for name, deployment in deployments(read_values()).items():
        yield name, deployment["spec"]["template"]["spec"]


def test_manifests_are_what_kubernetes_publishes() -> None:
    """Every manifest and the template of the secrets hold against Kubernetes' schemas, unknown keys refused."""
    for each in [*resources(), *secrets()]:
        hold_against_schemas(each)


def test_the_charts_pods_are_what_kubernetes_publishes() -> None:
    """With the values in them, code location, webserver and daemon hold against Kubernetes' schemas too."""
    for deployment in deployments(read_values()).values():
        hold_against_schemas(deployment)


def test_every_value_is_one_that_the_chart_has() -> None:
    """No value is misspelt: each goes into the instance, a pod or the workspace."""
    values = read_values()
    instance_configuration(values)
    deployments(values)
    workspace(values)
    assert values.unread == set()


def test_a_misspelt_value_is_seen() -> None:
    """What nothing takes is named by its path."""
    values = read_values({"dagsterDaemon": {"runMonitoring": {"startTimeoutSecond": 5}}})
    instance_configuration(values)
    assert "dagsterDaemon.runMonitoring.startTimeoutSecond" in values.unread


def test_pods_meet_the_restricted_standard() -> None:
    """As the namespace demands: the image's ordinary account, no capability, no way to more rights, seccomp."""
    labels = named("Namespace", "two-tower")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    user, _, group = read_image().user.partition(":")
    for name, pod in _pods():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(user), int(group))
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_what_is_written_lies_on_volumes() -> None:
    """The root file system is read only, so the home and /tmp are mounted in every pod of the image."""
    home = read_image().environment["TWO_TOWER_HOME"]
    for name, pod in _pods():
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        claim = volumes[mounts[home]]["persistentVolumeClaim"]["claimName"]
        assert named("PersistentVolumeClaim", claim)["spec"]["accessModes"] == ["ReadWriteMany"], name
        assert "emptyDir" in volumes[mounts["/tmp"]], name  # noqa: S108 - in a pod


def test_secrets_are_references() -> None:
    """The template has no value, the kustomization no secret, and pods take secrets whole, by names it has."""
    there = {each["metadata"]["name"]: each["stringData"] for each in secrets()}
    assert {value for data in there.values() for value in data.values()} == {""}
    assert "Secret" not in {each["kind"] for each in resources()}
    for name, pod in _pods():
        (container,) = pod["containers"]
        assert {source["secretRef"]["name"] for source in container["envFrom"]} == {"two-tower"}, name
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                assert reference["key"] in there[reference["name"]]
            else:
                assert variable["name"] in {"TWO_TOWER_SETTINGS", "DAGSTER_HOME"}
    needed = {name for name in REQUIRED if name.startswith("SUPABASE")} | {"TWO_TOWER_DATABASE_URL"}
    assert needed <= set(there["two-tower"])


def test_the_code_location_is_reached_by_those_who_ask_it() -> None:
    """The network policies name the chart's labels and the code location's port; nobody reaches the UI."""
    labels = {
        name: deployment["spec"]["template"]["metadata"]["labels"]["component"]
        for name, deployment in deployments(read_values()).items()
    }
    port = read_values()("dagster-user-deployments.deployments.0.port")
    assert named("NetworkPolicy", "closed")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    inwards = named("NetworkPolicy", "code-location")["spec"]
    outwards = named("NetworkPolicy", "outwards")["spec"]["egress"][-1]
    assert inwards["podSelector"]["matchLabels"] == {"component": labels.pop("code-location")}
    assert outwards == {"to": [{"podSelector": inwards["podSelector"]}], "ports": [{"port": port}]}
    (rule,) = inwards["ingress"]
    assert rule["ports"] == outwards["ports"]
    (asking,) = rule["from"][0]["podSelector"]["matchExpressions"]
    assert set(asking["values"]) == set(labels.values())
    opened = [each["metadata"]["name"] for each in resources() if each.get("spec", {}).get("ingress")]
    assert opened == ["code-location"]


def test_one_image_runs_everywhere() -> None:
    """Values and kustomization name one image, with one tag."""
    values = read_values()
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    names = {image(values, f"{path}.image") for path in ("dagsterWebserver", "dagsterDaemon")}
    names |= {image(values, "dagster-user-deployments.deployments.0.image")}
    names |= {f"{each['name']}:{each['newTag']}" for each in kustomization["images"]}
    names |= {container["image"] for container in named("Job", "prepare")["spec"]["template"]["spec"]["containers"]}
    assert len(names) == 1


def test_commands_are_those_of_the_containers() -> None:
    """`prepare` does what it does under Compose, and the code location serves what the image serves, on its port."""
    assert (
        named("Job", "prepare")["spec"]["template"]["spec"]["containers"][0]["command"]
        == (read_services(REQUIRED)["prepare"]["command"])
    )
    (container,) = deployments(read_values())["code-location"]["spec"]["template"]["spec"]["containers"]
    short = {"-h": "--host", "-p": "--port"}
    assert [short.get(word, word) for word in container["args"]] == read_image().command


def test_the_location_has_its_name_everywhere() -> None:
    """History fits inside and outside the cluster, and the workspace asks where the code is served."""
    expected = yaml.safe_load((REPOSITORY / "infra" / "workspace.docker.yaml").read_text(encoding="utf-8"))
    assert workspace(read_values()) == expected["load_from"]


def test_the_chart_is_of_the_pinned_version() -> None:
    """The page installs the chart that belongs to the dagster of pyproject.toml."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (pinned,) = (each.partition("==")[2] for each in project["dependencies"] if each.startswith("dagster=="))
    page = (REPOSITORY / "infra" / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--version (\S+)", page)) == {pinned}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_can_be_read(overlay: str) -> None:
    """Both settings files run steps as pods; only one asks for a GPU, and for a node that has one."""
    settings = load_settings(FOLDER / overlay / "two_tower.toml")
    assert settings.automation.executor == "kubernetes"
    assert bool(settings.kubernetes.training_gpus) == (overlay == "gpu")
    assert bool(settings.kubernetes.training_node_labels) == (overlay == "gpu")


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on the PATH")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_makes_what_the_files_say(overlay: str) -> None:
    """`kubectl kustomize` gives every resource in the namespace, and the settings under the name that pods mount."""
    asked = subprocess.run(
        [KUBECTL or "", "kustomize", str(FOLDER / overlay)], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(asked.stdout)}
    for each in made.values():
        hold_against_schemas(each)
    settings = made.pop(("ConfigMap", "two-tower-settings"))
    assert settings["data"] == {"two_tower.toml": (FOLDER / overlay / "two_tower.toml").read_text(encoding="utf-8")}
    assert set(made) == {(each["kind"], each["metadata"]["name"]) for each in resources()}
    made.pop(("Namespace", "two-tower"))
    assert {each["metadata"]["namespace"] for each in made.values()} == {"two-tower"}
    mounted = json.dumps([pod["volumes"] for _, pod in _pods()])
    assert f'"name": "{settings["metadata"]["name"]}"' in mounted
