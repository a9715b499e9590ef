"""Columns of raw features: what payloads and frames have in common, before moments, scales and vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from two_tower_assets.contract import VIDEO_SEGMENTS
from two_tower_assets.features.times import UTC_MOMENT

_NAMES: Final = pl.List(pl.String())

RAW_USERS: Final[Mapping[str, pl.DataType]] = {
    "user_id": pl.String(),
    "profile_created_at": UTC_MOMENT,
    "like_count": pl.Int64(),
    "nope_count": pl.Int64(),
    "decision_count": pl.Int64(),
    "recent_like_at": UTC_MOMENT,
    "average_like_hour": pl.Float64(),
    "mean_price": pl.Float64(),
    "median_price": pl.Float64(),
    "tags": _NAMES,
    "performers": _NAMES,
}
"""One row a user; names repeat for every liked video that carries them. Counts are never null, all else may be."""


def user_columns(*, video_ids: bool) -> dict[str, pl.DataType]:
    """`RAW_USERS`, and where a vocabulary of videos asks for them the ids of the newest liked and NOPEd videos."""
    ids: dict[str, pl.DataType] = dict.fromkeys(VIDEO_SEGMENTS.values(), _NAMES) if video_ids else {}
    return {**RAW_USERS, **ids}


RAW_ITEMS: Final[Mapping[str, pl.DataType]] = {
    "id": pl.String(),
    "price": pl.Float64(),
    "duration_seconds": pl.Float64(),
    "product_released_at": UTC_MOMENT,
    "tags": _NAMES,
    "performers": _NAMES,
}
"""One row a video; everything but the id may be null."""
