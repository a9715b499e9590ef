"""A stand-in for a cluster: it takes Jobs over HTTP as Kubernetes' API does, and runs their pods as processes.

A Job must hold against Kubernetes' schemas. Its process has what the pod would have and no more: the variables of the
image, the secrets and variables that the Job names, and the volumes that it mounts, each a folder of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml

from two_tower_assets_tests.containers.compose_file import REPOSITORY
from two_tower_assets_tests.containers.image_file import read_image
from two_tower_assets_tests.kubernetes.chart.release import NAMESPACE
from two_tower_assets_tests.kubernetes.manifests import Object, hold_against_schemas
from two_tower_assets_tests.loopback import serving

_JOBS: Final = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
_PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
# what the image was built with
_COMMIT: Final = "c0ffee" * 6 + "cafe"


@dataclass
class Pod:
    """A Job and the process of its only container."""

    job: Object
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def name(self) -> str:
        """Of the Job, and of the pod too."""
        return str(self.job["metadata"]["name"])

    @property
    def template(self) -> Object:
        """What the Job says of its pod."""
        spec: Object = self.job["spec"]["template"]["spec"]
        return spec

    @property
    def status(self) -> Object:
        """As the API tells it."""
        code = self.process.poll()
        return {"active": 1} if code is None else {"failed": 1} if code else {"succeeded": 1}


@dataclass
class Cluster:
    """What pods find, and which Jobs there were."""

    folder: Path
    volumes: Mapping[str, Path]
    """Folder of each claim and each config map."""
    secrets: Mapping[str, Mapping[str, str]]
    pods: dict[str, Pod] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, job: Object) -> None:
        """Start the pod of a Job."""
        hold_against_schemas(job)
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        name = job["metadata"]["name"]
        log = self.folder / f"{name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                container["args"],
                env=self.environment(name, pod),
                cwd=self.folder,
                stdout=stream,
                stderr=stream,
            )
        with self._lock:
            self.pods[name] = Pod(job, process, log)

    def end(self) -> None:
        """End what still runs."""
        for pod in self.pods.values():
            pod.process.kill()
            pod.process.wait()

    def environment(self, pod_name: str, pod: Object) -> dict[str, str]:
        """What the only container of a pod sees."""
        (container,) = pod["containers"]
        said = {**read_image().environment, "GITHUB_SHA": _COMMIT}
        for source in container["envFrom"]:
            said |= self.secrets[source["secretRef"]["name"]]
        for variable in container["env"]:
            said[variable["name"]] = (
                variable["value"] if "value" in variable else self._secret(**variable["valueFrom"])
            )
        mounted = dict(self._mounted(pod, container))
        paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
        return {
            **{name: _placed(value, mounted) for name, value in said.items()},
            "HOSTNAME": pod_name,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            # beside other tests a second thread spins for a core that it does not get
            "OMP_NUM_THREADS": "1",
            # ask for the next step more often than once a second
            "DAGSTER_STEP_DELEGATING_EXECUTOR_SLEEP_SECONDS": "0.1",
        }

    def _secret(self, secretKeyRef: Mapping[str, str]) -> str:  # noqa: N803 - Kubernetes' own name
        return self.secrets[secretKeyRef["name"]][secretKeyRef["key"]]

    def _mounted(self, pod: Object, container: Object) -> Iterator[tuple[str, str]]:
        """Path in the pod, and the folder that it is here; what is empty at first needs none."""
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "persistentVolumeClaim" in volume:
                yield mount["mountPath"], str(self.volumes[volume["persistentVolumeClaim"]["claimName"]])
            elif "configMap" in volume:
                yield mount["mountPath"], str(self.volumes[volume["configMap"]["name"]])


def _placed(value: str, mounted: Mapping[str, str]) -> str:
    for path, folder in mounted.items():
        if value == path or value.startswith(f"{path}/"):
            return folder + value.removeprefix(path)
    return value


@contextmanager
def listening(cluster: Cluster) -> Iterator[Path]:
    """Serve the API on loopback; yields a kubeconfig file for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == _JOBS
            cluster.begin(job)
            self._answer(job)

        def do_GET(self) -> None:
            kind, _, name = self.path.partition(f"{NAMESPACE}/")[2].partition("/")
            pod = cluster.pods[name.removesuffix("/status")]
            if kind == "jobs":
                self._answer({**pod.job, "status": pod.status})
                return
            assert self.path == f"{_PODS}/{pod.name}"
            # the client insists on containers
            meta = {"name": pod.name, "namespace": NAMESPACE, "uid": f"uid-of-{pod.name}"}
            self._answer({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": []}})

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Print nothing."""

        def _answer(self, body: Object) -> None:
            sent = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        file = cluster.folder / "kubeconfig.yaml"
        file.write_text(yaml.safe_dump(_kubeconfig(server.server_port)), encoding="utf-8")
        try:
            yield file
        finally:
            cluster.end()


def _kubeconfig(port: int) -> Object:
    context = {"cluster": "here", "user": "nobody", "namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "here", "context": context}],
        "current-context": "here",
    }
