"""What each column of a table means, as the UI shows it beside the column's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import dagster as dg
import polars as pl

_USER: Final = "The user, a UUID."
_VIDEO: Final = "The video, a UUID."
_VECTOR: Final = "Unit vector of 256 numbers: similar tastes and videos point the same way."
_VERSION: Final = "The model version that made the vector."

PROFILES: Final[Mapping[str, str]] = {
    "user_id": _USER,
    "created_at": "When the account was made.",
}
VIDEOS: Final[Mapping[str, str]] = {
    "id": _VIDEO,
    "title": "Shown to people; the model doesn't read it.",
    "maker": "Who made it: no learned feature, but what lists are kept varied by.",
    "price": "Price, in the catalogue's currency.",
    "duration_seconds": "Running time in seconds.",
    "product_released_at": "Day of release, from which recency counts.",
    "distribution_started_at": "When it could first be watched.",
    "created_at": "When the row came into the catalogue.",
    "safety_level": "Level that searches filter by.",
    "region_codes": "Regions that it may be shown in; none means everywhere.",
    "is_active": "Whether it is in the catalogue now; only active videos are recommended.",
    "tags": "Names of its tags, sorted.",
    "performers": "Names of its performers, sorted.",
}
DECISIONS: Final[Mapping[str, str]] = {
    "user_id": _USER,
    "video_id": _VIDEO,
    "decision_type": "`like` and `…_like` count as LIKE, `nope` and `…_nope` as NOPE, anything else as neither.",
    "created_at": "When it was decided; examples see only what came before.",
}
RAW_FEATURES: Final[Mapping[str, str]] = {
    "id": "The user or the video, a UUID.",
    "payload": "JSON as the feature function returns it.",
    "user_id": _USER,
    "profile_created_at": "When the account was made.",
    "like_count": "LIKEs before the cut-off.",
    "nope_count": "NOPEs before the cut-off.",
    "decision_count": "All decisions before the cut-off.",
    "recent_like_at": "The newest LIKE.",
    "average_like_hour": "Mean hour of the day of the LIKEs.",
    "mean_price": "Mean price of the liked videos.",
    "median_price": "Median price of the liked videos.",
    "liked_video_ids": "The newest liked videos.",
    "noped_video_ids": "The newest NOPEd videos.",
    "price": VIDEOS["price"],
    "duration_seconds": VIDEOS["duration_seconds"],
    "product_released_at": VIDEOS["product_released_at"],
    "tags": "Names of tags; a user's repeat for every liked video.",
    "performers": "Names of performers; a user's repeat for every liked video.",
}
VIDEO_EMBEDDINGS: Final[Mapping[str, str]] = {"video_id": _VIDEO, "embedding": _VECTOR}

STORED_VIDEOS: Final = dg.TableSchema(
    [
        dg.TableColumn("video_id", "uuid", description=_VIDEO),
        dg.TableColumn("embedding", "vector(256)", description=_VECTOR),
        dg.TableColumn("model_version", "text", description=_VERSION),
        dg.TableColumn("updated_at", "timestamptz", description="When the vector was written."),
    ]
)
"""A version's table of video vectors, in Postgres."""
STORED_USERS: Final = dg.TableSchema(
    [
        dg.TableColumn("user_id", "uuid", description=_USER),
        dg.TableColumn("embedding", "vector(256)", description=_VECTOR),
        dg.TableColumn("model_version", "text", description=_VERSION),
        dg.TableColumn("updated_at", "timestamptz", description="The moment that the vector speaks for."),
    ]
)
"""A version's user vectors, in Postgres."""


def table_schema(schema: Mapping[str, pl.DataType], meanings: Mapping[str, str]) -> dg.TableSchema:
    """Columns of a parquet file, with their types and meanings."""
    return dg.TableSchema(
        [dg.TableColumn(name, _type(kind), description=meanings.get(name)) for name, kind in schema.items()]
    )


def _type(kind: pl.DataType) -> str:
    """Polars' own name, but for what it spells out in Python."""
    match kind:
        case pl.Datetime(time_zone=zone):
            return f"Datetime ({zone})" if zone else "Datetime"
        case pl.Array(inner=inner, shape=shape):
            return f"Array of {' × '.join(map(str, shape))} {inner}"
        case pl.List(inner=inner):
            return f"List of {inner}"
        case _:
            return str(kind)
