"""Popularity wherever a method knows nothing, so that none is made weaker than it need be.

Letters: B rows, C candidates, M videos that a method knows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.baselines.likes import NOWHERE, places
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
    at_M = places(task.candidates, len(popularity.ever))[video]
    from_M, to_M = np.flatnonzero(at_M != NOWHERE), at_M[at_M != NOWHERE]
    behind_C = -1 - popularity.ranks(task.candidates).astype(np.float32)

    def completed(rows: NDArray[np.int64]) -> Tensor:
        score_BC = np.full((len(rows), len(behind_C)), -np.inf, dtype=np.float32)
        # Users that nothing is known of are not worth computing.
        kept = np.flatnonzero(known_U[rows])
        score_BC[np.ix_(kept, to_M)] = score(rows[kept])[:, from_M]
        _fill(score_BC, behind_C)
        return torch.from_numpy(score_BC)

    return completed


def _fill(score_BC: NDArray[np.float32], behind_C: NDArray[np.float32]) -> None:
    """Replace −∞ by whole numbers below the least score of the row, which float32 tells apart exactly."""
    unknown_BC = np.isneginf(score_BC)
    least_B = np.min(score_BC, axis=1, where=~unknown_BC, initial=0)
    np.copyto(score_BC, np.floor(least_B)[:, None] + behind_C, where=unknown_BC)
