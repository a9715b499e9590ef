"""Popularity that forgets: what users without any decision get, and the tie-break of everything else.

Each LIKE counts 2^(−age / half-life). No window has to be chosen between old favourites and this week's: the
half-life is chosen on the validation window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import LIKE
from two_tower_assets.features.times import MICROSECONDS_A_DAY
from two_tower_assets.training.data import TrainingData


def fading_popularity(data: TrainingData, half_life_days: float) -> NDArray[np.float64]:
    """[videos] Σ 2^(−age in days / half-life) over the LIKEs before `data.until`."""
    history = data.history
    chosen = np.flatnonzero((history.kind == LIKE) & (history.video >= 0) & (history.time < data.until))
    age = (data.until - history.time[chosen]) / MICROSECONDS_A_DAY
    weights = np.exp2(-age / half_life_days)
    return np.bincount(history.video[chosen], weights, minlength=len(history.video_ids)).astype(np.float64)


def fallback_scores(data: TrainingData, task: RankingTask, half_life_days: float) -> Score:
    """The same list for everyone."""
    score_C = torch.from_numpy(fading_popularity(data, half_life_days)[task.candidates].astype(np.float32))

    def score(rows: NDArray[np.int64]) -> Tensor:
        return score_C.repeat(len(rows), 1)

    return score


def choose_half_life(half_lives: Sequence[float], measure: Callable[[float], float]) -> float:
    """Return the half-life with the best validation measure, the first of equals."""
    return max(half_lives, key=measure)
