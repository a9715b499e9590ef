"""What lists show, whether or not it is liked: coverage, Gini of exposure, novelty, popularity.

`top_UK` is int64 [U, K]: places among C candidates, best first; negative entries are padding of short lists.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.ratio import divide


def coverage_at(top_UK: NDArray[np.int64], candidates: int, k: int) -> float:
    """Share of the candidates that stand among the first k of at least one user; NaN without candidates."""
    return float(divide(np.count_nonzero(exposures_at(top_UK, candidates, k)), candidates))


def gini_of_exposure(top_UK: NDArray[np.int64], candidates: int, k: int) -> float:
    """How unequally the first k of all users share exposure among all candidates, those never shown included.

    With exposures e₁ ≤ … ≤ e_C, G = Σᵢ (2i − C − 1) eᵢ / (C Σᵢ eᵢ), half the relative mean absolute difference:
    0 when every candidate is shown equally often, 1 − 1/C when one takes all. Lists of k different videos cannot pass
    1 − k/C. (Gini 1912; for recommenders Fleder and Hosanagar, Management Science 55 (2009).)

    Returns:
        NaN when nothing is shown.
    """
    exposure_C = np.sort(exposures_at(top_UK, candidates, k))
    weight_C = 2 * np.arange(1, candidates + 1) - candidates - 1
    return float(divide(weight_C @ exposure_C, candidates * exposure_C.sum()))


def exposures_at(top_UK: NDArray[np.int64], candidates: int, k: int) -> NDArray[np.int64]:
    """[C] in how many users' first k each candidate stands."""
    first_UK = top_UK[:, :k]
    return np.bincount(first_UK[first_UK >= 0], minlength=candidates)


def novelty(top_UK: NDArray[np.int64], probability_C: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """[U] mean self-information of the first k, in bits: mean of −log₂ p(video).

    Vargas and Castells, "Rank and relevance in novelty and diversity metrics for recommender systems" (RecSys 2011),
    section 3.

    Args:
        top_UK: lists.
        probability_C: float64 (0, 1], how likely a video is to be known already, such as its share of the decisions;
            never 0, so a video nobody has seen needs a count added.
        k: list length.

    Returns:
        NaN for an empty list.
    """
    assert (probability_C > 0).all()
    return listed_mean(top_UK, -np.log2(probability_C), k)


def listed_mean(top_UK: NDArray[np.int64], value_C: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """[U] mean value, such as the popularity, of the first k of each list; NaN for an empty list."""
    first_UK = top_UK[:, :k]
    listed_UK = first_UK >= 0
    # padding (-1) reads the entry appended
    value_UK = np.append(value_C, 0.0)[np.where(listed_UK, first_UK, -1)]
    return divide(value_UK.sum(axis=1), listed_UK.sum(axis=1))


def popularity_lift(
    top_UK: NDArray[np.int64], popularity_C: NDArray[np.float64], liked_popularity_U: NDArray[np.float64], k: int
) -> float:
    """How much more popular what a group of users is shown is than what they liked, relative to the latter.

    PL = (GAP_shown − GAP_liked) / GAP_liked, where the group average popularity GAP is the mean over users of the
    mean popularity of a user's videos. 0: as popular as what they like; 0.5: half as popular again. Abdollahpouri
    et al., "The connection between popularity bias, calibration, and fairness in recommendation" (RecSys 2020). Its
    interval is that of `Resampling.ratio(listed_mean(top_UK, popularity_C, k), liked_popularity_U)`, minus 1.

    Args:
        top_UK: lists of the group.
        popularity_C: float64, on any scale that starts at 0, such as the share of users who liked a video.
        liked_popularity_U: float64, mean popularity of what each user liked, NaN for one who liked nothing.
        k: list length.

    Returns:
        Over the users who have a list and LIKEs; NaN without any such user, or when their LIKEs have popularity 0.
    """
    shown_U = listed_mean(top_UK, popularity_C, k)
    both_U = ~np.isnan(shown_U) & ~np.isnan(liked_popularity_U)
    return float(divide(shown_U[both_U].sum(), liked_popularity_U[both_U].sum()) - 1)
