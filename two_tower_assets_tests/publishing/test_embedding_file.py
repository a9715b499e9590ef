from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError, PublishingError
from two_tower_assets.publishing.embedding_file import open_embedding_file
from two_tower_assets_tests.publishing.embedding_files import read_all, with_vectors
from two_tower_assets_tests.publishing.releasing import NEW, VIDEOS


def test_a_sound_file_gives_its_version_and_its_rows(new: Path) -> None:
    """Version, number of rows and bytes are those of the file."""
    path = new / Files.VIDEO_EMBEDDINGS
    file = open_embedding_file(path)
    assert (file.model_version, file.rows, file.size) == (NEW, VIDEOS, path.stat().st_size)


@pytest.mark.parametrize("size", [1, 7, 100, 299, 300, 1000])
def test_batches_are_the_file_in_order(new: Path, size: int) -> None:
    """All are full but the last, and one after another they are the file."""
    path = new / Files.VIDEO_EMBEDDINGS
    ids, vectors = read_all(path)
    batches = list(open_embedding_file(path).batches(size))
    assert [len(batch) for batch, _ in batches[:-1]] == [size] * (len(batches) - 1)
    assert [video for batch, _ in batches for video in batch.tolist()] == ids
    assert np.array_equal(np.concatenate([batch for _, batch in batches]), vectors)


def test_a_number_that_is_not_finite_is_refused_by_the_video_s_name(new: Path, tmp_path: Path) -> None:
    """One NaN among 300 × 256 numbers is found."""
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    vectors = vectors.copy()
    vectors[41, 7] = np.nan
    path = with_vectors(new, tmp_path / NEW, ids, vectors)
    with pytest.raises(ArtifactError, match=f"not finite: {ids[41]}"):
        open_embedding_file(path)


def test_a_wrong_dimension_is_refused(new: Path, tmp_path: Path) -> None:
    """Vectors of 255 numbers are told with what they should have been."""
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    path = with_vectors(new, tmp_path / NEW, ids, vectors[:, :255])
    with pytest.raises(ArtifactError, match=r"\[255\].*must be .*float32\[256\]"):
        open_embedding_file(path)


@pytest.mark.parametrize("place", [11, 300])
def test_a_doubled_video_is_refused_by_name(new: Path, tmp_path: Path, place: int) -> None:
    """Beside its double or far from it, in capital letters or not."""
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    doubled = [*ids[:place], ids[10].upper(), *ids[place:]]
    path = with_vectors(new, tmp_path / NEW, doubled, np.insert(vectors, place, vectors[10], axis=0))
    with pytest.raises(ArtifactError, match=f"more than once: {ids[10]}"):
        open_embedding_file(path)


def test_an_unordered_file_is_refused(new: Path, tmp_path: Path) -> None:
    """Two rows that changed places are found."""
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    order = [1, 0, *range(2, len(ids))]
    path = with_vectors(new, tmp_path / NEW, [ids[i] for i in order], vectors[order])
    with pytest.raises(ArtifactError, match="not ordered"):
        open_embedding_file(path)


def test_an_id_that_is_no_uuid_is_refused_by_name(new: Path, tmp_path: Path) -> None:
    """A word among the ids is shown."""
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    path = with_vectors(new, tmp_path / NEW, [*ids[:-1], "zebra"], vectors)
    with pytest.raises(PublishingError, match="zebra"):
        open_embedding_file(path)


def test_an_empty_file_is_refused(new: Path, tmp_path: Path) -> None:
    """Nothing to send is no success."""
    path = with_vectors(new, tmp_path / NEW, [], np.zeros((0, 256), np.float32))
    with pytest.raises(ArtifactError, match="has no rows"):
        open_embedding_file(path)


def test_one_changed_byte_is_refused(new: Path, tmp_path: Path) -> None:
    """The file must be the one that the manifest beside it lists."""
    folder = shutil.copytree(new, tmp_path / NEW)
    path = folder / Files.VIDEO_EMBEDDINGS
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=f"was changed.*{NEW}"):
        open_embedding_file(path)


def test_a_file_without_its_manifest_or_not_in_it_is_refused(new: Path, tmp_path: Path) -> None:
    """Its version could not be told."""
    folder = shutil.copytree(new, tmp_path / NEW)
    other = shutil.copyfile(folder / Files.VIDEO_EMBEDDINGS, folder / "other.parquet")
    with pytest.raises(ArtifactError, match="not listed in the manifest"):
        open_embedding_file(other)
    with pytest.raises(ArtifactError, match=r"absent\.parquet does not exist"):
        open_embedding_file(folder / "absent.parquet")
    (folder / Files.MANIFEST).unlink()
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        open_embedding_file(folder / Files.VIDEO_EMBEDDINGS)
