"""Building a feature space from a snapshot: vocabularies, scales and the reference date, all from before a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from two_tower_assets.features.video_vocabulary import video_vocabulary
from two_tower_assets.features.vocabulary import build_vocabulary
from two_tower_assets.settings import FeatureSettings
from two_tower_assets.sources.snapshot import Snapshot

_BLOCK: Final = 65_536


@dataclass(frozen=True)
class Scales:
    """The normalizer: what numbers are standardised with, and the date that recency counts back from."""

    user_numeric: Mapping[str, Standard]
    item_numeric: Mapping[str, Standard]
    reference_released_at: datetime | None


def build_space(
    snapshot: Snapshot, *, settings: FeatureSettings, before: datetime | None = None, history: History | None = None
) -> FeatureSpace:
    """Build the space that models of this snapshot work in.

    Args:
        snapshot: profiles, videos and decisions.
        settings: preset, and sizes of the vocabularies.
        before: only what existed before this moment counts (an evaluated model); None: everything (the shipped one).
        history: the snapshot's history, when it is at hand.
    """
    return space_of_frames(
        history or History.from_snapshot(snapshot),
        videos=snapshot.videos().collect(),
        profiles=snapshot.profiles().collect(),
        cutoff=snapshot.cutoff,
        settings=settings,
        before=before,
    )


def space_of_frames(
    history: History,
    *,
    videos: pl.DataFrame,
    profiles: pl.DataFrame,
    cutoff: datetime,
    settings: FeatureSettings,
    before: datetime | None = None,
) -> FeatureSpace:
    """Build a space from a snapshot's frames and cut-off; see `build_space`."""
    existing = catalogue_before(videos, history, cutoff=cutoff, before=before)
    scales = measure_scales(history, catalogue=existing, videos=videos, profiles=profiles, before=before)
    return FeatureSpace(
        tags=tag_vocabulary(existing, settings),
        performers=performer_vocabulary(existing, settings),
        user_numeric=scales.user_numeric,
        item_numeric=scales.item_numeric,
        reference_released_at=scales.reference_released_at,
        videos=video_vocabulary(history, settings, before=before),
    )


def tag_vocabulary(catalogue: pl.DataFrame, settings: FeatureSettings) -> tuple[str, ...]:
    """Tags of the active videos of a catalogue (`is_active`, `tags`)."""
    tags = catalogue.filter(pl.col("is_active"))["tags"]
    return build_vocabulary(tags, min_frequency=settings.min_tag_freq, max_size=settings.max_tag_vocab)


def performer_vocabulary(catalogue: pl.DataFrame, settings: FeatureSettings) -> tuple[str, ...]:
    """Performers of the active videos of a catalogue (`is_active`, `performers`)."""
    performers = catalogue.filter(pl.col("is_active"))["performers"]
    return build_vocabulary(performers, min_frequency=settings.min_actress_freq, max_size=settings.max_actress_vocab)


def measure_scales(
    history: History,
    *,
    catalogue: pl.DataFrame,
    videos: pl.DataFrame,
    profiles: pl.DataFrame,
    before: datetime | None = None,
) -> Scales:
    """Measure the normalizer: user numerics over the training examples, item numerics over the active catalogue.

    Args:
        history: all decisions.
        catalogue: the videos that existed: `is_active` and the columns of `raw.RAW_ITEMS`.
        videos: a snapshot's videos, in the history's order.
        profiles: a snapshot's profiles.
        before: only examples before this moment count; None: all.
    """
    reference = catalogue["product_released_at"].max()
    assert reference is None or isinstance(reference, datetime)
    active = catalogue.filter(pl.col("is_active"))
    examples = history.examples(before=None if before is None else microseconds(before))
    return Scales(
        user_numeric=_user_scales(history, UserNumerics(history, videos=videos, profiles=profiles), examples),
        item_numeric=measure_standards(ITEM_NUMERIC, lambda: [raw_item_numerics(active, microseconds(reference))]),
        reference_released_at=reference,
    )


def _user_scales(history: History, numerics: UserNumerics, examples: NDArray[np.integer]) -> dict[str, Standard]:
    """Scales over the vectors of the training examples, each as of just before its decision."""

    def blocks() -> Iterator[NDArray[np.float64]]:
        for start in range(0, len(examples), _BLOCK):
            chosen = examples[start : start + _BLOCK]
            raw = numerics.numeric(history.user[chosen], history.strictly_before[chosen], history.time[chosen])
            yield raw[:, : len(USER_NUMERIC)]

    return measure_standards(USER_NUMERIC, blocks)
