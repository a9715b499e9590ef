"""95 % bootstrap intervals over users, with one draw for all methods so that differences are paired.

Users are drawn with replacement; how often each is drawn stands in a matrix of counts W [R, U], so the mean of every
resample of every column is one matrix product. Percentile intervals: Efron and Tibshirani, "An Introduction to the
Bootstrap" (1993), chapter 13. Letters: R resamples, U users, M metrics.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""[U] numerators and denominators."""
_Key = TypeVar("_Key", bound=Hashable)

_LEVELS: Final = (0.025, 0.975)
_BLOCK_CELLS: Final = 4_000_000
"""Counts made at once: 32 MB."""


class Interval(BaseModel):
    """A figure with its 95 % interval; figures of all lists together have none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mean: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def point(cls, value: float) -> Self:
        """A figure without an interval."""
        return cls(mean=value)


class Resampling:
    """Resamples of a group of users; the same seed gives the same ones.

    Args:
        users: U.
        seed: of the draws.
        resamples: R.
    """

    def __init__(self, users: int, *, seed: int = 0, resamples: int = 1000) -> None:
        self.users = users
        self.resamples = resamples
        self._seed = seed

    def mean(self, value_U: NDArray[np.float64]) -> Interval | None:
        """Mean over the users that have a value (are not NaN); None when none has."""
        return self.means({"value": value_U}).get("value")

    def means(self, columns: Mapping[str, NDArray[np.float64]]) -> dict[str, Interval]:
        """`mean` of several columns at once; those without any value are left out."""
        return self.ratios(mean_pairs(columns))

    def ratio(self, numerator_U: NDArray[np.float64], denominator_U: NDArray[np.float64]) -> Interval | None:
        """Σ numerator / Σ denominator over the users that have both; None when the denominators add up to 0."""
        return self.ratios({"ratio": (numerator_U, denominator_U)}).get("ratio")

    def ratios(self, columns: Mapping[_Key, Pair]) -> dict[_Key, Interval]:
        """`ratio` of several pairs of columns at once: drawing costs more than another column."""
        pairs = {name: _complete(*pair) for name, pair in columns.items()}
        usable = {name: pair for name, pair in pairs.items() if pair[1].sum() != 0}
        if not usable:
            return {}
        tops_UM = np.column_stack([top for top, _ in usable.values()])
        bottoms_UM = np.column_stack([bottom for _, bottom in usable.values()])
        mean_M = tops_UM.sum(axis=0) / bottoms_UM.sum(axis=0)
        low_M, high_M = self._bounds(tops_UM, bottoms_UM)
        return {
            name: Interval(mean=float(mean), low=float(low), high=float(high))
            for name, mean, low, high in zip(usable, mean_M, low_M, high_M, strict=True)
        }

    def _bounds(
        self, tops_UM: NDArray[np.float64], bottoms_UM: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        blocks = []
        for count_RU in self._counts():
            bottom_RM = count_RU @ bottoms_UM
            # A resample without any user that has a value says nothing.
            some_RM = bottom_RM != 0
            blocks.append(np.where(some_RM, count_RU @ tops_UM / np.where(some_RM, bottom_RM, 1), np.nan))
        low_M, high_M = np.nanquantile(np.concatenate(blocks), _LEVELS, axis=0)
        return low_M, high_M

    def _counts(self) -> Iterator[NDArray[np.float64]]:
        """How often each user is drawn, [R, U] in blocks of resamples; each resample draws U users."""
        rows = max(1, _BLOCK_CELLS // max(1, self.users))
        for start in range(0, self.resamples, rows):
            size = min(rows, self.resamples - start)
            rng = np.random.default_rng((self._seed, start))
            drawn = rng.integers(self.users, size=(size, self.users)) + self.users * np.arange(size)[:, None]
            counts = np.bincount(drawn.reshape(-1), minlength=size * self.users)
            yield counts.reshape(size, self.users).astype(np.float64)


def mean_pairs(columns: Mapping[_Key, NDArray[np.float64]]) -> dict[_Key, Pair]:
    """Write means over the users that have a value (are not NaN) as ratios."""
    there = {name: ~np.isnan(value_U) for name, value_U in columns.items()}
    return {name: (np.nan_to_num(value_U), there[name].astype(np.float64)) for name, value_U in columns.items()}


def _complete(
    top_U: NDArray[np.float64], bottom_U: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Only users that have both."""
    both = ~(np.isnan(top_U) | np.isnan(bottom_U))
    return np.where(both, top_U, 0.0), np.where(both, bottom_U, 0.0)
