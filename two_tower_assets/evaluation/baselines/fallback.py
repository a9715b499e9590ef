"""Popularity wherever a method knows nothing, so that none is made weaker than it need be.

Letters: B rows, C candidates, M videos that a method knows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.baselines.likes import places
from two_tower_assets.evaluation.baselines.popularity import Popularity
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask

Known = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Rows of a task to float32 [B, M]; −∞ where a method knows nothing of a video for a user."""


def over_popularity(
    task: RankingTask, popularity: Popularity, *, video: NDArray[np.int64], known_U: NDArray[np.bool_], score: Known
) -> Score:
    """Complete the scores of a method.

    What it knows keeps its score. All else stands behind that, by popularity: candidates that it does not know, and
    every candidate of users that it knows nothing of.

    Args:
        task: whose candidates are scored.
        popularity: of all videos.
        video: [M] the videos that the method knows, by index.
        known_U: [U] users of the task that the method knows something of.
        score: the method.
    """
    at_C = torch.from_numpy(places(video, len(popularity.ever))[task.candidates])
    behind_C = torch.from_numpy(-1 - popularity.ranks(task.candidates).astype(np.float32))

    def completed(rows: NDArray[np.int64]) -> Tensor:
        # The last column, which NOWHERE reads, is of no video.
        score_BM = np.full((len(rows), len(video) + 1), -np.inf, dtype=np.float32)
        kept = np.flatnonzero(known_U[rows])
        score_BM[kept, :-1] = score(rows[kept])
        return _fill(torch.from_numpy(score_BM).index_select(1, at_C % score_BM.shape[1]), behind_C)

    return completed


def _fill(score_BC: Tensor, behind_C: Tensor) -> Tensor:
    """Replace −∞ by whole numbers below the least score of the row, which float32 tells apart exactly."""
    unknown_BC = score_BC == -torch.inf
    least_B = score_BC.masked_fill(unknown_BC, 0).amin(1).clamp(max=0).floor()
    return torch.where(unknown_BC, least_B[:, None] + behind_C, score_BC)
