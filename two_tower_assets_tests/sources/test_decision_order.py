"""A snapshot's decisions come in one order, whatever their times are."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.sources.decision_order import in_order

TIMES = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
ROWS = st.lists(st.tuples(st.integers(0, 40), TIMES, st.integers(0, 2**32 - 1), st.integers(1, 2**15 - 1)))


@given(ROWS)
def test_rows_are_ordered_as_their_columns_are(rows: list[tuple[int, int, int, int]]) -> None:
    """Near and far apart in time, with and without ties: what sorting by columns gives, and each row stays whole."""
    user, time, video, kind = (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.empty(0)] * 4
    found = in_order(user.astype(np.uint32), time.astype(np.int64), video.astype(np.uint32), kind.astype(np.int16))
    expected = sorted(rows, key=lambda row: row[:3])
    assert found.select("user", "time", "video").rows() == [row[:3] for row in expected]
    assert sorted(found.rows()) == sorted(rows)
    assert found.schema == {"user": pl.UInt32, "time": pl.Int64, "video": pl.UInt32, "kind": pl.Int16}


def test_more_than_64_bits_are_sorted_too() -> None:
    """A user's number and a time that don't fit into one number."""
    far = 2**62
    found = in_order(
        np.array([1 << 31, 1, 1], np.uint32),
        np.array([-far, far, -far]),
        np.array([0, 1, 2], np.uint32),
        np.array([1, 1, 1], np.int16),
    )
    assert found.select("user", "time", "video").rows() == [(1, -far, 2), (1, far, 1), (1 << 31, -far, 0)]
