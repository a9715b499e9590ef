"""User feature vectors in bulk at one moment, from raw user features of any source (payloads or frames).

Training examples have moments of their own: see `point_in_time`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.bags import bags_of
from two_tower_assets.features.history import as_ids
from two_tower_assets.features.matrix import FeatureMatrix, concatenate
from two_tower_assets.features.numerics import user_dense, user_numerics
from two_tower_assets.features.raw import user_columns
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import as_microseconds, microseconds


def users_of_blocks(blocks: Iterable[pl.DataFrame], *, as_of: datetime, space: FeatureSpace) -> FeatureMatrix:
    """Build `user_features` of every row of frames, one at a time; columns as in `user_matrix`."""
    none = pl.DataFrame(schema=user_columns(video_ids=bool(space.videos)))
    return concatenate([user_matrix(block, as_of=as_of, space=space) for block in (none, *blocks)])


def user_matrix(users: pl.DataFrame, *, as_of: datetime, space: FeatureSpace) -> FeatureMatrix:
    """Build `user_features` at a moment of every row of a frame, in its order.

    Args:
        users: the columns of `raw.user_columns`, the ids of videos among them if the space has videos.
        as_of: the moment, with a time zone.
        space: vocabularies and scales.
    """
    raw = raw_user_numerics(users, microseconds(as_of))
    bags = bags_of(users, space.user_bags)
    return FeatureMatrix(
        ids=as_ids(users["user_id"]),
        dense=user_dense(raw, space.user_numeric),
        offsets=bags.offsets,
        columns=bags.columns,
        values=bags.values,
        width=space.user_dim,
    )


def raw_user_numerics(users: pl.DataFrame, as_of: int) -> NDArray[np.float64]:
    """Raw numerics of each row at a moment in microseconds: float64 [N, 9], see `numerics.user_numerics`."""
    return user_numerics(
        moment=np.full(users.height, as_of, dtype=np.int64),
        profile_created_at=as_microseconds(users["profile_created_at"]),
        last_like_at=as_microseconds(users["recent_like_at"]),
        likes=users["like_count"].to_numpy(),
        nopes=users["nope_count"].to_numpy(),
        decisions=users["decision_count"].to_numpy(),
        mean_price=users["mean_price"].fill_null(np.nan).to_numpy(),
        median_price=users["median_price"].fill_null(np.nan).to_numpy(),
        like_hour=users["average_like_hour"].fill_null(np.nan).to_numpy(),
    )
