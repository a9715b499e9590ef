"""Bags of names or ids: counts over the vocabularies of those of each row, L2-normalised, zeros left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.names import NameColumns, name_columns
from two_tower_assets.features.numerics import inverse_norms
from two_tower_assets.features.ragged import offsets_of


class Bags(NamedTuple):
    """Rows of the sparse half of a `FeatureMatrix`; shapes and dtypes are given there."""

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]


def bags_of(frame: pl.DataFrame, bags: Mapping[str, Sequence[str]]) -> Bags:
    """Count and normalise the names in the frame's lists; arguments as in `names.name_columns`."""
    widths = np.array([len(vocabulary) for vocabulary in bags.values()])
    return _normalised(name_columns(frame, bags), ends=np.cumsum(widths))


def _normalised(names: NameColumns, *, ends: NDArray[np.int64]) -> Bags:
    rows = len(names.offsets) - 1
    row = np.repeat(np.arange(rows), np.diff(names.offsets))
    # Columns ascend within a row, so equal ones stand together.
    first = np.flatnonzero(np.diff(row, prepend=-1).astype(bool) | np.diff(names.columns, prepend=-1).astype(bool))
    counts = np.diff(np.append(first, len(row)))
    row, columns = row[first], names.columns[first]
    bag = len(ends) * row + np.searchsorted(ends, columns, side="right")
    norms = inverse_norms(np.bincount(bag, weights=counts**2, minlength=len(ends) * rows).astype(np.float64))
    return Bags(
        offsets=offsets_of(np.bincount(row, minlength=rows)),
        columns=columns,
        values=(counts * norms[bag]).astype(np.float32),
    )
