from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.features.sparse_rows import SparseRows
from two_tower_assets_tests.training.sparse import written_out


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 9), dense=st.integers(0, 3), columns=st.integers(0, 30))
def test_thin_rows_are_the_whole_ones_without_their_zeros(seed: int, rows: int, dense: int, columns: int) -> None:
    """Nothing is lost and zeros in front stay; rows whose bags are fuller than a fifth are left as they are."""
    rng = np.random.default_rng(seed)
    whole_BF = rng.random((rows, dense + columns), dtype=np.float32)
    whole_BF[rng.random(whole_BF.shape) < 0.8] = 0
    thin = SparseRows.where_thin(whole_BF, dense)
    entries = np.count_nonzero(whole_BF[:, dense:])
    assert (thin is None) == (entries > 0.2 * rows * columns)
    if thin is not None:
        assert thin.width == dense + columns
        assert len(thin.by_row.index_K) == len(thin.by_column.index_K) == entries
        assert np.array_equal(written_out(thin), whole_BF)
