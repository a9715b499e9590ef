"""Bayesian personalised ranking, through the library `implicit`.

Letters: U users, M liked videos, D factors, B rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.library import fit_model, model_class, refuse_too_many
from two_tower_assets.evaluation.baselines.likes import NOWHERE, liked_videos, places, state_likes
from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.baselines.popularity import Popularity, popularity
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

_GRID: Final[tuple[Parameters, ...]] = (
    {"factors": 64, "learning_rate": 0.03, "regularization": 0.02, "iterations": 100},
    {"factors": 64, "learning_rate": 0.03, "regularization": 0.03, "iterations": 60},
    {"factors": 128, "learning_rate": 0.03, "regularization": 0.03, "iterations": 100},
    {"factors": 32, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
)


@dataclass(frozen=True)
class Bpr:
    """Rank by the product of user and video factors, learned from pairs (Rendle et al., UAI 2009)."""

    name: str = "bpr"
    grid: tuple[Parameters, ...] = _GRID

    def fit(self, data: TrainingData, parameters: Parameters) -> FittedBpr:
        """Fit by stochastic gradient descent, and put back what the sampling of negatives takes away.

        `implicit` draws the video that loses a pair from the LIKEs, so as often as it is liked. Factors then learn
        the log of a user's preference over popularity; adding the log of popularity gives the preference. It is the
        correction of sampled softmax (Yi et al., RecSys 2019), and on short histories it is most of the ranking.

        Raises:
            EvaluationError: fewer than two videos were liked, too many LIKEs, the fit diverged, or `implicit` is not
                installed.
        """
        make = model_class("implicit.cpu.bpr", "BayesianPersonalizedRanking")
        refuse_too_many(len(data.likes))
        liked = liked_videos(data)
        model = fit_model(
            make,
            liked.like_UM,
            factors=int(parameters["factors"]),
            learning_rate=parameters["learning_rate"],
            regularization=parameters["regularization"],
            iterations=int(parameters["iterations"]),
        )
        return FittedBpr(
            data=data,
            popularity=popularity(data),
            video=liked.video,
            user=liked.user,
            user_UD=model.user_factors,
            video_MD=model.item_factors,
            log_likes_M=np.log(liked.counts).astype(np.float32),
        )


@dataclass(frozen=True, eq=False)
class FittedBpr:
    """Factors of liked videos and of the users who liked them."""

    data: TrainingData
    popularity: Popularity
    video: NDArray[np.int64]
    """[M]"""
    user: NDArray[np.int64]
    """[U] users who were learned from."""
    user_UD: NDArray[np.float32]
    video_MD: NDArray[np.float32]
    log_likes_M: NDArray[np.float32]
    notes: tuple[str, ...] = ()

    def score(self, task: RankingTask) -> Score:
        """Score with the factors that were learned; a state without LIKEs gets popularity all the same."""
        has_likes = np.diff(state_likes(self.data, task, self.video).indptr) > 0
        factors = places(self.user, len(self.data.history.user_ids))[task.users]

        def score(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            score_BM: NDArray[np.float32] = self.user_UD[factors[rows]] @ self.video_MD.T
            return score_BM + self.log_likes_M

        return over_popularity(
            task,
            self.popularity,
            video=self.video,
            known_U=has_likes & (factors != NOWHERE),
            score=score,
        )
