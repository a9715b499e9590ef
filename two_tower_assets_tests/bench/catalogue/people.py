"""The users of a catalogue: few decide much and many little, each mostly on videos of a few genres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets_tests.bench.catalogue.ids import ids
from two_tower_assets_tests.bench.catalogue.size import Size
from two_tower_assets_tests.bench.catalogue.videos import BEGIN_MICROSECONDS, DAYS, GENRES, MICROSECONDS_A_DAY

FAVOURITES: Final = 3
_ACTIVITY_SPREAD: Final = 1.1
"""Standard deviation of the logarithm of how much somebody decides."""
_LARGEST_SHARE: Final = 0.1
"""Of the videos that one user decides on at most."""


@dataclass(frozen=True, eq=False)
class People:
    """What decisions are drawn by; U users."""

    decisions_before: NDArray[np.int64]
    """[U + 1]: decisions of the users before each; the last is that of all."""
    favourite: NDArray[np.int8]
    """[U, FAVOURITES] genres."""
    joined: NDArray[np.int64]
    """[U]: microseconds since the epoch."""


def make_people(size: Size, seed: int) -> People:
    """Draw the users."""
    rng = np.random.default_rng((seed, 2))
    activity = np.exp(_ACTIVITY_SPREAD * rng.standard_normal(size.users))
    activity = np.minimum(activity, activity.sum() * _LARGEST_SHARE * size.videos / size.decisions)
    return People(
        # Rounded sums, not rounded shares: the total is what was asked for.
        decisions_before=np.floor(
            np.concatenate(([0.0], np.cumsum(activity))) * (size.decisions / activity.sum()) + 0.5
        ).astype(np.int64),
        favourite=rng.integers(0, GENRES, (size.users, FAVOURITES), dtype=np.int8),
        joined=BEGIN_MICROSECONDS
        + (rng.uniform(-0.5, 0.95, size.users) * DAYS * MICROSECONDS_A_DAY).astype(np.int64),
    )


def profiles(people: People, users: range) -> pl.DataFrame:
    """Rows of the table of some users, in the contract's columns."""
    joined = people.joined[users.start : users.stop]
    return pl.DataFrame(
        {
            "user_id": ids("user", np.arange(users.start, users.stop)),
            "created_at": pl.Series(joined).cast(pl.Datetime("us", "UTC")),
        }
    )
