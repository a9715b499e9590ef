"""The code location's container, started as its pod would start it."""

from __future__ import annotations

import subprocess
import time

from two_tower_assets_tests.kubernetes.chart.pods import deployments
from two_tower_assets_tests.kubernetes.chart.values import read_values
from two_tower_assets_tests.kubernetes.conftest import Deployed
from two_tower_assets_tests.loopback import free_port

SECONDS = 120


def test_it_serves_without_an_instance(deployed: Deployed) -> None:
    """The pod has no dagster.yaml; its probe fails before the server runs and passes after."""
    pod = deployments(read_values())["code-location"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = deployed.cluster.environment("code-location", pod)
    here = {"0.0.0.0": "127.0.0.1", "4000": str(free_port())}  # noqa: S104 - what is to be replaced
    args = [here.get(word, word) for word in container["args"]]
    probe = [here.get(word, word) for word in container["readinessProbe"]["exec"]["command"]]

    def ready() -> bool:
        asked = subprocess.run(probe, env=environment, cwd=deployed.cluster.folder, capture_output=True, check=False)
        return asked.returncode == 0

    assert not ready()
    log = deployed.cluster.folder / "code-location.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(args, env=environment, cwd=deployed.cluster.folder, stdout=stream, stderr=stream)
    try:
        deadline = time.monotonic() + SECONDS
        while not ready():
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
