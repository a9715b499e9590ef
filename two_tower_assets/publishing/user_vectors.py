"""Vectors of active users under a version, prepared before it goes live, so that nobody waits after the flip.

A vector carries the moment it speaks for: a user who decides later counts as stale and is embedded anew when they
come. What does not live here: computing the vectors (`artifacts.client`).
Letters in tensor names: U users of a block, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.artifacts.embeddings import largest_norm_error
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, encode_rows
from two_tower_assets.publishing.registry import Release, read_release
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.steps import Reached, unheard

Blocks = Iterable[tuple[NDArray[np.str_], NDArray[np.float32]]]
"""(user ids str [U], unit vectors float32 [U, 256]), block by block."""


@dataclass(frozen=True)
class UserVectors:
    """Who gets a vector, and how the vectors are had when they are needed."""

    as_of: datetime
    """The moment that the vectors speak for: decisions before it are in them, later ones make them stale."""
    count: int
    blocks: Callable[[], Blocks]
    """Computes them; not called when they are there already."""


@dataclass(frozen=True)
class StagedUsers:
    """What was prepared for the users of a version."""

    model_version: str
    users: int
    written: bool
    """False when the same users' vectors lay there already."""


def stage_users(
    connection: Connection,
    version: str,
    users: UserVectors,
    *,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> StagedUsers:
    """Store the users' vectors beside those of the live version, unless a newer one is stored already.

    Args:
        connection: holds the writer's lock.
        version: staged, or live.
        users: of the version's model.
        reached: told after each block and when all is stored.
        progress: users done.

    Raises:
        PublishingError: the version is not staged, or there are other users than were announced.
        ArtifactError: a vector is not finite or not of unit length.
    """
    release = read_release(connection, version)
    if release is None or release.vector_table is None:
        raise PublishingError(
            f"The vectors of version {version} are not staged", where=version, remedy="Stage them first."
        )
    if (release.users_as_of, release.user_count) == (users.as_of, users.count):
        return StagedUsers(version, users.count, written=False)
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        store_users(connection, users, table_of(release), reached, progress)
        facts = {"user_count": users.count, "users_as_of": users.as_of}
        connection.execute(query("release_users"), {"model_version": version, **facts})
    reached("staged the users")
    return StagedUsers(version, users.count, written=True)


def table_of(release: Release) -> str:
    """Qualified name of the table with a release's user vectors."""
    assert release.vector_table is not None
    return release.vector_table.replace("video_embeddings_", "user_embeddings_")


def store_users(
    connection: Connection,
    users: UserVectors,
    table: str,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> None:
    """Put users' vectors into a table, each unless a newer one is there, within the caller's transaction.

    They go through a table of this transaction, since COPY knows no conflicts.
    """
    target = qualified(table)
    connection.execute(
        sql.SQL("create temporary table arriving_users (like {} including defaults) on commit drop").format(target)
    )
    done = 0
    with (
        connection.cursor() as cursor,
        cursor.copy("copy pg_temp.arriving_users (user_id, embedding) from stdin (format binary)") as copy,
    ):
        copy.write(HEADER)
        for ids, vectors_UD in users.blocks():
            largest_norm_error(ids, vectors_UD, where=table, of="user")
            copy.write(encode_rows(ids, vectors_UD))
            done += len(ids)
            reached(f"copied {done} users")
            progress(done, users.count)
        copy.write(TRAILER)
    if done != users.count:
        raise PublishingError(
            f"{users.count} users were announced and {done} came", where=table, remedy="Publish the version again."
        )
    connection.execute(
        sql.SQL(
            """
            insert into {} as u (user_id, embedding, updated_at)
            select a.user_id, a.embedding, %s from pg_temp.arriving_users as a
            on conflict (user_id) do update
            set embedding = excluded.embedding, updated_at = excluded.updated_at
            where u.updated_at < excluded.updated_at
            """
        ).format(target),
        (users.as_of,),
    )
