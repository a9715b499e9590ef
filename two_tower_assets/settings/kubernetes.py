"""Table `[kubernetes]`."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from two_tower_assets.settings.fields import Strict

_KEY: Final = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
TaintKey = Annotated[str, Field(pattern=f"^{_KEY}$")]
NodeLabel = Annotated[str, Field(pattern=f"^{_KEY}=([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")]


class KubernetesSettings(Strict):
    """Where the pods of the steps that fit the towers go when the executor is `kubernetes`."""

    training_gpus: Annotated[int, Field(ge=0)] = 0
    """Devices `nvidia.com/gpu` that such a pod asks for."""
    training_node_labels: tuple[NodeLabel, ...] = ()
    """Labels that its node must have, such as `pool=training`."""
    training_tolerations: tuple[TaintKey, ...] = ()
    """Keys of taints that keep other pods away from its node, such as `nvidia.com/gpu`."""
