"""Fitting the towers: the optimiser loop, its schedule and the curves it leaves behind.

What does not live here: how validation is measured (a callable is given, so that training knows nothing of
evaluation), what a batch is (`sampler`) and what is minimised (`loss`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn

from two_tower_assets.errors import TrainingError
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.bags import on_device
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.loss import Candidates, sampled_softmax_loss, taste_loss
from two_tower_assets.training.sampler import Batch, Sampler
from two_tower_assets.training.towers import TwoTower

Validate = Callable[[TwoTower], float]
"""Measures a model in evaluation mode; higher is better."""

CPU: Final = torch.device("cpu")
_WARM_UP: Final = 0.3
_START_FACTOR: Final = 1 / 25
_END_FACTOR: Final = 1e-4
_BETAS: Final = (0.9, 0.999)

_Drawn = TypeVar("_Drawn")


@dataclass(frozen=True)
class StepReport:
    """How far a fit is."""

    step: int
    """Steps taken."""
    total: int
    """Most steps that will be taken."""
    loss: float
    validation: float | None
    """What validation gave, at the steps where it was measured."""
    examples_per_second: float
    """Mean since the start, validation included."""


Watch = Callable[[StepReport], None]


def unwatched(report: StepReport) -> None:
    """Report nothing."""
    del report


@dataclass(frozen=True)
class Curves:
    """What happened during a fit."""

    losses: list[float] = field(default_factory=list)
    """Loss of each step taken."""
    validations: list[tuple[int, float]] = field(default_factory=list)
    """(steps taken, what validation gave) for each measurement."""

    @property
    def last(self) -> float | None:
        """What validation gave at the end, or None when it was not measured."""
        return self.validations[-1][1] if self.validations else None


@dataclass(frozen=True)
class Fit:
    """A fitted model, in evaluation mode."""

    model: TwoTower
    steps: int
    """Steps taken."""
    curves: Curves
    examples_per_second: float
    ran: Mapping[str, Any] = field(default_factory=dict)
    """Where it ran, if not on this machine's processors."""


def fit(
    data: TrainingData,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    *,
    steps: int,
    validate: Validate | None = None,
    watch: Watch = unwatched,
    device: torch.device = CPU,
) -> Fit:
    """Fit the towers on the LIKEs before `data.until`.

    The same data, settings and number of threads give the same weights, bit by bit; on a card nearly.

    Args:
        data: what may be seen.
        model_settings: shape of the towers.
        settings: optimiser, batches and negatives.
        steps: length of the one-cycle schedule. There is no early stopping: the rate falls to nearly nothing, a
            schedule that is broken off leaves worse weights than a shorter one, and the best of many measurements
            on few users is a matter of luck.
        validate: measured every `validate_every` steps and at the last one, for the curves.
        watch: called after each step.
        device: where the steps are taken; the model comes back to the processors.

    Raises:
        TrainingError: there is nothing to learn from, or the loss is no longer finite.
    """
    sampler = Sampler(data, settings)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        model = new_model(data, model_settings, settings).to(device)
        return _Run(model, settings, steps, validate, watch).through(sampler)


def new_model(data: TrainingData, model_settings: ModelSettings, settings: TrainingSettings) -> TwoTower:
    """Towers before their first step; torch's generator is seeded and drawn from."""
    torch.manual_seed(settings.seed)
    return TwoTower(
        data.states.space.user_dim,
        data.states.space.item_dim,
        model_settings,
        videos=len(data.states.space.videos),
        temperature=settings.initial_temperature,
    )


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


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW whose weight decay acts on matrices alone."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=_BETAS, fused=True)


def train_step(model: TwoTower, optimizer: torch.optim.Optimizer, batch: Batch, settings: TrainingSettings) -> float:
    """One forward and backward pass and one update; returns the loss before it."""
    loss = batch_loss(model, batch, settings)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()
    model.bound_temperature()
    return loss.item()


