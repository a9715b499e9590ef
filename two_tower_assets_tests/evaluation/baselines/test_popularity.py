from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.evaluation.baselines.popularity import MostPopular, popularity
from two_tower_assets_tests.evaluation.baselines.places import Decision, asked, past, ranked, scores

DECISIONS: list[Decision] = [
    (1, 1, "like", 10),
    (2, 1, "like", 20),
    (3, 1, "swipe_like", 30),
    (1, 2, "like", 80),
    (2, 2, "like", 92.5),
    (1, 3, "like", 93.5),
    (3, 3, "nope", 95),
    (2, 4, "like", 99),
    (4, 4, "skip", 99),
    (4, 1, "like", 100),
    (5, 1, "like", 101),
]


@pytest.mark.parametrize(
    ("days", "order"),
    [
        (None, [1, 2, 3, 4, 0, 5]),
        (7, [3, 4, 1, 2, 0, 5]),
        (30, [2, 3, 4, 1, 0, 5]),
    ],
)
def test_videos_stand_by_recent_likes_then_all_likes_then_index(
    tmp_path: Path, days: int | None, order: list[int]
) -> None:
    """Before day 100: video 1 has 3 LIKEs, 2 has 2 (one 20 days old, one 7.5), 3 and 4 one each, in the last week."""
    data = past(tmp_path, DECISIONS, videos=6, users=2)
    fitted = MostPopular("popular", days=days).fit(data, {})
    assert ranked(scores(fitted, asked(data))) == [order] * 4


def test_the_window_holds_its_first_moment_and_not_the_cutoff(tmp_path: Path) -> None:
    """Of LIKEs 7 days and a little more before the cut-off, and at it, the first alone is counted."""
    data = past(tmp_path, [(1, 0, "like", 93), (1, 1, "like", 92.999), (1, 2, "like", 100)], videos=3)
    counted = popularity(data, days=7)
    assert counted.lately.tolist() == [1, 0, 0]
    assert counted.ever.tolist() == [1, 1, 0]


def test_a_score_is_the_number_of_videos_from_there_to_the_end(tmp_path: Path) -> None:
    """C for the first of C candidates, 1 for the last; the caller may overwrite them."""
    data = past(tmp_path, DECISIONS, videos=6, users=2)
    score = popularity(data).score(asked(data))
    first = score(np.array([0, 1]))
    assert first.tolist() == [[2, 6, 5, 4, 3, 1]] * 2
    first.zero_()
    assert score(np.array([1])).tolist() == [[2, 6, 5, 4, 3, 1]]


def test_inactive_and_unreleased_videos_are_no_candidates(tmp_path: Path) -> None:
    """A popular video that is inactive is not ranked, and takes no place."""
    items = [{}, {"is_active": False}, {}]
    data = past(tmp_path, [(1, 1, "like", 1), (2, 1, "like", 1), (1, 2, "like", 1)], videos=items, users=2)
    task = asked(data)
    assert task.candidates.tolist() == [0, 2]
    assert scores(popularity(data), task).tolist() == [[1, 2]] * 2


def test_without_any_like_videos_stand_by_index(tmp_path: Path) -> None:
    """Nothing is known, but a list is still a list."""
    data = past(tmp_path, [(1, 2, "nope", 5)], videos=3, users=2)
    assert ranked(scores(popularity(data, days=7), asked(data))) == [[0, 1, 2]] * 2
