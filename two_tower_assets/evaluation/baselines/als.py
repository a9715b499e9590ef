"""Implicit alternating least squares, through the library `implicit`.

Letters: U users of a task, M liked videos, D factors, B rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.library import fit_model, model_class, refuse_too_many
from two_tower_assets.evaluation.baselines.likes import liked_videos, state_likes
from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.baselines.popularity import Popularity, popularity
from two_tower_assets.evaluation.baselines.threads import one_blas_thread
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

_ITERATIONS: Final = 10

_GRID: Final[tuple[Parameters, ...]] = (
    {"factors": 32, "alpha": 1, "regularization": 10},
    {"factors": 128, "alpha": 1, "regularization": 10},
    {"factors": 64, "alpha": 3, "regularization": 30},
    {"factors": 32, "alpha": 1, "regularization": 30},
    {"factors": 128, "alpha": 10, "regularization": 100},
    {"factors": 128, "alpha": 40, "regularization": 300},
)


@dataclass(frozen=True)
class Als:
    """Rank by the product of user and video factors (Hu, Koren and Volinsky, ICDM 2008)."""

    name: str = "als"
    grid: tuple[Parameters, ...] = _GRID

    def fit(self, data: TrainingData, parameters: Parameters) -> FittedAls:
        """Factorise users × videos; a LIKE has confidence `alpha`.

        Raises:
            EvaluationError: fewer than two videos were liked, too many LIKEs, or `implicit` is not installed.
        """
        make = model_class("implicit.cpu.als", "AlternatingLeastSquares")
        refuse_too_many(len(data.likes))
        liked = liked_videos(data)
        model = fit_model(
            make,
            liked.like_UM,
            factors=int(parameters["factors"]),
            alpha=parameters["alpha"],
            regularization=parameters["regularization"],
            iterations=_ITERATIONS,
        )
        return FittedAls(data, popularity(data), liked.video, model)


@dataclass(frozen=True, eq=False)
class FittedAls:
    """Factors of liked videos; those of users are solved for when they are asked about."""

    data: TrainingData
    popularity: Popularity
    video: NDArray[np.int64]
    """[M]"""
    model: Any
    notes: tuple[str, ...] = ()

    def score(self, task: RankingTask) -> Score:
        """Score with the user factors that the LIKEs of each state give, the videos' held fixed."""
        like_UM = state_likes(self.data, task, self.video)
        with one_blas_thread():
            user_UD = self.model.recalculate_user(np.arange(like_UM.shape[0]), like_UM)
        video_DM = self.model.item_factors.T

        def score(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            score_BM: NDArray[np.float32] = user_UD[rows] @ video_DM
            return score_BM

        return over_popularity(
            task, self.popularity, video=self.video, known_U=np.diff(like_UM.indptr) > 0, score=score
        )
