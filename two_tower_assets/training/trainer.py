"""Fitting the towers: the loop over steps and the curves it leaves behind.

What does not live here: how steps are taken (`stepping`), their schedule (`optimizer`), how validation is measured (a
callable is given, so that training knows nothing of evaluation), what a batch is (`sampler`) and what is minimised
(`objective`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import torch

from two_tower_assets.errors import TrainingError
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.objective import Inputs
from two_tower_assets.training.sampler import Sampler
from two_tower_assets.training.stepping import all_heads_at_once, heads_side_by_side
from two_tower_assets.training.towers import TwoTower

Validate = Callable[[TwoTower], float]
"""Measures a model in evaluation mode; higher is better."""

CPU: Final = torch.device("cpu")


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

    The same data and settings give the same weights, bit by bit, on any number of threads up to one more than there
    are heads; on a card nearly.

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
        device = self.model.device
        started = time.monotonic()
        rate = 0.0
        for taken, loss in enumerate(self._losses(sampler), start=1):
            self.curves.losses.append(finite(loss, taken))
            validation = self._measure(taken)
            rate = taken * self.settings.batch_size / (time.monotonic() - started)
            self.watch(StepReport(taken, self.steps, loss, validation, rate))
        ran = {"device": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
        return Fit(self.model.cpu().eval(), self.steps, self.curves, rate, ran)

    def _losses(self, sampler: Sampler) -> Iterator[float]:
        def draw(step: int) -> Inputs:
            return Inputs.of(sampler.batch(step), self.model.device)

        if self.model.device != CPU:
            return all_heads_at_once(self.model, self.settings, self.steps, draw)
        pause = self.settings.validate_every if self.validate else self.steps
        return heads_side_by_side(self.model, self.settings, self.steps, draw, pause_every=pause)

    def _measure(self, taken: int) -> float | None:
        if self.validate is None or not is_measured(taken, self.steps, self.settings):
            return None
        # Rankings are made by the processors.
        value = self.validate(self.model.eval() if self.model.device == CPU else deepcopy(self.model).cpu().eval())
        self.curves.validations.append((taken, value))
        return value
