"""A map of the video space: a sample of the videos in two dimensions, coloured by tag.

The coordinates are `layout`'s part. Letters: V videos, P points, D embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.page.data import MapPoint, VideoMap
from two_tower_assets.evaluation.page.layout import NEIGHBOURS, Points, nearest, neighbour_layout, neighbours_kept

POINTS: Final = 3000
COLOURS: Final = 8

_MOST_LIKED_SHARE: Final = 1 / 3
_NEAR: Final = 3
_DECIMALS: Final = 4


def video_map(
    embedding_VD: NDArray[np.floating],
    titles: Sequence[str],
    tags: Sequence[Sequence[str]],
    likes_V: NDArray[np.int64],
    *,
    points: int = POINTS,
    seed: int = 0,
) -> VideoMap | None:
    """Lay out at most `points` videos; the same input gives the same map. None without any video.

    Args:
        embedding_VD: unit vectors of the videos that can be recommended.
        titles: [V]
        tags: [V] tags of each video.
        likes_V: known LIKEs; a third of a sample are the most liked, which people recognise.
        points: size of the sample.
        seed: of the sample and the layout.
    """
    if len(embedding_VD) == 0:
        return None
    chosen = _sample(likes_V, points, seed)
    sample_PD = embedding_VD[chosen]
    near_PN = nearest(sample_PD @ sample_PD.T, NEIGHBOURS)
    place_P2 = neighbour_layout(sample_PD, near_PN, seed=seed)
    coloured = _frequent(tags)
    return VideoMap(
        points=tuple(
            MapPoint(x=x, y=y, title=titles[video], tag=_colour(tags[video], coloured), near=tuple(near))
            for video, (x, y), near in zip(
                chosen.tolist(), _unit_square(place_P2).tolist(), near_PN[:, :_NEAR].tolist(), strict=True
            )
        ),
        tags=coloured,
        videos=len(embedding_VD),
        kept=neighbours_kept(near_PN, place_P2),
    )


def _sample(likes_V: NDArray[np.int64], points: int, seed: int) -> NDArray[np.int64]:
    """Videos, ascending: the most liked, and a random draw of the others."""
    if len(likes_V) <= points:
        return np.arange(len(likes_V))
    order = np.argsort(-likes_V, kind="stable")
    most_liked = int(points * _MOST_LIKED_SHARE)
    others = np.random.default_rng(seed).choice(order[most_liked:], points - most_liked, replace=False)
    return np.sort(np.concatenate((order[:most_liked], others)))


def _unit_square(place_P2: Points) -> Points:
    """Shift and scale, both directions alike, so that the longer one fills 0 to 1 and the other is centred."""
    low, high = place_P2.min(axis=0), place_P2.max(axis=0)
    span = max(float((high - low).max()), np.finfo(np.float64).tiny)
    square_P2: Points = np.round((place_P2 - (low + high) / 2) / span + 0.5, _DECIMALS)
    return square_P2


def _frequent(tags: Sequence[Sequence[str]]) -> tuple[str, ...]:
    counts = Counter(tag for of_video in tags for tag in set(of_video))
    return tuple(sorted(counts, key=lambda tag: (-counts[tag], tag))[:COLOURS])


def _colour(tags: Sequence[str], coloured: tuple[str, ...]) -> int | None:
    """The rarest of a video's coloured tags, which says most about it."""
    return max((coloured.index(tag) for tag in set(tags) & set(coloured)), default=None)
