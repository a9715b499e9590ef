"""Where the relevant videos of a group of users stand in their lists: the input of every accuracy metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Hits:
    """Ranks of some videos, by user; U users, T videos."""

    row: NDArray[np.int64]
    """[T] user, ascending."""
    rank: NDArray[np.int64]
    """[T] 0-based rank in that user's list, −1 beyond its end."""
    users: int
    """U."""

    def part(self, chosen_T: NDArray[np.bool_]) -> Hits:
        """Only some of the videos; the users stay."""
        return Hits(self.row[chosen_T], self.rank[chosen_T], self.users)

    def within(self, k: int) -> NDArray[np.bool_]:
        """[T] whether each video is among the first k."""
        return (self.rank >= 0) & (self.rank < k)

    def relevant(self) -> NDArray[np.int64]:
        """[U] videos of each user."""
        return np.bincount(self.row, minlength=self.users)

    def found(self, k: int) -> NDArray[np.int64]:
        """[U] videos of each user among the first k."""
        return np.bincount(self.row[self.within(k)], minlength=self.users)
