"""The distinct types of decisions, found by their hashes while rows come in.

A hash costs Postgres less than finding a text in a list, and a number has one width. 64 bits tell all types apart.
What does not live here: where the rows come from (`decision_copy`).
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from two_tower_assets.contract import Tables
from two_tower_assets.database.queries import query
from two_tower_assets.errors import SourceDataError

MOST_TYPES: Final = 1000
"""More are no types; 16 bits hold a place among these."""


class TypeCoder:
    """Numbers types from 0 on, in the order in which they first come, and remembers a decision of each."""

    def __init__(self) -> None:
        self._known = np.empty(0, dtype=np.int64)
        """Hashes, ascending."""
        self._number = np.empty(0, dtype=np.int16)
        """Number of each."""
        self._decisions: list[tuple[UUID, UUID]] = []
        """User and video of the first decision of each type, by number."""

    def codes(self, hashed: NDArray[np.int64], user: NDArray[np.void], video: NDArray[np.void]) -> NDArray[np.int16]:
        """Return the number of each row's type.

        Args:
            hashed: [B] hash of its type.
            user: [B] its user, 16 bytes.
            video: [B] its video, 16 bytes.

        Raises:
            SourceDataError: there are more than `MOST_TYPES`.
        """
        if len(new := np.flatnonzero(~self._is_known(hashed))):
            found, first = np.unique(hashed[new], return_index=True)
            self._learn(found, [(_uuid(user[row]), _uuid(video[row])) for row in new[first[: MOST_TYPES + 1]]])
        codes: NDArray[np.int16] = self._number[np.searchsorted(self._known, hashed)]
        return codes

    def in_order(self, connection: psycopg.Connection[Any]) -> tuple[tuple[str, ...], NDArray[np.int16]]:
        """Return the names of all types, sorted, and the place of each number among them.

        Must run in the transaction that read the rows.
        """
        users, videos = ([pair[side] for pair in self._decisions] for side in (0, 1))
        rows = connection.execute(
            query("snapshot_decision_names"), {"user_ids": users, "video_ids": videos}
        ).fetchall()
        names = [name for (name,) in rows]
        assert len(set(names)) == len(self._decisions), "each type has a decision of its own"
        place = np.empty(len(names), dtype=np.int16)
        order = sorted(range(len(names)), key=names.__getitem__)
        place[order] = np.arange(len(names))
        return tuple(names[number] for number in order), place

    def _is_known(self, hashed: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not len(self._known):
            return np.zeros(len(hashed), dtype=np.bool_)
        at = np.searchsorted(self._known, hashed)
        is_known: NDArray[np.bool_] = self._known[np.minimum(at, len(self._known) - 1)] == hashed
        return is_known

    def _learn(self, found: NDArray[np.int64], decisions: list[tuple[UUID, UUID]]) -> None:
        first = len(self._decisions)
        if first + len(found) > MOST_TYPES:
            raise SourceDataError(
                f"More than {MOST_TYPES:,} different values are no types of decisions",
                where=f"{Tables.DECISIONS}.decision_type",
                remedy="Let the column hold what kind of decision a row is, such as LIKE or NOPE.",
            )
        known = np.concatenate([self._known, found])
        number = np.concatenate([self._number, np.arange(first, first + len(found), dtype=np.int16)])
        order = np.argsort(known)
        self._known, self._number = known[order], number[order]
        self._decisions += decisions


def _uuid(value: np.void) -> UUID:
    return UUID(bytes=value.tobytes())
