"""Users whose window is over, those alike in one row, and the sums that a comparison needs of them.

Rows of separate days add up to those of all days, and lose nothing: whatever is asked later is asked of them.
Letters: C rows, D looks, A arms, V the four figures of a user (`FIGURES`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.moments import Moments, Numbers

FIGURES: Final = ("likes", "decisions", "likes_before", "decisions_before")

TOP_SHARE: Final = 0.01
"""Users who do most, whom no single user is let surpass by more than `TOP_TIMES`."""
TOP_TIMES: Final = 3.0


@dataclass(frozen=True)
class Users:
    """Rows [C] of users who are alike: float64, but `arm` and `day`."""

    arm: NDArray[np.str_]
    day: NDArray[np.datetime64]
    """On which their window was over, UTC."""
    users: Numbers
    likes: Numbers
    """Of each, on videos that lists of the experiment had shown them."""
    decisions: Numbers
    likes_before: Numbers
    """Of each, on any videos, before they entered."""
    decisions_before: Numbers

    @classmethod
    def joined(cls, several: list[Users]) -> Users:
        """Put rows of several reads together."""
        return cls(*(np.concatenate([getattr(each, field.name) for each in several]) for field in fields(cls)))

    def of(self, arm: str) -> Self:
        """Take the rows of one arm."""
        mine = self.arm == arm
        return replace(self, **{field.name: getattr(self, field.name)[mine] for field in fields(self)})

    def count(self) -> int:
        """How many users there are."""
        return int(self.users.sum())

    def looks(self) -> NDArray[np.datetime64]:
        """[D] every day from the first window's end to the last one's."""
        if not len(self.day):
            return np.array([], "datetime64[D]")
        return np.arange(self.day.min(), self.day.max() + 1)

    def capped(self) -> tuple[Self, int]:
        """Let no user count for more than `TOP_TIMES` what the top `TOP_SHARE` do at least; and how many that cut.

        Likes shrink with the decisions, so that each keeps a like rate. The cap is of all arms together: it doesn't
        know which arm is better.
        """
        shrink, cut = _shrink(self.decisions, self.users)
        before, _ = _shrink(self.decisions_before, self.users)
        capped = replace(
            self,
            likes=self.likes * shrink,
            decisions=self.decisions * shrink,
            likes_before=self.likes_before * before,
            decisions_before=self.decisions_before * before,
        )
        return capped, cut


@dataclass(frozen=True)
class Sums:
    """Of one arm's users at each look: how many, Σ v and Σ v vᵀ of their figures."""

    users: Numbers
    """[D]."""
    first: Numbers
    """[D, V]."""
    second: Numbers
    """[D, V, V]."""
    active: Numbers
    """[D, V] users of whom the figure is above 0."""

    @classmethod
    def of(cls, users: Users, looks: NDArray[np.datetime64]) -> Self:
        """Sum up what was known at each day's end.

        Args:
            users: of one arm.
            looks: [D] days, without gaps.
        """
        v_CV = np.stack([getattr(users, name) for name in FIGURES], axis=1)
        place_C = (users.day - looks[0]).astype(int) if len(looks) else np.zeros(0, int)
        size = len(FIGURES)
        count, first, active = np.zeros(len(looks)), np.zeros((len(looks), size)), np.zeros((len(looks), size))
        second = np.zeros((len(looks), size, size))
        weighted_CV = users.users[:, None] * v_CV
        np.add.at(count, place_C, users.users)
        np.add.at(first, place_C, weighted_CV)
        np.add.at(second, place_C, weighted_CV[:, :, None] * v_CV[:, None, :])
        np.add.at(active, place_C, users.users[:, None] * (v_CV > 0))
        return cls(*(np.cumsum(each, axis=0) for each in (count, first, second, active)))

    def __add__(self, other: Sums) -> Sums:
        """Join two arms."""
        return Sums(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def moments(self, outcome: Linear, before: Linear) -> Moments:
        """Sums of an outcome and of the same before, [D], both linear in the figures."""
        return Moments(
            self.users,
            self._sum(outcome),
            self._sum(before),
            self._product(outcome, outcome),
            self._product(before, before),
            self._product(outcome, before),
        )

    def _sum(self, one: Linear) -> Numbers:
        found: Numbers = one.constant * self.users + np.einsum("dv,dv->d", one.weight, self.first)
        return found

    def _product(self, one: Linear, other: Linear) -> Numbers:
        constants = one.constant * other.constant * self.users
        crossed = one.constant[:, None] * other.weight + other.constant[:, None] * one.weight
        squares = np.einsum("dv,dvw,dw->d", one.weight, self.second, other.weight)
        found: Numbers = constants + np.einsum("dv,dv->d", crossed, self.first) + squares
        return found


@dataclass(frozen=True)
class Linear:
    """A constant [D] and weights [D, V]: a figure of each user as a linear one of the four."""

    constant: Numbers
    weight: Numbers

    @classmethod
    def plain(cls, looks: int, name: str) -> Self:
        """One of the four itself."""
        weight = np.zeros((looks, len(FIGURES)))
        weight[:, FIGURES.index(name)] = 1
        return cls(np.zeros(looks), weight)

    @classmethod
    def ratio(cls, sums: Sums, part: str, whole: str) -> Self:
        """What each user moves the ratio Σ part / Σ whole by, around the ratio itself (the delta method).

        The mean over the users that were summed is the ratio, and the variance of that mean the ratio's, with users
        and not decisions as what is independent. Deng, Knoblich and Lu, "Applying the delta method in metric
        analytics" (KDD 2018). NaN where the whole is 0.
        """
        part_place, whole_place = FIGURES.index(part), FIGURES.index(whole)
        whole_D = np.where(sums.first[:, whole_place] > 0, sums.first[:, whole_place], np.nan)
        ratio = sums.first[:, part_place] / whole_D
        each = sums.users / whole_D
        weight = np.zeros_like(sums.first)
        weight[:, part_place], weight[:, whole_place] = each, -ratio * each
        return cls(ratio, weight)

    def known(self) -> Linear:
        """The same with 0 where it is not known: of a past that nobody has, the same for all."""
        return Linear(np.nan_to_num(self.constant), np.nan_to_num(self.weight))


def day_of(moment: np.datetime64) -> date:
    """A NumPy day as Python's."""
    return date(1970, 1, 1) + timedelta(days=int(moment.astype("datetime64[D]").astype(int)))


def _shrink(decisions_C: Numbers, users_C: Numbers) -> tuple[Numbers, int]:
    """Factor of each row [C], and how many users it cuts."""
    active_C = (decisions_C > 0) & (users_C > 0)
    if not active_C.any():
        return np.ones_like(decisions_C), 0
    order = np.argsort(decisions_C[active_C])
    reached = np.cumsum(users_C[active_C][order])
    top = decisions_C[active_C][order][np.searchsorted(reached, (1 - TOP_SHARE) * reached[-1])]
    over_C = decisions_C > TOP_TIMES * top
    shrink = np.divide(TOP_TIMES * top, decisions_C, out=np.ones_like(decisions_C), where=over_C)
    return shrink, int(users_C[over_C].sum())
