"""What some users decide: genres by taste, videos by fame, LIKEs by both and by quality; no video twice.

Random numbers of a block of users come from the seed and the number of its first user, so a block can be made alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from two_tower_assets_tests.bench.catalogue.people import FAVOURITES, People
from two_tower_assets_tests.bench.catalogue.videos import (
    BEGIN_MICROSECONDS,
    DAYS,
    GENRES,
    MICROSECONDS_A_DAY,
    Videos,
)

TYPES: Final = ("swipe_nope", "swipe_like", "grid_nope", "grid_like")

_DRAWS: Final = 2
"""Candidates drawn for one decision: some are met twice."""
_TASTE: Final = 0.75
"""Share of the draws that are of a favourite genre."""
_LEAST: Final = -1.6
_FIRST: Final = 2.0
_SECOND: Final = 2.0
"""Log-odds of a LIKE outside the favourite genres, and what either genre of a video adds where it is one of them."""
_MICROSECONDS: Final = 1_000_000
"""Of a second."""


class Rows(NamedTuple):
    """Decisions by user and time."""

    user: NDArray[np.int64]
    video: NDArray[np.int64]
    kind: NDArray[np.int8]
    """Index into TYPES."""
    time: NDArray[np.int64]
    """Microseconds since the epoch."""


def decide(people: People, videos: Videos, users: range, seed: int) -> Rows:
    """Draw the decisions of some users; somebody who meets too few new videos decides a little less."""
    rng = np.random.default_rng((seed, 3, users.start))
    wanted = np.diff(people.decisions_before[users.start : users.stop + 1])
    user = np.repeat(np.arange(users.start, users.stop), wanted * _DRAWS)
    video = _by_fame(videos, _genres(people, user, rng), rng)
    kept = _first_of_each(user, video, wanted, users.start)
    user, video = user[kept], video[kept]
    odds = _odds(people, videos, user, video)
    likes = rng.logistic(size=len(user)) < odds
    kind = (likes + 2 * (rng.random(len(user)) < 0.3)).astype(np.int8)
    time = _times(people.joined[user], videos.released[video], rng)
    order = np.lexsort((video, time, user))
    return Rows(user[order], video[order], kind[order], time[order])


def _odds(people: People, videos: Videos, user: NDArray[np.int64], video: NDArray[np.int64]) -> NDArray[np.float32]:
    """Log-odds of a LIKE."""
    favourite = people.favourite[user]
    of_first = (favourite == videos.genre[video, None]).any(axis=1)
    of_second = (favourite == videos.second[video, None]).any(axis=1)
    return (
        videos.quality[video] + np.float32(_LEAST) + of_first * np.float32(_FIRST) + of_second * np.float32(_SECOND)
    )


def _genres(people: People, user: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A genre a draw, mostly one of the user's favourites."""
    favourite = people.favourite[user, rng.integers(0, FAVOURITES, len(user))].astype(np.int64)
    return np.where(rng.random(len(user)) < _TASTE, favourite, rng.integers(0, GENRES, len(user)))


def _by_fame(videos: Videos, genre: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    low, high = videos.first[genre], videos.first[genre + 1]
    before = videos.fame_before
    at = before[low] + rng.random(len(genre)) * (before[high] - before[low])
    return np.clip(np.searchsorted(before, at, side="right") - 1, low, high - 1)


def _first_of_each(
    user: NDArray[np.int64], video: NDArray[np.int64], wanted: NDArray[np.int64], first_user: int
) -> NDArray[np.int64]:
    """Positions of the first draws of different videos of each user, as many as are wanted."""
    order = np.lexsort((video, user))
    repeated = np.zeros(len(user), dtype=np.bool_)
    repeated[order[1:]] = (user[order[1:]] == user[order[:-1]]) & (video[order[1:]] == video[order[:-1]])
    fresh = np.flatnonzero(~repeated)
    begin = np.searchsorted(user[fresh], np.arange(first_user, first_user + len(wanted)))
    of_user = user[fresh] - first_user
    return fresh[np.arange(len(fresh)) - begin[of_user] < wanted[of_user]]


def _times(joined: NDArray[np.int64], released: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Some time after joining; any time after its release where a video came later than that."""
    end = BEGIN_MICROSECONDS + DAYS * MICROSECONDS_A_DAY
    begin = np.maximum(joined, BEGIN_MICROSECONDS)
    time = begin + (rng.random(len(begin)) * (end - begin)).astype(np.int64)
    late = released + (rng.random(len(begin)) * (end - released)).astype(np.int64)
    return np.where(time < released, late, time) // _MICROSECONDS * _MICROSECONDS
