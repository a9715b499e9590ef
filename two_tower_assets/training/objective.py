"""The loss of a batch, head by head: heads share no weight, and the loss of the towers is the sum of theirs.

What does not live here: the losses themselves (`loss`), and who takes steps (`head_fit`, `stepping`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.bags import SparseFeatures, on_device
from two_tower_assets.training.loss import Candidates, sampled_softmax_loss, taste_loss
from two_tower_assets.training.sampler import Batch
from two_tower_assets.training.towers import TwoTower


@dataclass(frozen=True, eq=False)
class Inputs:
    """A batch on the device of a model."""

    users: Tensor | SparseFeatures
    items: Tensor | SparseFeatures
    slot_M: Tensor
    candidates: Candidates

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Inputs:
        """Bring a batch to a device."""
        names = [each.name for each in fields(Candidates)]
        return cls(
            on_device(batch.users, device),
            on_device(batch.items_M, device),
            torch.from_numpy(batch.slot_M).to(device),
            Candidates(**{name: torch.from_numpy(getattr(batch, name)).to(device) for name in names}),
        )


def encoded(model: TwoTower, head: int, inputs: Inputs, settings: TrainingSettings) -> tuple[Tensor, Tensor]:
    """Return what a head makes of a batch's users and of its videos, each float32 and of length 1."""
    with torch.autocast(model.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
        user_BD = model.user.part(inputs.users, head)
        item_MD = model.item.part(inputs.items, inputs.slot_M, head)
    return user_BD.float(), item_MD.float()


def head_loss(
    model: TwoTower,
    head: int,
    parts: tuple[Tensor, Tensor],
    log_scale: Tensor,
    *,
    candidates: Candidates,
    settings: TrainingSettings,
) -> Tensor:
    """What a head adds to the loss: its share of the mean over the retrieval heads, or the weighted loss of taste.

    Args:
        model: the towers.
        head: which of them.
        parts: of users and videos, of `encoded`.
        log_scale: the head's own, of `TwoTower.log_scales`.
        candidates: who competes.
        settings: of the fit.
    """
    if head == model.taste_head:
        return settings.taste_loss * taste_loss(*parts, log_scale, candidates)
    return sampled_softmax_loss(*parts, log_scale, candidates) / model.taste_head


def batch_loss(model: TwoTower, inputs: Inputs, settings: TrainingSettings) -> Tensor:
    """Mean of the retrieval heads' losses, each by itself, and the weighted loss of the taste head."""
    losses = [
        head_loss(
            model,
            head,
            encoded(model, head, inputs, settings),
            log_scale,
            candidates=inputs.candidates,
            settings=settings,
        )
        for head, log_scale in enumerate(model.log_scales)
    ]
    return torch.stack(losses).sum()
