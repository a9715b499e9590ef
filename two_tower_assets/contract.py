"""Words shared with SQL, TypeScript and existing clients: names, orders, sizes and the payload models.

What lives here: column, tensor and file names, the order of numeric features, how decision types are read,
and the models of the RPC payloads. What does not: how any of it is computed (that is each stage's own).
Changing a value here breaks deployed clients; the contract grows by adding.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

EMBEDDING_DIM: Final = 256
SCHEMA_VERSION: Final = "v2"

USER_NUMERIC: Final = (
    "account_age_days",
    "mean_price",
    "median_price",
    "like_ratio",
    "like_count",
    "nope_count",
    "decision_count",
    "recent_like_days",
)
ITEM_NUMERIC: Final = ("price", "recency_days", "duration_seconds")

LIKE_RATIO_WITHOUT_DECISIONS: Final = 0.5
LIKE_HOUR_WITHOUT_LIKES: Final = 12.0
LAST_HOUR: Final = 23.0
"""`hour_of_day` = average like hour clipped to 0…23, divided by this."""

VIDEO_SEGMENTS: Final = {"liked_video_vector": "liked_video_ids", "noped_video_vector": "noped_video_ids"}
"""Optional segments of `user_features`, in order: each one's payload key (at most `MAX_VIDEO_IDS`, newest first)."""

USER_TENSOR: Final = "user_features"
USER_EMBEDDING_TENSOR: Final = "user_embedding"

MAX_PAGE: Final = 1000
"""Row cap of every batch RPC; hosted PostgREST cuts answers at the same number."""
MAX_VIDEO_IDS: Final = 1000
"""Most ids of liked, and of NOPEd, videos in a user payload; the newest are kept."""


class Tables:
    """Names of the tables and views in schema `public`."""

    PROFILES: Final = "profiles"
    VIDEOS: Final = "videos"
    TAGS: Final = "tags"
    VIDEO_TAGS: Final = "video_tags"
    PERFORMERS: Final = "performers"
    VIDEO_PERFORMERS: Final = "video_performers"
    DECISIONS: Final = "user_video_decisions"
    USER_EMBEDDINGS: Final = "user_embeddings"
    VIDEO_EMBEDDINGS: Final = "video_embeddings"
    MODEL_RELEASES: Final = "model_releases"
    LIVE_RELEASE: Final = "live_release"
    RELEASE_LOG: Final = "release_log"


class Files:
    """File names of one model version, in its folder under `artifacts/`."""

    USER_TOWER: Final = "user_tower.onnx"
    FEATURE_SCHEMA: Final = "feature_schema.json"
    NORMALIZER: Final = "normalizer.json"
    TAG_VOCABULARY: Final = "vocab_tag.json"
    PERFORMER_VOCABULARY: Final = "vocab_actress.json"
    VIDEO_VOCABULARY: Final = "vocab_video.json"
    """Only where the feature schema has the optional video segments."""
    MODEL_META: Final = "model_meta.json"
    GOLDEN_VECTORS: Final = "golden_vectors.json"
    VIDEO_EMBEDDINGS: Final = "video_embeddings.parquet"
    TOWERS: Final = "towers.safetensors"
    MANIFEST: Final = "manifest.json"
    REPORT: Final = "report.html"
    REFERENCE: Final = "training_reference.safetensors"
    """Counts by bin of what the version was trained on, which monitoring compares later windows with."""
    WASM: Final = "ort-wasm-simd-threaded.wasm"
    """What onnxruntime-web runs on in the Edge Functions; published with each version."""

    PRIVATE: Final = frozenset({TOWERS, REPORT, REFERENCE})
    """Files that never enter the public bucket nor the manifest."""


GOLDEN_TOLERANCE: Final = 1e-5
"""Largest absolute difference of a feature or an embedding component between any two implementations."""

DecisionKind = Literal["like", "nope", "other"]


def decision_kind(decision_type: str) -> DecisionKind:
    """Read a decision type: `like` and `…_like` are LIKE, `nope` and `…_nope` are NOPE, any other is neither.

    The same rule stands in SQL (`two_tower.is_like`, `two_tower.is_nope`) and, vectorised, in
    `features.kinds`.
    """
    if decision_type == "like" or decision_type.endswith("_like"):
        return "like"
    if decision_type == "nope" or decision_type.endswith("_nope"):
        return "nope"
    return "other"


class _Payload(BaseModel):
    # RPC payloads grow by adding keys, so unknown ones are not errors.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ProfilePayload(_Payload):
    """`profile` of a user payload."""

    created_at: datetime | None = None


class DecisionStats(_Payload):
    """`decision_stats` of a user payload; counts are of decisions strictly before `as_of`."""

    like_count: int = 0
    nope_count: int = 0
    decision_count: int = 0
    recent_like_at: datetime | None = None
    average_like_hour: float | None = LIKE_HOUR_WITHOUT_LIKES


class PriceStats(_Payload):
    """`price_stats` of a user payload, over liked videos that have a price."""

    mean: float | None = None
    median: float | None = None


class UserPayload(_Payload):
    """What `get_user_embedding_features` returns; `tags` and `performers` repeat per liked video."""

    user_id: str
    profile: ProfilePayload = ProfilePayload()
    decision_stats: DecisionStats = DecisionStats()
    price_stats: PriceStats = PriceStats()
    tags: tuple[str, ...] = ()
    performers: tuple[str, ...] = ()
    liked_video_ids: tuple[str, ...] = Field(default=(), max_length=MAX_VIDEO_IDS)
    noped_video_ids: tuple[str, ...] = Field(default=(), max_length=MAX_VIDEO_IDS)


class ItemPayload(_Payload):
    """What `get_item_embedding_features` returns."""

    video_id: str
    price: float | None = None
    duration_seconds: float | None = None
    product_released_at: datetime | None = None
    distribution_started_at: datetime | None = None
    safety_level: int = 0
    region_codes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    performers: tuple[str, ...] = ()
