"""Walking rows of different lengths that lie behind one another in a flat array, without a Python loop."""

from __future__ import annotations

from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

_Whole = TypeVar("_Whole", np.int32, np.int64)


def ragged_positions(
    starts: NDArray[np.integer], lengths: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List every position of the ranges `[start, start + length)`, range after range.

    Args:
        starts: int [R], first position of each range.
        lengths: int [R], its length, 0 included.

    Returns:
        Two int64 arrays of `lengths.sum()`: the number of the range, and the position.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    row = np.repeat(np.arange(len(starts)), lengths)
    position = np.arange(len(row)) + np.repeat(starts - (ends - lengths), lengths)
    return row, position


@overload
def offsets_of(lengths: NDArray[Any]) -> NDArray[np.int64]: ...
@overload
def offsets_of(lengths: NDArray[Any], dtype: type[_Whole]) -> NDArray[_Whole]: ...
def offsets_of(lengths: NDArray[Any], dtype: type[np.integer[Any]] = np.int64) -> NDArray[Any]:
    """Return [R + 1]: where ranges of these lengths, one behind the other, begin, and the end."""
    offsets = np.zeros(len(lengths) + 1, dtype)
    np.cumsum(lengths, dtype=dtype, out=offsets[1:])
    return offsets
