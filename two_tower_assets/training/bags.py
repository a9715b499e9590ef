"""Rows of features whose bags lack their zeros, and sums over what they name.

A video has a dozen of 768 tags and performers. As a dense product its first layer is half the operations of a step;
as sums of the weights of what is there it is bound by reading them, forwards and backwards. So it is with users until
their bags hold a fifth of the words; from there on the dense product takes no longer.

Letters in tensor names: B rows, N numerics, K entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from two_tower_assets.features.sparse_rows import Entries, SparseRows


@dataclass(frozen=True, eq=False)
class SparseFeatures:
    """Rows of features on the device of a model."""

    dense_BN: Tensor
    by_row: SparseBags
    by_column: SparseBags

    @classmethod
    def of(cls, rows: SparseRows, device: torch.device) -> SparseFeatures:
        """Bring rows to a device."""
        return cls(
            torch.from_numpy(rows.dense_BN).to(device),
            SparseBags.of(rows.by_row, device),
            SparseBags.of(rows.by_column, device),
        )


def on_device(rows: NDArray[np.float32] | SparseRows, device: torch.device) -> Tensor | SparseFeatures:
    """Bring rows to the device of a model, with their zeros or without, as they are."""
    return SparseFeatures.of(rows, device) if isinstance(rows, SparseRows) else torch.from_numpy(rows).to(device)


@dataclass(frozen=True, eq=False)
class SparseBags:
    """Entries list by list, as `Entries`."""

    index_K: Tensor
    value_K: Tensor
    begin: Tensor

    @classmethod
    def of(cls, entries: Entries, device: torch.device) -> SparseBags:
        """Bring entries to a device."""
        arrays = (entries.index_K, entries.value_K, entries.begin)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def times(self, table: Tensor) -> Tensor:
        """Sum, for each list, the rows of a table that it names, each times its value: float32 [lists, width]."""
        return embedding_bag(self.index_K, table, self.begin, mode="sum", per_sample_weights=self.value_K)
