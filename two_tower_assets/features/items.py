"""Item feature vectors in bulk, from raw item features of any source (payloads or frames)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.errors import FeatureError
from two_tower_assets.features.bags import bags_of
from two_tower_assets.features.frames import raw_items
from two_tower_assets.features.history import as_ids
from two_tower_assets.features.matrix import FeatureMatrix, concatenate
from two_tower_assets.features.numerics import item_numerics, standard_scores
from two_tower_assets.features.payloads import item_payload_blocks
from two_tower_assets.features.raw import RAW_ITEMS
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import MISSING_TIME, as_microseconds, microseconds
from two_tower_assets.sources.snapshot import Snapshot


def current_items(snapshot: Snapshot, space: FeatureSpace, *, payloads: Path | None = None) -> FeatureMatrix:
    """`item_features` of all videos, inactive ones included, in the snapshot's order.

    Args:
        snapshot: gives the order, and the rows when there are no payloads.
        space: vocabularies, scales and the reference date.
        payloads: folder that `payloads.read_item_payloads` filled; None: from the snapshot.

    Raises:
        FeatureError: the payloads are not of the snapshot's videos.
    """
    if payloads is None:
        return item_matrix(raw_items(snapshot), space)
    none = pl.DataFrame(schema=dict(RAW_ITEMS))
    matrix = concatenate([item_matrix(block, space) for block in (none, *item_payload_blocks(payloads))])
    if matrix.ids.tolist() != snapshot.videos().select("id").collect()["id"].to_list():
        raise FeatureError(
            "The item payloads are not of the videos in the snapshot",
            where=str(payloads),
            remedy="Take a new snapshot, then read the payloads again.",
        )
    return matrix


def item_matrix(items: pl.DataFrame, space: FeatureSpace) -> FeatureMatrix:
    """Build `item_features` of every row of a frame with the columns of `raw.RAW_ITEMS`, in its order."""
    reference = microseconds(space.reference_released_at)
    bags = bags_of(items, space)
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
