"""Two rankings of the same videos, one of which knows better what people like: by A/B test and by interleaving.

Letters: E experiments, U users of one, V videos, K places of a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.interleaving import preference, team_draft
from two_tower_assets.experiments.lift import Lift, lift
from two_tower_assets.experiments.moments import Moments, Numbers
from two_tower_assets.experiments.simulation.answer import Answer, rate
from two_tower_assets.experiments.simulation.seeds import generators

_USERS: Final = 2500
_FEWER: Final = 500
"""Of interleaving: a fifth of the A/B test's."""
_CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Rankers:
    """Videos that a person likes with a chance of their own, and two noisy opinions of them."""

    videos: int = 60
    places: int = 10
    noise: float = 1.2
    """Of the control's opinion, in standard deviations of the videos' appeal."""
    better_noise: float = 0.9
    """Of the arm's."""
    heterogeneity: float = 0.8
    """Shape of the gamma distribution of people's readiness to like."""

    def likes(self, users: int, random: np.random.Generator) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
        """Draw whom each video would be liked by, [U, V], and what both rankings score, [U, V]."""
        appeal_UV = random.standard_normal((users, self.videos))
        ready_U = random.gamma(self.heterogeneity, 1 / self.heterogeneity, users)
        chance_UV = np.clip(0.12 * ready_U[:, None] * np.exp(0.8 * appeal_UV - 0.32), 0, 1)
        liked_UV = random.random((users, self.videos)) < chance_UV
        control_UV, arm_UV = (
            appeal_UV + noise * random.standard_normal((users, self.videos))
            for noise in (self.noise, self.better_noise)
        )
        return liked_UV, control_UV, arm_UV

    def tested(self, users: int, random: np.random.Generator) -> Lift:
        """Show one half of the users the one list and the other half the other."""
        liked_UV, control_UV, arm_UV = self.likes(users, random)
        half = users // 2
        groups = ((liked_UV[:half], control_UV[:half]), (liked_UV[half:], arm_UV[half:]))
        return lift(*(Moments.of(self._earned(*group)) for group in groups))

    def interleaved(self, users: int, random: np.random.Generator) -> Lift:
        """Show every user both lists as one."""
        liked_UV, *scores = self.likes(users, random)
        control_UK, arm_UK = (np.argsort(-score_UV, axis=1)[:, : self.places] for score_UV in scores)
        credit = {team: np.zeros(users) for team in ("control", "arm")}
        for user in range(users):
            coin = partial(_heads, random)
            for place in team_draft(control_UK[user].tolist(), arm_UK[user].tolist(), self.places, coin):
                credit[place.team][user] += liked_UV[user, place.video]
        return preference(credit["control"], credit["arm"])

    def _earned(self, liked_UV: NDArray[np.bool_], score_UV: Numbers) -> Numbers:
        shown_UK = np.argsort(-score_UV, axis=1)[:, : self.places]
        return np.asarray(np.take_along_axis(liked_UV, shown_UK, axis=1).sum(axis=1), np.float64)


def two_rankings(experiments: int) -> Iterator[Answer]:
    """Put every question of interleaving, each to a fifth of the experiments: lists are drawn one by one."""
    fewer = max(experiments // 5, 50)
    equal, better = Rankers(better_noise=Rankers.noise), Rankers()
    yield rate(
        f"two equally good rankings interleaved for {_FEWER} people: called different",
        "5 % ± 3",
        np.array([_differs(equal.interleaved(_FEWER, random)) for random in generators(6, fewer)]),
        0.02,
        0.08,
    )
    interleaved = [better.interleaved(_FEWER, random) for random in generators(7, fewer)]
    tested = [better.tested(_USERS, random) for random in generators(8, fewer)]
    yield rate(
        f"a better ranking interleaved for {_FEWER} people: found",
        "at least 80 %",
        np.array([_differs(each) and float(each.difference) > 0 for each in interleaved]),
        0.8,
        1,
    )
    found = np.array([_differs(each) and float(each.difference) > 0 for each in tested])
    yield rate(f"the same by A/B test with {_USERS} people: found", "less often", found, 0, 0.8)
    ratio = _sharpness(interleaved, _FEWER) / _sharpness(tested, _USERS)
    yield Answer(
        "people an A/B test needs for one of interleaving, as the squares of their statistics say",
        "at least 5",
        ratio,
        2 * ratio / np.sqrt(2 * fewer),
        held=ratio >= 5,
        is_share=False,
    )


def _sharpness(lifts: list[Lift], users: int) -> float:
    """Square of the mean statistic of a person: what a test of n people has n times."""
    statistics = [float(each.difference / np.sqrt(each.variance)) for each in lifts]
    return float(np.mean(statistics)) ** 2 / users


def _differs(found: Lift) -> bool:
    low, high = found.fixed(_CONFIDENCE)
    return bool(low > 0 or high < 0)


def _heads(random: np.random.Generator) -> bool:
    return bool(random.random() < 0.5)
