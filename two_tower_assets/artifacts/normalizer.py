"""`normalizer.json`: mean and standard deviation of each numeric feature."""

from __future__ import annotations

from collections.abc import Mapping

from two_tower_assets.artifacts.documents import Document
from two_tower_assets.features.space import FeatureSpace, Standard


class Scale(Document):
    """Mean and standard deviation of one feature; a deviation of 0 counts as 1."""

    mean: float
    std: float


class Normalizer(Document):
    """Scales of the user and item numerics, in the order of the contract."""

    user_numeric: dict[str, Scale]
    item_numeric: dict[str, Scale]


def normalizer(space: FeatureSpace) -> Normalizer:
    """Take the scales of a feature space."""
    return Normalizer(user_numeric=_scales(space.user_numeric), item_numeric=_scales(space.item_numeric))


def _scales(standards: Mapping[str, Standard]) -> dict[str, Scale]:
    return {name: Scale(mean=standard.mean, std=standard.std) for name, standard in standards.items()}
