"""Which node the pods of the steps that fit the towers go to, told to dagster-k8s by a tag of the step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import dagster as dg

from two_tower_assets.settings import KubernetesSettings

FITTING: Final = frozenset(
    {dg.AssetKey(["training", "evaluated_checkpoint"]), dg.AssetKey(["training", "checkpoint"])}
)
"""The assets that fit the towers."""
POD: Final = "dagster-k8s/config"
"""Tag of a step: what its pod has beside what the pod of every step has. Other executors pass it over."""
_GPU: Final = "nvidia.com/gpu"


def with_training_node(assets: Iterable[Any], settings: KubernetesSettings) -> list[Any]:
    """Return the assets of a code location, those that fit the towers with the tag where the settings name a node."""
    pod = pod_config(settings)
    return [_tagged(asset, pod) if pod and FITTING & set(asset.keys) else asset for asset in assets]


def pod_config(settings: KubernetesSettings) -> dict[str, Any]:
    """What the tag says, in dagster-k8s' own words; nothing where the settings ask for nothing."""
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


def _tagged(asset: dg.AssetsDefinition, pod: dict[str, Any]) -> dg.AssetsDefinition:
    """Return the asset with another step: Dagster takes a step's tags only where it is declared."""
    step = asset.op
    tagged = dg.OpDefinition(
        step.compute_fn,
        name=step.name,
        description=step.description,
        ins=step.ins,
        outs=step.outs,
        config_schema=step.config_schema,
        required_resource_keys=set(step.required_resource_keys),
        tags={**step.tags, POD: pod},
        retry_policy=step.retry_policy,
        code_version=asset.code_versions_by_key[asset.key],
        pool=step.pool,
    )
    return dg.AssetsDefinition.dagster_internal_init(**{**asset.get_attributes_dict(), "node_def": tagged})
