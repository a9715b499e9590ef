"""The registry of releases in the serving database, read: every version that was prepared, and the live one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.errors import UndefinedTable
from psycopg.rows import class_row

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.publishing.writer import Connection

State = Literal["staged", "verified", "live", "retired", "failed"]


@dataclass(frozen=True)
class Release:
    """A row of `public.model_releases`."""

    model_version: str
    state: State
    manifest_hash: str | None
    """Hex SHA-256 of the manifest whose vectors are staged; null while they are not."""
    artifact_prefix: str | None
    metrics: dict[str, Any]
    created_at: datetime
    verified_at: datetime | None
    activated_at: datetime | None
    previous_version: str | None
    """What was live before it went live last."""
    vector_table: str | None
    """Qualified name; null when the vectors were dropped."""
    vector_index: Literal["vector", "halfvec"]
    """What the numbers in the index are."""
    video_count: int | None
    user_count: int | None
    """User vectors prepared before it went live; null: none were."""
    users_as_of: datetime | None
    """The moment that they speak for."""


@dataclass(frozen=True)
class LiveRelease:
    """The one row of `public.live_release`."""

    model_version: str
    manifest_hash: str | None
    activated_at: datetime
    activated_by: str


def list_releases(url: str) -> tuple[Release, ...]:
    """Every release, newest version first."""
    with connect(url, autocommit=True) as connection:
        return _releases(connection, None)


def live_release(url: str) -> LiveRelease | None:
    """The live release, or None before the first, also where the database has no registry yet."""
    with connect(url, autocommit=True) as connection:
        try:
            return read_live(connection)
        except UndefinedTable:
            return None


def read_release(connection: Connection, model_version: str) -> Release | None:
    """One release, or None when the registry does not know the version."""
    return next(iter(_releases(connection, model_version)), None)


def was_released(connection: Connection, model_version: str) -> bool:
    """Whether a version is or was live: from then on it never changes."""
    release = read_release(connection, model_version)
    return release is not None and release.activated_at is not None


def read_live(connection: Connection) -> LiveRelease | None:
    """As `live_release`, on an open connection."""
    with connection.cursor(row_factory=class_row(LiveRelease)) as cursor:
        return cursor.execute(query("live_release")).fetchone()


def _releases(connection: Connection, model_version: str | None) -> tuple[Release, ...]:
    with connection.cursor(row_factory=class_row(Release)) as cursor:
        return tuple(cursor.execute(query("releases"), {"model_version": model_version}).fetchall())
