"""Are the stored vectors of active users those that the model gives?

Letters in tensor names: U users of a block, D embedding (256).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.contract import GOLDEN_TOLERANCE
from two_tower_assets.database.connection import connect
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, decode_rows, uuid_bytes
from two_tower_assets.publishing.registry import read_release
from two_tower_assets.publishing.user_vectors import UserVectors, table_of
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection

_REMEDY: Final = "Materialize publishing/video_embeddings_table, then publishing/user_embeddings."


@dataclass(frozen=True)
class UserCheck:
    """What was compared."""

    users: int
    newer: int
    """Users whose stored vector speaks for a later moment, because they came back meanwhile."""
    largest_difference: float


def check_users(url: str, version: str, users: UserVectors) -> UserCheck:
    """Compare each active user's stored vector of the version with the one that the model gives.

    Raises:
        PublishingError: the version is not staged, users have no vector, or one differs from the model's.
        DatabaseError: there is no connection.
    """
    with connect(url, autocommit=True) as connection:
        release = read_release(connection, version)
        if release is None or release.vector_table is None:
            raise PublishingError(f"The vectors of version {version} are not staged", where=version, remedy=_REMEDY)
        table = table_of(release)
        compared = newer = 0
        largest = 0.0
        for ids, vectors_UD in users.blocks():
            stored = _stored(connection, table, ids, users)
            came_back = _count_newer(connection, table, ids, users)
            _require_all(len(ids) - len(stored) - came_back, table)
            largest = max(largest, _difference(stored, ids, vectors_UD))
            compared, newer = compared + len(ids), newer + came_back
    if not largest <= GOLDEN_TOLERANCE:
        raise PublishingError(
            f"A stored user vector differs from the model's by {largest:g}", where=table, remedy=_REMEDY
        )
    return UserCheck(users=compared, newer=newer, largest_difference=largest)


def _stored(connection: Connection, table: str, ids: NDArray[np.str_], users: UserVectors) -> NDArray[np.void]:
    statement = sql.SQL(
        "copy (select user_id, embedding from {} where updated_at <= {} and user_id = any ({}::uuid[]))"
        " to stdout (format binary)"
    ).format(qualified(table), sql.Literal(users.as_of), sql.Literal(ids.tolist()))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return decode_rows(b"".join(copy)[len(HEADER) : -len(TRAILER)])


def _count_newer(connection: Connection, table: str, ids: NDArray[np.str_], users: UserVectors) -> int:
    statement = sql.SQL("select count(*) from {} where updated_at > %s and user_id = any (%s::uuid[])")
    row = connection.execute(statement.format(qualified(table)), (users.as_of, ids.tolist())).fetchone()
    assert row is not None
    return int(row[0])


def _require_all(lacking: int, table: str) -> None:
    if lacking:
        raise PublishingError(f"{lacking} active user(s) have no vector", where=table, remedy=_REMEDY)


def _difference(stored: NDArray[np.void], ids: NDArray[np.str_], vectors_UD: NDArray[np.float32]) -> float:
    """Largest difference of a component between what is stored and the model's vector of the same user."""
    places = {row.tobytes(): place for place, row in enumerate(uuid_bytes(ids))}
    own_UD = vectors_UD[[places[row.tobytes()] for row in stored["id"]]]
    return float(np.abs(own_UD - stored["vector"]).max(initial=0.0))
