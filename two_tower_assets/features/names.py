"""Names of tags and performers, and ids of videos, as column numbers of the bags that lie side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.ragged import offsets_of


@dataclass(frozen=True, eq=False)
class NameColumns:
    """For each row of a frame, the bag columns of its known names, with repetition; unknown names are gone."""

    offsets: NDArray[np.int64]
    """int64 [N + 1]: where each row's columns begin in `columns`, and the end."""
    columns: NDArray[np.int32]
    """int32: bag columns, counted from 0 over all bags; ascending within a row."""


def name_columns(frame: pl.DataFrame, bags: Mapping[str, Sequence[str]]) -> NameColumns:
    """Look up every name of the frame's lists, row by row.

    Args:
        frame: a column (list[str], nulls allowed) for each bag.
        bags: column and vocabulary of each, in the order in which they lie side by side: `space.item_bags` or
            `space.user_bags`.
    """
    firsts = offsets_of(np.array([len(vocabulary) for vocabulary in bags.values()]))[:-1].tolist()
    found = pl.concat(
        _columns_of(frame[column], vocabulary, first=first)
        for (column, vocabulary), first in zip(bags.items(), firsts, strict=True)
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
