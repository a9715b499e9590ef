"""Feature payloads as the database's functions return them: read page by page into parquet, and parsed in bulk.

What does not live here: the pages (`payload_pages`), their file (`payload_file`), reading the same without a Postgres
URL (`rest_payloads`), what the numbers mean (`numerics`), and the same features computed without the database
(`frames`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from two_tower_assets.contract import MAX_PAGE, VIDEO_SEGMENTS
from two_tower_assets.database.connection import without_password
from two_tower_assets.errors import FeatureError
from two_tower_assets.features.payload_file import Row, write_payloads
from two_tower_assets.features.payload_pages import Pages, pages_of
from two_tower_assets.features.raw import RAW_ITEMS, user_columns
from two_tower_assets.progress import Progress, silent
from two_tower_assets.sources.requirements import database_errors

USERS_FILE: Final = "user_payloads.parquet"
ITEMS_FILE: Final = "item_payloads.parquet"

_NAMES: Final = pl.List(pl.String())
_USER_PAYLOAD: Final[Mapping[str, pl.DataType]] = {
    "profile": pl.Struct({"created_at": pl.String}),
    "decision_stats": pl.Struct(
        {
            "like_count": pl.Int64,
            "nope_count": pl.Int64,
            "decision_count": pl.Int64,
            "recent_like_at": pl.String,
            "average_like_hour": pl.Float64,
        }
    ),
    "price_stats": pl.Struct({"mean": pl.Float64, "median": pl.Float64}),
    "tags": _NAMES,
    "performers": _NAMES,
}
_ITEM_PAYLOAD: Final = pl.Struct(
    {
        "price": pl.Float64,
        "duration_seconds": pl.Float64,
        "product_released_at": pl.String,
        "tags": _NAMES,
        "performers": _NAMES,
    }
)


def read_user_payloads(
    url: str, into: Path, *, as_of: datetime, page: int = MAX_PAGE, progress: Progress = silent
) -> int:
    """Write the payloads of all users with a decision before `as_of` to `into / USERS_FILE`; return their number.

    Raises:
        DatabaseError: the database cannot be reached or lacks the functions.
        FeatureError: the pages do not hold as many users as the table.
    """
    parameters = {"as_of": as_of, "page": page}
    return _read(url, into / USERS_FILE, "features_user", parameters, progress)


def read_item_payloads(url: str, into: Path, *, page: int = MAX_PAGE, progress: Progress = silent) -> int:
    """Write the payloads of all videos, inactive ones included, to `into / ITEMS_FILE`; return their number.

    Raises:
        DatabaseError: the database cannot be reached or lacks the functions.
        FeatureError: the pages do not hold as many videos as the table.
    """
    return _read(url, into / ITEMS_FILE, "features_item", {"page": page}, progress)


def user_payload_blocks(folder: Path, *, video_ids: bool = False) -> Iterator[pl.DataFrame]:
    """Parse the users' payloads in a folder to raw features (`raw.user_columns`), page by page."""
    return _blocks(folder / USERS_FILE, partial(parse_users, video_ids=video_ids))


def item_payload_blocks(folder: Path) -> Iterator[pl.DataFrame]:
    """Parse the videos' payloads in a folder to raw features (`raw.RAW_ITEMS`), page by page."""
    return _blocks(folder / ITEMS_FILE, parse_items)


def parse_users(payloads: pl.DataFrame, *, video_ids: bool = False) -> pl.DataFrame:
    """Turn `id` and `payload` (JSON text) of users into the columns of `raw.user_columns`."""
    columns = user_columns(video_ids=video_ids)
    ids = {name: columns[name] for name in VIDEO_SEGMENTS.values() if name in columns}
    payload = pl.col("payload")
    stats, prices = payload.struct.field("decision_stats").struct, payload.struct.field("price_stats").struct
    return (
        payloads.with_columns(payload.str.json_decode(pl.Struct({**_USER_PAYLOAD, **ids})))
        .select(
            pl.col("id").alias("user_id"),
            _moment(payload.struct.field("profile").struct.field("created_at")).alias("profile_created_at"),
            stats.field("like_count"),
            stats.field("nope_count"),
            stats.field("decision_count"),
            _moment(stats.field("recent_like_at")),
            stats.field("average_like_hour"),
            prices.field("mean").alias("mean_price"),
            prices.field("median").alias("median_price"),
            payload.struct.field("tags"),
            payload.struct.field("performers", *ids),
        )
        .match_to_schema(columns)
    )


def parse_items(payloads: pl.DataFrame) -> pl.DataFrame:
    """Turn `id` and `payload` (JSON text) of videos into the columns of `raw.RAW_ITEMS`."""
    payload = pl.col("payload").struct
    return (
        payloads.with_columns(pl.col("payload").str.json_decode(_ITEM_PAYLOAD))
        .select(
            "id",
            payload.field("price"),
            payload.field("duration_seconds"),
            _moment(payload.field("product_released_at")),
            payload.field("tags"),
            payload.field("performers"),
        )
        .match_to_schema(RAW_ITEMS)
    )


def _moment(text: pl.Expr) -> pl.Expr:
    """ISO 8601 with an offset and up to six decimals, or null, as UTC microseconds."""
    offset_in_digits = text.str.replace("Z$", "+00:00")
    return offset_in_digits.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", time_zone="UTC")


def _blocks(path: Path, parse: Callable[[pl.DataFrame], pl.DataFrame]) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            frame = pl.from_arrow(file.read_row_group(group))
            assert isinstance(frame, pl.DataFrame)
            yield parse(frame)


def _read(url: str, path: Path, name: str, parameters: Mapping[str, Any], progress: Progress) -> int:
    """Write all pages of the query `<name>_page`, which must hold what was counted without them."""
    with database_errors("The feature payloads could not be read"), pages_of(url, name, parameters) as found:
        done = write_payloads(path, _told(found, progress), page=parameters["page"])
    if done != found.total:
        raise FeatureError(
            f"The pages of payloads hold {done} rows, the table {found.total}",
            where=without_password(url),
            remedy="Run `two-tower migrate`, which installs the functions anew, and read again.",
        )
    return done


def _told(found: Pages, progress: Progress) -> Iterator[Sequence[Row]]:
    done = 0
    for rows in found.pages:
        yield rows
        done += len(rows)
        progress(done, found.total)
