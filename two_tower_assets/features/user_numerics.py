"""Raw numeric features of users at any moment of their past, by running sums over the history. No vocabulary."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.history import LIKE, History
from two_tower_assets.features.numerics import user_numerics
from two_tower_assets.features.ragged import offsets_of
from two_tower_assets.features.times import MISSING_TIME, as_microseconds

_Number = TypeVar("_Number", np.int64, np.float64)

_MICROSECONDS_AN_HOUR: Final = 3_600_000_000


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
        liked = np.flatnonzero(history.kind == LIKE)
        self._like_time = history.time[liked]
        hours = self._like_time // _MICROSECONDS_AN_HOUR % 24
        self._hours_before = offsets_of(hours)
        price = _price_of_like(history, videos, liked)
        priced = ~np.isnan(price)
        self._priced_before = offsets_of(priced.astype(np.int64))
        self._mean_price, self._median_price = _running_prices(history.user[liked][priced], price[priced])

    def numeric(
        self, user: NDArray[np.int32], prefix_end: NDArray[np.int64], time: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Raw numerics: float64 [B, 9], the contract's 8 ‖ average like hour.

        Args:
            user: int [B], index in `history.user_ids`.
            prefix_end: int64 [B], end of the past that counts, from `history.prefix_at` or `strictly_before`.
            time: int64 [B], the moment, microseconds.
        """
        history = self._history
        start = history.user_offsets[user]
        first_like, like_end = history.likes_before[start], history.likes_before[prefix_end]
        likes = like_end - first_like
        first_priced, priced_end = self._priced_before[first_like], self._priced_before[like_end]
        has_price = priced_end > first_priced
        return user_numerics(
            moment=np.asarray(time, dtype=np.int64),
            profile_created_at=self._profile_created_at[user],
            last_like_at=_last(self._like_time, like_end, likes > 0, MISSING_TIME),
            likes=likes,
            nopes=history.nopes_before[prefix_end] - history.nopes_before[start],
            decisions=prefix_end - start,
            mean_price=_last(self._mean_price, priced_end, has_price, np.nan),
            median_price=_last(self._median_price, priced_end, has_price, np.nan),
            like_hour=np.divide(
                self._hours_before[like_end] - self._hours_before[first_like],
                likes,
                out=np.full(len(likes), np.nan),
                where=likes > 0,
            ),
        )


def _last(
    values: NDArray[_Number], end: NDArray[np.int64], there: NDArray[np.bool_], default: float
) -> NDArray[_Number]:
    """Value just before `end` where there is one, else the default."""
    result = np.full(len(end), default, dtype=values.dtype)
    result[there] = values[end[there] - 1]
    return result


def _created_at(history: History, profiles: pl.DataFrame) -> NDArray[np.int64]:
    users = pl.DataFrame({"user_id": history.user_ids.tolist()}, schema={"user_id": pl.String})
    joined = users.join(profiles.select("user_id", "created_at"), on="user_id", how="left", maintain_order="left")
    return as_microseconds(joined["created_at"])


def _price_of_like(history: History, videos: pl.DataFrame, liked: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64 [L]: price of each liked video, NaN when the video is unknown or has none."""
    price = videos["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    # Index −1, an unknown video, reads the NaN at the end.
    return np.append(np.where(np.isfinite(price), price, np.nan), np.nan)[history.video[liked]]


def _running_prices(
    user: NDArray[np.int32], price: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and interpolated median of each user's prices up to and including each; float64 [P] both.

    Sums run within a user, never across, so that later or other users' rows cannot change a single bit.
    """
    if not len(price):
        return price, price
    running = pl.DataFrame({"user": user, "price": price}).select(
        (pl.col("price").cum_sum() / pl.col("price").cum_count()).over("user").alias("mean"),
        pl.col("price").rolling_median(window_size=len(price), min_samples=1).over("user").alias("median"),
    )
    return running["mean"].to_numpy(), running["median"].to_numpy()
