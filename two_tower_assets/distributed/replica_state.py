"""All that a fit needs to go on: weights, the optimiser's moments, curves and seconds; one safetensors file.

Where the batches stand and what is dropped next follow from the number of steps taken, so nothing of either is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from two_tower_assets.home import replacing

STATE_FILE: Final = "state.safetensors"

_FACTS: Final = "facts"
_MODEL: Final = "model."
_OPTIMIZER: Final = "optimizer."


@dataclass
class ReplicaState:
    """A fit after some of its steps; equal on all workers but for validation, which the first one measures."""

    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    """Spent on the steps taken."""
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """Steps taken."""
        return len(self.losses)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The model's state dictionary."""
        return {name.removeprefix(_MODEL): tensor for name, tensor in self.tensors.items() if name.startswith(_MODEL)}

    def take(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Hold a copy of the weights and moments as they are now."""
        moments = optimizer.state_dict()["state"]
        self.tensors = {_MODEL + name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        self.tensors |= {
            f"{_OPTIMIZER}{index}.{name}": tensor.clone()
            for index, values in moments.items()
            for name, tensor in values.items()
        }

    def fill(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put what is held into both; nothing when no step was taken."""
        if not self.taken:
            return
        model.load_state_dict(self.weights)
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in self.tensors.items():
            if key.startswith(_OPTIMIZER):
                index, name = key.removeprefix(_OPTIMIZER).split(".")
                moments.setdefault(int(index), {})[name] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})

    def save(self, folder: Path) -> None:
        """Write the file atomically."""
        facts = {"losses": self.losses, "validations": self.validations, "seconds": self.seconds}
        with replacing(folder / STATE_FILE) as temporary:
            save_file(self.tensors, temporary, metadata={_FACTS: json.dumps(facts)})

    @classmethod
    def load(cls, folder: Path) -> ReplicaState:
        """Read what `save` wrote."""
        with safe_open(folder / STATE_FILE, framework="pt") as file:
            facts = json.loads(file.metadata()[_FACTS])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no dictionary
        validations = [(int(taken), float(value)) for taken, value in facts["validations"]]
        return cls(facts["losses"], validations, facts["seconds"], tensors)
