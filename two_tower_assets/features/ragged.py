"""Walking rows of different lengths that lie behind one another in a flat array, without a Python loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ragged_positions(
    starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List every position of the ranges `[start, start + length)`, range after range.

    Args:
        starts: int64 [R], first position of each range.
        lengths: int64 [R], its length, 0 included.

    Returns:
        Two int64 arrays of `lengths.sum()`: the number of the range, and the position.
    """
    ends = np.cumsum(lengths)
    row = np.repeat(np.arange(len(starts)), lengths)
    position = np.arange(len(row)) + np.repeat(starts - (ends - lengths), lengths)
    return row, position


def offsets_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 [R + 1]: where ranges of these lengths, one behind the other, begin, and the end."""
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
