"""How well lists find what is relevant: recall, NDCG, hit rate and reciprocal rank, each as float64 [U].

All are NaN for a user without targets. A list shorter than k counts as one whose other places are wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.ratio import divide


def recall_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] share of a user's relevant videos among the first k: |top k ∩ relevant| / |relevant|."""
    return divide(hits.found_U(k), hits.relevant_U)


def ndcg_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] normalised discounted cumulative gain with binary gains.

    DCG = Σ over hits at 1-based ranks r ≤ k of 1 / log₂(r + 1), divided by the DCG of an ideal list, which has
    min(k, |relevant|) hits at its top. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    ACM TOIS 20 (2002).
    """
    discount_K = 1 / np.log2(np.arange(2, k + 2))
    within = hits.within(k)
    gain_U = np.bincount(hits.row[within], weights=discount_K[hits.rank[within]], minlength=hits.users)
    ideal_K = np.concatenate(([0.0], np.cumsum(discount_K)))
    return divide(gain_U, ideal_K[np.minimum(hits.relevant_U, k)])


def hit_rate_at(hits: Hits, k: int) -> NDArray[np.float64]:
    """[U] 1 where any relevant video is among the first k, else 0."""
    return np.where(hits.relevant_U > 0, hits.found_U(k) > 0, np.nan)


def reciprocal_rank(hits: Hits) -> NDArray[np.float64]:
    """[U] 1 / r of the first relevant video at 1-based rank r, 0 where the list has none.

    The mean over users is MRR, cut at the length of the lists (Voorhees, TREC-8 question answering track, 1999).
    """
    in_list = hits.rank >= 0
    best_U = np.where(hits.relevant_U > 0, 0.0, np.nan)
    np.maximum.at(best_U, hits.row[in_list], 1 / (hits.rank[in_list] + 1))
    return best_U
