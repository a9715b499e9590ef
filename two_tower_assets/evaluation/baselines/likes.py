"""LIKEs as sparse matrices: what methods that compare videos by their users learn from and answer by.

Letters: U users and M videos with at least one LIKE. What is computed from them is the methods'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import LIKE
from two_tower_assets.features.ragged import ragged_positions
from two_tower_assets.training.data import TrainingData

NOWHERE: Final = -1

_REMEDY: Final = "Collect more decisions, or let the window begin later; the other methods are measured without it."


@dataclass(frozen=True, eq=False)
class LikedVideos:
    """Who liked what before `data.until`."""

    video: NDArray[np.int64]
    """[M] indices of the liked videos, ascending."""
    user: NDArray[np.int64]
    """[U] indices of the users who liked any of them, ascending: users to come change nothing, not even a seed."""
    like_UM: csr_matrix
    """float32: 1 where a user liked a video."""
    notes: tuple[str, ...] = ()
    """What was left out."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """[M] users who liked each video."""
        return np.bincount(self.like_UM.indices, minlength=len(self.video))


def liked_videos(data: TrainingData, *, at_most: int | None = None) -> LikedVideos:
    """Collect the LIKEs of known, active videos.

    Args:
        data: the past.
        at_most: so many of the most liked videos are kept; among equals the earlier index wins.

    Raises:
        EvaluationError: fewer than two videos have one, so that there is nothing to compare.
    """
    decision = data.likes.decision
    video, column = np.unique(data.history.video[decision], return_inverse=True)
    if len(video) < 2:
        what = "All LIKEs are of one video" if len(video) else "There is no LIKE"
        raise EvaluationError(f"{what} before the cut-off", where="user_video_decisions", remedy=_REMEDY)
    user, row = np.unique(data.history.user[decision], return_inverse=True)
    like_UM = _ones(row, column, (len(user), len(video)))
    liked = LikedVideos(video.astype(np.int64), user.astype(np.int64), like_UM)
    return liked if at_most is None or len(video) <= at_most else _most_liked(liked, at_most)


def _most_liked(liked: LikedVideos, at_most: int) -> LikedVideos:
    kept = np.sort(np.lexsort((liked.video, -liked.counts))[:at_most])
    note = f"Only the {at_most} most liked of {len(liked.video)} liked videos are compared."
    like_UM = liked.like_UM[:, kept]
    liking = np.flatnonzero(np.diff(like_UM.indptr))
    return LikedVideos(liked.video[kept], liked.user[liking], like_UM[liking], (note,))


def state_likes(data: TrainingData, task: RankingTask, video: NDArray[np.int64]) -> csr_matrix:
    """Return float32 [users of the task, M]: 1 where one of the given videos was liked before the state's end.

    A state never reaches beyond `data.until`.
    """
    history = data.history
    first = history.user_offsets[task.users]
    row, decision = ragged_positions(first, np.minimum(task.state_end, data.user_end[task.users]) - first)
    column = places(video, len(history.video_ids))[history.video[decision]]
    counted = (history.kind[decision] == LIKE) & (column != NOWHERE)
    return _ones(row[counted], column[counted], (len(task.users), len(video)))


def places(index: NDArray[np.integer], total: int) -> NDArray[np.int64]:
    """[total + 1] place of each video or user in `index`, or NOWHERE; unknown ones (−1) read the last entry."""
    place = np.full(total + 1, NOWHERE, dtype=np.int64)
    place[index] = np.arange(len(index))
    return place


def _ones(row: NDArray[np.integer], column: NDArray[np.integer], shape: tuple[int, int]) -> csr_matrix:
    """A matrix of ones at the given places; a place that is given twice is still 1."""
    matrix = csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape)
    matrix.data[:] = 1
    return matrix
