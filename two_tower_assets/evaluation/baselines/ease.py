"""EASE: a linear model of every liked video from all the others, in closed form.

Letters: U users, M liked videos, B rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.inverse import inverted
from two_tower_assets.evaluation.baselines.item_knn import co_occurrences
from two_tower_assets.evaluation.baselines.likes import LikedVideos, liked_videos, state_likes
from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.baselines.popularity import Popularity, popularity
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

MAX_VIDEOS: Final = 12_000
"""More videos take more than 2 GiB and minutes: the weights grow with the square, the time with the cube."""

_GRID: Final[tuple[Parameters, ...]] = (
    {"ridge": 100, "intercept": 0},
    {"ridge": 300, "intercept": 0},
    {"ridge": 1000, "intercept": 0},
    {"ridge": 100, "intercept": 1},
    {"ridge": 300, "intercept": 1},
    {"ridge": 1000, "intercept": 1},
)


@dataclass(frozen=True)
class Ease:
    """Rank by the sum of the weights from what a user liked (Steck, WWW 2019)."""

    name: str = "ease"
    grid: tuple[Parameters, ...] = _GRID
    max_videos: int = MAX_VIDEOS
    """Of more liked videos than these the most liked are kept."""

    def fit(self, data: TrainingData, parameters: Parameters) -> FittedEase:
        """Solve for the weights.

        Raises:
            EvaluationError: fewer than two videos were liked.
        """
        liked = liked_videos(data, at_most=self.max_videos)
        weight_MM, constant_M = weights(liked, parameters)
        return FittedEase(data, popularity(data), liked.video, weight_MM, constant_M, liked.notes)


@dataclass(frozen=True, eq=False)
class FittedEase:
    """Weights between liked videos."""

    data: TrainingData
    popularity: Popularity
    video: NDArray[np.int64]
    """[M]"""
    weight_MM: NDArray[np.float32]
    """Column j predicts video j; the diagonal is 0."""
    constant_M: NDArray[np.float32]
    """What is predicted of a user without LIKEs."""
    notes: tuple[str, ...]

    def score(self, task: RankingTask) -> Score:
        """Score videos with weights; the others stand behind them by popularity."""
        like_UM = state_likes(self.data, task, self.video)

        def score(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            score_BM: NDArray[np.float32] = like_UM[rows] @ self.weight_MM
            return score_BM + self.constant_M

        return over_popularity(
            task, self.popularity, video=self.video, known_U=np.diff(like_UM.indptr) > 0, score=score
        )


def weights(liked: LikedVideos, parameters: Parameters) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Solve EASE: P = (XᵀX + λI)⁻¹, weight(i, j) = −P(i, j) / P(j, j), and 0 on the diagonal.

    λ is `ridge`. Where `intercept` is not 0, X has one more column of that value, as of a video that everyone likes:
    its weights are what popularity alone predicts, which short histories need.

    Returns:
        [M, M] weights and [M] constants; the constants are 0 without an intercept.
    """
    intercept = np.float32(parameters["intercept"])
    gram = _gram(liked, intercept)
    diagonal = np.arange(len(gram))
    gram[diagonal, diagonal] += np.float32(parameters["ridge"])
    weight = inverted(gram)
    weight /= -weight[diagonal, diagonal]
    weight[diagonal, diagonal] = 0
    if not intercept:
        return weight, np.zeros(len(weight), dtype=np.float32)
    return weight[:-1, :-1], intercept * weight[-1, :-1]


def _gram(liked: LikedVideos, intercept: np.float32) -> NDArray[np.float32]:
    """XᵀX, [M, M], or [M + 1, M + 1] with an intercept."""
    videos = len(liked.video)
    gram = np.zeros((videos + bool(intercept),) * 2, dtype=np.float32)
    for first, block in co_occurrences(liked.like_UM):
        gram[first : first + len(block), :videos] = block
    if intercept:
        gram[-1, :-1] = gram[:-1, -1] = intercept * liked.counts
        gram[-1, -1] = intercept**2 * len(liked.user)
    return gram
