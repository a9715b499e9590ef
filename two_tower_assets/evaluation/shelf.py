"""What is known of a trial's candidates besides their scores: popularity, makers, and what users had liked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.evaluation.trials import Trial
from two_tower_assets.features.history import LIKE

UNKNOWN_MAKER: Final = -1

_HEAD_SHARE: Final = 0.8
_THIRD: Final = 1 / 3


@dataclass(frozen=True)
class Shelf:
    """Facts of candidates ([C]) and of users ([U]) that exposure metrics and segments need."""

    likes_C: NDArray[np.int64]
    """LIKEs of each candidate that may be known."""
    maker_C: NDArray[np.int64]
    """A number a maker, `UNKNOWN_MAKER` (−1) for none."""
    is_tail_C: NDArray[np.bool_]
    """Whether the candidate is outside the most liked that hold 80 % of all known LIKEs together."""
    maker_group_C: NDArray[np.int64]
    """0, 1, 2: makers with most, some and few of the known LIKEs, a third of the LIKEs each; −1: unknown maker."""
    liked_popularity_U: NDArray[np.float64]
    """Mean `likes` of what each user is known to have liked, NaN without any."""
    decisions_U: NDArray[np.int64]
    """Known decisions of each user."""
    maker_V: NDArray[np.int64]
    """A number a maker of every video, −1 for none."""
    liked_video: NDArray[np.int32]
    """Video of every known LIKE."""

    @property
    def probability_C(self) -> NDArray[np.float64]:
        """[C] share of each candidate in the known LIKEs, one LIKE added to each so that none is 0."""
        smoothed = self.likes_C + 1.0
        probability: NDArray[np.float64] = smoothed / smoothed.sum()
        return probability


def shelf_of(trial: Trial, videos: pl.DataFrame) -> Shelf:
    """Gather the facts of a trial.

    Args:
        trial: whose data, candidates and users.
        videos: the snapshot's videos in the history's order: `maker`.
    """
    data, task = trial.data, trial.task
    history = data.history
    known = np.arange(len(history.time)) < data.user_end[history.user]
    liked = np.flatnonzero(known & (history.kind == LIKE) & (history.video >= 0))
    likes_V = np.bincount(history.video[liked], minlength=len(history.video_ids))
    maker_V = _makers(videos)
    likes_C, maker_C = likes_V[task.candidates], maker_V[task.candidates]
    return Shelf(
        likes_C=likes_C,
        maker_C=maker_C,
        is_tail_C=_tail(likes_C),
        maker_group_C=_maker_groups(maker_C, likes_C),
        liked_popularity_U=_liked_popularity(task, history.user[liked], likes_V[history.video[liked]]),
        decisions_U=task.state_end - history.user_offsets[task.users],
        maker_V=maker_V,
        liked_video=history.video[liked],
    )


def _makers(videos: pl.DataFrame) -> NDArray[np.int64]:
    code = videos["maker"].cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Int64)
    return code.fill_null(UNKNOWN_MAKER).to_numpy()


def _tail(likes_C: NDArray[np.int64]) -> NDArray[np.bool_]:
    order = np.argsort(-likes_C, kind="stable")
    before = np.cumsum(likes_C[order]) - likes_C[order]
    is_tail = np.empty(len(likes_C), dtype=np.bool_)
    is_tail[order] = before >= _HEAD_SHARE * likes_C.sum()
    return is_tail


def _maker_groups(maker_C: NDArray[np.int64], likes_C: NDArray[np.int64]) -> NDArray[np.int64]:
    has_maker = maker_C >= 0
    likes_M = np.bincount(maker_C[has_maker], likes_C[has_maker])
    order = np.argsort(-likes_M, kind="stable")
    before = np.cumsum(likes_M[order]) - likes_M[order]
    group_M = np.empty(len(likes_M), dtype=np.int64)
    group_M[order] = np.minimum(before // max(1.0, _THIRD * likes_M.sum()), 2)
    return np.where(has_maker, np.append(group_M, 0)[maker_C], UNKNOWN_MAKER)


def _liked_popularity(task: RankingTask, user: NDArray[np.int32], likes: NDArray[np.int64]) -> NDArray[np.float64]:
    count = np.bincount(user, minlength=int(task.users.max(initial=-1)) + 1)[task.users]
    total = np.bincount(user, likes, minlength=int(task.users.max(initial=-1)) + 1)[task.users]
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean
