"""Worlds in which nothing drifts: the sample generator's, and real people's decisions moved in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.reference import Reference
from two_tower_assets.settings import MonitoringSettings, SampleSettings
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.tables import SourceTables

WEEKS: Final = 8
"""After the release that are looked at."""

_WEEK: Final = timedelta(days=7)
_NAMES: Final = ("tags", "performers")


@dataclass(frozen=True, eq=False)
class World:
    """Rows of half a year, and a release whose data end in the middle of it."""

    observed: Observed
    judge: Judge

    @property
    def released(self) -> datetime:
        """Where the release's data end."""
        return self.judge.reference.cutoff


def sample_worlds(count: int, settings: MonitoringSettings) -> Iterator[World]:
    """Generate catalogues and people by seed. Taste drifts and videos age in them, as they do in ordinary weeks."""
    for seed in range(count):
        yield _world(Observed.of_tables(generate_sample(SampleSettings(seed=seed))), settings)


def real_worlds(tables: SourceTables, count: int, settings: MonitoringSettings) -> Iterator[World]:
    """Draw real users with replacement, each moved by whole weeks around the span of all decisions.

    What one person does, when and on what, stays as it was; that nothing happens is certain, since every week is as
    likely as any other for everything that was ever done.
    """
    observed = Observed.of_tables(tables)
    for seed in range(count):
        yield _world(_moved(observed, np.random.default_rng((seed, 1))), settings)


def _moved(observed: Observed, random: np.random.Generator) -> Observed:
    users = observed.decisions["user_id"].unique().sort()
    times = observed.decisions["created_at"]
    first, last = times.min(), times.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    weeks = max(1, -(-(last - first) // _WEEK))
    drawn = pl.DataFrame(
        {
            "user_id": users.gather(random.integers(len(users), size=len(users))),
            "copy": [f"{number:08d}" for number in range(len(users))],
            "shift": random.integers(weeks, size=len(users)),
        }
    )
    span = pl.duration(weeks=weeks)
    moved = pl.col("created_at") + pl.duration(weeks=pl.col("shift"))
    decisions = drawn.join(observed.decisions, on="user_id", how="inner").select(
        pl.col("copy").alias("user_id"),
        "video_id",
        "decision_type",
        pl.when(moved >= first + span).then(moved - span).otherwise(moved).alias("created_at"),
    )
    profiles = drawn.join(observed.profiles, on="user_id", how="inner").select(
        pl.col("copy").alias("user_id"), "created_at"
    )
    return Observed(decisions.sort("user_id", "created_at", "video_id"), observed.videos, profiles)


def _world(observed: Observed, settings: MonitoringSettings) -> World:
    end = observed.decisions["created_at"].max()
    assert isinstance(end, datetime)
    released = end - WEEKS * _WEEK - timedelta(days=1)
    names = {name: observed.catalogue.explode(name)[name].drop_nulls().unique().to_list() for name in _NAMES}
    return World(observed, Judge(Reference.of(observed, released, names, settings), settings))
