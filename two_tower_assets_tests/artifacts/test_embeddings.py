from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from two_tower_assets.artifacts.embeddings import (
    SCHEMA,
    VideoInputs,
    check_video_embeddings,
    count_rows,
    embed_items,
    read_blocks,
    write_video_embeddings,
)
from two_tower_assets.errors import ArtifactError
from two_tower_assets_tests.artifacts.versions import feature_space, items, towers, video_inputs

SPACE = feature_space()
ITEMS = items(SPACE, 25)
INPUTS = video_inputs(ITEMS, SPACE)
TOWER = towers(SPACE).item


def written(tmp_path: Path, active: np.ndarray, **options: object) -> Path:
    path = tmp_path / "video_embeddings.parquet"
    write_video_embeddings(path, TOWER, INPUTS, active, **options)
    return path


def rewritten(path: Path, ids: list[str], vectors: np.ndarray) -> Path:
    """The file with other rows."""
    flat = pa.array(vectors.astype(np.float32).reshape(-1))
    pq.write_table(pa.table([pa.array(ids), pa.FixedSizeListArray.from_arrays(flat, 256)], schema=SCHEMA), path)
    return path


@pytest.mark.parametrize("block", [1, 7, 25, 4096])
def test_every_active_video_is_there_once_in_order(tmp_path: Path, block: int) -> None:
    """However the work is cut into blocks, active videos come ordered by id with the tower's own vectors."""
    active = np.arange(25) % 3 != 0
    path = written(tmp_path, active, block=block)
    ids, vectors = (np.concatenate(parts) for parts in zip(*read_blocks(path), strict=True))
    assert ids.tolist() == sorted(ITEMS.ids[active].tolist())
    np.testing.assert_allclose(vectors, embed_items(TOWER, INPUTS, np.flatnonzero(active)), atol=1e-6)
    assert check_video_embeddings(path, ITEMS.ids[active]).rows == count_rows(path) == active.sum()


def test_rows_follow_the_id_whatever_the_order_of_the_features(tmp_path: Path) -> None:
    """Feature rows in another order give the same file."""
    order = np.random.default_rng(0).permutation(25)
    shuffled = type(ITEMS)(
        ids=ITEMS.ids[order],
        dense=ITEMS.dense[order],
        offsets=ITEMS.offsets,
        columns=ITEMS.columns.reshape(25, -1)[order].reshape(-1),
        values=ITEMS.values,
        width=ITEMS.width,
    )
    path = tmp_path / "shuffled.parquet"
    inputs = VideoInputs(shuffled, INPUTS.slot[order], INPUTS.popularity[order])
    write_video_embeddings(path, TOWER, inputs, np.ones(25, np.bool_))
    expected = written(tmp_path, np.ones(25, np.bool_))
    assert pl.read_parquet(path)["video_id"].equals(pl.read_parquet(expected)["video_id"])
    difference = np.stack(pl.read_parquet(path)["embedding"].to_list()) - np.stack(
        pl.read_parquet(expected)["embedding"].to_list()
    )
    assert np.abs(difference).max() <= 1e-6


def test_the_columns_are_the_contracts_for_any_reader(tmp_path: Path) -> None:
    """Polars and Arrow see a string and a fixed-size list of 256 float32."""
    path = written(tmp_path, np.ones(25, np.bool_))
    assert pl.read_parquet_schema(path) == {"video_id": pl.String, "embedding": pl.Array(pl.Float32, 256)}
    assert pq.read_schema(path).field("embedding").type == pa.list_(pa.float32(), 256)


def test_no_active_video_gives_an_empty_file(tmp_path: Path) -> None:
    """An empty catalogue is a file without rows, not an error."""
    path = written(tmp_path, np.zeros(25, np.bool_))
    assert check_video_embeddings(path, []).rows == 0


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """The file has no time and no chance in it."""
    first = written(tmp_path, np.ones(25, np.bool_)).read_bytes()
    assert written(tmp_path, np.ones(25, np.bool_)).read_bytes() == first


def test_progress_ends_at_the_number_of_videos(tmp_path: Path) -> None:
    """The caller is told after each block."""
    seen: list[tuple[int, int]] = []
    written(tmp_path, np.ones(25, np.bool_), block=10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(10, 25), (20, 25), (25, 25)]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """Work that stops half-way leaves what was there before, and no partial file."""
    path = written(tmp_path, np.ones(25, np.bool_))
    before = path.read_bytes()

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, np.ones(25, np.bool_), block=10, progress=stop)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


UNIT = np.eye(256, dtype=np.float32)[:3]


@pytest.mark.parametrize(
    ("ids", "vectors", "complaint"),
    [
        (["a", "b"], UNIT[:2], r"1 video\(s\) are missing: c"),
        (["a", "b", "b"], UNIT, r"1 video\(s\) are in the file more than once: b"),
        (["a", "b", "c", "d"], np.eye(256)[:4], r"1 video\(s\) are in the file and not active: d"),
        (["a", "c", "b"], UNIT, "not ordered by video_id"),
        (["a", "b", "c"], UNIT * [[1], [np.nan], [1]], r"1 video\(s\) are not of unit length or not finite: b"),
        (["a", "b", "c"], np.vstack([UNIT[:2], [[np.inf] * 256]]), "not finite: c"),
        (["a", "b", "c"], UNIT * [[1], [1], [1e30]], "not finite: c"),
        (["a", "b", "c"], UNIT * [[1.01], [1], [1]], "not of unit length or not finite: a"),
        (["a", "b", "c"], UNIT * [[0], [1], [1]], "not of unit length or not finite: a"),
    ],
)
def test_wrong_rows_are_refused_and_named(
    tmp_path: Path, ids: list[str], vectors: np.ndarray, complaint: str
) -> None:
    """Missing, doubled, foreign, unordered, infinite and unnormalised vectors each give an error naming videos."""
    with pytest.raises(ArtifactError, match=complaint):
        check_video_embeddings(rewritten(tmp_path / "x.parquet", ids, vectors), ["a", "b", "c"])


def test_many_wrong_videos_are_counted_and_three_named(tmp_path: Path) -> None:
    """A long list of complaints stays readable."""
    with pytest.raises(ArtifactError, match=r"25 video\(s\) are missing: \S+, \S+, \S+, …"):
        check_video_embeddings(written(tmp_path, np.zeros(25, np.bool_)), ITEMS.ids)


def test_a_vector_of_another_width_is_refused(tmp_path: Path) -> None:
    """The error says what the columns are and what they must be."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"video_id": ["a"], "embedding": [[1.0]]}), path)
    with pytest.raises(ArtifactError, match=r"must be video_id string and embedding float32\[256\]"):
        check_video_embeddings(path, ["a"])


def test_a_file_that_is_not_parquet_is_refused_by_name(tmp_path: Path) -> None:
    """So is one that is not there."""
    path = tmp_path / "x.parquet"
    with pytest.raises(ArtifactError, match=r"x\.parquet"):
        count_rows(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"not parquet"):
        count_rows(path)
