"""Mean and median of the prices a user has liked, at any moment of their past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.features.history import History
from two_tower_assets.features.ragged import offsets_of

_BLOCK: Final = 1 << 18
"""LIKEs looked at together: tables of all of them would take several times what is kept."""


@dataclass(frozen=True, eq=False)
class RunningPrices:
    """Mean and interpolated median of a user's prices up to and including each of their LIKEs that have one.

    Sums run within a user, never across, so that later or other users' rows cannot change a single bit. L LIKEs, P of
    them with a price.
    """

    before: NDArray[np.int32]
    """int32 [L + 1]: LIKEs with a price among the first LIKEs of all users together."""
    mean: NDArray[np.float64]
    """float64 [P]"""
    median: NDArray[np.float64]
    """float64 [P]"""

    @classmethod
    def of(cls, history: History, price: pl.Series) -> RunningPrices:
        """Walk the LIKEs in blocks of whole users.

        Args:
            history: the decisions.
            price: f64 [V], null allowed, in the order of the history's videos.
        """
        price_V, likes = _with_unknown(price), len(history.liked)
        priced = np.empty(likes, dtype=np.bool_)
        mean, median = np.empty(likes), np.empty(likes)
        first_like = history.likes_before[history.user_offsets]
        found = 0
        for users in _blocks(first_like):
            block = slice(first_like[users.start], first_like[users.stop])
            price_of_like = price_V[history.video[history.liked[block]]]
            priced[block] = has_price = ~np.isnan(price_of_like)
            user = np.repeat(np.arange(len(users)), np.diff(first_like[users.start : users.stop + 1]))
            kept = slice(found, found + int(has_price.sum()))
            mean[kept], median[kept] = _running(user[has_price], price_of_like[has_price])
            found = kept.stop
        return cls(offsets_of(priced, np.int32), mean[:found], median[:found])

    def between(
        self, first_like: NDArray[np.int32], like_end: NDArray[np.int32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and median of a user's LIKEs from their first to an end: float64 [B] both, NaN without any."""
        end = self.before[like_end]
        there = end > self.before[first_like]
        last = end[there] - 1
        mean, median = np.full(len(end), np.nan), np.full(len(end), np.nan)
        mean[there], median[there] = self.mean[last], self.median[last]
        return mean, median


def _with_unknown(price: pl.Series) -> NDArray[np.float64]:
    """float64 [V + 1]: NaN without a price; index −1, an unknown video, reads the one at the end."""
    known = price.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.append(np.where(np.isfinite(known), known, np.nan), np.nan)


def _blocks(first_like: NDArray[np.int32]) -> Iterator[range]:
    """Users behind one another who have about `_BLOCK` LIKEs together, or one who has more."""
    users, start = len(first_like) - 1, 0
    while start < users:
        # As an int64 it would have numpy convert all of them.
        full = np.int32(min(int(first_like[start]) + _BLOCK, int(first_like[-1])))
        end = int(np.searchsorted(first_like, full, side="right")) - 1
        yield range(start, start := max(start + 1, end))


def _running(user: NDArray[np.int64], price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return running mean and running median within each user, float64 [P] both."""
    if not len(price):
        return price, price
    running = pl.DataFrame({"user": user, "price": price}).select(
        (pl.col("price").cum_sum() / pl.col("price").cum_count()).over("user").alias("mean"),
        pl.col("price").rolling_median(window_size=len(price), min_samples=1).over("user").alias("median"),
    )
    return running["mean"].to_numpy(), running["median"].to_numpy()
