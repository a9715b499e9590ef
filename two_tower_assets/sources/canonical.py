"""A hash of rows that depends on their values alone: not on their order, nor on any library's file format.

What is hashed, column by column: the name, the number of rows, which values are null (one byte each), then the values
as little-endian numbers, or for text the byte lengths (int64) followed by the UTF-8 bytes, or for lists the lengths
(int64) followed by their flattened values. Times are int64 microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl

_ROWS: Final = 1 << 18
_NUMBERS = {pl.Float64: "<f8", pl.Boolean: "u1"}


class Canonical:
    """A running SHA-256 over columns and frames."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def hexdigest(self) -> str:
        """Hex SHA-256 of everything added so far."""
        return self._digest.hexdigest()

    def frame(self, frame: pl.DataFrame, *, by: list[str]) -> None:
        """Add all columns of a frame, its rows sorted by a unique key."""
        ordered = frame.sort(by)
        for name in frame.columns:
            self.label(name, frame.height)
            self.series(ordered[name])

    def label(self, name: str, rows: int) -> None:
        """Add a name and a number of rows, so that neighbouring values cannot be mistaken for one another."""
        self._digest.update(f"{len(name)}:{name}:{rows};".encode())

    def numbers(self, values: np.ndarray[Any, Any], kind: str) -> None:
        """Add numbers as the little-endian dtype `kind`."""
        self._digest.update(np.ascontiguousarray(values, dtype=kind).data)

    def series(self, series: pl.Series) -> None:
        """Add one column with its nulls."""
        self.numbers(series.is_null().to_numpy(), "u1")
        if isinstance(series.dtype, pl.List):
            self.numbers(series.list.len().fill_null(0).to_numpy(), "<i8")
            self.series(series.drop_nulls().explode(empty_as_null=False))
        elif isinstance(series.dtype, pl.String | pl.Enum):
            self._texts(series)
        elif series.dtype in _NUMBERS:
            self.numbers(series.fill_null(0).to_numpy(), _NUMBERS[type(series.dtype)])
        else:
            self.numbers(series.to_physical().cast(pl.Int64).fill_null(0).to_numpy(), "<i8")

    def _texts(self, series: pl.Series) -> None:
        """Add lengths, then bytes, as text of a block of rows at a time."""
        for part in _text_blocks(series):
            self.numbers(part.str.len_bytes().to_numpy(), "<i8")
        for part in _text_blocks(series):
            self._digest.update(part.str.join("").item().encode())


def _text_blocks(series: pl.Series) -> Iterator[pl.Series]:
    for start in range(0, len(series), _ROWS):
        yield series.slice(start, _ROWS).cast(pl.String).fill_null("")
