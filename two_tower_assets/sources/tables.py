"""The three tables of a source in the contract's columns, and the validation that makes them from any frames.

Validation coerces types (`coerce`), fills defaults, and leaves out or mends what breaks the contract, counting it by
reason; only what leaves nothing to learn from, or cannot be guessed, is an error. What does not live here: reading
files (`folder`), making rows up (`sample`) and writing them to Postgres (`load`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import polars as pl

from two_tower_assets.contract import Tables
from two_tower_assets.errors import SourceDataError
from two_tower_assets.sources.canonical import Canonical
from two_tower_assets.sources.coerce import (
    TEXTS,
    UTC_TIME,
    Column,
    as_names,
    as_number,
    as_small_number,
    as_text,
    as_texts,
    as_time,
    as_truth,
    as_uuid,
    as_whole_number,
)
from two_tower_assets.sources.decision_rows import Codes, latest_of_each, rows_of_others

VIDEOS: Final[Mapping[str, pl.DataType]] = {
    "id": pl.String(),
    "external_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "duration_seconds": pl.Int32(),
    "thumbnail_url": pl.String(),
    "preview_video_url": pl.String(),
    "distribution_code": pl.String(),
    "maker_code": pl.String(),
    "director": pl.String(),
    "series": pl.String(),
    "maker": pl.String(),
    "label": pl.String(),
    "price": pl.Float64(),
    "distribution_started_at": UTC_TIME,
    "product_released_at": UTC_TIME,
    "published_at": UTC_TIME,
    "sample_video_url": pl.String(),
    "product_url": pl.String(),
    "image_urls": TEXTS,
    "source": pl.String(),
    "created_at": UTC_TIME,
    "safety_level": pl.Int16(),
    "region_codes": TEXTS,
    "is_active": pl.Boolean(),
    "tags": TEXTS,
    "performers": TEXTS,
}
"""Columns of `SourceTables.videos`; `tags` and `performers` stand for the link tables."""

PROFILES: Final[Mapping[str, pl.DataType]] = {
    "user_id": pl.String(),
    "display_name": pl.String(),
    "created_at": UTC_TIME,
}
DECISIONS: Final[Mapping[str, pl.DataType]] = {
    "user_id": pl.String(),
    "video_id": pl.String(),
    "decision_type": pl.String(),
    "created_at": UTC_TIME,
}
TAG_GROUPS: Final[Mapping[str, pl.DataType]] = {"tag": pl.String(), "tag_group": pl.String()}

UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`videos.created_at` of a source without one: the column has no nulls, and the time of loading would make the same
rows differ from one load to the next."""

_IDS: Final = {"id", "user_id", "video_id"}
_NAMES: Final = {"tags", "performers"}
_DEFAULTS: Final[Mapping[str, object]] = {"safety_level": 0, "is_active": True, "created_at": UNKNOWN_TIME}


@dataclass(frozen=True)
class SourceTables:
    """Rows of one source in the contract's columns and types, ready to be loaded.

    `counts` says, for each table, how many rows were left out, mended or remarkable, by reason.
    """

    videos: pl.DataFrame
    profiles: pl.DataFrame
    decisions: pl.DataFrame
    """Ids as codes of their text, see `decision_rows`."""
    tag_groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(TAG_GROUPS)))
    """Group of each tag that has one."""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def content_hash(self) -> str:
        """Hex SHA-256 of all rows, the same for any order of them."""
        digest = Canonical()
        digest.frame(self.videos, by=["id"])
        digest.frame(self.profiles, by=["user_id"])
        digest.frame(self.decisions, by=["user_id", "video_id"])
        digest.frame(self.tag_groups, by=["tag"])
        return digest.hexdigest()


