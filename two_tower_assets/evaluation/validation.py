"""The measure that early stopping watches: retrieval in the validation window, from what training may know."""

from __future__ import annotations

from typing import Final

import numpy as np

from two_tower_assets.evaluation.metrics import recall_at
from two_tower_assets.evaluation.ranking import rank, tower_scores
from two_tower_assets.evaluation.task import RankingTask, ranking_task
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Validate

MAX_USERS: Final = 2000
"""More users than these make the measure slower and no sharper."""


def validation_measure(data: TrainingData, until: int, *, k: int = 200, seed: int = 0) -> Validate | None:
    """Return recall@k in [data.until, until) as a function of a model; None when no user there can be asked about.

    Args:
        data: what the model is fitted on; its `until` is the cut-off.
        until: end of the validation window, microseconds.
        k: list length.
        seed: chooses the users when there are more than MAX_USERS.
    """
    task = _few_users(known_users(ranking_task(data, until)), seed)
    if not len(task.users):
        return None

    def measure(model: TwoTower) -> float:
        ranking = rank(task, data.history, tower_scores(model, data, task), k)
        return float(recall_at(ranking.hit_UK, task.relevant, k).mean())

    return measure


def known_users(task: RankingTask) -> RankingTask:
    """Only users who decided something before the cut-off: a tower has nothing to say about the others."""
    return task.part(task.has_history)


def _few_users(task: RankingTask, seed: int) -> RankingTask:
    if len(task.users) <= MAX_USERS:
        return task
    chosen = np.zeros(len(task.users), dtype=np.bool_)
    chosen[np.random.default_rng(seed).choice(len(task.users), MAX_USERS, replace=False)] = True
    return task.part(chosen)
