"""Whether the model that ships is near the one that was evaluated: the same recipe, fitted on more of the past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.retrieval import recall_at
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.tower_scores import tower_scores
from two_tower_assets.evaluation.trials import Trials
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.settings import GateSettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.towers import TwoTower

_DEPTH: Final = 200
_TOP: Final = 50


@dataclass(frozen=True)
class Nearness:
    """Both models on the users of the test window, as of its start."""

    users: int
    evaluated_recall: float
    """recall@200; 0 without users."""
    shipped_recall: float
    """The same of the shipped model, which has seen these decisions."""
    overlap: float
    """Mean share of the first 50 videos that both show."""

    def too_far(self, settings: GateSettings) -> str | None:
        """Say why the shipped model may not go on, or None; without users there is nothing to hold against it."""
        if not self.users:
            return None
        needed = settings.min_shipped_ratio * self.evaluated_recall
        if self.shipped_recall < needed:
            return (
                f"The shipped model's recall@200 is {self.shipped_recall:.4f} on decisions that it has seen, below "
                f"{needed:.4f}: the refit went wrong. Train again, or look at the curves"
            )
        if self.overlap < settings.min_shipped_overlap:
            return (
                f"The shipped and the evaluated model share {self.overlap:.0%} of the first {_TOP} videos, less than "
                f"{settings.min_shipped_overlap:.0%}: the report does not speak for it"
            )
        return None


def nearness(evaluated: TwoTower, shipped: TwoTower, trials: Trials, space: FeatureSpace) -> Nearness:
    """Let both rank for the known users of the test window.

    Args:
        evaluated: fitted before the window.
        shipped: fitted on everything.
        trials: of the same snapshot.
        space: features of the shipped model.
    """
    trial = trials.test
    task = trial.task.part(trial.task.has_history)
    if not len(task.users):
        return Nearness(0, 0.0, 0.0, 0.0)
    data = _in_space(trial.data, trials, space)
    first = rank(task, trial.data.history, tower_scores(evaluated, trial.data, task), _DEPTH)
    second = rank(task, trial.data.history, tower_scores(shipped, data, task), _DEPTH)
    recalls = [float(np.nanmean(recall_at(ranking.targets(task), _DEPTH))) for ranking in (first, second)]
    return Nearness(len(task.users), recalls[0], recalls[1], float(_overlap(first, second).mean()))


def _in_space(data: TrainingData, trials: Trials, space: FeatureSpace) -> TrainingData:
    snapshot = trials.source.snapshot
    return replace(
        data,
        states=UserStates.from_snapshot(snapshot, data.history, space),
        items=item_matrix(trials.videos, space),
        slot=video_slots(data.history.video_ids, space),
    )


def _overlap(first: Ranking, second: Ranking) -> NDArray[np.float64]:
    """[U] |top 50 ∩ top 50| / 50."""
    both = np.sort(np.concatenate([first.top_UK[:, :_TOP], second.top_UK[:, :_TOP]], axis=1), axis=1)
    shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] >= 0)).sum(axis=1)
    share_U: NDArray[np.float64] = shared / np.maximum(1, (first.top_UK[:, :_TOP] >= 0).sum(axis=1))
    return share_U
