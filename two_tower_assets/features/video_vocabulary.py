"""Videos that have columns of their own: which they are, in what order, and where a video stands among them.

The order depends on decisions alone; how the columns are filled is told by `bags` and `decided_videos`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.features.history import History
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import microseconds
from two_tower_assets.settings import FeatureSettings

NO_SLOT: Final = -1
"""Slot of a video that is not in the vocabulary."""


def video_vocabulary(
    history: History, settings: FeatureSettings, *, before: datetime | None = None
) -> tuple[str, ...]:
    """Order active videos by the number of their LIKEs, descending, ties by id; empty unless the preset asks for it.

    Args:
        history: decisions, and the videos that a vocabulary can hold.
        settings: preset, fewest LIKEs and most videos.
        before: only LIKEs before this moment count; None: all.
    """
    if not settings.reads_video_ids:
        return ()
    liked = history.video[history.examples(before=None if before is None else microseconds(before))]
    likes = np.bincount(liked, minlength=len(history.video_ids))
    order = np.lexsort((history.video_ids, -likes))
    kept = order[likes[order] >= settings.min_video_freq][: settings.max_video_vocab]
    return tuple(history.video_ids[kept].tolist())


def video_slots(ids: NDArray[np.str_], space: FeatureSpace) -> NDArray[np.int32]:
    """Return int32 [V]: the place of each video in `space.videos`, `NO_SLOT` where it is not in the vocabulary."""
    places = {video: place for place, video in enumerate(space.videos)}
    return np.array([places.get(video, NO_SLOT) for video in ids.tolist()], dtype=np.int32)
