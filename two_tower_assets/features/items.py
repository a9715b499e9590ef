"""Item feature vectors in bulk, from raw item features of any source (payloads or frames)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.bags import bags_of
from two_tower_assets.features.history import as_ids
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.numerics import item_numerics, standard_scores
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import MISSING_TIME, as_microseconds, microseconds


def item_matrix(items: pl.DataFrame, space: FeatureSpace) -> FeatureMatrix:
    """Build `item_features` of every row of a frame with the columns of `raw.RAW_ITEMS`, in its order."""
    reference = microseconds(space.reference_released_at)
    bags = bags_of(items, space.item_bags)
    return FeatureMatrix(
        ids=as_ids(items["id"]),
        dense=standard_scores(raw_item_numerics(items, reference), space.item_numeric),
        offsets=bags.offsets,
        columns=bags.columns,
        values=bags.values,
        width=space.item_dim,
    )


def raw_item_numerics(items: pl.DataFrame, reference_released_at: int = MISSING_TIME) -> NDArray[np.float64]:
    """Raw numerics of each row: float64 [N, 3]; the reference is in microseconds."""
    return item_numerics(
        price=_numbers(items["price"]),
        duration_seconds=_numbers(items["duration_seconds"]),
        released_at=as_microseconds(items["product_released_at"]),
        reference_released_at=reference_released_at,
    )


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    """Null and what is not finite as NaN."""
    numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(numbers), numbers, np.nan)
