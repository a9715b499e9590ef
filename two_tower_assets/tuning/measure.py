"""What a point of the space is worth: recall@50 on the validation window, of retrieval alone.

How much taste and popularity count is chosen afterwards, as it always is (`evaluation.selection`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from two_tower_assets.evaluation.metrics.retrieval import recall_at
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.ranking import rank
from two_tower_assets.evaluation.tower_scores import tower_scores
from two_tower_assets.settings import Settings
from two_tower_assets.training.device import device_of
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import StepReport, fit
from two_tower_assets.tuning.window import Window

METRIC: Final = RECALL
LOOKS: Final = 5
"""How often a fit is looked at: after each fifth of its schedule, so that schedules of any length can be compared."""

_DEPTH: Final = 50

Report = Callable[[int, float], None]
"""Told the fifths done and what was measured; raises to end the fit."""


def measure(window: Window, settings: Settings, report: Report) -> float:
    """Fit by each schedule of the settings, and return the best recall at the end of one.

    Raises:
        TrainingError: there is nothing to learn from, or training diverged.
    """
    return max(_fitted(window, settings, steps, report) for steps in settings.training.schedules)


def _fitted(window: Window, settings: Settings, steps: int, report: Report) -> float:
    every = math.ceil(steps / LOOKS)
    training = settings.training.model_copy(update={"validate_every": every})
    found = fit(
        window.data,
        settings.model,
        training,
        steps=steps,
        validate=partial(recall, window),
        watch=partial(_tell, report, every),
        device=device_of(settings.resources.device),
    )
    assert found.curves.last is not None
    return found.curves.last


def recall(window: Window, model: TwoTower) -> float:
    """Mean recall@50 of the window's users, as plain retrieval ranks for them."""
    model.set_blend()
    scores = tower_scores(model, window.data, window.task)
    ranking = rank(window.task, window.data.history, scores, _DEPTH)
    return float(np.nanmean(recall_at(ranking.targets(window.task), _DEPTH)))


def _tell(report: Report, every: int, step: StepReport) -> None:
    if step.validation is not None and step.step < step.total:
        report(step.step // every, step.validation)
