"""Raw numeric features as the contract defines them, and their standard scores; arrays in, arrays out.

Every bulk path (payloads, frames, point in time) ends here, so a formula stands once. The readable definition
for one payload is in `reference`; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import (
    LAST_HOUR,
    LIKE_HOUR_WITHOUT_LIKES,
    LIKE_RATIO_WITHOUT_DECISIONS,
    USER_NUMERIC,
)
from two_tower_assets.features.space import Standard
from two_tower_assets.features.times import MICROSECONDS_A_DAY, MISSING_TIME

_ROUNDING: Final = 1e-9
"""A deviation smaller than this share of the largest magnitude is rounding, not spread."""


def days_since(moment: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fractional days from `earlier` to `moment` (int64 microseconds); 0 where `earlier` is `MISSING_TIME`."""
    return (moment - np.where(earlier == MISSING_TIME, moment, earlier)) / MICROSECONDS_A_DAY


def user_numerics(
    *,
    moment: NDArray[np.int64],
    profile_created_at: NDArray[np.int64],
    last_like_at: NDArray[np.int64],
    likes: NDArray[np.int64],
    nopes: NDArray[np.int64],
    decisions: NDArray[np.int64],
    mean_price: NDArray[np.float64],
    median_price: NDArray[np.float64],
    like_hour: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Raw user numerics at a moment: float64 [B, 9], `contract.USER_NUMERIC` ‖ average like hour.

    All arguments are [B]. Times are microseconds (`MISSING_TIME` for null), prices and hours NaN for null.
    """
    ratio = np.where(decisions > 0, likes / np.maximum(decisions, 1), LIKE_RATIO_WITHOUT_DECISIONS)
    return np.column_stack(
        [
            days_since(moment, profile_created_at),
            _or(mean_price, 0.0),
            _or(median_price, 0.0),
            np.clip(ratio, 0.0, 1.0),
            likes,
            nopes,
            decisions,
            days_since(moment, last_like_at),
            _or(like_hour, LIKE_HOUR_WITHOUT_LIKES),
        ]
    ).astype(np.float64, copy=False)


def item_numerics(
    *,
    price: NDArray[np.float64],
    duration_seconds: NDArray[np.float64],
    released_at: NDArray[np.int64],
    reference_released_at: int,
) -> NDArray[np.float64]:
    """Raw item numerics: float64 [N, 3] in the order of `contract.ITEM_NUMERIC`.

    Arguments are [N]; times are microseconds (`MISSING_TIME` for null, in the reference too), NaN is null.
    """
    reference = np.full(len(price), reference_released_at, dtype=np.int64)
    # Without a reference no video has a release date: counting from it gives 0 as for a null.
    released_at = np.where(reference == MISSING_TIME, MISSING_TIME, released_at)
    return np.column_stack([_or(price, 0.0), days_since(reference, released_at), _or(duration_seconds, 0.0)])


def user_dense(raw: NDArray[np.float64], standards: Mapping[str, Standard]) -> NDArray[np.float32]:
    """Standard scores of the 8 numerics ‖ `hour_of_day`: float32 [B, 9] from what `user_numerics` returns."""
    count = len(USER_NUMERIC)
    hour = np.clip(raw[:, count:], 0.0, LAST_HOUR) / LAST_HOUR
    return np.hstack([standard_scores(raw[:, :count], standards), hour.astype(np.float32)])


def standard_scores(raw: NDArray[np.float64], standards: Mapping[str, Standard]) -> NDArray[np.float32]:
    """(x − mean) / std for each column, computed in float64 and rounded once: float32 [B, len(standards)]."""
    mean = np.array([standard.mean for standard in standards.values()])
    std = np.array([standard.std for standard in standards.values()])
    scores: NDArray[np.float64] = (raw - mean) / std
    return scores.astype(np.float32)


def measure_standards(
    names: tuple[str, ...], blocks: Callable[[], Iterable[NDArray[np.float64]]]
) -> dict[str, Standard]:
    """Mean and population standard deviation of each column over blocks of rows, without holding all of them.

    Two passes in float64: sums, then squared deviations from the mean. A column that is constant but for rounding,
    and one without rows, has std 1.

    Args:
        names: name of each column.
        blocks: gives the same float64 [rows, len(names)] blocks each time it is called.
    """
    rows, total, largest = 0, np.zeros(len(names)), np.zeros(len(names))
    for block in blocks():
        rows += len(block)
        total += block.sum(axis=0)
        largest = np.maximum(largest, np.abs(block).max(axis=0, initial=0.0))
    mean = total / max(rows, 1)
    squares = np.zeros(len(names))
    for block in blocks():
        squares += ((block - mean) ** 2).sum(axis=0)
    std = np.sqrt(squares / max(rows, 1))
    std = np.where(std > _ROUNDING * largest, std, 1.0)
    return {name: Standard(float(m), float(s)) for name, m, s in zip(names, mean, std, strict=True)}


def inverse_norms(sums_of_squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / √x, and 0 where x is 0, so that all zeros stay zeros."""
    return np.divide(1.0, np.sqrt(sums_of_squares), out=np.zeros_like(sums_of_squares), where=sums_of_squares > 0)


def _or(values: NDArray[np.float64], default: float) -> NDArray[np.float64]:
    return np.where(np.isnan(values), default, values)
