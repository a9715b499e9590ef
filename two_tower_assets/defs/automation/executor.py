"""How the steps of a run are spread over processes or pods."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import dagster as dg

from two_tower_assets.defs.automation.training_node import pods_of_fits
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import AutomationSettings, KubernetesSettings

PRELOADED: Final = (
    "two_tower_assets.definitions",
    "two_tower_assets.evaluation.evaluate",
    "two_tower_assets.publishing.release",
    "onnxruntime",
    "torch",
)
"""What a worker has imported before it is forked: torch alone costs two seconds a step."""


def executor_for(settings: AutomationSettings, kubernetes: KubernetesSettings) -> dg.ExecutorDefinition:
    """Return one process for all steps, workers that are forked from a server with everything imported, or pods.

    On two cores one process is more than twice as fast: torch and the connections start once, and a fit uses every
    core anyway.

    Raises:
        SettingsError: pods are asked for and the extra `k8s` is not installed.
    """
    if settings.executor == "kubernetes":
        return _pods(settings.step_processes, kubernetes)
    if settings.step_processes == 1:
        return dg.in_process_executor
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": settings.step_processes,
            "start_method": {"forkserver": {"preload_modules": list(PRELOADED)}},
        }
    )


def _pods(side_by_side: int, kubernetes: KubernetesSettings) -> dg.ExecutorDefinition:
    """A Kubernetes Job for each step, with the image, secrets and volumes of the run's own."""
    if find_spec("dagster_k8s") is None:
        raise SettingsError(
            "Steps cannot run as pods: dagster-k8s is not installed",
            where="automation.executor",
            remedy='Install two-tower-assets with the extra `k8s`, or set executor = "processes".',
        )
    from dagster_k8s import k8s_job_executor

    # A step's Job is deleted with the pod of its run.
    return k8s_job_executor.configured(
        {
            "max_concurrent": side_by_side,
            "enable_owner_references": True,
            "per_step_k8s_config": pods_of_fits(kubernetes),
        }
    )
