"""Raw numeric features of users at any moment of their past, by running sums over the history. No vocabulary."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.history import History
from two_tower_assets.features.numerics import user_numerics
from two_tower_assets.features.ragged import offsets_of
from two_tower_assets.features.running_prices import RunningPrices
from two_tower_assets.features.times import MISSING_TIME, as_microseconds

_HOURS: Final = 24
_MICROSECONDS_AN_HOUR: Final = 3_600_000_000
_BLOCK: Final = 1 << 18
"""LIKEs looked at together."""


class UserNumerics:
    """Numerics of (user, end of past, moment); built once in time linear in the decisions, then read at random.

    Args:
        history: the decisions.
        videos: the same videos in the same order, with `price` (f64, null allowed).
        profiles: `user_id`, `created_at` (null allowed); users may be missing.
    """

    def __init__(self, history: History, *, videos: pl.DataFrame, profiles: pl.DataFrame) -> None:
        assert videos.height == len(history.video_ids), "the videos are not those of the history"
        self._history = history
        self._profile_created_at = _created_at(history, profiles)
        self._prices = RunningPrices.of(history, videos["price"])
        self._hours_before = _hours_before(history)

    def numeric(
        self, user: NDArray[np.int32], prefix_end: NDArray[np.integer], time: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Raw numerics: float64 [B, 9], the contract's 8 ‖ average like hour.

        Args:
            user: int [B], index in `history.user_ids`.
            prefix_end: int [B], end of the past that counts, from `history.prefix_at` or `strictly_before`.
            time: int64 [B], the moment, microseconds.
        """
        history = self._history
        start = history.user_offsets[user]
        first_like, like_end = history.likes_before[start], history.likes_before[prefix_end]
        likes = like_end - first_like
        mean_price, median_price = self._prices.between(first_like, like_end)
        return user_numerics(
            moment=np.asarray(time, dtype=np.int64),
            profile_created_at=self._profile_created_at[user],
            last_like_at=self._last_like_at(like_end, likes > 0),
            likes=likes,
            nopes=history.nopes_before[prefix_end] - history.nopes_before[start],
            decisions=prefix_end - start,
            mean_price=mean_price,
            median_price=median_price,
            like_hour=np.divide(
                self._hours_before[like_end] - self._hours_before[first_like],
                likes,
                out=np.full(len(likes), np.nan),
                where=likes > 0,
            ),
        )

    def _last_like_at(self, like_end: NDArray[np.int32], liked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Time of the LIKE just before `like_end` where there is one."""
        result = np.full(len(like_end), MISSING_TIME, dtype=np.int64)
        result[liked] = self._history.time[self._history.liked[like_end[liked] - 1]]
        return result


def _hours_before(history: History) -> NDArray[np.int32] | NDArray[np.int64]:
    """[L + 1]: sums of the UTC hours of the first LIKEs of all users together."""
    likes = len(history.liked)
    hours = np.empty(likes, dtype=np.uint8)
    for start in range(0, likes, _BLOCK):
        block = slice(start, start + _BLOCK)
        hours[block] = history.time[history.liked[block]] // _MICROSECONDS_AN_HOUR % _HOURS
    fits = likes * _HOURS <= np.iinfo(np.int32).max
    return offsets_of(hours, np.int32) if fits else offsets_of(hours)


def _created_at(history: History, profiles: pl.DataFrame) -> NDArray[np.int64]:
    users = history.user_ids.to_frame("user_id")
    joined = users.join(profiles.select("user_id", "created_at"), on="user_id", how="left", maintain_order="left")
    return as_microseconds(joined["created_at"])
