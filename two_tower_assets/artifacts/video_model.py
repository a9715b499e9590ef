"""The video side of one model version, ready to embed videos that came after it.

`client` is its counterpart for users. What does not live here: finding such videos and storing their vectors.
Letters in tensor names: N videos, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.artifacts.embeddings import VideoInputs, embed_items
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.artifacts.version_space import read_space
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.video_vocabulary import video_slots
from two_tower_assets.training.checkpoint import load_checkpoint
from two_tower_assets.training.popularity import PopularityScale
from two_tower_assets.training.towers import ItemTower


@dataclass(frozen=True)
class VideoModel:
    """The item tower of a version with everything that its input is made of."""

    model_version: str
    cutoff: datetime
    """The model knows of decisions before this moment."""
    half_life_days: float
    """Age at which a LIKE counts half in a video's popularity."""
    space: FeatureSpace
    tower: ItemTower
    popularity: PopularityScale

    @classmethod
    def open(cls, folder: Path) -> VideoModel:
        """Read a version's folder, the private weights among it.

        Raises:
            ArtifactError: a file is missing or damaged, the weights are another version's, or the version was made
                before weights said how popularity is placed.
        """
        meta = ModelMeta.read(folder / Files.MODEL_META)
        towers, facts = load_checkpoint(folder / Files.TOWERS)
        if (facts.model_version, facts.fingerprint) != (meta.model_version, meta.fingerprint):
            raise ArtifactError(
                f"The weights beside version {meta.model_version} are of version {facts.model_version}",
                where=str(folder / Files.TOWERS),
                remedy="Restore the folder, or train a new version.",
            )
        if facts.popularity is None:
            raise ArtifactError(
                f"Version {meta.model_version} does not say how popular a new video counts",
                where=str(folder / Files.TOWERS),
                remedy="Train and release a new version; it embeds new videos from then on.",
            )
        return cls(
            model_version=meta.model_version,
            cutoff=meta.data.cutoff,
            half_life_days=float(towers.half_life_days),
            space=read_space(folder),
            tower=towers.item,
            popularity=facts.popularity,
        )

    def embed(self, items: pl.DataFrame, fading: Mapping[str, float]) -> NDArray[np.float32]:
        """Return unit vectors float32 [N, 256] of videos, in their order.

        Args:
            items: the columns of `features.raw.RAW_ITEMS`.
            fading: fading popularity at the cut-off (`training.popularity`) of those that had been decided on by
                then; the others count as new.
        """
        matrix = item_matrix(items, self.space)
        known_N = np.array([fading.get(video, np.nan) for video in matrix.ids.tolist()], np.float64)
        newcomer = np.float32(self.popularity.newcomer)
        popularity_N = np.where(np.isnan(known_N), newcomer, self.popularity.value_of(np.nan_to_num(known_N)))
        inputs = VideoInputs(matrix, video_slots(matrix.ids, self.space), popularity_N.astype(np.float32))
        return embed_items(self.tower, inputs, np.arange(len(matrix)))
