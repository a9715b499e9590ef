"""The places of a list that was served: the chance of what stands there by the log, and by another ranking.

By place, what stands at the very place counts (the item-position model); by list, that it stands in the list at all
(the document-based model). Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, "Offline evaluation of ranking
policies with click models" (KDD 2018). Letters: J chosen, K places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.counterfactual.standing import Making, Standing, as_logged, standing
from two_tower_assets.experiments.moments import Numbers

By = Literal["place", "list"]
"""What a LIKE is taken to depend on beside the video: its place, or nothing."""


@dataclass(frozen=True)
class Served:
    """A list as it was logged."""

    videos: Sequence[str]
    """None twice, [K]."""
    explored_K: NDArray[np.bool_]
    """Which places were given away."""
    chance_K: Numbers
    """Of what stands at each, given the places before."""


@dataclass(frozen=True)
class Candidates:
    """What another ranking would fill the list with; no video twice."""

    chosen: Sequence[str]
    """In order, as many as the list has places, if there are so many."""
    others: Sequence[str]
    """That places are given away to."""
    share: float
    """Of places that are given away."""


@dataclass(frozen=True)
class Foreseen:
    """Rewards that are foretold of a ranking's candidates."""

    chosen: Numbers
    """[J]"""
    others: float
    """Of all of them together."""


@dataclass(frozen=True)
class Places:
    """What a list says of another ranking, each [K]."""

    shown_K: Numbers
    """Chance of what stands there, by the ranking that was served."""
    wanted_K: Numbers
    """By the other."""
    expected_K: Numbers
    """What is foretold of the other ranking."""


def places(served: Served, ranking: Candidates, foretold: Foreseen, by: By) -> Places:
    """Compare the places of a list with what another ranking would have put there."""
    length = len(served.videos)
    log = _standing(as_logged(served.explored_K, served.chance_K), length, by)
    other = _standing(Making(len(ranking.chosen), len(ranking.others), ranking.share), length, by)
    expected_K = foretold.chosen @ other.chosen_JK + foretold.others * other.other_K
    if by == "list":
        # What stands anywhere in the list counts once, and not at each place.
        expected_K /= length
    kept_K = np.cumsum(~served.explored_K) - 1
    shown_K = np.where(served.explored_K, log.other_K, log.chosen_JK[kept_K, np.arange(length)])
    return Places(shown_K, _wanted(served.videos, ranking, other), expected_K)


@lru_cache(maxsize=1024)
def _standing(made: Making, length: int, by: By) -> Standing:
    at_places = standing(made).lengthened(length)
    return at_places.anywhere() if by == "list" else at_places


def _wanted(videos: Sequence[str], ranking: Candidates, other: Standing) -> Numbers:
    rank = {video: place for place, video in enumerate(ranking.chosen)}
    others = set(ranking.others)
    wanted = np.zeros(len(videos))
    for place, video in enumerate(videos):
        if video in rank:
            wanted[place] = other.chosen_JK[rank[video], place]
        elif video in others:
            wanted[place] = other.other_K[place]
    return wanted
