"""The two ways to take the steps of a fit: on processors head by head, on a card all heads at once.

What does not live here: what is done before and after a step (`trainer`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.head_fit import HeadFit
from two_tower_assets.training.objective import Inputs, batch_loss
from two_tower_assets.training.optimizer import make_optimizer, set_rate
from two_tower_assets.training.side_by_side import in_step
from two_tower_assets.training.towers import TwoTower, bounded_temperature

_Drawn = TypeVar("_Drawn")


def heads_side_by_side(
    model: TwoTower,
    settings: TrainingSettings,
    steps: int,
    draw: Callable[[int], Inputs],
    *,
    pause_every: int,
) -> Iterator[float]:
    """Take steps and yield the loss before each; every head on a core of its own.

    Args:
        model: the towers, on the processors.
        settings: of the fit.
        steps: length of the schedule.
        draw: the inputs of a step, counted from 0.
        pause_every: after as many steps no head goes on before the next loss is asked for, so that the model can be
            measured.
    """
    fits = [HeadFit(model, head, settings, steps) for head in model.user.heads]
    for start in range(0, steps, pause_every):
        model.train()
        yield from in_step([fit.step for fit in fits], draw, range(start, min(start + pause_every, steps)))


def all_heads_at_once(
    model: TwoTower, settings: TrainingSettings, steps: int, draw: Callable[[int], Inputs]
) -> Iterator[float]:
    """Take steps and yield the loss before each; the next one's inputs are drawn meanwhile. Arguments as above."""
    optimizer = make_optimizer(model.parameters(), settings)
    for step, inputs in enumerate(prefetched(draw, range(steps))):
        set_rate(optimizer, settings, step, steps)
        loss = batch_loss(model.train(), inputs, settings)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        bounded_temperature(model.log_temperature_H)
        yield loss.item()


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
