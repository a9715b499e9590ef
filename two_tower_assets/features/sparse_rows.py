"""Some rows of a feature matrix as they are multiplied: dense columns, and the bags' entries in two orders.

Letters in names: B rows, N dense columns, T columns of the bags, K entries that are not zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from two_tower_assets.features.ragged import offsets_of


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries list by list: of each row its columns, or of each column its rows."""

    index_K: NDArray[np.int32]
    """Of an entry in row order its column, in column order its row; ascending within a list."""
    value_K: NDArray[np.float32]
    begin: NDArray[np.int32]
    """[lists]: where each begins; the last one ends at K."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """B rows without the zeros of their bags."""

    dense_BN: NDArray[np.float32]
    by_row: Entries
    """What the rows' product with a table of T rows reads."""
    by_column: Entries
    """The same entries, as the gradient of that table reads them."""

    def __len__(self) -> int:
        return len(self.dense_BN)

    @property
    def width(self) -> int:
        """Of a row with its zeros, N + T."""
        return int(self.dense_BN.shape[1]) + len(self.by_column.begin)

    @classmethod
    def of(
        cls,
        dense_BN: NDArray[np.float32],
        lengths_B: NDArray[np.int64],
        column_K: NDArray[np.int32],
        value_K: NDArray[np.float32],
        *,
        bags_width: int,
    ) -> SparseRows:
        """Bring entries that come row by row into both orders.

        Args:
            dense_BN: the dense columns.
            lengths_B: number of each row's entries.
            column_K: their columns in the bags, ascending within a row.
            value_K: their values.
            bags_width: T.
        """
        offsets = offsets_of(lengths_B).astype(np.int32)
        by_column = csr_array((value_K, column_K, offsets), shape=(len(dense_BN), bags_width)).tocsc()
        return cls(
            dense_BN,
            Entries(column_K, value_K, offsets[:-1]),
            Entries(by_column.indices, by_column.data, by_column.indptr[:-1]),
        )
