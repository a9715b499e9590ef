from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import FeatureError
from two_tower_assets.features.matrix import FeatureMatrix, concatenate


def matrix(ids: list[str]) -> FeatureMatrix:
    """Rows of one dense column and a bag of three: [i, 0.5 in column 1], every second row without a bag."""
    count = len(ids)
    entries = (np.arange(count) % 2 == 0).astype(np.int64)
    return FeatureMatrix(
        ids=np.array(ids, dtype=np.str_),
        dense=np.arange(count, dtype=np.float32)[:, None],
        offsets=np.concatenate(([0], np.cumsum(entries))),
        columns=np.ones(entries.sum(), dtype=np.int32),
        values=np.full(entries.sum(), 0.5, dtype=np.float32),
        width=4,
    )


def test_rows_in_any_order():
    """Rows come in the order asked for, repeated ones too, as an index or a slice."""
    three = matrix(["a", "b", "c"])
    assert three.rows(np.array([2, 1, 2])).tolist() == [[2, 0, 0.5, 0], [1, 0, 0, 0], [2, 0, 0.5, 0]]
    assert three.rows(slice(0, 1)).tolist() == [[0, 0, 0.5, 0]]
    assert three.rows(np.array([], dtype=np.int64)).shape == (0, 4)


def test_sparse_rows_have_the_same_entries_in_both_orders():
    """Rows 2 and 0 have 0.5 in column 1, row 1 nothing: of rows the columns, of columns the rows."""
    rows = matrix(["a", "b", "c"]).sparse_rows(np.array([2, 1, 0, 2]))
    assert (len(rows), rows.width) == (4, 4)
    assert rows.dense_BN.tolist() == [[2], [1], [0], [2]]
    assert rows.by_row.index_K.tolist() == [1, 1, 1]
    assert rows.by_row.begin.tolist() == [0, 1, 1, 2]
    assert rows.by_column.index_K.tolist() == [0, 2, 3]
    assert rows.by_column.begin.tolist() == [0, 0, 3]
    assert rows.by_row.value_K.tolist() == rows.by_column.value_K.tolist() == [0.5] * 3


@pytest.mark.parametrize("ids", [["a", "日本語", "🎬"], ["b"], []])
def test_file_round_trip(tmp_path: Path, ids: list[str]):
    """A file gives back the same ids and rows, none at all included."""
    one = matrix(ids)
    one.save(tmp_path / "m.safetensors")
    back = FeatureMatrix.load(tmp_path / "m.safetensors")
    assert back.ids.tolist() == ids
    assert back.width == one.width
    np.testing.assert_array_equal(back.rows(slice(None)), one.rows(slice(None)))


def test_other_files_are_refused(tmp_path: Path):
    """A missing file, and one that is cut short, are named with the remedy."""
    path = tmp_path / "m.safetensors"
    with pytest.raises(FeatureError, match="not a file of feature vectors"):
        FeatureMatrix.load(path)
    matrix(["a", "b"]).save(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FeatureError, match=r"m\.safetensors"):
        FeatureMatrix.load(path)


def test_concatenation():
    """Matrices behind one another have all rows in order, empty ones adding none."""
    parts = [matrix([]), matrix(["a", "b", "c"]), matrix([]), matrix(["d"])]
    whole = concatenate(parts)
    assert whole.ids.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(whole.rows(slice(None)), np.concatenate([part.rows(slice(None)) for part in parts]))
