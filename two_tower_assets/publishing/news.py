"""What has come since a moment, asked of the serving database cheaply enough to be asked every minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql
from psycopg.rows import class_row

from two_tower_assets.database.queries import query
from two_tower_assets.publishing.writer import Connection

LIVE_VECTORS: Final = "public.video_embeddings"


@dataclass(frozen=True)
class News:
    """Rows that came since a moment, none counted beyond its limit."""

    counted_at: datetime
    """The database's clock."""
    decisions: int
    videos: int
    """Active ones."""


def count_news(connection: Connection, since: datetime, *, most_decisions: int, most_videos: int) -> News:
    """Count decisions and active videos since a moment, each up to a limit."""
    asked = {"since": since, "most_decisions": most_decisions, "most_videos": most_videos}
    with connection.cursor(row_factory=class_row(News)) as cursor:
        found = cursor.execute(query("news_since"), asked).fetchone()
    assert found is not None
    return found


def videos_without_vector(connection: Connection, most: int, table: str = LIVE_VECTORS) -> tuple[str, ...]:
    """Return ids of active videos that a version has no vector of, up to `most`.

    Args:
        connection: to the serving database.
        most: ids.
        table: of the version's vectors, as the registry names it; by default the live one's.
    """
    statement = sql.SQL(query("videos_without_vector")).format(vectors=sql.Identifier(*table.split(".")))
    return tuple(id_ for (id_,) in connection.execute(statement, {"most": most}))


def users_with_stale_vector(
    connection: Connection,
    version: str,
    *,
    since: datetime,
    until: datetime,
    most: int | None = None,
    of_arms: bool = False,
) -> tuple[str, ...]:
    """Return ids of users with a decision of `since` … `until` that their vector of a version does not know.

    Args:
        connection: to the serving database.
        version: of the vectors.
        since: the first moment.
        until: the first moment no longer.
        most: ids; None: all.
        of_arms: only users whom a running experiment serves with the version.
    """
    name = "users_of_arms_with_stale_vector" if of_arms else "users_with_stale_vector"
    asked = {"model_version": version, "since": since, "until": until, "most": most}
    return tuple(id_ for (id_,) in connection.execute(query(name), asked))


def database_time(connection: Connection) -> datetime:
    """Return the time by the database's clock, which stamps decisions."""
    row = connection.execute("select pg_catalog.now()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment
