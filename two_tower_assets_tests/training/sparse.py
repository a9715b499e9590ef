"""Features whose zeros are written out and features without them, each made of the other."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from two_tower_assets.features.sparse_rows import SparseRows
from two_tower_assets.training.bags import SparseFeatures


def sparse(dense_BN: Tensor, bags_BT: Tensor) -> SparseFeatures:
    """Rows whose bags have been written out."""
    bags = bags_BT.numpy()
    column_K = np.nonzero(bags)[1].astype(np.int32)
    rows = SparseRows.of(
        dense_BN.numpy(), np.count_nonzero(bags, axis=1), column_K, bags[bags != 0], bags_width=bags.shape[1]
    )
    return SparseFeatures.of(rows, torch.device("cpu"))


def written_out(rows: NDArray[np.float32] | SparseRows) -> NDArray[np.float32]:
    """Whole vectors, float32 [B, N + T]."""
    if not isinstance(rows, SparseRows):
        return rows
    entries = rows.by_row
    offsets = np.append(entries.begin, len(entries.index_K))
    bags = csr_array((entries.value_K, entries.index_K, offsets), shape=(len(rows), len(rows.by_column.begin)))
    return np.hstack([rows.dense_BN, bags.toarray()])