def batch_loss(model: TwoTower, batch: Batch, settings: TrainingSettings) -> Tensor:
    """Mean of the retrieval heads' losses, each by itself, and the weighted loss of the taste head."""
    candidates = candidates_of(batch, model.device)
    (*users, user_taste_BD), (*items, item_taste_MD) = encoded(model, batch, settings)
    heads = zip(users, items, model.log_temperature_H, strict=True)
    retrieval = torch.stack([sampled_softmax_loss(*head, candidates) for head in heads]).mean()
    return retrieval + settings.taste_loss * taste_loss(
        user_taste_BD, item_taste_MD, model.log_taste_scale, candidates
    )


def encoded(model: TwoTower, batch: Batch, settings: TrainingSettings) -> tuple[list[Tensor], list[Tensor]]:
    """Return the parts of a batch's users and videos, each float32."""
    slot_M = torch.from_numpy(batch.slot_M).to(model.device)
    users_B, items_M = on_device(batch.users, model.device), on_device(batch.items_M, model.device)
    with torch.autocast(model.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
        users, items = model.user.parts(users_B), model.item.parts(items_M, slot_M)
    return [part.float() for part in users], [part.float() for part in items]


def candidates_of(batch: Batch, device: torch.device) -> Candidates:
    """What the losses are told of a batch."""
    names = [each.name for each in fields(Candidates)]
    return Candidates(**{name: torch.from_numpy(getattr(batch, name)).to(device) for name in names})


def prefetched(draw: Callable[[int], _Drawn], steps: range) -> Generator[_Drawn]:
    """Yield what is drawn for each step, in another thread while the one before it is learned."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        coming = [pool.submit(draw, step) for step in steps[:1]]
        for following in steps[1:]:
            drawn = coming.pop().result()
            coming.append(pool.submit(draw, following))
            yield drawn
        for last in coming:
            yield last.result()


def set_rate(optimizer: torch.optim.Optimizer, settings: TrainingSettings, step: int, steps: int) -> None:
    """Set the learning rate of a step (counted from 0)."""
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * one_cycle(step, steps)


def finite(loss: float, taken: int) -> float:
    """Return the loss of the step that was taken last.

    Raises:
        TrainingError: it is not finite.
    """
    if math.isfinite(loss):
        return loss
    raise TrainingError(
        f"The loss is {loss} at step {taken}",
        where="training/checkpoint",
        remedy="Lower training.learning_rate, and look for extreme values in the features.",
    )


def is_measured(taken: int, steps: int, settings: TrainingSettings) -> bool:
    """Whether validation is due after so many steps."""
    return taken % settings.validate_every == 0 or taken == steps


@dataclass
class _Run:
    """One fit while it goes on."""

    model: TwoTower
    settings: TrainingSettings
    steps: int
    validate: Validate | None
    watch: Watch
    curves: Curves = field(default_factory=Curves)

    def through(self, sampler: Sampler) -> Fit:
        """Take all steps and return the model."""
        optimizer = make_optimizer(self.model, self.settings)
        started = time.monotonic()
        rate = 0.0
        for taken, batch in enumerate(prefetched(sampler.batch, range(self.steps)), start=1):
            set_rate(optimizer, self.settings, taken - 1, self.steps)
            loss = finite(train_step(self.model.train(), optimizer, batch, self.settings), taken)
            self.curves.losses.append(loss)
            validation = self._measure(taken)
            rate = taken * self.settings.batch_size / (time.monotonic() - started)
            self.watch(StepReport(taken, self.steps, loss, validation, rate))
        device = self.model.device
        ran = {"device": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
        return Fit(self.model.cpu().eval(), self.steps, self.curves, rate, ran)

    def _measure(self, taken: int) -> float | None:
        if self.validate is None or not is_measured(taken, self.steps, self.settings):
            return None
        # Rankings are made by the processors.
        value = self.validate(self.model.eval() if self.model.device == CPU else deepcopy(self.model).cpu().eval())
        self.curves.validations.append((taken, value))
        return value
