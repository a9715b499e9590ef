"""What lists show, whether it is liked or not: how much of the catalogue, how evenly, how popular, whose.

Letters: U users, K ranks, C candidates. `top_UK` holds places among the candidates, −1 where a list ends early.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1


def coverage_at(top_UK: NDArray[np.integer], candidates: int, k: int) -> float:
    """Share of the candidates that stand among the first k of at least one user."""
    shown = np.unique(top_UK[:, :k])
    return float((shown >= 0).sum() / candidates)


def gini_of_exposure(top_UK: NDArray[np.integer], candidates: int, k: int) -> float:
    """Gini coefficient of how often each candidate is shown: 0 when all are shown alike, near 1 when one is.

    Σ (2 i − C − 1) x_i / (C Σ x) over the C counts in ascending order, those never shown included.
    """
    shown = top_UK[:, :k]
    count_C = np.sort(np.bincount(shown[shown >= 0], minlength=candidates))
    total = count_C.sum()
    if not total:
        return 0.0
    weight_C = 2 * np.arange(1, candidates + 1) - candidates - 1
    return float((weight_C * count_C).sum() / (candidates * total))


def novelty(top_UK: NDArray[np.integer], probability_C: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """[U] mean self-information −log₂ p of the first k videos, in bits; NaN for an empty list.

    Vargas and Castells, RecSys 2011, section 4: p is the chance that a LIKE is of the video.
    """
    return _mean_over_list(top_UK, -np.log2(probability_C), k)


def mean_popularity(top_UK: NDArray[np.integer], popularity_C: NDArray[np.number], k: int) -> NDArray[np.float64]:
    """[U] mean popularity of the first k videos; NaN for an empty list.

    Popularity lift (Abdollahpouri et al., UMAP 2021) is this over the mean popularity of what the users had liked,
    minus one, both averaged over users.
    """
    return _mean_over_list(top_UK, popularity_C.astype(np.float64), k)


def shares_of(groups: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of each group among all members; members of no group (−1) are a group each."""
    known = groups[groups != UNKNOWN]
    counts = np.unique(known, return_counts=True)[1] if len(known) else np.empty(0)
    shares: NDArray[np.float64] = np.concatenate([counts, np.ones(len(groups) - len(known))]) / max(1, len(groups))
    return shares


def maker_concentration(shares: NDArray[np.float64]) -> float:
    """Herfindahl–Hirschman index Σ share²: 1 / n for n equal makers, 1 for one."""
    return float((shares**2).sum())


def _mean_over_list(top_UK: NDArray[np.integer], value_C: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    shown_UK = top_UK[:, :k]
    there_UK = shown_UK >= 0
    total_U = np.where(there_UK, value_C[np.where(there_UK, shown_UK, 0)], 0.0).sum(axis=1)
    count_U = there_UK.sum(axis=1)
    mean_U: NDArray[np.float64] = np.divide(total_U, count_U, out=np.full(len(top_UK), np.nan), where=count_U > 0)
    return mean_U
