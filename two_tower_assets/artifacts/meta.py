"""`model_meta.json`: what a model version was made from and what it reached.

Every value comes from the checkpoint and its inputs, none from the clock, so that writing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from pydantic import Field

from two_tower_assets.artifacts.documents import Document
from two_tower_assets.contract import EMBEDDING_DIM, USER_EMBEDDING_TENSOR, USER_TENSOR
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.settings import Settings
from two_tower_assets.training.checkpoint import CheckpointFacts

_LIBRARIES: Final = ("numpy", "onnx", "onnxruntime", "polars", "torch")
_FLOAT32: Final = "float32"


class DataFacts(Document):
    """The snapshot that the model learned from."""

    cutoff: datetime
    rows: dict[str, int]
    """Table to number of rows."""
    content_hash: str
    active_videos: int | None = Field(default=None, exclude_if=lambda count: count is None)
    """How many have a vector; left out in files from before it was said."""


class TensorFacts(Document):
    """A tensor of the ONNX file."""

    name: str
    shape: tuple[str | int, ...]
    dtype: str


class ModelMeta(Document):
    """The file's keys; the first seven are known to the oldest clients."""

    exported_at: datetime
    embedding_dim: int
    user_feature_dim: int
    item_feature_dim: int
    tag_vocab_size: int
    actress_vocab_size: int
    video_vocab_size: int = Field(default=0, exclude_if=lambda size: size == 0)
    """Left out where there is no such vocabulary, so that files from before it existed read back as they are."""
    config: dict[str, Any]
    """Hyper-parameters: the settings' tables `features`, `model` and `training`."""
    model_version: str
    trained_at: datetime
    steps: int
    temperature: float
    fingerprint: str
    """Hash of data, settings and code."""
    data: DataFacts
    reference_released_at: datetime | None
    """What `recency_days` counts from."""
    metrics: dict[str, Any]
    """Means of the towers on the test window."""
    like_calibration: dict[str, float] | None = Field(default=None, exclude_if=lambda value: value is None)
    """{a, b}: sigmoid(a · similarity + b) is the chance that a video which is looked at is liked."""
    serving: dict[str, Any] | None = Field(default=None, exclude_if=lambda value: value is None)
    """What the validation window decided for serving: `rerank` (weights of the score and `strength`, the share of
    its recency and price terms) and `fallback_half_life_days` of the popularity for users without decisions."""
    tensors: dict[str, TensorFacts]
    libraries: dict[str, str]


def model_meta(
    facts: CheckpointFacts,
    space: FeatureSpace,
    *,
    data: DataFacts,
    settings: Settings,
    metrics: Mapping[str, Any],
    choices: Choices,
) -> ModelMeta:
    """Gather the metadata of a shipped version.

    Args:
        facts: of a checkpoint with a model version.
        space: the feature space that the towers were trained in.
        data: the snapshot that it learned from.
        settings: the effective settings; model and training are taken from the checkpoint.
        metrics: means of the towers on the test window.
        choices: what the validation window decided.
    """
    assert facts.model_version is not None
    assert (facts.user_dim, facts.item_dim) == (space.user_dim, space.item_dim)
    return ModelMeta(
        exported_at=facts.trained_at,
        embedding_dim=EMBEDDING_DIM,
        user_feature_dim=space.user_dim,
        item_feature_dim=space.item_dim,
        tag_vocab_size=len(space.tags),
        actress_vocab_size=len(space.performers),
        video_vocab_size=len(space.videos),
        config={
            "features": settings.features.model_dump(mode="json"),
            "model": facts.model.model_dump(mode="json"),
            "training": facts.training.model_dump(mode="json"),
        },
        model_version=facts.model_version,
        trained_at=facts.trained_at,
        steps=facts.steps,
        temperature=facts.temperature,
        fingerprint=facts.fingerprint,
        data=data,
        reference_released_at=space.reference_released_at,
        metrics=dict(metrics),
        like_calibration=choices.like_calibration.model_dump() if choices.like_calibration else None,
        serving={
            "rerank": {
                **settings.rerank.model_dump(mode="json", exclude={"strengths", "largest_cost"}),
                "strength": choices.rerank_strength,
            },
            "fallback_half_life_days": choices.fallback_half_life_days,
        },
        tensors={
            "input": TensorFacts(name=USER_TENSOR, shape=("batch", space.user_dim), dtype=_FLOAT32),
            "output": TensorFacts(name=USER_EMBEDDING_TENSOR, shape=("batch", EMBEDDING_DIM), dtype=_FLOAT32),
        },
        libraries={name: version(name) for name in _LIBRARIES},
    )
