"""What one worker of a fit does from the first step, or from a kept state, to the last.

What does not live here: one step (`step`), the state's file (`replica_state`), who starts workers and keeps files
(`ray_fit`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from two_tower_assets.distributed.replica_state import ReplicaState
from two_tower_assets.distributed.step import Crew, shared_step
from two_tower_assets.settings import ModelSettings, TrainingSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.optimizer import make_optimizer, set_rate
from two_tower_assets.training.sampler import Sampler
from two_tower_assets.training.stepping import prefetched
from two_tower_assets.training.trainer import (
    StepReport,
    Validate,
    Watch,
    finite,
    is_measured,
    new_model,
)

Keep = Callable[[ReplicaState], None]
"""Called by every worker at the same steps."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is fitted: the arguments of `training.trainer.fit`."""

    data: TrainingData
    model: ModelSettings
    settings: TrainingSettings
    steps: int
    validate: Validate | None


def run_replica(
    task: Task, crew: Crew, *, keep: Keep, keep_every: int, watch: Watch, kept: ReplicaState | None = None
) -> ReplicaState:
    """Take all steps that are left; every worker returns equal weights.

    Args:
        task: what is fitted.
        crew: who takes part.
        keep: is given the state every `keep_every` steps and at the last one.
        keep_every: steps.
        watch: called by the first worker after each step.
        kept: where to go on.

    Raises:
        TrainingError: there is nothing to learn from, or the loss is no longer finite.
    """
    sampler = Sampler(task.data, task.settings)
    model = new_model(task.data, task.model, task.settings)
    optimizer = make_optimizer(model.parameters(), task.settings)
    state = kept or ReplicaState()
    state.fill(model, optimizer)
    first, started, before = state.taken, time.monotonic(), state.seconds
    draw = partial(sampler.parts, chosen=crew.own, count=crew.slices)
    for step, parts in enumerate(prefetched(draw, range(first, task.steps)), start=first):
        set_rate(optimizer, task.settings, step, task.steps)
        loss = shared_step(model.train(), optimizer, parts, task.settings, crew=crew, step=step)
        state.losses.append(finite(loss, step + 1))
        validation = None
        if crew.rank == 0 and task.validate is not None and is_measured(step + 1, task.steps, task.settings):
            validation = task.validate(model.eval())
            state.validations.append((step + 1, validation))
        state.seconds = before + time.monotonic() - started
        if crew.rank == 0:
            rate = (step + 1) * task.settings.batch_size / state.seconds
            watch(StepReport(step + 1, task.steps, loss, validation, rate))
        if (step + 1) % keep_every == 0 or step + 1 == task.steps:
            state.take(model.eval(), optimizer)
            keep(state)
    return state
