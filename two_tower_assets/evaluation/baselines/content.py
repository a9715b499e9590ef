"""Cosine between what a user liked and what a video is about, from the item features that the towers see too.

Letters: N videos, F columns of content, U users, C candidates, B rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, hstack

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.likes import state_likes
from two_tower_assets.evaluation.baselines.method import Parameters
from two_tower_assets.evaluation.baselines.popularity import Popularity, popularity
from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.training.data import TrainingData

_TIE: Final = 1e-4
"""What popularity weighs beside a cosine: it decides between videos with the same names."""
_CLIP: Final = 3.0

_GRID: Final[tuple[Parameters, ...]] = (
    {"idf_power": 0.5, "performer_weight": 0.5, "numeric_weight": 0.0},
    {"idf_power": 1.0, "performer_weight": 0.5, "numeric_weight": 0.0},
    {"idf_power": 1.0, "performer_weight": 1.0, "numeric_weight": 0.0},
    {"idf_power": 2.0, "performer_weight": 0.5, "numeric_weight": 0.0},
    {"idf_power": 1.0, "performer_weight": 0.5, "numeric_weight": 0.5},
    {"idf_power": 2.0, "performer_weight": 0.5, "numeric_weight": 0.2},
)


@dataclass(frozen=True)
class ContentCosine:
    """Rank by the cosine of the mean content of a user's LIKEs and a video's content."""

    name: str = "content_cosine"
    grid: tuple[Parameters, ...] = _GRID

    def fit(self, data: TrainingData, parameters: Parameters) -> FittedContent:
        """Weight the names of every video.

        Raises:
            EvaluationError: the videos have no names, or all have the same.
        """
        content_NF = content(data, parameters)
        if not content_NF.nnz:
            raise EvaluationError(
                "No tag or performer of the vocabularies tells the videos apart",
                where="videos.tags",
                remedy="Load tags, or lower features.min_tag_freq; the other methods are measured without it.",
            )
        return FittedContent(data, popularity(data), content_NF)


@dataclass(frozen=True, eq=False)
class FittedContent:
    """Content vectors of all videos."""

    data: TrainingData
    popularity: Popularity
    content_NF: csr_matrix
    """float32, rows of length 1 (or 0 where a video has no content)."""
    notes: tuple[str, ...] = ()

    def score(self, task: RankingTask) -> Score:
        """Score by cosine; users without a LIKE of a video with content get popularity."""
        everything = np.arange(self.content_NF.shape[0])
        taste_UF = _unit_rows(state_likes(self.data, task, everything) @ self.content_NF)
        content_CF = self.content_NF[task.candidates]
        level_C = np.log1p(self.popularity.ever[task.candidates])
        tie_C = (_TIE * level_C / max(level_C.max(initial=0), 1)).astype(np.float32)

        def score(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            score_BC: NDArray[np.float32] = (content_CF @ taste_UF[rows].toarray().T).T + tie_C
            return score_BC

        return over_popularity(
            task,
            self.popularity,
            video=task.candidates.astype(np.int64),
            known_U=np.diff(taste_UF.indptr) > 0,
            score=score,
        )


def content(data: TrainingData, parameters: Parameters) -> csr_matrix:
    """Build float32 [N, F]: names weighted by idf ‖ numerics, each row of length 1.

    idf = (log of catalogue size over the number of its videos with the name) ** `idf_power`, as in Salton and
    Buckley (1988); `performer_weight` is what a performer weighs beside a tag, `numeric_weight` what one standard
    deviation of a numeric weighs beside all names of a video together.
    """
    items = data.items
    dense_dim = items.dense.shape[1]
    bag_NF = csr_matrix((items.values, items.columns, items.offsets), shape=(len(items), items.width - dense_dim))
    with_name = np.bincount(bag_NF[data.catalogue].indices, minlength=bag_NF.shape[1])
    weight_F = np.log((1 + len(data.catalogue)) / (1 + with_name)) ** parameters["idf_power"]
    weight_F[len(data.states.space.tags) :] *= parameters["performer_weight"]
    name_NF = _unit_rows(bag_NF @ diags_array(weight_F.astype(np.float32)))
    numeric = np.clip(items.dense, -_CLIP, _CLIP) * np.float32(parameters["numeric_weight"])
    return _unit_rows(hstack([name_NF, csr_matrix(numeric)], format="csr"))


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    """Divide each row by its length, and leave out zeros; rows of zeros stay."""
    matrix = csr_matrix(matrix)
    matrix.eliminate_zeros()
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(length, np.diff(matrix.indptr)).astype(np.float32)
    return matrix
