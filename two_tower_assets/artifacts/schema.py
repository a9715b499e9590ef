"""`feature_schema.json`: the segments of `user_features`, from which a client builds the vector.

What does not live here: the values that scale or index a segment (`normalizer`, `vocabulary`).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from two_tower_assets.artifacts.documents import Document
from two_tower_assets.contract import EMBEDDING_DIM, SCHEMA_VERSION, USER_NUMERIC, USER_TENSOR, VIDEO_SEGMENTS, Files
from two_tower_assets.features.space import FeatureSpace

SegmentType = Literal["standard_score", "scaled_bucket", "l2_normalized_bow"]


class Segment(Document):
    """A run of neighbouring features that are made in the same way."""

    name: str
    size: int
    features: tuple[str, ...] | None = None
    """Names of the single features, where they have names."""
    type: str
    """A `SegmentType`; kept open here so that a newer file can be read and its unknown segment named."""
    range: tuple[int, int] | None = None
    source: str | None = None
    """Payload key of an optional segment; the two vectors of the base schema have theirs by name."""
    vocabulary: str | None = None
    """File of an optional segment's vocabulary."""


class FeatureSchema(Document):
    """Layout of the user tower's input."""

    omit_null: ClassVar[bool] = True

    version: str
    input_name: str
    input_dim: int
    embedding_dim: int
    segments: tuple[Segment, ...]


def feature_schema(space: FeatureSpace) -> FeatureSchema:
    """Describe `user_features` of a feature space."""
    segments = (
        _segment("numeric", len(USER_NUMERIC), "standard_score", features=USER_NUMERIC),
        _segment("hour_of_day", 1, "scaled_bucket", range=(0, 1)),
        _segment("tag_vector", len(space.tags), "l2_normalized_bow"),
        _segment("actress_vector", len(space.performers), "l2_normalized_bow"),
        *(_video_segment(name, source, space) for name, source in VIDEO_SEGMENTS.items() if space.videos),
    )
    assert sum(segment.size for segment in segments) == space.user_dim
    return FeatureSchema(
        version=SCHEMA_VERSION,
        input_name=USER_TENSOR,
        input_dim=space.user_dim,
        embedding_dim=EMBEDDING_DIM,
        segments=segments,
    )


def _video_segment(name: str, source: str, space: FeatureSpace) -> Segment:
    return Segment(
        name=name,
        size=len(space.videos),
        type="l2_normalized_bow",
        source=source,
        vocabulary=Files.VIDEO_VOCABULARY,
    )


def _segment(
    name: str,
    size: int,
    kind: SegmentType,
    *,
    features: tuple[str, ...] | None = None,
    range: tuple[int, int] | None = None,  # noqa: A002 -- the contract's word
) -> Segment:
    return Segment(name=name, size=size, features=features, type=kind, range=range)
