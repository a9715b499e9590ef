"""Bags of the tags and performers a user has liked, at any moment of their past, without a matrix of all moments.

Every `stride` LIKEs of a user one row of counts is kept. A bag is the last such row plus the names of the fewer than
`stride` LIKEs since: reading costs the same after five LIKEs as after five thousand, and the memory is bounded, since
the stride grows with the data. Names are kept by video, since a LIKE has a dozen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.features.history import History
from two_tower_assets.features.names import NameColumns
from two_tower_assets.features.numerics import inverse_norms
from two_tower_assets.features.ragged import offsets_of, ragged_positions

CHECKPOINT_BYTES: Final = 256 * 2**20
"""Memory that the rows of counts may take."""

_SMALLEST_STRIDE: Final = 8
_BUILD_CELLS: Final = 4 * 2**20
"""Counts made at once while building."""
_READ_CELLS: Final = 256 * 1024
"""Counts read at once: a block that stays in the processor's cache between its passes."""


class LikedNames:
    """Counts over the bag columns for (user, end of past).

    Args:
        history: the decisions.
        names: bag columns of each video, in the order of `history.video_ids`.
        segments: widths of the bags that lie side by side; each is normalised by itself.
        first_column: where the first of them begins in a feature vector.
        checkpoint_bytes: memory that the rows of counts may take.
    """

    def __init__(
        self,
        history: History,
        names: NameColumns,
        *,
        segments: tuple[int, ...],
        first_column: int,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
    ) -> None:
        self._segments = segments
        self._first_column = first_column
        self._width = sum(segments)
        self._likes_before = history.likes_before
        self._first_like = history.likes_before[history.user_offsets[:-1]]
        likes = np.diff(history.likes_before[history.user_offsets])
        self._names = names.columns
        # Index −1, an unknown video, reads the one at the end, which has no names.
        self._name_begin, self._name_count = names.offsets, np.append(np.diff(names.offsets), 0)
        self._history = history
        counts = _smallest_unsigned(int(likes.max(initial=0)) * _most_repeated(names))
        self._stride = _stride(likes, self._width * counts.itemsize, checkpoint_bytes)
        checkpoints = likes // self._stride
        # Row 0 is all zeros, for users who have fewer likes than the stride.
        self._row_before_first = offsets_of(checkpoints)[:-1]
        self._checkpoints = np.zeros((int(checkpoints.sum()) + 1, self._width), dtype=counts)
        self._fill(checkpoints)

    def write(self, user: NDArray[np.int32], prefix_end: NDArray[np.integer], out_BF: NDArray[np.float32]) -> None:
        """Write L2-normalised bags into their columns of a C-contiguous float32 [B, F]."""
        if not self._width:
            return
        rows = max(1, _READ_CELLS // self._width)
        for start in range(0, len(user), rows):
            block = slice(start, start + rows)
            self._count(user[block], prefix_end[block], out_BF[block])
            self._normalise(out_BF[block])

    def _count(self, user: NDArray[np.int32], prefix_end: NDArray[np.integer], out_BF: NDArray[np.float32]) -> None:
        first, end = self._first_like[user], self._likes_before[prefix_end]
        passed = (end - first) // self._stride
        row = np.where(passed > 0, self._row_before_first[user] + passed, 0)
        out_BF[:, self._first_column : self._first_column + self._width] = self._checkpoints[row]
        begin = first + passed * self._stride
        example, like = ragged_positions(begin, end - begin)
        name_of, column = self._names_of(like)
        cell = example[name_of] * out_BF.shape[1] + self._first_column + column
        np.add.at(out_BF.reshape(-1), cell, np.float32(1))

    def _names_of(self, like: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """List the names of some LIKEs: of each name which of the LIKEs it is of, and its column."""
        video = self._history.video[self._history.liked[like]]
        name_of, position = ragged_positions(self._name_begin[video], self._name_count[video])
        return name_of, self._names[position]

    def _normalise(self, out_BF: NDArray[np.float32]) -> None:
        column = self._first_column
        for width in self._segments:
            bag = out_BF[:, column : column + width]
            # Sums of squared counts are whole numbers, exact in float64 in any order of adding them.
            norms = inverse_norms(np.einsum("bf,bf->b", bag, bag, dtype=np.float64))
            bag *= norms.astype(np.float32)[:, None]
            column += width

    def _fill(self, checkpoints: NDArray[np.int64]) -> None:
        """Count block by block of rows, adding up within a user."""
        user = np.repeat(np.arange(len(checkpoints)), checkpoints)
        number = np.arange(len(user)) - self._row_before_first[user]
        first_like = self._first_like[user] + number * self._stride
        rows = max(1, _BUILD_CELLS // max(self._width, 1))
        for start in range(0, len(user), rows):
            block = slice(start, start + rows)
            counts = self._new_names(first_like[block])
            if number[start] > 0:
                counts[0] += self._checkpoints[start]
            self._checkpoints[start + 1 : start + 1 + len(counts)] = _sums_within(counts, user[block])

    def _new_names(self, first_like: NDArray[np.int64]) -> NDArray[np.int64]:
        """Counts of the names of `stride` likes from each of `first_like`: int64 [rows, width]."""
        rows = len(first_like)
        likes = first_like[:, None] + np.arange(self._stride)
        name_of, column = self._names_of(likes.reshape(-1))
        cells = np.bincount(name_of // self._stride * self._width + column, minlength=rows * self._width)
        return cells.reshape(rows, self._width)


def _sums_within(counts: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Running sums down the rows that start again where the (sorted) group changes."""
    sums = np.cumsum(counts, axis=0)
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    before = sums[starts] - counts[starts]
    return sums - np.repeat(before, np.diff(np.append(starts, len(group))), axis=0)


def _most_repeated(names: NameColumns) -> int:
    """How often a name stands at most on one video."""
    video = np.repeat(np.arange(len(names.offsets) - 1), np.diff(names.offsets))
    if not len(video):
        return 1
    _, counts = np.unique(np.column_stack([video, names.columns]), axis=0, return_counts=True)
    return int(counts.max())


def _smallest_unsigned(largest: int) -> np.dtype[Any]:
    return np.dtype(np.uint16) if largest <= np.iinfo(np.uint16).max else np.dtype(np.uint32)


def _stride(likes: NDArray[np.int64], row_bytes: int, budget: int) -> int:
    """Fewest likes between two rows such that all rows stay within the budget, doubling from the smallest."""
    stride = _SMALLEST_STRIDE
    while int((likes // stride).sum()) * row_bytes > budget:
        stride *= 2
    return stride
