"""How much of what users liked is found, and how early; NaN for users without a relevant video."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits


def recall_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] |top k ∩ relevant| / |relevant|."""
    return _divided(hits.found(k), hits.relevant())


def hit_rate_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] 1 where a relevant video is among the first k, else 0."""
    return np.where(hits.relevant() > 0, (hits.found(k) > 0).astype(np.float64), np.nan)


def ndcg_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] normalised discounted cumulative gain with binary gains.

    DCG = Σ over hits at rank r ≤ k of 1 / log₂(r + 1), divided by the DCG of an ideal list, which has
    min(k, |relevant|) hits at its top. Järvelin and Kekäläinen, ACM TOIS 20 (2002).
    """
    discount_K = 1 / np.log2(np.arange(2, k + 2))
    shown = hits.within(k)
    gain_U = np.bincount(hits.row[shown], discount_K[hits.rank[shown]], minlength=hits.users)
    ideal_K = np.concatenate(([0.0], np.cumsum(discount_K)))
    return _divided(gain_U, ideal_K[np.minimum(hits.relevant(), k)])


def reciprocal_rank(hits: Hits) -> NDArray[np.float64]:
    """[U] 1 / rank of the first relevant video, 0 where the list has none; its mean is MRR."""
    score_T = np.where(hits.rank >= 0, 1 / (hits.rank + 1.0), 0.0)
    best_U = np.zeros(hits.users)
    np.maximum.at(best_U, hits.row, score_T)
    return np.where(hits.relevant() > 0, best_U, np.nan)


def _divided(part_U: NDArray[Any], whole_U: NDArray[Any]) -> NDArray[np.float64]:
    share_U: NDArray[np.float64] = np.divide(part_U, whole_U, out=np.full(len(whole_U), np.nan), where=whole_U > 0)
    return share_U
