"""The users whose searches an index is held against: who they are and their vectors.

Letters in tensor names: Q probes, D embedding (256).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.errors import PublishingError


@dataclass(frozen=True, eq=False)
class Probes:
    """Some users and their vectors of the version that is checked."""

    users: NDArray[np.str_]
    """Ids, str [Q]."""
    vectors_QD: NDArray[np.float32]
    """Unit vectors, float32 [Q, 256]."""

    def __len__(self) -> int:
        return len(self.users)

    def spread(self, count: int) -> Probes:
        """Up to `count` of them, evenly over their order, so that the same are asked each time."""
        chosen = spread(len(self), count)
        return Probes(self.users[chosen], self.vectors_QD[chosen])

    def texts(self) -> list[str]:
        """The vectors as pgvector reads them."""
        return [str(vector) for vector in self.vectors_QD.tolist()]

    def require_usable(self) -> None:
        """Refuse probes that no index could be checked with.

        Raises:
            PublishingError: there are none, they are not of 256 finite numbers, or a user lacks a vector.
        """
        shape = list(self.vectors_QD.shape)
        if shape != [len(self.users), EMBEDDING_DIM] or not shape[0] or not np.isfinite(self.vectors_QD).all():
            raise PublishingError(
                f"The index cannot be checked with {len(self.users)} users and vectors of shape {shape}",
                remedy="Give at least one user with a finite vector of 256 numbers.",
            )


def spread(rows: int, count: int) -> NDArray[np.int64]:
    """Return up to `count` row numbers, evenly over `rows`: int64 [min(rows, count)]."""
    return np.linspace(0, rows - 1, min(rows, count)).round().astype(np.int64)
