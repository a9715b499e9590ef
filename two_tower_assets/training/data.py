"""What a model may see: one value that holds the past before a moment and nothing of what came after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.catalogue import catalogue_before
from two_tower_assets.features.history import History
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets.training.examples import Examples
from two_tower_assets.training.popularity import Popularity, had_chance, popularity_of


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Decisions strictly before `until`, and features built from before it."""

    history: History
    states: UserStates
    items: FeatureMatrix
    """All videos, in the history's order."""
    examples: Examples
    """Those at or after `until` are left aside."""
    until: int
    """Microseconds since the epoch; later decisions take no part in anything."""
    slot: NDArray[np.int32]
    """[videos] place of each in the space's vocabulary of videos, `NO_SLOT` (−1) where it has none."""
    catalogue: NDArray[np.int32]
    """Videos that could be recommended at `until`: known by then, active, and released or without a release date."""

    @cached_property
    def contenders(self) -> NDArray[np.int32]:
        """Videos of the catalogue that had a chance to be decided on.

        The others, drawn as negatives, would teach that what new videos have in common is bad.
        """
        chance_V = had_chance(self.history, self.until, self.catalogue)
        return self.catalogue[chance_V[self.catalogue]]

    def popularity(self, half_life_days: float) -> Popularity:
        """How much each video was liked lately, as of `until`; counted once for a half-life."""
        if half_life_days not in self._popularity:
            found = popularity_of(self.history, self.until, self.catalogue, half_life_days)
            self._popularity[half_life_days] = found
        return self._popularity[half_life_days]

    @cached_property
    def _popularity(self) -> dict[float, Popularity]:
        """What was counted so far, by half-life."""
        return {}

    @cached_property
    def likes(self) -> Examples:
        """The examples before `until`."""
        return self.examples.before(self.history, self.until)

    @cached_property
    def user_end(self) -> NDArray[np.int64]:
        """[users] end of each user's decisions before `until`."""
        return self.history.prefix_at(np.arange(len(self.history.user_ids)), self.until)


def training_data(
    snapshot: Snapshot, history: History, examples: Examples, space: FeatureSpace, *, before: datetime | None = None
) -> TrainingData:
    """Bring together what a model fitted on decisions before a moment may see.

    Args:
        snapshot: videos and profiles.
        history: all its decisions.
        examples: all its examples.
        space: built from before the same moment (`build_space(…, before=before)`).
        before: the moment; None: everything (the shipped model).
    """
    return TrainingData(
        history=history,
        states=UserStates.from_snapshot(snapshot, history, space),
        items=item_matrix(snapshot.videos().collect(), space),
        examples=examples,
        until=microseconds(before or snapshot.cutoff),
        slot=video_slots(history.video_ids, space),
        catalogue=catalogue_of(snapshot, history, before),
    )


def catalogue_of(snapshot: Snapshot, history: History, before: datetime | None = None) -> NDArray[np.int32]:
    """Videos that could be recommended at a moment, by index; None: when the snapshot ends.

    Args:
        snapshot: the videos.
        history: the decisions, whose videos are the snapshot's.
        before: the moment.
    """
    columns = ("is_active", "product_released_at", "created_at")
    videos = snapshot.videos().select(columns).with_row_index("row").collect()
    known = catalogue_before(videos, history, cutoff=snapshot.cutoff, before=before)
    released = pl.col("product_released_at").is_null() | (pl.col("product_released_at") < (before or snapshot.cutoff))
    return known.filter(pl.col("is_active") & released)["row"].to_numpy().astype(np.int32)


def shipped_popularity(snapshot: Snapshot, half_life_days: float) -> Popularity:
    """Popularity of a snapshot's videos when it ends: what the shipped vectors hold."""
    history = History.from_snapshot(snapshot)
    return popularity_of(history, microseconds(snapshot.cutoff), catalogue_of(snapshot, history), half_life_days)
