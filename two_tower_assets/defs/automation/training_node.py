"""Which node the pods of the steps that fit the towers go to, in the words of dagster-k8s' configuration."""

from __future__ import annotations

from typing import Any, Final

from two_tower_assets.settings import KubernetesSettings

FITTING: Final = ("training__evaluated_checkpoint", "training__checkpoint")
"""The steps that fit the towers."""
_GPU: Final = "nvidia.com/gpu"


def pods_of_fits(settings: KubernetesSettings) -> dict[str, dict[str, Any]]:
    """What the pods of these steps have beside what every pod has; nothing where the settings ask for nothing."""
    pod = _pod(settings)
    return dict.fromkeys(FITTING, pod) if pod else {}


def _pod(settings: KubernetesSettings) -> dict[str, Any]:
    container: dict[str, Any] = {}
    pod: dict[str, Any] = {}
    if settings.training_gpus:
        container["resources"] = {"limits": {_GPU: str(settings.training_gpus)}}
    if settings.training_node_labels:
        pod["node_selector"] = dict(label.split("=", 1) for label in settings.training_node_labels)
    if settings.training_tolerations:
        pod["tolerations"] = [{"key": key, "operator": "Exists"} for key in settings.training_tolerations]
    named = {"container_config": container, "pod_spec_config": pod}
    return {name: config for name, config in named.items() if config}
