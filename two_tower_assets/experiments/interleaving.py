"""Two rankings shown as one list, so that each person judges both: team-draft interleaving.

Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?" (CIKM 2008), section 5.2.
People differ far more than rankings do; where everybody sees both, that difference cancels, and fewer are needed.

Letters: U users.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from two_tower_assets.experiments.lift import Lift
from two_tower_assets.experiments.moments import Moments, Numbers

Team = Literal["control", "arm"]
_Video = TypeVar("_Video", bound=Hashable)


@dataclass(frozen=True)
class Picked(Generic[_Video]):
    """A place of the list that is shown."""

    video: _Video
    team: Team
    """Whose ranking picked it, and gets the credit of a LIKE."""


def team_draft(
    control: Sequence[_Video], arm: Sequence[_Video], length: int, arm_first: Callable[[], bool]
) -> list[Picked[_Video]]:
    """Let both rankings pick in turns, each its best video that is not picked yet.

    Args:
        control: best first, without repetitions.
        arm: the other one.
        length: of the list; it is shorter where both have fewer videos together.
        arm_first: a fair coin, thrown each round.
    """
    rankings: dict[Team, Sequence[_Video]] = {"control": control, "arm": arm}
    next_places: dict[Team, int] = {"control": 0, "arm": 0}
    picked: list[Picked[_Video]] = []
    taken: set[_Video] = set()
    while len(picked) < length:
        order: tuple[Team, Team] = ("arm", "control") if arm_first() else ("control", "arm")
        before = len(picked)
        for team in order:
            ranking, place = rankings[team], next_places[team]
            while place < len(ranking) and ranking[place] in taken:
                place += 1
            next_places[team] = place
            if place < len(ranking) and len(picked) < length:
                taken.add(ranking[place])
                picked.append(Picked(ranking[place], team))
        if len(picked) == before:
            break
    return picked


def preference(control_U: Numbers, arm_U: Numbers) -> Lift:
    """How many more LIKEs a person gives to the arm's picks than to the control's, in the mean.

    Args:
        control_U: credit of the control's picks with each user, float64 [U].
        arm_U: the same of the arm's.
    """
    return preference_of(Moments.of(arm_U - control_U))


def preference_of(difference: Moments) -> Lift:
    """Do as `preference` where the differences of users are known by their sums, [S]."""
    return Lift(difference.mean, difference.variance / difference.users, difference.users)
