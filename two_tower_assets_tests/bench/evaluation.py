"""EASE in closed form beside the general inverse that everyone writes it with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.sparse import random_array

from two_tower_assets.evaluation.baselines.ease import weights
from two_tower_assets.evaluation.baselines.likes import LikedVideos
from two_tower_assets_tests.bench.cost import in_turns
from two_tower_assets_tests.bench.report import Line, Moved

USERS: Final = 8000
VIDEOS: Final = 4000
DENSITY: Final = 0.01
RIDGE: Final = 300.0
REPEATS: Final = 3


def measure() -> Iterator[Line]:
    """Yield one line: from LIKEs to weights against `np.linalg.inv` of the very matrix, both in float32."""
    liked = _liked()
    gram = (liked.like_UM.T @ liked.like_UM).toarray() + RIDGE * np.eye(VIDEOS, dtype=np.float32)
    fit, inverse = in_turns(
        lambda: weights(liked, {"ridge": RIDGE, "intercept": 0}),
        lambda: np.linalg.inv(gram.astype(np.float32)),
        turns=REPEATS,
    )
    fitted, floor = fit.seconds, inverse.seconds
    yield Line(
        stage="evaluation",
        what=f"EASE of {liked.like_UM.nnz} LIKEs of {VIDEOS} videos",
        figure=f"{fitted:.2f} s",
        against=f"np.linalg.inv of the matrix alone: {floor:.2f} s",
        ratio=fitted / floor,
        target="<= 1.0 x",
        met=fitted <= floor,
        seconds=fitted,
        peak_mib=fit.grown_mib,
        moved=Moved(int(liked.like_UM.nnz), "rows"),
    )


def _liked() -> LikedVideos:
    like_UM = random_array(
        (USERS, VIDEOS), density=DENSITY, format="csr", dtype=np.float32, rng=np.random.default_rng(0)
    )
    like_UM.data[:] = 1
    return LikedVideos(np.arange(VIDEOS), np.arange(USERS), like_UM)
