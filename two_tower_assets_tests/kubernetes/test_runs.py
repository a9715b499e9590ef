"""One run, launched as the daemon launches it: a Job, and from it a Job for each step until the towers are fitted."""

from __future__ import annotations

import time

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import create_execution_plan
from dagster._core.launcher import LaunchRunContext

from two_tower_assets.defs.store import AssetStore
from two_tower_assets.home import Home
from two_tower_assets_tests.kubernetes.chart.pods import image
from two_tower_assets_tests.kubernetes.chart.values import read_values
from two_tower_assets_tests.kubernetes.cluster import Pod
from two_tower_assets_tests.kubernetes.conftest import KEY, PASSWORD, Deployed

SECONDS = 300
STEPS = ("sources__database", "snapshot", "training__examples", "training__evaluated_checkpoint")
"""The shortest way to fitted towers."""
FITTED = "training/evaluated_checkpoint"
MADE = {
    "sources/database",
    "sources/profiles",
    "sources/videos",
    "sources/decisions",
    "training/examples",
    FITTED,
}
IMAGE = image(read_values(), "dagsterDaemon.image")


@pytest.fixture(scope="module")
def run(deployed: Deployed) -> dg.DagsterRun:
    """A run that has ended."""
    repository = ReconstructableRepository.for_module(
        "two_tower_assets.definitions", "defs", working_directory=None, container_image=IMAGE
    )
    job = repository.get_reconstructable_job("train")
    begun = deployed.instance.create_run_for_job(
        job_def=job.get_definition(),
        execution_plan=create_execution_plan(job, step_keys_to_execute=STEPS),
        job_code_origin=job.get_python_origin(),
    )
    deployed.instance.run_launcher.launch_run(LaunchRunContext(begun, workspace=None))
    deadline = time.monotonic() + SECONDS
    while not (now := deployed.instance.get_run_by_id(begun.run_id)).is_finished:
        (pod,) = [pod for pod in deployed.cluster.pods.values() if pod.name.startswith("dagster-run-")]
        assert "active" in pod.status, pod.log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, pod.log.read_text(encoding="utf-8")
        time.sleep(0.2)
    assert now.is_success, "\n".join(pod.log.read_text(encoding="utf-8") for pod in deployed.cluster.pods.values())
    return now


def _steps(deployed: Deployed) -> dict[str, Pod]:
    labelled = {pod.job["metadata"]["labels"].get("dagster/op"): pod for pod in deployed.cluster.pods.values()}
    return {name: pod for name, pod in labelled.items() if name}


def test_each_step_is_a_pod(deployed: Deployed, run: dg.DagsterRun) -> None:
    """Every step of the run had a Job of its own that ended well, owned by the pod of the run."""
    steps = _steps(deployed)
    assert set(steps) == {step.step_key for step in deployed.instance.get_run_step_stats(run.run_id)} == set(STEPS)
    (launched,) = [pod for pod in deployed.cluster.pods.values() if pod not in steps.values()]
    for pod in steps.values():
        pod.process.wait(60)
        assert pod.status == {"succeeded": 1}
        (owner,) = pod.job["metadata"]["ownerReferences"]
        assert owner == {"apiVersion": "v1", "kind": "Pod", "name": launched.name, "uid": f"uid-of-{launched.name}"}


def test_steps_hand_files_to_each_other_over_the_home(deployed: Deployed, run: dg.DagsterRun) -> None:
    """What one pod made was found by the next one, and every record and log lies on the claim."""
    assert run.is_success
    store = AssetStore(Home(deployed.home), "sample")
    assert {made.asset for made in store.all()} == MADE
    assert store.load(FITTED).files
    assert list((deployed.home / "dagster" / "storage").rglob("*.err"))
    assert [path.name for path in deployed.dagster_home.iterdir()] == ["dagster.yaml"]


def test_only_the_fit_goes_to_the_gpu(deployed: Deployed, run: dg.DagsterRun) -> None:
    """Its pod asks for one GPU, on a node that has one; the memory of every pod is asked for beside it."""
    assert run.is_success
    steps = _steps(deployed)
    fit = steps.pop(FITTED.replace("/", "__")).template
    (container,) = fit["containers"]
    limits = read_values()("runLauncher.config.k8sRunLauncher.resources.limits")
    assert container["resources"]["limits"] == {**limits, "nvidia.com/gpu": "1"}
    assert fit["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert fit["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    for pod in steps.values():
        assert pod.template["containers"][0]["resources"]["limits"] == limits
        assert "nodeSelector" not in pod.template


def test_pods_of_a_run_are_as_the_others(deployed: Deployed, run: dg.DagsterRun) -> None:
    """The run's and the steps' pods have the code location's image, rights and volumes."""
    assert run.is_success
    launcher = "runLauncher.config.k8sRunLauncher"
    values = read_values()
    for pod in deployed.cluster.pods.values():
        (container,) = pod.template["containers"]
        assert container["image"] == IMAGE
        assert container["securityContext"] == values(f"{launcher}.securityContext")
        assert pod.template["securityContext"] == values(f"{launcher}.runK8sConfig.podSpecConfig.securityContext")
        assert pod.template["volumes"] == values(f"{launcher}.volumes")
        assert container["volumeMounts"] == values(f"{launcher}.volumeMounts")
        assert pod.job["spec"]["backoffLimit"] == 0


def test_no_secret_is_in_a_job_or_a_log(deployed: Deployed, run: dg.DagsterRun) -> None:
    """Jobs name secrets and hold no value of one, and neither does what the pods print."""
    assert run.is_success
    for pod in deployed.cluster.pods.values():
        for text in (yaml.safe_dump(pod.job, allow_unicode=True), pod.log.read_text(encoding="utf-8")):
            assert PASSWORD not in text
            assert KEY not in text
