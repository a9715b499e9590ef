"""The order of a snapshot's decisions: by user, time and video."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_KEY_BITS: Final = 64
_KIND_BITS: Final = 16


def in_order(
    user: NDArray[np.uint32], time: NDArray[np.int64], video: NDArray[np.uint32], kind: NDArray[np.int16]
) -> pl.DataFrame:
    """Sort rows by user, time and video; `kind`, which is not negative, goes with them.

    User and time are sorted as one number where both fit into 64 bits, in half the time that columns take.
    """
    if not len(time):
        return _frame(user, time, video, kind)
    first, last = int(time.min()), int(time.max())
    time_bits = (last - first).bit_length()
    if int(user.max()).bit_length() + time_bits > _KEY_BITS:
        return _frame(user, time, video, kind).sort("user", "time", "video")
    key = (user.astype(np.uint64) << np.uint64(time_bits)) | (time - first).astype(np.uint64)
    rest = (video.astype(np.uint64) << np.uint64(_KIND_BITS)) | kind.astype(np.uint64)
    rows = pl.DataFrame({"key": key, "rest": rest}).sort("key")
    key, rest = rows["key"].to_numpy(), _by_video(rows["key"].to_numpy(), rows["rest"].to_numpy())
    return _frame(
        (key >> np.uint64(time_bits)).astype(np.uint32),
        (key & np.uint64((1 << time_bits) - 1)).astype(np.int64) + first,
        (rest >> np.uint64(_KIND_BITS)).astype(np.uint32),
        (rest & np.uint64((1 << _KIND_BITS) - 1)).astype(np.int16),
    )


def _by_video(key: NDArray[np.uint64], rest: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put those of one user and moment, whose keys are equal, in order."""
    as_before = key[1:] == key[:-1]
    tied = np.zeros(len(key), dtype=np.bool_)
    tied[1:] = as_before
    tied[:-1] |= as_before
    at = np.flatnonzero(tied)
    ordered = rest.copy()
    ordered[at] = rest[at][np.lexsort((rest[at], key[at]))]
    return ordered


def _frame(
    user: NDArray[np.uint32], time: NDArray[np.int64], video: NDArray[np.uint32], kind: NDArray[np.int16]
) -> pl.DataFrame:
    return pl.DataFrame({"user": user, "time": time, "video": video, "kind": kind})
