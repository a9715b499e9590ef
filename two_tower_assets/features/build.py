"""Building a feature space from a snapshot: vocabularies, scales and the reference date, all from before a moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.contract import ITEM_NUMERIC, USER_NUMERIC
from two_tower_assets.features.catalogue import catalogue_before
from two_tower_assets.features.history import History
from two_tower_assets.features.items import raw_item_numerics
from two_tower_assets.features.numerics import measure_standards
from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.user_numerics import UserNumerics
from two_tower_assets.features.vocabulary import build_vocabulary
from two_tower_assets.settings import FeatureSettings
from two_tower_assets.sources.snapshot import Snapshot

_BLOCK: Final = 65_536


def build_space(
    snapshot: Snapshot, *, settings: FeatureSettings, before: datetime | None = None, history: History | None = None
) -> FeatureSpace:
    """Build the space that models of this snapshot work in.

    Args:
        snapshot: profiles, videos and decisions.
        settings: sizes of the vocabularies.
        before: only what existed before this moment counts (an evaluated model); None: everything (the shipped one).
        history: the snapshot's history, when it is at hand.
    """
    return space_of_frames(
        history or History.from_snapshot(snapshot),
        videos=snapshot.videos().collect(),
        profiles=snapshot.profiles().collect(),
        decisions=snapshot.decisions(),
        cutoff=snapshot.cutoff,
        settings=settings,
        before=before,
    )


def space_of_frames(
    history: History,
    *,
    videos: pl.DataFrame,
    profiles: pl.DataFrame,
    decisions: pl.LazyFrame,
    cutoff: datetime,
    settings: FeatureSettings,
    before: datetime | None = None,
) -> FeatureSpace:
    """Build a space from a snapshot's frames and cut-off; see `build_space`."""
    existing = catalogue_before(videos, decisions, cutoff=cutoff, before=before)
    active = existing.filter(pl.col("is_active"))
    reference = existing["product_released_at"].max()
    assert reference is None or isinstance(reference, datetime)
    examples = history.examples(before=None if before is None else microseconds(before))
    return FeatureSpace(
        tags=build_vocabulary(active["tags"], min_frequency=settings.min_tag_freq, max_size=settings.max_tag_vocab),
        performers=build_vocabulary(
            active["performers"], min_frequency=settings.min_actress_freq, max_size=settings.max_actress_vocab
        ),
        user_numeric=_user_scales(history, UserNumerics(history, videos=videos, profiles=profiles), examples),
        item_numeric=measure_standards(ITEM_NUMERIC, lambda: [raw_item_numerics(active, microseconds(reference))]),
        reference_released_at=reference,
    )


def _user_scales(history: History, numerics: UserNumerics, examples: NDArray[np.int64]) -> dict[str, Standard]:
    """Scales over the vectors of the training examples, each as of just before its decision."""

    def blocks() -> Iterator[NDArray[np.float64]]:
        for start in range(0, len(examples), _BLOCK):
            chosen = examples[start : start + _BLOCK]
            raw = numerics.numeric(history.user[chosen], history.strictly_before[chosen], history.time[chosen])
            yield raw[:, : len(USER_NUMERIC)]

    return measure_standards(USER_NUMERIC, blocks)
