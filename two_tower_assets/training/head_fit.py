"""One head of both towers, fitted by itself: heads share no weight, so each has an optimiser and draws of its own."""

from __future__ import annotations

import torch
from torch import nn

from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.dropout import drawing_from, seed_of
from two_tower_assets.training.objective import Inputs, encoded, head_loss
from two_tower_assets.training.optimizer import make_optimizer, set_rate
from two_tower_assets.training.towers import TwoTower, bounded_temperature


class HeadFit:
    """Takes the steps of one head; what it learns is in the model's own weights.

    Args:
        model: the towers; other heads may be fitted by other threads meanwhile.
        head: which of them.
        settings: of the fit.
        steps: length of the schedule.
    """

    def __init__(self, model: TwoTower, head: int, settings: TrainingSettings, steps: int) -> None:
        self._model, self._head, self._settings, self._steps = model, head, settings, steps
        # The same memory as in the model, where the temperatures of all heads are one parameter.
        self._log_scale = nn.Parameter(model.log_scales[head].detach())
        self._optimizer = make_optimizer([*model.parameters_of(head), self._log_scale], settings)
        self._generator = torch.Generator().manual_seed(seed_of(settings.seed, head))

    def step(self, number: int, inputs: Inputs) -> float:
        """Take a step, counted from 0; returns what the head added to the loss before it."""
        set_rate(self._optimizer, self._settings, number, self._steps)
        with drawing_from(self._generator):
            parts = encoded(self._model, self._head, inputs, self._settings)
        loss = head_loss(
            self._model,
            self._head,
            parts,
            self._log_scale,
            candidates=inputs.candidates,
            settings=self._settings,
        )
        self._optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:
            torch.autograd.backward(loss)
        self._optimizer.step()
        if self._head != self._model.taste_head:
            bounded_temperature(self._log_scale)
        return loss.item()
