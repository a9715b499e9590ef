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
from two_tower_assets.sources.ids import IdCoder

MOST_TYPES: Final = 1000
"""More are no types; 16 bits hold a place among these."""


class TypeCoder:
    """Numbers types from 0 on, in the order in which they first come, and remembers a decision of each."""

    def __init__(self) -> None:
        self._hashes = IdCoder(width=8)
        self._decisions: list[tuple[UUID, UUID]] = []
        """User and video of the first decision of each type, by number."""

    def codes(self, hashed: NDArray[np.void], user: NDArray[np.void], video: NDArray[np.void]) -> NDArray[np.uint32]:
        """Return the number of each row's type.

        Args:
            hashed: [B] hash of its type, 8 bytes.
            user: [B] its user, 16 bytes.
            video: [B] its video, 16 bytes.

        Raises:
            SourceDataError: there are more than `MOST_TYPES`.
        """
        codes = self._hashes.codes(hashed)
        if len(self._hashes) > len(self._decisions):
            self._remember(codes, user, video)
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

    def _remember(self, codes: NDArray[np.uint32], user: NDArray[np.void], video: NDArray[np.void]) -> None:
        if len(self._hashes) > MOST_TYPES:
            raise SourceDataError(
                f"More than {MOST_TYPES:,} different values are no types of decisions",
                where=f"{Tables.DECISIONS}.decision_type",
                remedy="Let the column hold what kind of decision a row is, such as LIKE or NOPE.",
            )
        numbers, first = np.unique(codes, return_index=True)
        rows = first[numbers >= len(self._decisions)]
        self._decisions += [(_uuid(user[row]), _uuid(video[row])) for row in rows]


def _uuid(value: np.void) -> UUID:
    return UUID(bytes=value.tobytes())
