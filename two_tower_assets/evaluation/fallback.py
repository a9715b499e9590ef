"""What users without any decision get: fading popularity, whose half-life is chosen on the validation window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData


def fallback_scores(data: TrainingData, task: RankingTask, half_life_days: float) -> Score:
    """The same list for everyone."""
    fading_V = data.popularity(half_life_days).fading
    score_C = torch.from_numpy(fading_V[task.candidates].astype(np.float32))

    def score(rows: NDArray[np.int64]) -> Tensor:
        return score_C.repeat(len(rows), 1)

    return score


def choose_half_life(half_lives: Sequence[float], measure: Callable[[float], float]) -> float:
    """Return the half-life with the best validation measure, the first of equals."""
    return max(half_lives, key=measure)
