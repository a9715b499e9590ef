"""The feature space of a version, read back from its public files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.artifacts.normalizer import Normalizer, Scale
from two_tower_assets.artifacts.vocabulary import Vocabulary
from two_tower_assets.contract import Files
from two_tower_assets.features.space import FeatureSpace, Standard


def read_space(folder: Path) -> FeatureSpace:
    """Return the space that the version in a folder was trained in.

    Raises:
        ArtifactError: a file is missing or damaged.
        FeatureError: the scales are not the contract's.
    """
    meta = ModelMeta.read(folder / Files.MODEL_META)
    scales = Normalizer.read(folder / Files.NORMALIZER)
    return FeatureSpace(
        tags=Vocabulary.read(folder / Files.TAG_VOCABULARY).tokens,
        performers=Vocabulary.read(folder / Files.PERFORMER_VOCABULARY).tokens,
        user_numeric=_standards(scales.user_numeric),
        item_numeric=_standards(scales.item_numeric),
        reference_released_at=meta.reference_released_at,
        videos=Vocabulary.read(folder / Files.VIDEO_VOCABULARY).tokens if meta.video_vocab_size else (),
    )


def _standards(scales: Mapping[str, Scale]) -> dict[str, Standard]:
    return {name: Standard(scale.mean, scale.std) for name, scale in scales.items()}
