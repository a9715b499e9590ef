"""Where relevant videos stand in the lists of a group of users. How a list came about is not known here.

Letters: T targets (relevant videos of all users, one behind the other), U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

BEYOND: Final = -1
"""Rank of a target that is not in its user's list."""


@dataclass(frozen=True)
class Hits:
    """Where each relevant video of a group of users stands in their lists."""

    row: NDArray[np.int64]
    """[T] user of each target, 0 … `users` − 1, ascending."""
    rank: NDArray[np.int64]
    """[T] 0-based rank in that user's list, −1 beyond it; no two targets of a user share a rank."""
    users: int
    """U, those without any target included."""

    def __post_init__(self) -> None:
        assert self.row.shape == self.rank.shape
        assert not len(self.row) or 0 <= self.row[0] <= self.row[-1] < self.users
        assert (np.diff(self.row) >= 0).all()
        assert (self.rank >= BEYOND).all()

    @cached_property
    def relevant_U(self) -> NDArray[np.int64]:
        """[U] number of targets."""
        return np.bincount(self.row, minlength=self.users)

    def found_U(self, k: int) -> NDArray[np.int64]:
        """[U] number of targets among the first k."""
        return np.bincount(self.row[self.within(k)], minlength=self.users)

    def within(self, k: int) -> NDArray[np.bool_]:
        """[T] whether a target is among the first k."""
        return (self.rank >= 0) & (self.rank < k)

    def part(self, chosen_T: NDArray[np.bool_]) -> Hits:
        """Only some targets ([T] mask), such as rare videos; lists, ranks and users stay as they are."""
        return Hits(self.row[chosen_T], self.rank[chosen_T], self.users)
