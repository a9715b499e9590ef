"""Which videos existed before a moment: what a model fitted then could have known of the catalogue."""

from __future__ import annotations

from datetime import datetime

import polars as pl


def catalogue_before(
    videos: pl.DataFrame, decisions: pl.LazyFrame, *, cutoff: datetime, before: datetime | None
) -> pl.DataFrame:
    """Keep the videos that existed before a moment; all of them when it is None.

    A video existed when somebody had decided on it, or when neither its release nor its row's creation is
    known to be later. A row created at or after the snapshot's cut-off tells when old data were loaded, not when the
    video appeared, so such a time is taken as unknown.

    Args:
        videos: a snapshot's videos: `id`, `product_released_at`, `created_at`.
        decisions: its decisions: `video_id`, `created_at`.
        cutoff: the snapshot's cut-off.
        before: the moment.
    """
    if before is None:
        return videos
    earlier = decisions.filter(pl.col("created_at") < before)
    decided = earlier.select("video_id").unique().collect(engine="streaming")["video_id"]
    released = pl.col("product_released_at").is_null() | (pl.col("product_released_at") < before)
    created = pl.col("created_at")
    entered = created.is_null() | (created < before) | (created >= cutoff)
    return videos.filter(pl.col("id").is_in(decided.implode()) | (released & entered))
