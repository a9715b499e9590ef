"""A model version as its clients see it: nothing but the public files of its folder.

The vector is built from `feature_schema.json`, the normalizer and the vocabularies, as a client in any language
does, and not by the code that trained the model: replaying the golden vectors here proves that the files suffice.
Letters in tensor names: B batch, F features, D embedding (256).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from two_tower_assets.artifacts.documents import REMEDY
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.artifacts.normalizer import Normalizer, Scale
from two_tower_assets.artifacts.schema import FeatureSchema, Segment
from two_tower_assets.artifacts.session import open_session, run_session
from two_tower_assets.artifacts.vocabulary import Vocabulary
from two_tower_assets.contract import (
    LAST_HOUR,
    LIKE_HOUR_WITHOUT_LIKES,
    LIKE_RATIO_WITHOUT_DECISIONS,
    USER_NUMERIC,
    Files,
    UserPayload,
)
from two_tower_assets.errors import ArtifactError

_SECONDS_A_DAY: Final = 86_400.0
_KNOWN_NUMERICS: Final = frozenset(USER_NUMERIC)
_BASE_SEGMENTS: Final = {
    "tag_vector": ("tags", Files.TAG_VOCABULARY),
    "actress_vector": ("performers", Files.PERFORMER_VOCABULARY),
}
"""Segment to payload key and vocabulary file, where the schema does not name them."""


@dataclass(frozen=True)
class ModelFolder:
    """The user side of one model version, ready to answer."""

    folder: Path
    model_version: str
    schema: FeatureSchema
    normalizer: Normalizer
    vocabularies: Mapping[str, Mapping[str, int]]
    """Segment name to name to position in the segment."""
    session: onnxruntime.InferenceSession

    @classmethod
    def open(cls, folder: Path) -> ModelFolder:
        """Read a version's folder.

        Raises:
            ArtifactError: a file is missing, damaged, or does not fit the others.
        """
        schema = FeatureSchema.read(folder / Files.FEATURE_SCHEMA)
        if schema.input_dim != sum(segment.size for segment in schema.segments):
            raise ArtifactError(
                f"The segments do not add up to input_dim {schema.input_dim}",
                where=str(folder / Files.FEATURE_SCHEMA),
                remedy=REMEDY,
            )
        return cls(
            folder=folder,
            model_version=ModelMeta.read(folder / Files.MODEL_META).model_version,
            schema=schema,
            normalizer=Normalizer.read(folder / Files.NORMALIZER),
            vocabularies={
                segment.name: _positions(folder, segment)
                for segment in schema.segments
                if segment.type == "l2_normalized_bow"
            },
            session=open_session(folder / Files.USER_TOWER),
        )

    def user_features(self, payload: UserPayload, as_of: datetime) -> NDArray[np.float32]:
        """Return `user_features` float32 [F] of a payload at an aware moment."""
        parts = [self._segment(segment, payload, as_of) for segment in self.schema.segments]
        features_F: NDArray[np.float32] = np.concatenate(parts).astype(np.float32)
        return features_F

    def embed(self, features_BF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `user_embedding` float32 [B, 256].

        Raises:
            ArtifactError: the width is not `input_dim`, or a feature is not finite.
        """
        if features_BF.ndim != 2 or features_BF.shape[1] != self.schema.input_dim:
            raise ArtifactError(
                f"The model takes [batch, {self.schema.input_dim}] and was given {list(features_BF.shape)}",
                where=str(self.folder),
                remedy="Build the features with this version's schema.",
            )
        if not np.isfinite(features_BF).all():
            raise ArtifactError(
                "A user feature is not finite", where=str(self.folder), remedy="Mend the payload it came from."
            )
        return run_session(self.session, np.ascontiguousarray(features_BF, np.float32))

    def embed_payload(self, payload: UserPayload, as_of: datetime) -> NDArray[np.float32]:
        """Return the user vector float32 [256] of a payload at an aware moment."""
        embedding_D: NDArray[np.float32] = self.embed(self.user_features(payload, as_of)[np.newaxis])[0]
        return embedding_D

    def _segment(self, segment: Segment, payload: UserPayload, as_of: datetime) -> NDArray[np.float64]:
        if segment.type == "standard_score" and _KNOWN_NUMERICS.issuperset(segment.features or ("unnamed",)):
            return _standard_scores(segment.features or (), self.normalizer.user_numeric, numerics(payload, as_of))
        if segment.type == "scaled_bucket" and segment.name == "hour_of_day":
            return np.array([_hour_of_day(payload)])
        if segment.type == "l2_normalized_bow":
            return _bag(_names(segment, payload), self.vocabularies[segment.name], segment.size)
        raise ArtifactError(
            f"Segment {segment.name} of type {segment.type} is unknown here",
            where=str(self.folder / Files.FEATURE_SCHEMA),
            remedy="Install a version of two-tower-assets that knows it.",
        )


def numerics(payload: UserPayload, as_of: datetime) -> dict[str, float]:
    """Return the raw user numerics by name, before standardising."""
    stats, prices = payload.decision_stats, payload.price_stats
    return {
        "account_age_days": _days_since(payload.profile.created_at, as_of),
        "mean_price": prices.mean or 0.0,
        "median_price": prices.median or 0.0,
        "like_ratio": (
            min(max(stats.like_count / stats.decision_count, 0.0), 1.0)
            if stats.decision_count
            else LIKE_RATIO_WITHOUT_DECISIONS
        ),
        "like_count": float(stats.like_count),
        "nope_count": float(stats.nope_count),
        "decision_count": float(stats.decision_count),
        "recent_like_days": _days_since(stats.recent_like_at, as_of),
    }


def _days_since(moment: datetime | None, as_of: datetime) -> float:
    if moment is None:
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (as_of - aware).total_seconds() / _SECONDS_A_DAY


def _standard_scores(
    names: Sequence[str], scales: Mapping[str, Scale], values: Mapping[str, float]
) -> NDArray[np.float64]:
    return np.array([(values[name] - scales[name].mean) / (scales[name].std or 1.0) for name in names])


def _hour_of_day(payload: UserPayload) -> float:
    stats = payload.decision_stats
    hour = stats.average_like_hour if stats.like_count else None
    return min(max(LIKE_HOUR_WITHOUT_LIKES if hour is None else hour, 0.0), LAST_HOUR) / LAST_HOUR


def _names(segment: Segment, payload: UserPayload) -> tuple[str, ...]:
    source = segment.source or _BASE_SEGMENTS[segment.name][0]
    names: tuple[str, ...] = getattr(payload, source)
    return names


def _bag(names: Sequence[str], positions: Mapping[str, int], size: int) -> NDArray[np.float64]:
    counts = np.zeros(size)
    for name, count in Counter(names).items():
        if name in positions:
            counts[positions[name]] = count
    norm = np.linalg.norm(counts)
    return counts / norm if norm else counts


def _positions(folder: Path, segment: Segment) -> Mapping[str, int]:
    file = segment.vocabulary or _BASE_SEGMENTS[segment.name][1]
    tokens = Vocabulary.read(folder / file).tokens
    if len(tokens) != segment.size:
        raise ArtifactError(
            f"{file} has {len(tokens)} names and segment {segment.name} {segment.size} features",
            where=str(folder),
            remedy=REMEDY,
        )
    return {name: position for position, name in enumerate(tokens)}
