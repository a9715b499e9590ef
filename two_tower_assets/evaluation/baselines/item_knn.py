"""Item-based nearest neighbours: videos liked by the users who liked what this user liked.

Letters: U users, M liked videos, B rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, vstack

from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.likes import LikedVideos, liked_videos, state_likes
from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.baselines.popularity import Popularity, popularity
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

_BLOCK_ENTRIES: Final = 1 << 23

MAX_VIDEOS: Final = 30_000
"""More videos take minutes: the time grows with the square."""

_GRID: Final[tuple[Parameters, ...]] = (
    {"neighbours": 20, "shrinkage": 30, "asymmetry": 0.5},
    {"neighbours": 200, "shrinkage": 0, "asymmetry": 0.5},
    {"neighbours": 1000, "shrinkage": 0, "asymmetry": 0.5},
    {"neighbours": 1000, "shrinkage": 10, "asymmetry": 0.5},
    {"neighbours": 20, "shrinkage": 300, "asymmetry": 1.0},
    {"neighbours": 200, "shrinkage": 300, "asymmetry": 1.0},
)


@dataclass(frozen=True)
class ItemKnn:
    """Rank by the summed similarity to what a user liked."""

    name: str = "item_knn"
    grid: tuple[Parameters, ...] = _GRID
    max_videos: int = MAX_VIDEOS
    """Of more liked videos than these the most liked are kept."""

    def fit(self, data: TrainingData, parameters: Parameters) -> FittedItemKnn:
        """Find each video's neighbours.

        Raises:
            EvaluationError: fewer than two videos were liked.
        """
        liked = liked_videos(data, at_most=self.max_videos)
        return FittedItemKnn(data, popularity(data), liked.video, similarities(liked, parameters), liked.notes)


@dataclass(frozen=True, eq=False)
class FittedItemKnn:
    """Neighbours of every liked video."""

    data: TrainingData
    popularity: Popularity
    video: NDArray[np.int64]
    """[M]"""
    similarity_MM: csr_matrix
    """float32: row i holds the neighbours of video i."""
    notes: tuple[str, ...]

    def score(self, task: RankingTask) -> Score:
        """Score neighbours of what was liked; the others, at 0, stand behind them by popularity."""
        like_UM = state_likes(self.data, task, self.video)

        def score(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            score_BM: NDArray[np.float32] = (like_UM[rows] @ self.similarity_MM).toarray()
            score_BM[score_BM == 0] = -np.inf
            return score_BM

        return over_popularity(
            task, self.popularity, video=self.video, known_U=np.diff(like_UM.indptr) > 0, score=score
        )


def similarities(liked: LikedVideos, parameters: Parameters) -> csr_matrix:
    """Build float32 [M, M]: the similarities of each video to its `neighbours` nearest ones.

    s(i, j) = n(i, j) / (n(i)^a · n(j)^(1 − a) + `shrinkage`), where n counts users who liked both, each weighted by
    the mean number of LIKEs over that user's own, so that who likes everything says little (Deshpande and Karypis,
    ACM TOIS 22 (2004), section 4.1); a is `asymmetry`: 0.5 is the cosine, 1 the share of i's users who like j too
    (Aiolli, RecSys 2013). Shrinkage as in Bell and Koren (KDD Cup 2007).
    """
    weighted_UM = _weighted(liked.like_UM)
    count_M = np.asarray(weighted_UM.multiply(weighted_UM).sum(axis=0)).ravel().astype(np.float32)
    asymmetry, shrinkage = np.float32(parameters["asymmetry"]), np.float32(parameters["shrinkage"])
    of_video_M, of_neighbour_M = np.power(count_M, asymmetry), np.power(count_M, 1 - asymmetry)
    blocks = []
    for first, both_BM in co_occurrences(weighted_UM):
        row = np.arange(len(both_BM))
        similarity_BM = np.divide(both_BM, of_video_M[first + row, None] * of_neighbour_M + shrinkage)
        similarity_BM[row, first + row] = 0
        blocks.append(_nearest(similarity_BM, int(parameters["neighbours"])))
    return vstack(blocks, format="csr")


def co_occurrences(like_UM: csr_matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield blocks of rows of likeᵀ · like, dense [B, M], each with the number of its first row."""
    videos = like_UM.shape[1]
    like_MU = like_UM.T.tocsr()
    size = max(1, _BLOCK_ENTRIES // videos)
    for first in range(0, videos, size):
        yield first, (like_MU[first : first + size] @ like_UM).toarray()


def _weighted(like_UM: csr_matrix) -> csr_matrix:
    """Scale rows so that each user counts by mean LIKEs over own LIKEs in products of two columns."""
    likes_U = np.diff(like_UM.indptr)
    weight_U = np.sqrt(likes_U.mean() / likes_U).astype(np.float32)
    return csr_matrix(diags_array(weight_U) @ like_UM)


def _nearest(similarity_BM: NDArray[np.float32], neighbours: int) -> csr_matrix:
    """Keep the largest entries of each row, zeros left out."""
    if neighbours < similarity_BM.shape[1]:
        far_BM = np.argpartition(-similarity_BM, neighbours - 1, axis=1)[:, neighbours:]
        np.put_along_axis(similarity_BM, far_BM, 0, axis=1)
    return csr_matrix(similarity_BM)
