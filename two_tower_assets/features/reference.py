"""The readable definition of a feature vector, one payload at a time: every bulk path is tested against it.

It follows the contract line by line and shares no code with the bulk paths, so that a mistake in one shows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import (
    LAST_HOUR,
    LIKE_HOUR_WITHOUT_LIKES,
    LIKE_RATIO_WITHOUT_DECISIONS,
    ItemPayload,
    UserPayload,
)
from two_tower_assets.features.space import FeatureSpace, Standard

_SECONDS_A_DAY: Final = 86_400


def user_vector(payload: UserPayload, as_of: datetime, space: FeatureSpace) -> NDArray[np.float32]:
    """`user_features` at a moment (with a time zone): float32 [space.user_dim]."""
    return np.array(
        [
            *_standard_scores(user_numeric_values(payload, as_of), space.user_numeric),
            hour_of_day(payload),
            *_bag(payload.tags, space.tags),
            *_bag(payload.performers, space.performers),
            *_bag(payload.liked_video_ids, space.videos),
            *_bag(payload.noped_video_ids, space.videos),
        ],
        dtype=np.float32,
    )


def item_vector(payload: ItemPayload, space: FeatureSpace) -> NDArray[np.float32]:
    """`item_features`: float32 [space.item_dim]."""
    return np.array(
        [
            *_standard_scores(item_numeric_values(payload, space.reference_released_at), space.item_numeric),
            *_bag(payload.tags, space.tags),
            *_bag(payload.performers, space.performers),
        ],
        dtype=np.float32,
    )


def user_numeric_values(payload: UserPayload, as_of: datetime) -> dict[str, float]:
    """Raw numerics of a user, before standardising."""
    stats, prices = payload.decision_stats, payload.price_stats
    return {
        "account_age_days": _days(as_of, payload.profile.created_at),
        "mean_price": prices.mean or 0.0,
        "median_price": prices.median or 0.0,
        "like_ratio": _like_ratio(stats.like_count, stats.decision_count),
        "like_count": float(stats.like_count),
        "nope_count": float(stats.nope_count),
        "decision_count": float(stats.decision_count),
        "recent_like_days": _days(as_of, stats.recent_like_at),
    }


def item_numeric_values(payload: ItemPayload, reference: datetime | None) -> dict[str, float]:
    """Raw numerics of a video, before standardising."""
    return {
        "price": payload.price or 0.0,
        "recency_days": 0.0 if reference is None else _days(reference, payload.product_released_at),
        "duration_seconds": payload.duration_seconds or 0.0,
    }


def hour_of_day(payload: UserPayload) -> float:
    """Average like hour clipped to 0…23, divided by 23."""
    stats = payload.decision_stats
    hour = stats.average_like_hour
    if hour is None or stats.like_count == 0:
        hour = LIKE_HOUR_WITHOUT_LIKES
    return min(max(hour, 0.0), LAST_HOUR) / LAST_HOUR


def _days(moment: datetime, earlier: datetime | None) -> float:
    return 0.0 if earlier is None else (moment - earlier).total_seconds() / _SECONDS_A_DAY


def _like_ratio(likes: int, decisions: int) -> float:
    return min(max(likes / decisions, 0.0), 1.0) if decisions else LIKE_RATIO_WITHOUT_DECISIONS


def _standard_scores(values: Mapping[str, float], standards: Mapping[str, Standard]) -> Iterable[float]:
    return ((values[name] - standard.mean) / standard.std for name, standard in standards.items())


def _bag(names: Iterable[str], vocabulary: Sequence[str]) -> list[float]:
    """Count each name of the vocabulary, then divide by the L2 norm of the counts unless all are 0."""
    counted = Counter(names)
    counts = [counted[name] for name in vocabulary]
    norm = math.sqrt(sum(count * count for count in counts))
    return [count / norm if norm else 0.0 for count in counts]
