"""How many rows fall into each bin of each figure: bins of all figures side by side, rows summed by block.

Letters: N rows, B blocks, K bins of all figures of one crowd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.monitoring.bins import Bins, Codes, number_bins, word_bins
from two_tower_assets.monitoring.divergence import Shares
from two_tower_assets.monitoring.figures import FIGURES, Figure, Table
from two_tower_assets.monitoring.observed import BLOCK, Observed, Window, row_names

Crowd = Literal["people", "videos"]
Numbers = NDArray[np.float64]
Vocabularies = Mapping[str, Sequence[str]]
"""Tags and performers that the model knows."""

TABLES: Final[Mapping[Crowd, tuple[Table, ...]]] = {"people": ("decisions", "users"), "videos": ("catalogue",)}
"""Rows whose blocks are users, and rows whose blocks are videos."""


@dataclass(frozen=True)
class Layout:
    """Figures of one crowd and where the bins of each begin."""

    crowd: Crowd
    bins: Mapping[str, Bins]
    """By key of the figure."""

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Those that have bins, in their order."""
        return tuple(each for each in FIGURES if each.table in TABLES[self.crowd] and each.key in self.bins)

    @cached_property
    def places(self) -> Mapping[str, slice]:
        """Key of each figure to its bins among K."""
        ends = list(accumulate((self.bins[figure.key].size for figure in self.figures), initial=0))
        return {
            figure.key: slice(start, end) for figure, start, end in zip(self.figures, ends, ends[1:], strict=False)
        }

    @property
    def width(self) -> int:
        """Bins of all figures, K."""
        return sum(self.bins[figure.key].size for figure in self.figures)

    def shares(self, counts: Numbers) -> Shares:
        """Divide counts [..., K] within each figure; a figure without any row keeps zeros."""
        shares = np.zeros(counts.shape, np.float64)
        for place in self.places.values():
            total = counts[..., place].sum(axis=-1, keepdims=True)
            np.divide(counts[..., place], total, out=shares[..., place], where=total > 0)
        return shares


@dataclass(frozen=True)
class Counted:
    """Rows of one window by bin."""

    blocks: int
    """B: users or videos of whom there are rows."""
    counts_BK: Numbers

    @property
    def totals(self) -> Numbers:
        """Rows by bin, [K]."""
        totals_K: Numbers = self.counts_BK.sum(axis=0)
        return totals_K


def lay_out(crowd: Crowd, observed: Observed, window: Window) -> Layout:
    """Lay bins down by what was there in a window."""
    bins: dict[str, Bins] = {}
    for table in TABLES[crowd]:
        rows = observed.table(table, window)
        for figure in (each for each in FIGURES if each.table == table):
            bins[figure.key] = _bins(figure, rows)
    return Layout(crowd, bins)


def count(layout: Layout, observed: Observed, window: Window, vocabularies: Vocabularies) -> Counted:
    """Count the rows of a window."""
    tables = {table: observed.table(table, window) for table in TABLES[layout.crowd]}
    blocks = pl.concat([rows.select(pl.col(BLOCK)) for rows in tables.values()]).unique().sort(BLOCK)[BLOCK]
    counts = np.zeros(len(blocks) * layout.width)
    for table, rows in tables.items():
        block_N = rows[BLOCK].cast(pl.Enum(blocks)).to_physical().to_numpy().astype(np.int64)
        for figure, row_N, code_N in _coded(layout, table, rows, vocabularies):
            cell = block_N[row_N] * layout.width + layout.places[figure.key].start + code_N
            counts += np.bincount(cell[code_N >= 0], minlength=len(counts))
    return Counted(len(blocks), counts.reshape(len(blocks), layout.width))


def _coded(
    layout: Layout, table: Table, rows: pl.DataFrame, vocabularies: Vocabularies
) -> Iterator[tuple[Figure, Codes, Codes]]:
    """Yield each figure with rows and the bins that they fall into, int64 [N] both; −1 is no bin."""
    exploded = {column: row_names(rows, column) for column in vocabularies if column in rows.columns}
    every_N = np.arange(rows.height)
    for figure in (each for each in layout.figures if each.table == table):
        bins = layout.bins[figure.key]
        if figure.vocabulary is None:
            yield figure, every_N, bins.codes(rows[figure.column])
        else:
            words, row_N = exploded[figure.column]
            yield figure, row_N, _of_names(bins, words, vocabularies[figure.vocabulary])


def _of_names(bins: Bins, words: pl.Series, known: Sequence[str]) -> Codes:
    if bins.kind == "truths":
        return bins.codes(~words.is_in(list(known)))
    return bins.codes(words, known)


def _bins(figure: Figure, rows: pl.DataFrame) -> Bins:
    match figure.kind:
        case "numbers":
            return number_bins(rows[figure.column])
        case "truths":
            return Bins(kind="truths")
        case "names":
            return word_bins(row_names(rows, figure.column)[0], "names")
        case "words":
            return word_bins(rows[figure.column])