def validated(
    *,
    videos: pl.DataFrame,
    decisions: pl.DataFrame | Iterable[pl.DataFrame],
    profiles: pl.DataFrame | None = None,
    tag_groups: pl.DataFrame | None = None,
    files: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> SourceTables:
    """Turn frames with any of the contract's columns into `SourceTables`.

    Args:
        videos: needs `id`; every other column may be missing and takes its default.
        decisions: needs `user_id`, `video_id`, `decision_type` and `created_at`; may come in blocks, one at least.
        profiles: needs `user_id`; may be missing altogether.
        tag_groups: `tag` and `tag_group` of tags that belong to a group.
        files: where each table came from, for messages.
        now: decisions later than this are left out; default: the clock.

    Raises:
        SourceDataError: a required column is missing, a value cannot be what its column is, or no video or no
            decision is left.
    """
    files = files or {}
    checked = [
        _table(Tables.VIDEOS, videos, VIDEOS, required=("id",), file=files.get(Tables.VIDEOS)),
        _table(
            Tables.PROFILES,
            pl.DataFrame(schema=dict(PROFILES)) if profiles is None else profiles,
            PROFILES,
            required=("user_id",),
            file=files.get(Tables.PROFILES),
        ),
        _decisions(
            [decisions] if isinstance(decisions, pl.DataFrame) else decisions,
            files.get(Tables.DECISIONS),
            now or datetime.now(UTC),
        ),
    ]
    catalogue, people, choices = checked
    _clean_videos(catalogue)
    people.keep_last(["user_id"], "duplicate profile")
    for table in (catalogue, choices):
        table.must_hold_rows()
    choices.count("decision about an unknown video", rows_of_others(choices.frame["video_id"], catalogue.frame["id"]))
    choices.count(
        "decision of a user without a profile", rows_of_others(choices.frame["user_id"], people.frame["user_id"])
    )
    return SourceTables(
        videos=catalogue.frame,
        profiles=people.frame,
        decisions=choices.frame,
        tag_groups=pl.DataFrame(schema=dict(TAG_GROUPS)) if tag_groups is None else tag_groups,
        counts={table.name: table.counts for table in checked},
    )


class _Checked:
    """A table on its way through validation: its frame so far and what was counted."""

    def __init__(self, name: str, frame: pl.DataFrame, file: str | None) -> None:
        self.name, self.frame, self.file = name, frame, file
        self.counts: dict[str, int] = {}

    def note(self, reason: str, condition: pl.Expr) -> int:
        """Count the rows that meet a condition."""
        rows = int(self.frame.select(condition.fill_null(value=False).sum()).item())
        self.count(reason, rows)
        return rows

    def count(self, reason: str, rows: int) -> None:
        """Add to what was counted for a reason."""
        if rows:
            self.counts[reason] = self.counts.get(reason, 0) + rows

    def leave_out(self, reason: str, condition: pl.Expr) -> None:
        """Drop and count the rows that meet a condition."""
        if self.note(f"left out: {reason}", condition):
            self.frame = self.frame.filter(~condition.fill_null(value=False))

    def mend(self, reason: str, condition: pl.Expr, column: str) -> None:
        """Set a column to null, and count it, in the rows that meet a condition."""
        if self.note(f"set to null: {reason}", condition):
            self.frame = self.frame.with_columns(pl.when(~condition.fill_null(value=False)).then(pl.col(column)))

    def keep_last(self, keys: list[str], reason: str) -> None:
        """Keep the last row of each key, and count the others."""
        kept = self.frame.unique(keys, keep="last", maintain_order=True)
        if kept.height < self.frame.height:
            self.counts[f"left out: {reason}"] = self.frame.height - kept.height
            self.frame = kept

    def must_hold_rows(self) -> None:
        if self.frame.is_empty():
            counted = "; ".join(f"{reason}: {rows}" for reason, rows in self.counts.items())
            raise SourceDataError(
                "The table has no usable rows" + (f" ({counted})" if counted else ""),
                where=self.name + (f" in {self.file}" if self.file else ""),
                remedy="Give at least one video and one decision with all required columns.",
            )


def _table(
    name: str,
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType],
    *,
    required: tuple[str, ...],
    file: str | None,
    rows_before: int = 0,
) -> _Checked:
    missing = [column for column in required if column not in frame.columns]
    if missing:
        raise SourceDataError(
            f"The table {name} lacks the required column `{'`, `'.join(missing)}`; it has {sorted(frame.columns)}",
            where=f"{name}.{missing[0]}" + (f" in {file}" if file else ""),
            remedy=f"Add it, or rename the column that means it. Required: {', '.join(required)}.",
        )
    columns = [_column(frame, Column(name, column, file, rows_before), kind) for column, kind in schema.items()]
    checked = _Checked(name, pl.DataFrame(columns), file)
    for column in required:
        checked.leave_out(f"null {column}", pl.col(column).is_null())
    return checked


def _column(frame: pl.DataFrame, column: Column, kind: pl.DataType) -> pl.Series:
    if column.name in frame.columns:
        values = _coercion(column.name, kind)(frame[column.name], column).alias(column.name)
    else:
        values = pl.Series(column.name, [None], dtype=kind).new_from_index(0, frame.height)
    if column.table != Tables.VIDEOS:
        return values.cast(kind)
    if column.name in _NAMES | {"region_codes"}:
        return values.fill_null(pl.Series([[]], dtype=TEXTS))
    default = _DEFAULTS.get(column.name)
    return values.cast(kind) if default is None else values.cast(kind).fill_null(default)


def _coercion(name: str, kind: pl.DataType) -> Callable[[pl.Series, Column], pl.Series]:
    if name in _IDS:
        return as_uuid
    if name in _NAMES:
        return as_names
    by_kind: dict[pl.DataType, Callable[[pl.Series, Column], pl.Series]] = {
        pl.String(): as_text,
        pl.Float64(): as_number,
        pl.Int32(): as_whole_number,
        pl.Int16(): as_small_number,
        pl.Boolean(): as_truth,
        UTC_TIME: as_time,
        TEXTS: as_texts,
    }
    return by_kind[kind]


def _clean_videos(table: _Checked) -> None:
    table.keep_last(["id"], "duplicate video id")
    table.mend("price that is not finite", ~pl.col("price").is_finite(), "price")
    table.note("negative price", pl.col("price") < 0)
    # The database holds external ids unique; the first video of a shared one keeps it.
    taken = pl.col("external_id").is_not_null() & ~pl.col("external_id").is_first_distinct()
    table.mend("external_id of another video", taken, "external_id")
    table.note("video without tags", pl.col("tags").list.len() == 0)
    table.note("video without a release date", pl.col("product_released_at").is_null())


def _decisions(blocks: Iterable[pl.DataFrame], file: str | None, now: datetime) -> _Checked:
    """Check block by block what can be told of a row alone, then keep the latest decision of a user about a video."""
    codes, counts = Codes(), Counter[str]()
    rows_before = 0
    for block in blocks:
        table = _table(
            Tables.DECISIONS, block, DECISIONS, required=tuple(DECISIONS), file=file, rows_before=rows_before
        )
        table.leave_out("decision in the future", pl.col("created_at") > now)
        codes.add(table.frame)
        counts.update(table.counts)
        rows_before += block.height
    whole = _Checked(Tables.DECISIONS, codes.frame(), file)
    rows = whole.frame.height
    whole.frame = latest_of_each(whole.frame)
    whole.counts = dict(counts)
    whole.count("left out: duplicate decision of a user about a video, the latest is kept", rows - whole.frame.height)
    return whole
