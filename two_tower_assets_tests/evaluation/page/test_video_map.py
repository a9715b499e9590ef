from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from two_tower_assets.evaluation.page.layout import nearest, neighbour_layout, neighbours_kept, principal_components
from two_tower_assets.evaluation.page.video_map import COLOURS, video_map


def clusters(
    videos: int, kinds: int, seed: int = 0, width: int = 32
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Unit vectors around a few centres, and which centre each belongs to."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(kinds, size=videos)
    points = rng.normal(size=(kinds, width))[kind] + 0.3 * rng.normal(size=(videos, width))
    return points / np.linalg.norm(points, axis=1, keepdims=True), kind


def names(videos: int) -> list[str]:
    return [f"video {video}" for video in range(videos)]


def test_the_same_videos_give_the_same_map() -> None:
    embedding, kind = clusters(200, 5)
    tags = [[f"tag {number}"] for number in kind]
    maps = [video_map(embedding, names(200), tags, kind) for _ in range(2)]
    assert maps[0] == maps[1]


def test_videos_of_a_kind_lie_together() -> None:
    """Each point's nearest on the map is of its own kind, for nearly all points."""
    embedding, kind = clusters(400, 6)
    found = video_map(embedding, names(400), [[] for _ in kind], kind)
    assert found is not None
    place = np.array([(point.x, point.y) for point in found.points])
    distance = ((place[:, np.newaxis] - place) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (kind[distance.argmin(axis=1)] == kind).mean() > 0.97


def test_the_layout_keeps_more_neighbours_than_principal_components() -> None:
    embedding, _ = clusters(500, 25)
    near = nearest(embedding @ embedding.T, 10)
    laid_out = neighbours_kept(near, neighbour_layout(embedding, near))
    projected = neighbours_kept(near, principal_components(embedding))
    assert laid_out is not None
    assert projected is not None
    assert laid_out > 1.3 * projected


def test_coordinates_fill_the_unit_square() -> None:
    embedding, kind = clusters(100, 3)
    found = video_map(embedding, names(100), [[] for _ in kind], kind)
    assert found is not None
    place = np.array([(point.x, point.y) for point in found.points])
    assert place.min(axis=0).tolist() == [0, 0]
    assert place.max(axis=0).tolist() == [1, 1]


def test_near_points_are_the_most_similar_by_cosine() -> None:
    """Four directions in a plane: 0 and 1 are close, 2 and 3 are close."""
    angle = np.radians([0, 5, 90, 96])
    embedding = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = video_map(embedding, names(4), [[]] * 4, np.zeros(4, dtype=np.int64))
    assert found is not None
    assert [point.near[0] for point in found.points] == [1, 0, 3, 2]


def test_frequent_tags_have_a_colour_and_a_video_has_that_of_its_rarest() -> None:
    """Tag t00 is on all videos, t01 on all but one, …; the ninth and later are grey."""
    tags = [[f"t{number:02}" for number in range(video + 1)] for video in range(12)]
    embedding, _ = clusters(12, 2)
    found = video_map(embedding, names(12), tags, np.zeros(12, dtype=np.int64))
    assert found is not None
    assert found.tags == tuple(f"t{number:02}" for number in range(COLOURS))
    assert [point.tag for point in found.points] == [min(video, COLOURS - 1) for video in range(12)]


def test_a_video_without_a_frequent_tag_is_grey() -> None:
    embedding, _ = clusters(3, 1)
    found = video_map(embedding, names(3), [["a"], [], ["a"]], np.zeros(3, dtype=np.int64))
    assert found is not None
    assert [point.tag for point in found.points] == [0, None, 0]


def test_a_sample_holds_the_most_liked_videos_and_says_of_how_many_it_is() -> None:
    embedding, _ = clusters(300, 4)
    likes = np.arange(300)
    found = video_map(embedding, names(300), [[]] * 300, likes, points=90)
    assert found is not None
    titles = {point.title for point in found.points}
    assert (len(found.points), found.videos, len(titles)) == (90, 300, 90)
    assert {f"video {video}" for video in range(270, 300)} <= titles


@pytest.mark.parametrize("videos", [1, 2, 3])
def test_tiny_catalogues_have_a_map(videos: int) -> None:
    embedding, _ = clusters(videos, 1, width=8)
    found = video_map(embedding, names(videos), [[]] * videos, np.zeros(videos, dtype=np.int64))
    assert found is not None
    assert len(found.points) == videos
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in found.points)


def test_equal_videos_have_a_map() -> None:
    found = video_map(np.ones((20, 4)) / 2, names(20), [[]] * 20, np.zeros(20, dtype=np.int64))
    assert found is not None
    assert all(np.isfinite((point.x, point.y)).all() for point in found.points)


def test_no_video_gives_no_map() -> None:
    assert video_map(np.empty((0, 4)), [], [], np.empty(0, dtype=np.int64)) is None


def test_fifty_thousand_videos_take_seconds() -> None:
    embedding, kind = clusters(50_000, 40, width=256)
    start = time.monotonic()
    found = video_map(embedding.astype(np.float32), names(50_000), [[]] * 50_000, kind)
    assert time.monotonic() - start < 30
    assert found is not None
    assert len(found.points) == 3000
