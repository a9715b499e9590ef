"""Ids of made-up rows: numbers in a row become UUIDs in no order, as those of people and videos are."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

_SCATTER: Final = 2_654_435_761
"""Knuth's multiplier, odd: numbers below 2^32 stay apart."""
_KINDS: Final = {"user": "4000-8000", "video": "4000-9000"}


def ids(kind: Literal["user", "video"], numbers: NDArray[np.int64]) -> pl.Series:
    """Return the id of each number below 2^32, as text."""
    scattered = (numbers.astype(np.uint64) * np.uint64(_SCATTER)).astype(np.uint32)
    digits = pl.Series(scattered.astype(">u4").view("V4").tolist(), dtype=pl.Binary).bin.encode("hex")
    tail = pl.Series(numbers).cast(pl.String).str.zfill(12)
    return pl.select(pl.format("{}-0000-{}-{}", digits, pl.lit(_KINDS[kind]), tail)).to_series()
