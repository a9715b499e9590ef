"""The re-ranking of `ai-recommend-v5`: similarity, recency of the release and price, as the functions compute it.

The list that is re-ranked is the one that the vector search returns; nothing enters it. How strongly the two other
terms count is chosen on the validation window (`strongest`), because nobody knows it beforehand: cosines of
neighbouring ranks differ by thousandths, and at full strength recency alone decides. What does not live here:
diversity and exploration, which are the functions' own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.ranking import Ranking, reordered
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.times import MICROSECONDS_A_DAY, MISSING_TIME, as_microseconds
from two_tower_assets.settings import RerankSettings

_UPPER: Final = 1.645
_ROUNDING: Final = 1e-12


def release_terms(released_at_C: NDArray[np.int64], now: int, settings: RerankSettings) -> NDArray[np.float64]:
    """[C] min(0.3, 0.3 · e^(−days since release / 120)); 0.1 for a future release, 0 without a date.

    Args:
        released_at_C: microseconds, `MISSING_TIME` for null.
        now: microseconds.
        settings: the numbers above.
    """
    days = (now - np.where(released_at_C == MISSING_TIME, now, released_at_C)) / MICROSECONDS_A_DAY
    weight = settings.recency_weight
    past = np.minimum(weight, weight * np.exp(-np.maximum(days, 0.0) / settings.recency_days))
    return np.where(released_at_C == MISSING_TIME, 0.0, np.where(days < 0, settings.future_release, past))


def price_terms(price_C: NDArray[np.float64], settings: RerankSettings) -> NDArray[np.float64]:
    """[C] 0.02 for a price of at most 0, 0.03 below 800, −0.05 above 4000, else 0; 0 for NaN, which is null."""
    conditions = [price_C <= 0, price_C < settings.cheap_below, price_C > settings.dear_above]
    return np.select(conditions, [settings.free, settings.cheap, settings.dear], default=0.0)


def terms_of(videos: pl.DataFrame, task: RankingTask, now: int, settings: RerankSettings) -> NDArray[np.float64]:
    """[C] both terms of a task's candidates.

    Args:
        videos: the snapshot's videos in the history's order: `product_released_at`, `price`.
        task: whose candidates.
        now: the moment of the request, microseconds.
        settings: weights.
    """
    chosen = videos[task.candidates.tolist()]
    price_C = chosen["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    released_at_C = as_microseconds(chosen["product_released_at"])
    return release_terms(released_at_C, now, settings) + price_terms(price_C, settings)


def rerank(
    ranking: Ranking,
    task: RankingTask,
    terms_C: NDArray[np.float64],
    settings: RerankSettings,
    *,
    strength: float,
) -> Ranking:
    """Sort lists of cosines by 0.75 · similarity + strength · terms; strength 1 is the contract's default score."""
    score_UK = settings.similarity_weight * ranking.score_UK + strength * terms_C[ranking.top_UK]
    return reordered(ranking, task, score_UK.astype(np.float32))


def strongest(
    ranking: Ranking,
    task: RankingTask,
    terms_C: NDArray[np.float64],
    settings: RerankSettings,
    measure: Callable[[Ranking], NDArray[np.float64]],
) -> float:
    """Return the largest of the settings' strengths that costs no more of the measure than they allow.

    On few users a strength may look cheap by luck, so what it plausibly costs is bounded as well: the upper end of
    the one-sided 95 % interval of the paired difference, mean + 1.645 · s / √U.

    Args:
        ranking: the towers' lists on the validation window.
        task: that window.
        terms_C: of its candidates.
        settings: strengths to try and the costs allowed.
        measure: [U] of each user's list, higher is better, for example NDCG@10; NaN for a user who is not judged.
    """
    plain_U = measure(ranking)
    judged = ~np.isnan(plain_U)
    plain = float(plain_U[judged].mean()) if judged.any() else 0.0
    for strength in sorted(settings.strengths, reverse=True):
        cost_U = (plain_U - measure(rerank(ranking, task, terms_C, settings, strength=strength)))[judged]
        if (
            _costs(cost_U) <= settings.largest_cost * plain
            and _costs(cost_U, _UPPER) <= settings.largest_risk * plain
        ):
            return strength
    return 0.0


def _costs(cost_U: NDArray[np.float64], deviations: float = 0.0) -> float:
    """Mean, plus so many standard errors of it; rounding is no cost."""
    if not len(cost_U):
        return 0.0
    error = cost_U.std(ddof=1) / np.sqrt(len(cost_U)) if len(cost_U) > 1 else 0.0
    return float(cost_U.mean() + deviations * error) - _ROUNDING
