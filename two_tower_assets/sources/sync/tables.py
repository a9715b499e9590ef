"""The tables that are synchronised: keys, columns with their types, what a source must have, what points where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from two_tower_assets.contract import Tables
from two_tower_assets.errors import SourceDataError

TIME: Final = "timestamptz"
UUID: Final = "uuid"


@dataclass(frozen=True)
class SyncTable:
    """One table."""

    name: str
    key: tuple[str, ...]
    """Primary key: one or two uuids."""
    columns: Mapping[str, str]
    """Postgres type of each column of the contract, the key first."""
    required: tuple[str, ...] = ()
    """Columns beside the key that a source must have and that are never null."""
    must_exist: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)
    """SQL of what a null becomes where the contract has no nulls; `sync_value` in SQL says the same."""
    when_lacking: Mapping[str, str] = field(default_factory=dict)
    """SQL of the value where a source lacks the column and the table's own default would invent one."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Column to the table that its foreign key points at."""
    unique: str | None = None
    """A unique column beside the key."""

    on_its_own: bool = False
    """Whether it neither points at another table nor is pointed at."""

    @property
    def watermark(self) -> str | None:
        """Column by which new rows are found."""
        return "created_at" if "created_at" in self.columns else None

    def require(self, present: Sequence[str], where: str) -> None:
        """Refuse a source that lacks a column that nothing can stand for.

        Raises:
            SourceDataError: with the first one.
        """
        for column in (*self.key, *self.required):
            if column not in present:
                raise SourceDataError(
                    f"The source's table {self.name} lacks the required column `{column}`; it has {sorted(present)}",
                    where=f"public.{self.name} of {where}",
                    remedy="Add the column there, or a view of this name that has it.",
                )


_EPOCH: Final = "timestamptz '1970-01-01 00:00:00+00'"

_VIDEO_COLUMNS: Final = {
    "id": UUID,
    **dict.fromkeys(("external_id", "title", "description"), "text"),
    "duration_seconds": "int",
    **dict.fromkeys(("thumbnail_url", "preview_video_url", "distribution_code", "maker_code"), "text"),
    **dict.fromkeys(("director", "series", "maker", "label"), "text"),
    "price": "numeric",
    **dict.fromkeys(("distribution_started_at", "product_released_at", "published_at"), TIME),
    **dict.fromkeys(("sample_video_url", "product_url"), "text"),
    "image_urls": "text[]",
    "source": "text",
    "created_at": TIME,
    "safety_level": "smallint",
    "region_codes": "text[]",
    "is_active": "boolean",
}


def _link(name: str, column: str, parent: str) -> SyncTable:
    key = ("video_id", column)
    return SyncTable(name, key, dict.fromkeys(key, UUID), parents={"video_id": Tables.VIDEOS, column: parent})


_NAMED: Final = {"id": UUID, "name": "text"}
_GROUPS: Final = "tag_groups"

TABLES: Final = (
    SyncTable(
        Tables.DECISIONS,
        ("user_id", "video_id"),
        {"user_id": UUID, "video_id": UUID, "decision_type": "text", "created_at": TIME},
        required=("decision_type", "created_at"),
        must_exist=True,
        on_its_own=True,
    ),
    SyncTable(
        Tables.PROFILES,
        ("user_id",),
        {"user_id": UUID, "display_name": "text", "created_at": TIME},
        when_lacking={"created_at": "null::timestamptz"},
        on_its_own=True,
    ),
    SyncTable(_GROUPS, ("id",), _NAMED),
    SyncTable(Tables.TAGS, ("id",), {**_NAMED, "tag_group_id": UUID}, parents={"tag_group_id": _GROUPS}),
    SyncTable(Tables.PERFORMERS, ("id",), _NAMED),
    SyncTable(
        Tables.VIDEOS,
        ("id",),
        _VIDEO_COLUMNS,
        must_exist=True,
        defaults={"created_at": _EPOCH, "safety_level": "0", "region_codes": "'{}'", "is_active": "true"},
        when_lacking={"created_at": _EPOCH},
        unique="external_id",
    ),
    _link(Tables.VIDEO_TAGS, "tag_id", Tables.TAGS),
    _link(Tables.VIDEO_PERFORMERS, "performer_id", Tables.PERFORMERS),
)
"""In the order in which they are brought: what is pointed at comes first, and of the rest what is largest."""
