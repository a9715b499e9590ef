"""Drifts that are planted: rows as they would stand some time after something went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.monitoring.observed import Observed

Drift = Callable[[Observed, datetime], Observed]
"""Rows in which nothing happened, and when it begins."""

_SEED: Final = 5


def new_tag(observed: Observed, begin: datetime) -> Observed:
    """Every second video gets a tag that no model knows."""
    del begin
    tag = pl.lit(["unheard of"])
    tags = pl.when(_chance(observed.videos, 0.5)).then(pl.col("tags").list.concat(tag)).otherwise(pl.col("tags"))
    return replace(observed, videos=observed.videos.with_columns(tags))


def dearer(observed: Observed, begin: datetime) -> Observed:
    """All prices rise by 30 %."""
    del begin
    return replace(observed, videos=observed.videos.with_columns(pl.col("price") * 1.3))


def prices_go_missing(observed: Observed, begin: datetime) -> Observed:
    """Every tenth video loses its price."""
    del begin
    price = pl.when(_chance(observed.videos, 0.1)).then(None).otherwise(pl.col("price")).alias("price")
    return replace(observed, videos=observed.videos.with_columns(price))


def fewer_likes(observed: Observed, begin: datetime) -> Observed:
    """Every second LIKE becomes a NOPE."""
    turned = pl.col("decision_type").str.replace("like", "nope")
    return _decided_otherwise(observed, begin, turned)


def other_surface(observed: Observed, begin: datetime) -> Observed:
    """Every second decision by swiping is taken on the grid instead."""
    return _decided_otherwise(observed, begin, pl.col("decision_type").str.replace("swipe", "grid"))


def other_decisions(observed: Observed, begin: datetime) -> Observed:
    """Every second decision becomes one that is neither LIKE nor NOPE."""
    return _decided_otherwise(observed, begin, pl.lit("skip"))


def broken_features(observed: Observed, begin: datetime) -> Observed:
    """All numbers of videos are 0 and all names are lost."""
    del begin
    zero = [pl.lit(0).cast(observed.videos.schema[name]).alias(name) for name in ("price", "duration_seconds")]
    none = [pl.lit([], pl.List(pl.String)).alias(name) for name in ("tags", "performers")]
    return replace(observed, videos=observed.videos.with_columns(*zero, *none))


DRIFTS: Final[Mapping[str, Drift]] = {
    "a new tag on every second video": new_tag,
    "prices rise by 30 %": dearer,
    "a tenth of the prices goes missing": prices_go_missing,
    "half of the LIKEs become NOPEs": fewer_likes,
    "half of the swipes move to the grid": other_surface,
    "half of the decisions are neither": other_decisions,
    "features of videos are all zeros": broken_features,
}


def _decided_otherwise(observed: Observed, begin: datetime, decision_type: pl.Expr) -> Observed:
    chosen = _chance(observed.decisions, 0.5) & pl.Series(observed.decisions["created_at"] >= begin)
    decided = pl.when(chosen).then(decision_type).otherwise(pl.col("decision_type")).alias("decision_type")
    return replace(observed, decisions=observed.decisions.with_columns(decided))


def _chance(rows: pl.DataFrame, share: float) -> pl.Series:
    return pl.Series(np.random.default_rng(_SEED).random(rows.height) < share)
