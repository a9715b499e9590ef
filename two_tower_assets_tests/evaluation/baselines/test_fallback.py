from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.fallback import over_popularity
from two_tower_assets.evaluation.baselines.popularity import popularity
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past

NEGATIVE_INFINITY = float("-inf")


def test_what_is_unknown_stands_behind_by_popularity(tmp_path: Path) -> None:
    """Known scores stay; unknown ones are whole numbers below 0 and the row's least, as all of unknown users are."""
    items = [{}, {}, {}, {"is_active": False}, {}, {}]
    decisions = likes([(1, 4), (2, 4), (3, 4), (1, 5), (2, 5), (1, 1)])
    data = past(tmp_path, decisions, videos=items, users=4)
    task = asked(data)
    assert task.candidates.tolist() == [0, 1, 2, 4, 5]
    known = {0: [0.25, 9.0, -2.5], 1: [NEGATIVE_INFINITY, 9.0, 0.5], 3: [0.0, 9.0, 4.0]}

    def method(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.array([known[row] for row in rows], dtype=np.float32).reshape(-1, 3)

    known_U = np.array([True, True, False, True])
    score = over_popularity(task, popularity(data), video=np.array([2, 3, 5]), known_U=known_U, score=method)
    # Popularity ranks 4, 5, 1, 0, 2, so that −1, −2, … stand for them.
    assert score(np.array([0, 1, 2, 3])).tolist() == [
        [-7, -6, 0.25, -4, -2.5],
        [-4, -3, -5, -1, 0.5],
        [-4, -3, -5, -1, -2],
        [-4, -3, 0, -1, 4],
    ]
    assert score(np.array([2])).tolist() == [[-4, -3, -5, -1, -2]]
