from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from two_tower_assets.artifacts.version_space import read_space
from two_tower_assets.artifacts.video_model import VideoModel
from two_tower_assets.contract import Files, ItemPayload
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.raw import RAW_ITEMS
from two_tower_assets.features.reference import item_vector
from two_tower_assets.training.checkpoint import load_checkpoint, save_checkpoint
from two_tower_assets_tests.artifacts.versions import CUTOFF, POPULARITY, feature_space, make_version, video_id

NEW, OLD = video_id(901), video_id(902)
ITEMS = pl.DataFrame(
    {
        "id": [NEW, OLD],
        "price": [1200.0, None],
        "duration_seconds": [600.0, 30.0],
        "product_released_at": [CUTOFF, None],
        "tags": [["tag 1", "tag 1", "日本語"], []],
        "performers": [["performer 2"], ["nobody knows"]],
    },
    schema=dict(RAW_ITEMS),
)


@pytest.mark.parametrize("videos", [0, 7])
def test_the_space_reads_back_from_the_public_files(tmp_path: Path, videos: int) -> None:
    """Vocabularies, scales and reference date of the files are those that they were written from."""
    space = feature_space(videos=videos)
    assert read_space(make_version(tmp_path, space=space, embeddings=False)) == space


def test_a_vector_is_the_item_towers_of_the_features_by_the_contract(tmp_path: Path) -> None:
    """Features as the readable definition makes them; a new video counts as a newcomer, a known one by its LIKEs."""
    folder = make_version(tmp_path, embeddings=False)
    vectors = VideoModel.open(folder).embed(ITEMS, {OLD: 3.0})
    tower = load_checkpoint(folder / Files.TOWERS)[0].item
    rows = ITEMS.rename({"id": "video_id"}).to_dicts()
    payloads = [ItemPayload(**{key: value for key, value in row.items() if value is not None}) for row in rows]
    features = np.stack([item_vector(payload, feature_space()) for payload in payloads])
    known = (np.log(3.0 + 0.02) - POPULARITY.middle) / POPULARITY.step
    popularity = torch.tensor([POPULARITY.newcomer, known], dtype=torch.float32)
    with torch.inference_mode():
        expected = tower(torch.from_numpy(features), torch.tensor([-1, -1]), popularity).numpy()
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_weights_of_another_version_are_refused(tmp_path: Path) -> None:
    """A folder whose weights were swapped embeds nothing."""
    folder = make_version(tmp_path, embeddings=False)
    other = make_version(tmp_path, "20260401T000000Z-0123456", embeddings=False)
    (other / Files.TOWERS).replace(folder / Files.TOWERS)
    with pytest.raises(ArtifactError, match="are of version 20260401T000000Z-0123456"):
        VideoModel.open(folder)


def test_a_version_that_does_not_say_how_popular_a_newcomer_counts_is_refused(tmp_path: Path) -> None:
    """The remedy is a new version, not a guess."""
    folder = make_version(tmp_path, embeddings=False)
    model, facts = load_checkpoint(folder / Files.TOWERS)
    save_checkpoint(folder / Files.TOWERS, model, facts.model_copy(update={"popularity": None}))
    with pytest.raises(ArtifactError, match="Train and release a new version"):
        VideoModel.open(folder)
