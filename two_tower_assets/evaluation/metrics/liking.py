"""Whether lists show what is liked rather than what is merely looked at: purity, rate of NOPEs, AUC.

LIKEs and NOPEs of the same users in the same lists are two `Hits`, their rows one numbering.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.ratio import divide


def purity_at(likes: Hits, nopes: Hits, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Like share of the hits, as what its pooled ratio is made of.

    Purity@k = Σ LIKE hits / Σ (LIKE + NOPE hits) over all users; most users have too few hits for a ratio of their
    own. `Resampling.ratio(*purity_at(…))` is the figure with its interval.

    Args:
        likes: where each user's LIKEs stand.
        nopes: where the same users' NOPEs stand.
        k: list length.

    Returns:
        [U] LIKEs among the first k, and [U] LIKEs and NOPEs among them, both 0 where a list hits neither.
    """
    assert likes.users == nopes.users
    liked_U = likes.found_U(k).astype(np.float64)
    return liked_U, liked_U + nopes.found_U(k)


def nope_rate_at(nopes: Hits, k: int) -> NDArray[np.float64]:
    """[U] NOPEs among the first k, divided by k: how much of a list its user will turn down.

    A user without any NOPE counts with 0, since nothing that was shown was turned down.
    """
    return nopes.found_U(k) / k


def auc(
    row_T: NDArray[np.int64],
    score_T: NDArray[np.floating],
    row_N: NDArray[np.int64],
    score_N: NDArray[np.floating],
    users: int,
) -> NDArray[np.float64]:
    """[U] probability that a LIKE of a user scores above a NOPE of the same user, a tie counting one half.

    The rank-sum form: AUC = (Σ ranks of the LIKEs − n_T (n_T + 1) / 2) / (n_T n_N), tied scores sharing their mean
    rank (Mann and Whitney 1947; Hanley and McNeil 1982).

    Args:
        row_T: user of each LIKE, in any order.
        score_T: its score, never NaN.
        row_N: user of each NOPE, in any order.
        score_N: its score, never NaN.
        users: U.

    Returns:
        NaN for a user without both kinds.
    """
    row = np.concatenate([row_T, row_N])
    rank = _ranks(row, np.concatenate([score_T, score_N]))
    likes_U = np.bincount(row_T, minlength=users)
    nopes_U = np.bincount(row_N, minlength=users)
    rank_sum_U = np.bincount(row_T, weights=rank[: len(row_T)], minlength=users)
    return divide(rank_sum_U - likes_U * (likes_U + 1) / 2, likes_U * nopes_U)


def _ranks(row: NDArray[np.int64], score: NDArray[np.floating]) -> NDArray[np.float64]:
    """1-based rank of each score among its user's, ascending; equal scores share their mean rank."""
    assert not np.isnan(score).any()
    order = np.lexsort((score, row))
    new_user = _changes(row[order])
    first_of_tie = np.flatnonzero(new_user | _changes(score[order]))
    end_of_tie = np.append(first_of_tie[1:], len(order))
    # of all scores, which the place of the user's lowest then makes one of the user's own
    overall = np.repeat((first_of_tie + end_of_tie + 1) / 2, end_of_tie - first_of_tie)
    lowest = np.flatnonzero(new_user)
    rank = np.empty(len(order))
    rank[order] = overall - np.repeat(lowest, np.diff(np.append(lowest, len(order))))
    return rank


def _changes(value: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Whether each entry differs from the one before; the first does."""
    return np.append(np.ones(min(1, len(value)), dtype=np.bool_), value[1:] != value[:-1])
