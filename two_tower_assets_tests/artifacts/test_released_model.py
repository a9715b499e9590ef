from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.artifacts.released_model import ReleasedModel
from two_tower_assets.artifacts.video_model import VideoModel
from two_tower_assets.contract import Files
from two_tower_assets.features.raw import RAW_ITEMS
from two_tower_assets_tests.artifacts.versions import VERSION, make_version, video_id


def test_videos_that_came_later_are_embedded_beside_those_of_the_release(tmp_path: Path) -> None:
    """A video of the release keeps its vector, a later one is a newcomer to the item tower, in the order asked."""
    folder = make_version(tmp_path, videos=5)
    items = pl.DataFrame(
        {"id": [video_id(901), video_id(3)], "price": [1200.0, 5.0], "tags": [["tag 1"], []], "performers": [[], []]},
    ).select(
        *(
            (pl.col(name) if name in {"id", "price", "tags", "performers"} else pl.lit(None).alias(name)).cast(kind)
            for name, kind in RAW_ITEMS.items()
        )
    )
    model = ReleasedModel.open(folder)
    assert model.model_version == VERSION
    new, own = model.embed_videos(items)
    ((ids, vectors),) = read_blocks(folder / Files.VIDEO_EMBEDDINGS)
    np.testing.assert_array_equal(own, vectors[ids.tolist().index(video_id(3))])
    np.testing.assert_array_equal(new, VideoModel.open(folder).embed(items[:1], {})[0])
