"""Some rows of a feature matrix as they are multiplied: dense columns, and the bags' entries in two orders.

Letters in names: B rows, N dense columns, T columns of the bags, K entries that are not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from two_tower_assets.features.ragged import offsets_of

_THIN: Final = 0.2
"""Share of a bag's columns that rows may hold on average: of more, a dense product takes no longer than sums do."""


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
    ) -> Self:
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

    @classmethod
    def where_thin(cls, whole_BF: NDArray[np.float32], dense_width: int) -> Self | None:
        """Leave out the zeros of rows whose first columns are dense; None where the bags are too full for it."""
        bags_BT = whole_BF[:, dense_width:]
        there_BT = bags_BT != 0
        lengths_B = np.count_nonzero(there_BT, axis=1)
        if lengths_B.sum() > _THIN * bags_BT.size:
            return None
        column_K = np.flatnonzero(there_BT) % max(1, bags_BT.shape[1])
        dense_BN = np.ascontiguousarray(whole_BF[:, :dense_width])
        return cls.of(dense_BN, lengths_B, column_K.astype(np.int32), bags_BT[there_BT], bags_width=bags_BT.shape[1])
