"""The like rate of what was served, by model version and source: served lists held against later decisions.

A decision counts for the list that showed its video to its user last before it, if that was not too long ago.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.features.history import LIKE, OTHER, decision_kind
from two_tower_assets.features.times import UTC_MOMENT
from two_tower_assets.monitoring.observed import Window
from two_tower_assets.monitoring.records import LikeRate, LiveLikes
from two_tower_assets.settings import MonitoringSettings

SERVED: Final = {
    "list_id": pl.String(),
    "user_id": pl.String(),
    "model_version": pl.String(),
    "served_at": UTC_MOMENT,
    "video_ids": pl.List(pl.String()),
    "sources": pl.List(pl.String()),
}
"""Columns of served lists, one row a list."""

MODEL: Final = "model"
POPULAR: Final = "popular"

_RESAMPLES: Final = 2000
_FEWEST_USERS: Final = 10
"""Whose rate gets an interval: resamples of fewer know too little of what others would do."""
_SURELY: Final = 0.995
"""The upper end of the 99 % interval of a difference."""


def live_likes(
    served: pl.DataFrame, decisions: pl.DataFrame, until: datetime, settings: MonitoringSettings
) -> LiveLikes:
    """Measure like rates of the latest days.

    Args:
        served: the columns of `SERVED`.
        decisions: `user_id`, `video_id`, `decision_type`, `created_at`.
        until: end of the days.
        settings: how many days, and how long a list is answered.
    """
    window = Window.before(until, settings.like_days)
    lists = served.filter(pl.col("served_at").is_between(window.start, window.end, closed="left"))
    found = LiveLikes(start=window.start, end=window.end, lists=lists.height)
    if not lists.height:
        return found.model_copy(update={"reason": f"No list was served in the {settings.like_days} days before"})
    answered = _answered(lists, decisions, settings.attribution_hours)
    rates = tuple(_rates(lists, answered))
    return found.model_copy(update={"rates": rates, "surely_worse": _surely_worse(answered)})


def _answered(lists: pl.DataFrame, decisions: pl.DataFrame, hours: float) -> pl.DataFrame:
    """LIKEs and NOPEs with the version and source of the list that they answer: `user_id`, `is_like`, both names."""
    places = (
        lists.explode("video_ids", "sources")
        .rename({"video_ids": "video_id", "sources": "source"})
        .drop_nulls("video_id")
        .sort("served_at")
    )
    judged = (
        decisions.with_columns(decision_kind(), pl.col("created_at").cast(UTC_MOMENT))
        .filter(pl.col("kind") != OTHER)
        .sort("created_at")
    )
    return (
        judged.join_asof(
            places,
            left_on="created_at",
            right_on="served_at",
            by=["user_id", "video_id"],
            strategy="backward",
            tolerance=timedelta(hours=hours),
            check_sortedness=False,
        )
        .filter(pl.col("source").is_not_null())
        .select("user_id", "model_version", "source", (pl.col("kind") == LIKE).alias("is_like"))
    )


def _rates(lists: pl.DataFrame, answered: pl.DataFrame) -> list[LikeRate]:
    shown = (
        lists.select("model_version", pl.col("sources").list.unique().alias("source"))
        .explode("source")
        .drop_nulls()
        .group_by("model_version", "source")
        .len()
        .sort("model_version", "source", descending=[True, False])
    )
    return [
        LikeRate(
            model_version=version,
            source=source,
            lists=count,
            decisions=(these := _of(answered, version, source)).height,
            rate=_rate(these),
        )
        for version, source, count in shown.iter_rows()
    ]


def _of(answered: pl.DataFrame, version: str, source: str) -> pl.DataFrame:
    return answered.filter((pl.col("model_version") == version) & (pl.col("source") == source))


def _rate(answered: pl.DataFrame) -> Interval | None:
    by_user = answered.group_by("user_id", maintain_order=True).agg(
        pl.col("is_like").sum().cast(pl.Float64).alias("likes"), pl.len().cast(pl.Float64)
    )
    if by_user.is_empty():
        return None
    if by_user.height < _FEWEST_USERS:
        return Interval.point(float(by_user["likes"].to_numpy().sum() / by_user["len"].to_numpy().sum()))
    return Resampling(by_user.height).ratio(by_user["likes"].to_numpy(), by_user["len"].to_numpy())


def _surely_worse(answered: pl.DataFrame) -> tuple[str, ...]:
    """Versions whose `model` places are liked less than `popular` ones, users drawn together."""
    versions = answered["model_version"].unique().sort().to_list()
    return tuple(version for version in versions if _is_worse(answered.filter(pl.col("model_version") == version)))


def _is_worse(answered: pl.DataFrame) -> bool:
    by_user = answered.group_by("user_id", maintain_order=True).agg(
        *(
            (pl.col("is_like") & (pl.col("source") == source)).sum().cast(pl.Float64).alias(f"{source}_likes")
            for source in (MODEL, POPULAR)
        ),
        *((pl.col("source") == source).sum().cast(pl.Float64).alias(source) for source in (MODEL, POPULAR)),
    )
    counts_UN = by_user.select(f"{MODEL}_likes", MODEL, f"{POPULAR}_likes", POPULAR).to_numpy()
    if not (counts_UN[:, 1].any() and counts_UN[:, 3].any()):
        return False
    random = np.random.default_rng(0)
    drawn_RU = random.multinomial(len(counts_UN), np.full(len(counts_UN), 1 / len(counts_UN)), size=_RESAMPLES)
    likes_a, shown_a, likes_b, shown_b = (drawn_RU @ counts_UN).T
    there = (shown_a > 0) & (shown_b > 0)
    difference = likes_a[there] / shown_a[there] - likes_b[there] / shown_b[there]
    return bool(len(difference)) and float(np.quantile(difference, _SURELY)) < 0
