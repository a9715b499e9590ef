"""EASE in closed form beside the general inverse that everyone writes it with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from scipy.sparse import random_array

from two_tower_assets.evaluation.baselines.ease import weights
from two_tower_assets.evaluation.baselines.likes import LikedVideos
from two_tower_assets_tests.bench.report import Line

USERS: Final = 8000
VIDEOS: Final = 4000
DENSITY: Final = 0.01
RIDGE: Final = 300.0
REPEATS: Final = 3


def measure() -> Iterator[Line]:
    """Yield one line: from LIKEs to weights against `np.linalg.inv` of the very matrix, both in float32."""
    liked = _liked()
    gram = (liked.like_UM.T @ liked.like_UM).toarray() + RIDGE * np.eye(VIDEOS, dtype=np.float32)
    fitted, floor = _fastest(
        lambda: weights(liked, {"ridge": RIDGE, "intercept": 0}), lambda: np.linalg.inv(gram.astype(np.float32))
    )
    yield Line(
        stage="evaluation",
        what=f"EASE of {liked.like_UM.nnz} LIKEs of {VIDEOS} videos",
        figure=f"{fitted:.2f} s",
        against=f"np.linalg.inv of the matrix alone: {floor:.2f} s",
        ratio=fitted / floor,
        target="<= 1.0 x",
        met=fitted <= floor,
    )


def _liked() -> LikedVideos:
    like_UM = random_array(
        (USERS, VIDEOS), density=DENSITY, format="csr", dtype=np.float32, rng=np.random.default_rng(0)
    )
    like_UM.data[:] = 1
    return LikedVideos(np.arange(VIDEOS), np.arange(USERS), like_UM)


def _fastest(*works: Callable[[], object]) -> list[float]:
    """Seconds of each, the best of several turns taken in alternation, so that a busy moment hits all alike."""
    best = [float("inf")] * len(works)
    for _ in range(REPEATS):
        for number, work in enumerate(works):
            started = time.perf_counter()
            work()
            best[number] = min(best[number], time.perf_counter() - started)
    return best
