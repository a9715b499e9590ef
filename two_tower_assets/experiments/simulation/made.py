"""Lists made as the functions make them, and what they say of another ranking by its chances at their places.

Another ranking's true value is that of lists which it makes itself. Letters: U people, V videos, J chosen, K places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.counterfactual.places import By, Candidates, Foreseen, Served, places
from two_tower_assets.experiments.counterfactual.value import CandidateValue, candidate_value
from two_tower_assets.experiments.moments import Numbers
from two_tower_assets.experiments.off_policy import Foretold, Showings
from two_tower_assets.experiments.simulation.answer import Answer, rate
from two_tower_assets.experiments.simulation.logged import bounds
from two_tower_assets.experiments.simulation.seeds import generators

_FOR_TRUTH: Final = 200
"""Times that many people are drawn for it."""


@dataclass(frozen=True)
class Lists:
    """One for each person."""

    video_UK: NDArray[np.int64]
    explored_UK: NDArray[np.bool_]
    """Which places were given away."""
    chance_UK: Numbers
    """Of what stands at each place, given the places before."""


@dataclass(frozen=True)
class People:
    """Who they are, and in which order two rankings put the videos for them."""

    liked_UV: Numbers
    """Chance that each video is liked where it is looked at."""
    served_UV: NDArray[np.int64]
    other_UV: NDArray[np.int64]


@dataclass(frozen=True)
class Made:
    """People who are shown one list each."""

    by: By
    """By place, people look less at later places, and the other ranking brings one video in at the top and gives no
    place away; by list, they look at all alike, and it puts everything in another order."""
    people: int = 600
    videos: int = 8
    """At least twice as many as a list has places, so that there is always one to give a place to."""
    length: int = 4
    share: float = 0.4
    """Of places that are given away."""

    @property
    def other_share(self) -> float:
        """Of places that the other ranking gives away."""
        return self.share if self.by == "list" else 0.0

    @property
    def looked_at_K(self) -> Numbers:
        """Chance that each place is looked at."""
        return 1 / (1 + (0.4 if self.by == "place" else 0.0) * np.arange(self.length))

    def draw(self, random: np.random.Generator) -> People:
        """Draw people."""
        appeal_UV = random.standard_normal((self.people, self.videos))
        served_UV = np.argsort(-appeal_UV - random.standard_normal(appeal_UV.shape), axis=1)
        other_UV = np.argsort(-appeal_UV - 0.5 * random.standard_normal(appeal_UV.shape), axis=1)
        if self.by == "place":
            # The first of those that would not have been shown comes before all.
            other_UV = np.concatenate(
                [served_UV[:, [self.length]], np.delete(served_UV, self.length, axis=1)], axis=1
            )
        return People(1 / (1 + np.exp(1 - appeal_UV)), served_UV, other_UV)

    def lists(self, order_UV: NDArray[np.int64], share: float, random: np.random.Generator) -> Lists:
        """Give places away, each to one of those that are left, all alike."""
        shape = (self.people, self.length)
        explored_UK = random.random(shape) < share
        given_UK = explored_UK.cumsum(axis=1) - explored_UK
        others_UV = random.permuted(order_UV[:, self.length :], axis=1)
        kept_UK = np.take_along_axis(order_UV, np.arange(self.length) - given_UK, axis=1)
        away_UK = np.take_along_axis(others_UV, given_UK, axis=1)
        left_UK = others_UV.shape[1] - given_UK
        return Lists(
            np.where(explored_UK, away_UK, kept_UK),
            explored_UK,
            np.where(explored_UK, share / left_UK, 1 - share),
        )

    def likely_UK(self, people: People, lists: Lists) -> Numbers:
        """Chance of a LIKE at each place."""
        return np.take_along_axis(people.liked_UV, lists.video_UK, axis=1) * self.looked_at_K

    def value(self, random: np.random.Generator) -> CandidateValue:
        """Show everybody a list, and weigh what came of it."""
        people = self.draw(random)
        lists = self.lists(people.served_UV, self.share, random)
        liked_UK = random.random(lists.video_UK.shape) < self.likely_UK(people, lists)
        chosen_UJ, others_UV = np.split(people.other_UV, [self.length], axis=1)
        found = [
            places(
                Served(lists.video_UK[one].astype(str).tolist(), lists.explored_UK[one], lists.chance_UK[one]),
                Candidates(
                    chosen_UJ[one].astype(str).tolist(), others_UV[one].astype(str).tolist(), self.other_share
                ),
                Foreseen(liked_V[chosen_UJ[one]], float(liked_V[others_UV[one]].sum())),
                self.by,
            )
            for one, liked_V in enumerate(people.liked_UV)
        ]
        showings = Showings(
            liked_UK.ravel().astype(np.float64),
            np.concatenate([each.shown_K for each in found]),
            np.concatenate([each.wanted_K for each in found]),
            np.repeat(np.arange(self.people), self.length),
        )
        predicted_UK = np.take_along_axis(people.liked_UV, lists.video_UK, axis=1)
        foretold = Foretold(predicted_UK.ravel(), np.concatenate([each.expected_K for each in found]))
        return candidate_value(showings, foretold)

    def truth(self, random: np.random.Generator) -> float:
        """LIKEs a showing, where the other ranking makes everybody's list."""
        people = self.draw(random)
        return float(self.likely_UK(people, self.lists(people.other_UV, self.other_share, random)).mean())


def made_lists(experiments: int) -> Iterator[Answer]:
    """Put every question of lists that are made anew, each to a tenth of the experiments: made one by one."""
    fewer = max(experiments // 10, 100)
    for seed, world in enumerate((Made("place"), Made("list")), 11):
        truth = float(np.mean([world.truth(random) for random in generators(seed, _FOR_TRUTH)]))
        found = [world.value(random) for random in generators(seed + 2, fewer)]
        estimates: dict[str, list[Interval | None]] = {
            "weighted (IPS)": [each.inverse_propensity for each in found],
            "self-normalised": [each.candidate for each in found],
            "doubly robust": [each.doubly_robust for each in found],
        }
        for name, intervals in estimates.items():
            low_N, high_N = np.array([bounds(each) for each in intervals]).T
            question = f"a ranking whose lists are made anew, by {world.by}, {name}: the truth within the interval"
            yield rate(question, "95 % ± 5", (low_N <= truth) & (truth <= high_N), 0.9, 1)
