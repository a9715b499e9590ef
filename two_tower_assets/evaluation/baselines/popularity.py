"""The most liked videos, of all time or lately, the same for everyone; also what other methods fall back on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.features.times import MICROSECONDS_A_DAY
from two_tower_assets.training.data import TrainingData

_NOTHING_TO_TUNE: Final[tuple[Parameters, ...]] = ({},)


@dataclass(frozen=True, eq=False)
class Popularity:
    """LIKEs of every video of the history."""

    ever: NDArray[np.int64]
    """[videos] LIKEs before `data.until`."""
    lately: NDArray[np.int64]
    """[videos] those of the last days; the same as `ever` where no days were named."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: popularity always has an answer."""
        return ()

    def ranks(self, videos: NDArray[np.integer]) -> NDArray[np.int64]:
        """[C] 0 for the most popular of the videos: by recent LIKEs, then by all LIKEs, then by index."""
        order = np.lexsort((videos, -self.ever[videos], -self.lately[videos]))
        rank_C = np.empty(len(videos), dtype=np.int64)
        rank_C[order] = np.arange(len(videos))
        return rank_C

    def score(self, task: RankingTask) -> Score:
        """Score everyone alike: C for the most popular candidate, 1 for the least."""
        score_C = torch.from_numpy((len(task.candidates) - self.ranks(task.candidates)).astype(np.float32))

        def score(rows: NDArray[np.int64]) -> Tensor:
            return score_C.repeat(len(rows), 1)

        return score


@dataclass(frozen=True)
class MostPopular:
    """Rank by the number of LIKEs of all time, or of the last days before `data.until`."""

    name: str
    days: int | None = None
    """Length of the window; None: all of the past."""
    grid: tuple[Parameters, ...] = _NOTHING_TO_TUNE

    def fit(self, data: TrainingData, parameters: Parameters) -> Popularity:
        """Count. Without any LIKE all videos are equal, and stand by index."""
        del parameters
        return popularity(data, days=self.days)


def popularity(data: TrainingData, *, days: int | None = None) -> Popularity:
    """Count the LIKEs of known, active videos before `data.until`."""
    return popularity_at(data.history, data.likes.decision, data.until, days=days)


def popularity_at(history: History, likes: NDArray[np.integer], until: int, *, days: int | None = None) -> Popularity:
    """Count LIKEs (positions in the history) from before a moment, in microseconds."""
    video = history.video[likes]
    videos = len(history.video_ids)
    ever = np.bincount(video, minlength=videos)
    if days is None:
        return Popularity(ever, ever)
    recent = history.time[likes] >= until - days * MICROSECONDS_A_DAY
    return Popularity(ever, np.bincount(video[recent], minlength=videos))
