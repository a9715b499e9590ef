"""Popularity that forgets: how much each video is liked lately, and on what scale a vector can hold it.

Each LIKE counts 2^(−age / half-life), so no window has to be chosen between old favourites and this week's. What does
not live here: the half-life, which is chosen on the validation window, and how much popularity counts (`towers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.features.history import LIKE, History
from two_tower_assets.features.times import MICROSECONDS_A_DAY

_GRACE_DAYS: Final = 30
"""Days after its release in which an undecided video is not held to be unwanted."""
_NEW_QUANTILE: Final = 0.9
"""Where a video without a chance stands among the decided ones: the median would never let a new one be seen."""
_NOBODY: Final = 0.02
"""What a video counts that nobody has liked: a fiftieth of a LIKE made now."""
_BLOCK: Final = 1 << 20
"""Decisions looked at together."""


@dataclass(frozen=True)
class PopularityScale:
    """How log-popularity is put between −1 and 1; enough to place a video that comes later."""

    middle: float
    """Log-popularity of the value 0."""
    step: float
    """Log-popularity of a step of 1."""
    newcomer: float
    """Value of a video that had no chance yet."""

    def value_of(self, fading_V: NDArray[np.float64]) -> NDArray[np.float32]:
        """Place fading popularities (`fading_popularity`), float64 [videos]."""
        value_V = (np.log(fading_V + _NOBODY) - self.middle) / (self.step or 1.0)
        return np.clip(value_V, -1, 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Popularity:
    """Fading popularity, and its logarithms put between −1 and 1."""

    fading: NDArray[np.float64]
    """[videos] see `fading_popularity`."""
    value: NDArray[np.float32]
    """[videos] −1 for the least, 1 for the most; that of a well-liked video for those that had no chance yet."""
    placed: PopularityScale
    """What the values mean."""

    @property
    def scale(self) -> float:
        """Log-popularity of a step of 1."""
        return self.placed.step


def fading_popularity(history: History, until: int, half_life_days: float) -> NDArray[np.float64]:
    """[videos] Σ 2^(−age in days / half-life) over the LIKEs before `until`, microseconds."""
    fading_V = np.zeros(len(history.video_ids))
    for start in range(0, len(history.video), _BLOCK):
        block = slice(start, start + _BLOCK)
        video, time = history.video[block], history.time[block]
        counted = (history.kind[block] == LIKE) & (video >= 0) & (time < until)
        age = (until - time[counted]) / MICROSECONDS_A_DAY
        np.add.at(fading_V, video[counted], np.exp2(-age / half_life_days))
    return fading_V


def had_chance(history: History, until: int, catalogue: NDArray[np.integer]) -> NDArray[np.bool_]:
    """[videos] decided on before `until`, or in the catalogue since well before it.

    A new video that nobody has seen yet is no evidence of being disliked.
    """
    in_catalogue = np.zeros(len(history.video_ids), dtype=np.bool_)
    in_catalogue[catalogue] = True
    is_old = history.released_at < until - _GRACE_DAYS * MICROSECONDS_A_DAY
    return history.decided_videos(until) | (in_catalogue & is_old)


def popularity_of(history: History, until: int, catalogue: NDArray[np.integer], half_life_days: float) -> Popularity:
    """Measure popularity at a moment.

    Args:
        history: the decisions.
        until: the moment, microseconds; later decisions do not count.
        catalogue: videos that could be recommended then.
        half_life_days: age at which a LIKE counts half.
    """
    fading_V = fading_popularity(history, until, half_life_days)
    decided_V = history.decided_videos(until)
    if not decided_V.any():
        return Popularity(fading_V, np.zeros(len(fading_V), dtype=np.float32), PopularityScale(0.0, 0.0, 0.0))
    log_V = np.log(fading_V + _NOBODY)
    low, high = float(log_V.min()), float(log_V.max())
    middle, step = (low + high) / 2, (high - low) / 2
    newcomer = (float(np.quantile(log_V[decided_V], _NEW_QUANTILE)) - middle) / (step or 1.0)
    placed = PopularityScale(middle, step, min(max(newcomer, -1.0), 1.0))
    value_V = np.where(had_chance(history, until, catalogue), placed.value_of(fading_V), np.float32(placed.newcomer))
    return Popularity(fading_V, value_V, placed)
