"""The raw features of the payloads, computed from a snapshot's frames instead of asked from the database.

Both must give the same vectors; a check compares them. What does not live here: moments of the past for training,
which `point_in_time` computes without making a list of names for every moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from two_tower_assets.contract import MAX_VIDEO_IDS
from two_tower_assets.features.history import LIKE, NOPE, decision_kind
from two_tower_assets.features.raw import RAW_ITEMS, user_columns
from two_tower_assets.sources.snapshot import DECISIONS_FILE, Snapshot
from two_tower_assets.sources.tables import DECISIONS

_USERS_A_BLOCK: Final = 2048
_DECISIONS_A_BLOCK: Final = 1 << 18


def user_blocks(snapshot: Snapshot, *, as_of: datetime, video_ids: bool = False) -> Iterator[pl.DataFrame]:
    """Raw features (`raw.user_columns`) of users with a decision before `as_of`, by id, some thousand at a time."""
    videos = snapshot.videos().select("id", "price", "tags", "performers").collect()
    profiles = snapshot.profiles().collect()
    for decisions in _whole_users(snapshot.folder / DECISIONS_FILE):
        rows = decisions.filter(pl.col("created_at") < as_of)
        ends = np.cumsum(rows["user_id"].rle().struct.field("len").to_numpy(), dtype=np.int64)
        start = 0
        for end in ends[_USERS_A_BLOCK - 1 : -1 : _USERS_A_BLOCK].tolist() + ends[-1:].tolist():
            block = rows.slice(start, end - start)
            yield raw_users(block, videos=videos, profiles=profiles, video_ids=video_ids)
            start = end


def _whole_users(path: Path) -> Iterator[pl.DataFrame]:
    """A snapshot's decisions in blocks that end with a user's last one."""
    with pq.ParquetFile(path) as file:
        waiting = pl.DataFrame(schema=dict(DECISIONS))
        for batch in file.iter_batches(_DECISIONS_A_BLOCK):
            rows = pl.concat([waiting, pl.DataFrame(pl.from_arrow(batch), schema=dict(DECISIONS))])
            last = rows.height - int(rows["user_id"].rle().struct.field("len")[-1])
            yield rows.head(last)
            waiting = rows.slice(last)
        yield waiting


def raw_users(
    decisions: pl.DataFrame, *, videos: pl.DataFrame, profiles: pl.DataFrame, video_ids: bool = False
) -> pl.DataFrame:
    """Raw features of the users who decided, in the order of their first decision in the frame.

    Args:
        decisions: those that count: `user_id`, `video_id`, `decision_type`, `created_at`.
        videos: `id`, `price`, `tags`, `performers`.
        profiles: `user_id`, `created_at`.
        video_ids: whether the ids of liked and NOPEd videos are wanted, the newest first.
    """
    columns = user_columns(video_ids=video_ids)
    about = videos.select(
        pl.col("id").alias("video_id"), _finite(pl.col("price").cast(pl.Float64)), "tags", "performers"
    )
    rows = decisions.with_columns(decision_kind()).join(about, on="video_id", how="left", maintain_order="left")
    like, nope = pl.col("kind") == LIKE, pl.col("kind") == NOPE
    newest = {"liked_video_ids": _newest(like), "noped_video_ids": _newest(nope)}
    return (
        rows.group_by("user_id", maintain_order=True)
        .agg(
            like.sum().cast(pl.Int64).alias("like_count"),
            nope.sum().cast(pl.Int64).alias("nope_count"),
            pl.len().cast(pl.Int64).alias("decision_count"),
            pl.col("created_at").filter(like).max().alias("recent_like_at"),
            pl.col("created_at").filter(like).dt.hour().cast(pl.Float64).mean().alias("average_like_hour"),
            pl.col("price").filter(like).mean().alias("mean_price"),
            pl.col("price").filter(like).median().alias("median_price"),
            _names("tags", like),
            _names("performers", like),
            *(ids.alias(name) for name, ids in newest.items() if name in columns),
        )
        .join(
            profiles.select("user_id", pl.col("created_at").alias("profile_created_at")),
            on="user_id",
            how="left",
            maintain_order="left",
        )
        .select(*columns)
        .match_to_schema(columns)
    )


def raw_items(snapshot: Snapshot) -> pl.DataFrame:
    """Raw features (`raw.RAW_ITEMS`) of all videos, inactive ones included, in the snapshot's order."""
    return snapshot.videos().select(pl.col(name).cast(dtype) for name, dtype in RAW_ITEMS.items()).collect()


def _finite(number: pl.Expr) -> pl.Expr:
    return pl.when(number.is_finite()).then(number)


def _names(column: str, chosen: pl.Expr) -> pl.Expr:
    return pl.col(column).filter(chosen).explode(empty_as_null=False, keep_nulls=False)


def _newest(chosen: pl.Expr) -> pl.Expr:
    """Ids of the newest chosen decisions, the newest first, those of one moment by id."""
    time, video = pl.col("created_at").filter(chosen), pl.col("video_id").filter(chosen)
    return video.sort_by(time, video, descending=[True, False]).head(MAX_VIDEO_IDS)
