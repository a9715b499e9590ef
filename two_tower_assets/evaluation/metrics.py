"""Ranking metrics, one small function each. No model, no data set and no averaging policy but the plain mean.

Letters: U users, K ranks. `hit_UK[u, r]` says whether the video at rank r + 1 of user u is relevant;
`relevant_U` counts each user's relevant videos (at least one). Rows may be shorter lists padded with False.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def recall_at(hit_UK: NDArray[np.bool_], relevant_U: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """[U] share of a user's relevant videos among the first k: |top k ∩ relevant| / |relevant|."""
    share_U: NDArray[np.float64] = hit_UK[:, :k].sum(axis=1) / relevant_U
    return share_U


def ndcg_at(hit_UK: NDArray[np.bool_], relevant_U: NDArray[np.integer], k: int) -> NDArray[np.float64]:
    """[U] normalised discounted cumulative gain with binary gains.

    DCG = Σ over hits at rank r ≤ k of 1 / log₂(r + 1), divided by the DCG of an ideal list, which has
    min(k, |relevant|) hits at its top. Järvelin and Kekäläinen, ACM TOIS 20 (2002).
    """
    discount_K = 1 / np.log2(np.arange(2, k + 2))
    gain_U = hit_UK[:, :k] @ discount_K[: hit_UK.shape[1]]
    ideal_K = np.cumsum(discount_K)
    best_U: NDArray[np.float64] = gain_U / ideal_K[np.minimum(relevant_U, k) - 1]
    return best_U


def coverage_at(top_UK: NDArray[np.integer], candidates: int, k: int) -> float:
    """Share of the candidates that stand among the first k of at least one user; negative entries are padding."""
    shown = np.unique(top_UK[:, :k])
    return float((shown >= 0).sum() / candidates)
