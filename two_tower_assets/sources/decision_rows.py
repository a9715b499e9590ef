"""Decisions of a source, validated block by block and held as codes: what a row takes does not depend on its ids.

Ids are a polars `Enum` whose categories are the sorted distinct ids, four bytes a row; they order, compare and are
written as their text. What does not live here: the types of single columns (`coerce`) and other tables (`tables`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

IDS: Final = ("user_id", "video_id")

_CODE_BITS: Final = 32


class Codes:
    """Blocks of decisions put behind one another, their ids as codes."""

    def __init__(self) -> None:
        self._kinds = {name: pl.Categorical(pl.Categories.random()) for name in IDS}
        self._blocks: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Append rows with ids as text, without nulls."""
        self._blocks.append(rows.with_columns(pl.col(name).cast(kind) for name, kind in self._kinds.items()))

    def frame(self) -> pl.DataFrame:
        """All rows in the order in which they came, ids as `Enum`."""
        rows = pl.concat(self._blocks)
        self._blocks.clear()
        return rows.with_columns(_sorted_codes(rows[name]) for name in IDS)


def _sorted_codes(ids: pl.Series) -> pl.Series:
    return ids.cast(pl.Enum(ids.unique().cast(pl.String).sort()))


def latest_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """Order coded rows by time, and keep the last of each user and video; among equal times the later row is last."""
    rows = rows.sort("created_at", maintain_order=True)
    user, video = (rows[name].to_physical().to_numpy().astype(np.uint64) for name in IDS)
    pair = (user << np.uint64(_CODE_BITS)) | video
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    is_last = np.ones(len(pair), dtype=np.bool_)
    is_last[:-1] = pair[1:] != pair[:-1]
    if is_last.all():
        return rows
    kept = np.zeros(len(pair), dtype=np.bool_)
    kept[order[is_last]] = True
    return rows.filter(pl.Series(kept))


def rows_of_others(ids: pl.Series, known: Iterable[str] | pl.Series) -> int:
    """Count the rows of a coded column whose id is not among the known ones."""
    assert isinstance(ids.dtype, pl.Enum)
    others = ~ids.dtype.categories.is_in(pl.Series(known, dtype=pl.String).implode()).to_numpy()
    return int(others[ids.to_physical().to_numpy()].sum())
