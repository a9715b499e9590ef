"""What a Postgres must hold before anything is read from it: the tables, their columns, and at least one video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from two_tower_assets.contract import Tables
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError, SourceDataError

REQUIRED: Final = {
    Tables.PROFILES: ("user_id", "created_at"),
    Tables.VIDEOS: (
        "id",
        "title",
        "maker",
        "price",
        "duration_seconds",
        "product_released_at",
        "distribution_started_at",
        "created_at",
        "safety_level",
        "region_codes",
        "is_active",
    ),
    Tables.TAGS: ("id", "name"),
    Tables.VIDEO_TAGS: ("video_id", "tag_id"),
    Tables.PERFORMERS: ("id", "name"),
    Tables.VIDEO_PERFORMERS: ("video_id", "performer_id"),
    Tables.DECISIONS: ("user_id", "video_id", "decision_type", "created_at"),
}


@contextmanager
def database_errors(what: str) -> Iterator[None]:
    """Turn what Postgres refuses inside the block into a DatabaseError."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseError(
            f"{what}: {str(error).strip()}",
            remedy="Run `two-tower migrate` if tables or functions are missing; otherwise read the server's log.",
        ) from error


def check_source(url: str) -> None:
    """Check a Postgres that already holds the rows.

    Raises:
        DatabaseError: it cannot be reached, or lacks a table or a column.
        SourceDataError: it holds no video or no decision.
    """
    with connect(url) as connection:
        require_tables(connection)
        _require_rows(connection, Tables.DECISIONS)


def require_tables(connection: psycopg.Connection[Any]) -> None:
    """Raise unless every table and column that is read exists and there is a video; see `check_source`."""
    require_columns(connection)
    _require_rows(connection, Tables.VIDEOS)


def require_columns(connection: psycopg.Connection[Any]) -> None:
    """Raise unless every table and column that is read exists; see `check_source`."""
    present: dict[str, set[str]] = {}
    for table, column in connection.execute(query("source_columns"), {"tables": list(REQUIRED)}):
        present.setdefault(table, set()).add(column)
    for table, columns in REQUIRED.items():
        if table not in present:
            raise _lacking(f"The table {table} does not exist", f"public.{table}")
        missing = [column for column in columns if column not in present[table]]
        if missing:
            raise _lacking(f"The table {table} lacks the column {missing[0]}", f"public.{table}.{missing[0]}")


def _lacking(what: str, where: str) -> DatabaseError:
    return DatabaseError(what, where=where, remedy="Run `two-tower migrate`, which adds it and keeps every row.")


def _require_rows(connection: psycopg.Connection[Any], table: str) -> None:
    if connection.execute(query("source_has_rows").format(table=table).encode()).fetchone() == (False,):
        raise SourceDataError(
            "The table is empty", where=f"public.{table}", remedy="Load at least one video and one decision."
        )
