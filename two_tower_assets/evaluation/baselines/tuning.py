"""The choice among a baseline's parameters, by a measure that the caller takes from a validation window."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines.method import Baseline, Fitted, Parameters
from two_tower_assets.training.data import TrainingData


@dataclass(frozen=True)
class Trial:
    """One entry of a grid."""

    parameters: Parameters
    score: float | None
    """What the measure said; None: it could not be fitted or measured."""
    reason: str | None = None
    """Why not."""


@dataclass(frozen=True)
class Tuned:
    """The best entry of a grid."""

    parameters: Parameters
    score: float
    tried: tuple[Trial, ...]
    """All of the grid, in its order."""


def tune(baseline: Baseline, data: TrainingData, measure: Callable[[Fitted], float]) -> Tuned:
    """Fit every entry of the grid and keep the one that measures best; among equals the first.

    Args:
        baseline: the method.
        data: what was known when the validation window began.
        measure: the value of a fit on that window; higher is better.

    Raises:
        EvaluationError: no entry could be fitted and measured; the reason is the first one's.
    """
    tried: list[Trial] = []
    first_error: EvaluationError | None = None
    for parameters in baseline.grid:
        try:
            tried.append(_measured(parameters, measure(baseline.fit(data, parameters))))
        except EvaluationError as error:
            first_error = first_error or error
            tried.append(Trial(parameters, None, str(error)))
    scores = [-math.inf if trial.score is None else trial.score for trial in tried]
    best = tried[max(range(len(tried)), key=scores.__getitem__)]
    if best.score is None:
        raise first_error or EvaluationError(
            f"{baseline.name} has no value on the validation window", remedy="Choose a window with LIKEs."
        )
    return Tuned(best.parameters, best.score, tuple(tried))


def _measured(parameters: Parameters, score: float) -> Trial:
    if math.isnan(score):
        return Trial(parameters, None, "The validation window gives no value.")
    return Trial(parameters, score)
