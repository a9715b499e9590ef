"""Names of tags and performers as column numbers of the bags: `tags` come first, `performers` after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.ragged import offsets_of
from two_tower_assets.features.space import FeatureSpace


@dataclass(frozen=True, eq=False)
class NameColumns:
    """For each row of a frame, the bag columns of its known names, with repetition; unknown names are gone."""

    offsets: NDArray[np.int64]
    """int64 [N + 1]: where each row's columns begin in `columns`, and the end."""
    columns: NDArray[np.int32]
    """int32: bag columns, in [0, space.bag_dim)."""


def name_columns(frame: pl.DataFrame, space: FeatureSpace) -> NameColumns:
    """Look up every name of the frame's `tags` and `performers` (list[str], nulls allowed), row by row."""
    found = pl.concat(
        [
            _columns_of(frame["tags"], space.tags, first=0),
            _columns_of(frame["performers"], space.performers, first=len(space.tags)),
        ]
    ).sort("row", "column")
    lengths = np.bincount(found["row"].to_numpy(), minlength=frame.height)
    return NameColumns(offsets=offsets_of(lengths), columns=found["column"].to_numpy())


def _columns_of(names: pl.Series, vocabulary: Sequence[str], *, first: int) -> pl.DataFrame:
    known = pl.LazyFrame(
        {"name": vocabulary, "column": np.arange(first, first + len(vocabulary), dtype=np.int32)},
        schema={"name": pl.String, "column": pl.Int32},
    )
    return (
        pl.LazyFrame({"row": pl.int_range(len(names), eager=True), "name": names.cast(pl.List(pl.String))})
        .explode("name", empty_as_null=False, keep_nulls=False)
        .join(known, on="name", how="inner")
        .select("row", "column")
        .collect()
    )
