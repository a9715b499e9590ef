"""One optimiser step that several workers take together and that does not depend on how many they are.

A step's batch is cut into slices. A worker encodes the rows and the videos of its slices; the videos of all are
gathered, so every row meets every candidate of the step. Dropout is drawn for each slice from (seed, step, slice).
Only the order in which float32 sums are taken depends on the number of workers.

Letters in tensor names: those of `training.loss`; m and b are a worker's own videos and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from two_tower_assets.distributed.gather import gather_rows
from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.dropout import seed_of
from two_tower_assets.training.loss import Candidates
from two_tower_assets.training.objective import Inputs, encoded, head_loss
from two_tower_assets.training.sampler import Batch, share_of
from two_tower_assets.training.towers import TwoTower, bounded_temperature


@dataclass(frozen=True)
class Crew:
    """The workers of a fit, as one of them sees it."""

    rank: int
    workers: int
    slices: int
    """Parts that a step is cut into, at least one a worker."""

    @classmethod
    def of_process_group(cls, slices: int) -> Crew:
        """The workers of torch's process group."""
        assert slices >= dist.get_world_size()
        return cls(dist.get_rank(), dist.get_world_size(), slices)

    def slices_of(self, rank: int) -> range:
        """Which slices a worker takes: consecutive ones."""
        chosen = share_of(self.slices, rank, self.workers)
        return range(chosen.start, chosen.stop)

    @property
    def own(self) -> range:
        """Which slices this worker takes."""
        return self.slices_of(self.rank)

    def lengths(self, encoded: int) -> list[int]:
        """How many of a step's videos each worker encodes."""
        return [
            sum(len(range(*share_of(encoded, part, self.slices).indices(encoded))) for part in self.slices_of(rank))
            for rank in range(self.workers)
        ]


def shared_step(
    model: TwoTower,
    optimizer: torch.optim.Optimizer,
    parts: Sequence[Batch],
    settings: TrainingSettings,
    *,
    crew: Crew,
    step: int,
) -> float:
    """Take a step together with the other workers; all return the loss before it and end with equal weights.

    Args:
        model: the same on all workers.
        optimizer: the same.
        parts: this worker's slices of the step.
        settings: of the fit.
        crew: who takes part.
        step: counted from 0.
    """
    loss = own_loss(model, parts, settings, crew=crew, step=step)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    whole = _sum_up(list(model.parameters()), loss.detach())
    optimizer.step()
    bounded_temperature(model.log_temperature_H)
    return whole


def own_loss(model: TwoTower, parts: Sequence[Batch], settings: TrainingSettings, *, crew: Crew, step: int) -> Tensor:
    """This worker's summand of the step's loss, which is that of `training.objective.batch_loss`."""
    inputs = [Inputs.of(batch, model.device) for batch in parts]
    users, items = [], []
    for part, given in zip(crew.own, inputs, strict=True):
        torch.manual_seed(seed_of(settings.seed, step, part))
        user, item = zip(*(encoded(model, head, given, settings) for head in model.user.heads), strict=True)
        users.append(user)
        items.append(item)
    videos = _gathered(items, crew.lengths(parts[0].encoded))
    return torch.stack(
        [
            _part_loss(model, (user, videos), batch, given.candidates, settings)
            for user, batch, given in zip(users, parts, inputs, strict=True)
        ]
    ).sum()


def _gathered(items: Sequence[Sequence[Tensor]], lengths: Sequence[int]) -> list[Tensor]:
    """One [M, D] a head, of the videos of all workers."""
    sizes = [head.shape[1] for head in items[0]]
    own = torch.cat([torch.cat(list(heads), dim=1) for heads in items])
    return list(torch.split(gather_rows(own, lengths), sizes, dim=1))


def _part_loss(
    model: TwoTower,
    parts: tuple[Sequence[Tensor], Sequence[Tensor]],
    batch: Batch,
    candidates: Candidates,
    settings: TrainingSettings,
) -> Tensor:
    """What a slice adds: the same share of each head's loss as of the rows that the head learns from."""
    heads = zip(model.user.heads, zip(*parts, strict=True), model.log_scales, strict=True)
    *retrieval, taste = (
        head_loss(model, head, encoded_by, scale, candidates=candidates, settings=settings)
        for head, encoded_by, scale in heads
    )
    return batch.row_share * torch.stack(retrieval).sum() + batch.nope_share * taste


def _sum_up(parameters: Sequence[Tensor], loss: Tensor) -> float:
    """Add up the gradients of all workers in place, and return the sum of their losses.

    A parameter that no worker has a gradient of keeps none, so that the optimiser leaves it alone.
    """
    has = torch.tensor([float(parameter.grad is not None) for parameter in parameters])
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in parameters
    ]
    flat = torch.cat([loss.reshape(1), has, *(gradient.reshape(-1) for gradient in gradients)])
    dist.all_reduce(flat)
    found = torch.split(flat[1 + len(has) :], [parameter.numel() for parameter in parameters])
    for parameter, gradient, workers in zip(parameters, found, flat[1:].tolist(), strict=False):
        parameter.grad = gradient.view_as(parameter) if workers else None
    return float(flat[0])
