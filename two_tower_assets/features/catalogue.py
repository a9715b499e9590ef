"""Which videos existed before a moment: what a model fitted then could have known of the catalogue."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from two_tower_assets.features.history import History
from two_tower_assets.features.times import microseconds


def catalogue_before(
    videos: pl.DataFrame, history: History, *, cutoff: datetime, before: datetime | None
) -> pl.DataFrame:
    """Keep the videos that existed before a moment; all of them when it is None.

    Args:
        videos: a snapshot's videos, in the history's order: `product_released_at`, `created_at`.
        history: its decisions.
        cutoff: its cut-off.
        before: the moment.
    """
    if before is None:
        return videos
    decided = pl.Series(history.decided_videos(microseconds(before)))
    return videos_before(videos, decided, cutoff=cutoff, before=before)


def videos_before(videos: pl.DataFrame, decided: pl.Series, *, cutoff: datetime, before: datetime) -> pl.DataFrame:
    """Keep the videos that existed before a moment.

    A video existed when somebody had decided on it, or when neither its release nor its row's creation is
    known to be later. A row created at or after the snapshot's cut-off tells when old data were loaded, not when the
    video appeared, so such a time is taken as unknown.

    Args:
        videos: `product_released_at`, `created_at`.
        decided: bool [V], whether somebody had decided on each before the moment.
        cutoff: end of all data.
        before: the moment.
    """
    released = pl.col("product_released_at").is_null() | (pl.col("product_released_at") < before)
    created = pl.col("created_at")
    entered = created.is_null() | (created < before) | (created >= cutoff)
    return videos.filter(pl.lit(decided) | (released & entered))
