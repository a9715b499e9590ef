from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.evaluation.fallback import choose_half_life, fallback_scores
from two_tower_assets.evaluation.task import Pairs, RankingTask
from two_tower_assets.training.popularity import fading_popularity
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import data_of

CUT = START + timedelta(days=20)


def test_a_like_counts_half_after_each_half_life(tmp_path: Path) -> None:
    """Video 0: LIKEs 20 and 10 days before the cut-off, 1/4 + 1/2; video 1: one just before; NOPEs, later: no."""
    rows = [
        (uid(0), uid(0), "like", START),
        (uid(1), uid(0), "like", START + timedelta(days=10)),
        (uid(0), uid(1), "like", CUT - timedelta(microseconds=1)),
        (uid(1), uid(1), "nope", START),
        (uid(2), uid(0), "like", CUT),
    ]
    data = data_of(world([{"id": uid(video)} for video in range(3)], rows), tmp_path, CUT)
    found = fading_popularity(data.history, data.until, 10.0)
    assert found.tolist() == pytest.approx([0.75, 1.0, 0.0])


def test_what_is_no_like_of_a_known_video_counts_nothing(tmp_path: Path) -> None:
    """NOPEs, decisions of neither kind, and LIKEs of a video that left the catalogue."""
    rows = [
        (uid(0), uid(0), "nope", START),
        (uid(1), uid(0), "watched", START),
        (uid(1), uid(9), "like", START),
        (uid(2), uid(1), "like", CUT - timedelta(days=10)),
    ]
    data = data_of(world([{"id": uid(0)}, {"id": uid(1)}], rows), tmp_path, CUT)
    assert fading_popularity(data.history, data.until, 10.0).tolist() == pytest.approx([0.0, 0.5])


def test_everybody_gets_the_candidates_scores(tmp_path: Path) -> None:
    """Of four videos the second and the last are candidates: liked once now, and 10 days before."""
    rows = [(uid(0), uid(1), "like", CUT - timedelta(microseconds=1)), (uid(1), uid(3), "like", CUT - timedelta(10))]
    data = data_of(world([{"id": uid(video)} for video in range(4)], rows), tmp_path, CUT)
    none = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    task = RankingTask(
        candidates=np.array([1, 3], dtype=np.int32),
        users=np.array([0, 1], dtype=np.int32),
        moment=np.zeros(2, dtype=np.int64),
        state_end=np.zeros(2, dtype=np.int64),
        has_history=np.zeros(2, dtype=np.bool_),
        targets=none,
        nopes=none,
        left_out={},
    )
    score_BC = fallback_scores(data, task, 10.0)(np.array([0, 1, 1]))
    np.testing.assert_allclose(score_BC.numpy(), [[1.0, 0.5]] * 3, rtol=1e-6)


def test_popularity_is_put_between_minus_one_and_one_and_new_videos_near_the_top(tmp_path: Path) -> None:
    """The most liked is 1, one that nobody wanted −1, and one that nobody could see yet stands among the liked."""
    old = START - timedelta(days=400)
    videos = [{"id": uid(0)}, {"id": uid(1)}, {"id": uid(2), "product_released_at": old}]
    videos.append({"id": uid(3), "product_released_at": CUT - timedelta(days=1)})
    rows = [(uid(user), uid(0), "like", START) for user in range(9)] + [(uid(0), uid(1), "like", START)]
    data = data_of(world(videos, rows), tmp_path, CUT)
    found = data.popularity(10.0)
    assert (found.value[0], found.value[2]) == (1.0, -1.0)
    assert found.value[2] < found.value[1] < found.value[3] < 1.0
    popularity = fading_popularity(data.history, data.until, 10.0)
    assert found.scale == pytest.approx(np.log((popularity[0] + 0.02) / 0.02) / 2)


def test_without_any_decision_popularity_says_nothing(tmp_path: Path) -> None:
    """All values are 0 and a step is worth nothing."""
    place = world([{"id": uid(0)}], [(uid(0), uid(0), "like", CUT)])
    found = data_of(place, tmp_path, CUT).popularity(10.0)
    assert (found.value.tolist(), found.scale) == ([0.0], 0.0)


def test_the_best_half_life_is_the_first_of_equals() -> None:
    """30 before 60 where both measure alike."""
    assert choose_half_life((30.0, 7.0, 60.0), lambda days: {30.0: 2.0, 7.0: 1.0, 60.0: 2.0}[days]) == 30.0
