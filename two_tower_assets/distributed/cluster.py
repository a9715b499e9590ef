"""The Ray cluster of this process: joined or started once, and left when the process ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from typing import Any

from two_tower_assets.errors import EngineError
from two_tower_assets.settings import RaySettings

# Read by Ray when it is imported: nothing is told to its makers, and no process serves a page.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray


def join_cluster(settings: RaySettings) -> None:
    """Connect this process to the cluster, if it is not yet.

    Raises:
        EngineError: there is no cluster at the address.
    """
    if ray.is_initialized():
        return
    quiet: dict[str, Any] = {"configure_logging": False, "log_to_driver": False}
    if settings.address == "local":
        _start(settings, quiet)
        return
    try:
        ray.init(address=settings.address, **quiet)
    except (ConnectionError, ValueError) as error:
        raise EngineError(
            f"There is no Ray cluster at {settings.address}: {error}",
            where="ray.address",
            remedy='Start one (`ray start --head`), correct the address, or set address = "local".',
        ) from None


def leave_cluster() -> None:
    """Disconnect; a local cluster ends."""
    ray.shutdown()


def _start(settings: RaySettings, quiet: dict[str, Any]) -> None:
    """Start a cluster on the loopback interface, without the dashboard."""
    # The path of a socket has about a hundred characters at most, and Ray adds more than sixty.
    folder = tempfile.mkdtemp(prefix="tt-ray-", dir="/tmp" if os.path.isdir("/tmp") else None)  # noqa: S108, PTH112
    ray.init(
        address="local",
        num_cpus=settings.workers * settings.cpus_per_worker,
        include_dashboard=False,
        object_store_memory=settings.object_store_mib << 20,
        _temp_dir=folder,
        _node_ip_address="127.0.0.1",
        **quiet,
    )
    atexit.register(_end, folder)


def _end(folder: str) -> None:
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
