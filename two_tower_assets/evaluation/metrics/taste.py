"""Whether what is found is liked: purity, NOPE rate, and how well scores tell LIKE from NOPE."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits


def purity_at(likes: Hits, nopes: Hits, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[U] LIKEs, and LIKEs + NOPEs, among the first k; purity is the ratio of their sums over users.

    A ratio of sums, since most lists hold no decided video and would have no purity of their own.
    """
    liked_U = likes.found(k).astype(np.float64)
    return liked_U, liked_U + nopes.found(k)


def nope_rate_at(nopes: Hits, k: int) -> NDArray[np.float64]:
    """[U] NOPEs among the first k, divided by k."""
    rate_U: NDArray[np.float64] = nopes.found(k) / k
    return rate_U


def auc(
    row_T: NDArray[np.int64],
    score_T: NDArray[np.floating],
    row_N: NDArray[np.int64],
    score_N: NDArray[np.floating],
    users: int,
) -> NDArray[np.float64]:
    """[U] chance that a LIKE scores higher than a NOPE of the same user, ties counting ½; NaN without both.

    (R − n₁ (n₁ + 1) / 2) / (n₁ n₀) with R the sum of the LIKEs' mid-ranks among the user's decisions (Mann and
    Whitney 1947).

    Args:
        row_T: [T] user of each LIKE.
        score_T: [T] its score.
        row_N: [N] user of each NOPE.
        score_N: [N] its score.
        users: U.
    """
    row = np.concatenate([row_T, row_N])
    score = np.concatenate([score_T, score_N])
    is_like = np.arange(len(row)) < len(row_T)
    order = np.lexsort((score, row))
    rank_of_like_U = np.bincount(row[order], _mid_ranks(row[order], score[order]) * is_like[order], minlength=users)
    likes_U, nopes_U = np.bincount(row_T, minlength=users), np.bincount(row_N, minlength=users)
    wins_U = rank_of_like_U - likes_U * (likes_U + 1) / 2
    pairs_U = likes_U * nopes_U
    chance_U: NDArray[np.float64] = np.divide(wins_U, pairs_U, out=np.full(users, np.nan), where=pairs_U > 0)
    return chance_U


def _mid_ranks(row: NDArray[np.int64], score: NDArray[np.floating]) -> NDArray[np.float64]:
    """1-based rank of each score within its row, the mean rank of equal ones; rows and scores ascend."""
    if not len(row):
        return np.empty(0)
    position = np.arange(len(row))
    new_row = np.concatenate(([True], row[1:] != row[:-1]))
    new_value = new_row | np.concatenate(([True], score[1:] != score[:-1]))
    row_start = np.maximum.accumulate(np.where(new_row, position, 0))
    group = np.cumsum(new_value) - 1
    first = np.flatnonzero(new_value)
    last = np.append(first[1:], len(row)) - 1
    mid: NDArray[np.float64] = (first[group] + last[group]) / 2 - row_start + 1
    return mid
