"""Lists of users and what is relevant to them, small enough to check by hand or drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits


@dataclass(frozen=True)
class Lists:
    """A ranking, padded with −1, and the relevant candidates of each user."""

    top_UK: NDArray[np.int64]
    relevant: Sequence[Sequence[int]]
    candidates: int

    @property
    def hits(self) -> Hits:
        return hits_in(self.top_UK, self.relevant)


def hits_in(top_UK: NDArray[np.int64], relevant: Sequence[Sequence[int]]) -> Hits:
    """Look every relevant candidate up in its user's list."""
    row = [user for user, videos in enumerate(relevant) for _ in videos]
    rank = [_rank(list(top_UK[user]), video) for user, videos in enumerate(relevant) for video in videos]
    return Hits(np.array(row, dtype=np.int64), np.array(rank, dtype=np.int64), len(relevant))


def _rank(top: list[int], video: int) -> int:
    return top.index(video) if video in top else -1


@st.composite
def lists(draw: st.DrawFn) -> Lists:
    """Up to six users, twelve candidates; lists of any length, users without a relevant video among them."""
    candidates, users = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    width = draw(st.integers(1, candidates))
    places = list(range(candidates))
    top_UK = np.full((users, width), -1)
    for user in range(users):
        length = draw(st.integers(0, width))
        top_UK[user, :length] = draw(st.permutations(places))[:length]
    relevant = [draw(st.lists(st.sampled_from(places), unique=True)) for _ in range(users)]
    return Lists(top_UK, relevant, candidates)


def random_lists(seed: int, *, users: int = 40, candidates: int = 60, width: int = 25) -> Lists:
    """Full lists of many users, about a tenth of the candidates relevant to each."""
    rng = np.random.default_rng(seed)
    top_UK = np.stack([rng.permutation(candidates)[:width] for _ in range(users)])
    relevant = [np.flatnonzero(rng.random(candidates) < 0.1).tolist() for _ in range(users)]
    return Lists(top_UK, relevant, candidates)
