"""Worlds that experiments are simulated in: who comes on which day, into which arm, and what they do.

Letters: N experiments, D days, U users.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.moments import Moments, Numbers


class World(Protocol):
    """Where experiments with two arms can be run as often as one likes."""

    def run(self, experiments: int, random: np.random.Generator) -> tuple[Moments, Moments]:
        """Return what each day brings to control and arm, each [N, D]."""


@dataclass(frozen=True)
class LikesWorld:
    """People who like videos at rates of their own, the same before the experiment and in it.

    A person's rate is drawn from a gamma distribution of mean 1; likes before and in the experiment's window are
    Poisson numbers at that rate, so that their correlation is known (`correlation`).
    """

    days: int = 28
    users_a_day: float = 100.0
    shape: float = 0.8
    """Of the gamma distribution: below 1, few do most."""
    before: float = 6.0
    """Mean likes of a person before the experiment."""
    after: float = 3.0
    """Mean likes in the window that counts."""
    effect: float = 0.0
    """Share by which the arm's likes are more."""
    share: float = 0.5
    """Of the people who fall into the arm."""
    lost: float = 0.0
    """Share of the arm's people whose exposure is not logged: a broken experiment."""

    @property
    def users(self) -> float:
        """People in both arms at the end, in the mean."""
        return self.days * self.users_a_day

    @property
    def deviation(self) -> float:
        """What CUPED leaves of the standard deviation of a person's likes in the window, in the mean of both arms.

        The same θ is taken in both, as in `lift`.
        """
        means = (self.after, self.after * (1 + self.effect))
        covariances = [self.before * mean / self.shape for mean in means]
        theta = sum(covariances) / 2 / _variance(self.before, self.shape)
        left = [
            _variance(mean, self.shape) - 2 * theta * covariance + theta**2 * _variance(self.before, self.shape)
            for mean, covariance in zip(means, covariances, strict=True)
        ]
        return math.sqrt(sum(left) / 2)

    @property
    def correlation(self) -> float:
        """Of a person's likes before and in the window, without an effect: their covariance is b a / k."""
        variances = _variance(self.before, self.shape) * _variance(self.after, self.shape)
        return self.before * self.after / self.shape / math.sqrt(variances)

    def with_effect(self, difference: float) -> Self:
        """The same world in which the arm's people like so many videos more in the mean."""
        return replace(self, effect=difference / self.after)

    def run(self, experiments: int, random: np.random.Generator) -> tuple[Moments, Moments]:
        """See `World`."""
        came_ND = random.poisson(self.users_a_day, (experiments, self.days))
        cell_U = np.repeat(np.arange(came_ND.size), came_ND.ravel())
        rate_U = random.gamma(self.shape, 1 / self.shape, len(cell_U))
        in_arm_U = random.random(len(cell_U)) < self.share
        before_U = random.poisson(self.before * rate_U).astype(np.float64)
        after_U = random.poisson(self.after * rate_U * (1 + self.effect * in_arm_U)).astype(np.float64)
        logged_U = random.random(len(cell_U)) >= self.lost
        people = _People(cell_U, after_U, before_U)
        return people.only(~in_arm_U).summed(came_ND.shape), people.only(in_arm_U & logged_U).summed(came_ND.shape)


@dataclass(frozen=True)
class RealUsers:
    """Real people and what they did in two halves of their time, who come in any order and fall into any arm."""

    outcome_U: Numbers
    before_U: Numbers
    days: int = 28

    def run(self, experiments: int, random: np.random.Generator) -> tuple[Moments, Moments]:
        """See `World`."""
        users = len(self.outcome_U)
        day_NU = random.integers(0, self.days, (experiments, users))
        cell_U = (np.arange(experiments)[:, None] * self.days + day_NU).ravel()
        in_arm_U = random.random(len(cell_U)) < 0.5
        outcome_U, before_U = (np.tile(values, experiments) for values in (self.outcome_U, self.before_U))
        people = _People(cell_U, outcome_U, before_U)
        shape = (experiments, self.days)
        return people.only(~in_arm_U).summed(shape), people.only(in_arm_U).summed(shape)


def _variance(mean: float, shape: float) -> float:
    """Of a Poisson number whose rate is of a gamma distribution."""
    return mean + mean**2 / shape


@dataclass(frozen=True)
class _People:
    """People of many experiments."""

    cell_U: NDArray[np.int64]
    """Which experiment and day."""
    outcome_U: Numbers
    before_U: Numbers

    def only(self, these_U: NDArray[np.bool_]) -> _People:
        return _People(self.cell_U[these_U], self.outcome_U[these_U], self.before_U[these_U])

    def summed(self, shape: tuple[int, int]) -> Moments:
        """Sum people up by cell of [N, D]."""
        y_U, x_U = self.outcome_U, self.before_U
        values = (np.ones_like(y_U), y_U, x_U, y_U**2, x_U**2, x_U * y_U)
        return Moments(*(self._summed(value_U, shape) for value_U in values))

    def _summed(self, value_U: Numbers, shape: tuple[int, int]) -> Numbers:
        sums = np.bincount(self.cell_U, weights=value_U, minlength=math.prod(shape))
        return sums.astype(np.float64).reshape(shape)
