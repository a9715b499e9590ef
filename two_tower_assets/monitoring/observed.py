"""What is looked at: the rows of a window, or of a moment, with the columns that figures are of.

Letters: N rows, U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.contract import USER_NUMERIC
from two_tower_assets.features.history import LIKE, NOPE, OTHER, History, decision_kind
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.user_numerics import UserNumerics
from two_tower_assets.monitoring.figures import Table
from two_tower_assets.sources.snapshot import VIDEOS, Snapshot
from two_tower_assets.sources.tables import SourceTables

BLOCK: Final = "block"
"""Column of every table: whose rows belong together, and are drawn together."""

_VIDEO_COLUMNS: Final = (
    "id",
    "is_active",
    "price",
    "duration_seconds",
    "product_released_at",
    "created_at",
    "tags",
    "performers",
)
_WORDS: Final = {LIKE: "like", NOPE: "nope", OTHER: "other"}
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Window:
    """Decisions from one moment up to another one."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, end: datetime, days: int) -> Self:
        """The days before a moment."""
        return cls(end - timedelta(days=days), end)


@dataclass(frozen=True, eq=False)
class Observed:
    """Decisions, videos and profiles as they stood in one moment."""

    decisions: pl.DataFrame
    """`user_id`, `video_id`, `decision_type`, `created_at`, sorted by user, time and video."""
    videos: pl.DataFrame
    """Columns of `sources.snapshot.VIDEOS`; those that are not there count as missing."""
    profiles: pl.DataFrame
    """`user_id`, `created_at`."""

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Self:
        """Read a snapshot."""
        return cls(snapshot.decisions().collect(), snapshot.videos().collect(), snapshot.profiles().collect())

    @classmethod
    def of_tables(cls, tables: SourceTables) -> Self:
        """Take the rows of a source."""
        return cls(
            tables.decisions.cast({"user_id": pl.String, "video_id": pl.String}).sort(
                "user_id", "created_at", "video_id"
            ),
            tables.videos.select(list(VIDEOS)),
            tables.profiles,
        )

    @cached_property
    def catalogue(self) -> pl.DataFrame:
        """`_VIDEO_COLUMNS` of all videos, whatever is there."""
        absent = [
            pl.lit(None, VIDEOS[name]).alias(name) for name in _VIDEO_COLUMNS if name not in self.videos.columns
        ]
        return (
            self.videos.with_columns(absent)
            .select(pl.col(name).cast(VIDEOS[name]) for name in _VIDEO_COLUMNS)
            .with_columns(pl.col("is_active").fill_null(value=True))
        )

    @cached_property
    def history(self) -> History:
        """The decisions as arrays."""
        return History.from_frames(self.decisions, self.catalogue)

    @cached_property
    def _numerics(self) -> UserNumerics:
        return UserNumerics(self.history, videos=self.catalogue, profiles=self.profiles)

    def table(self, name: Table, window: Window) -> pl.DataFrame:
        """Return the rows that figures of a table are of, with `block` and the figures' columns."""
        match name:
            case "decisions":
                return self._decided(window)
            case "users":
                return self._users(window)
            case "catalogue":
                return self._available(window.end)

    def _decided(self, window: Window) -> pl.DataFrame:
        """The window's decisions, each with the video that it was about."""
        videos = self.catalogue.drop("is_active", "created_at").rename({"id": "video_id"})
        return (
            self.decisions.filter(pl.col("created_at").is_between(window.start, window.end, closed="left"))
            .join(videos.with_columns(is_known=True), on="video_id", how="left", maintain_order="left")
            .with_columns(decision_kind())
            .with_columns(
                *_columns_of_videos(pl.col("created_at")),
                pl.col("user_id").alias(BLOCK),
                pl.col("kind").replace_strict(_WORDS, return_dtype=pl.String),
                pl.when(pl.col("kind") != OTHER).then(pl.col("kind") == LIKE).alias("is_like"),
                pl.col("created_at").dt.hour().cast(pl.String).alias("hour"),
                pl.col("is_known").is_null().alias("is_gone"),
            )
        )

    def _users(self, window: Window) -> pl.DataFrame:
        """Users who decided in the window, with their raw numerics at its end."""
        every_U = np.arange(len(self.history.user_ids), dtype=np.int32)
        start_U = self.history.prefix_at(every_U, microseconds(window.start))
        end_U = self.history.prefix_at(every_U, microseconds(window.end))
        active_U = np.flatnonzero(end_U > start_U).astype(np.int32)
        moment_U = np.full(len(active_U), microseconds(window.end))
        numeric_UF = self._numerics.numeric(active_U, end_U[active_U], moment_U)
        return pl.DataFrame(
            {
                BLOCK: self.history.user_ids[active_U],
                **{name: numeric_UF[:, at] for at, name in enumerate((*USER_NUMERIC, "average_like_hour"))},
            }
        )

    def _available(self, moment: datetime) -> pl.DataFrame:
        """Active videos that are out."""
        released = pl.col("product_released_at").is_null() | (pl.col("product_released_at") < moment)
        return self.catalogue.filter(pl.col("is_active") & released).with_columns(
            *_columns_of_videos(pl.lit(moment)), pl.col("id").alias(BLOCK)
        )


def _columns_of_videos(moment: pl.Expr) -> tuple[pl.Expr, ...]:
    """What is asked of a video wherever it stands; `age_days` is at a moment."""
    return (
        ((moment - pl.col("product_released_at")).dt.total_seconds() / _DAY_SECONDS).alias("age_days"),
        _is_missing("price").alias("price_is_missing"),
        pl.col("duration_seconds").is_null().alias("duration_is_missing"),
        pl.col("product_released_at").is_null().alias("release_is_missing"),
        (pl.col("tags").list.len().fill_null(0) == 0).alias("has_no_tag"),
    )


def _is_missing(name: str) -> pl.Expr:
    return pl.col(name).is_null() | ~pl.col(name).is_finite()


def row_names(rows: pl.DataFrame, column: str) -> tuple[pl.Series, NDArray[np.int64]]:
    """Return the names of a list column one by one, and the row that each stands in, int64 [N]."""
    exploded = rows.select(pl.int_range(pl.len()).alias("row"), pl.col(column)).explode(column).drop_nulls(column)
    return exploded[column], exploded["row"].to_numpy()
