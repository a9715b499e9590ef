"""AdamW and the schedule of its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import torch
from torch import nn

from two_tower_assets.settings import TrainingSettings

_WARM_UP: Final = 0.3
_START_FACTOR: Final = 1 / 25
_END_FACTOR: Final = 1e-4
_BETAS: Final = (0.9, 0.999)


def make_optimizer(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW whose weight decay acts on matrices alone."""
    given = list(parameters)
    groups = [
        {"params": [parameter for parameter in given if parameter.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [parameter for parameter in given if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=_BETAS, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, settings: TrainingSettings, step: int, steps: int) -> None:
    """Set the learning rate of a step (counted from 0)."""
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * one_cycle(step, steps)


def one_cycle(step: int, steps: int) -> float:
    """Factor of the learning rate at a step counted from 0: cosine up during 30 %, cosine down to 1e-4.

    Smith, "Super-convergence" (2018), with cosine annealing.
    """
    peak = max(1.0, _WARM_UP * steps)
    if step < peak:
        return _cosine(_START_FACTOR, 1.0, (step + 1) / (peak + 1))
    return _cosine(1.0, _END_FACTOR, (step - peak) / max(1.0, steps - 1 - peak))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
