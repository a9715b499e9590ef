"""Which differences of a comparison are more than chance, when so many are looked at together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.paired.records import Group

FEWEST_USERS: Final = 30
"""Users of a group of whom something is claimed."""
FALSE_CLAIMS: Final = 0.05
"""Share of comparisons of equal models in which any difference at all is claimed."""


@dataclass(frozen=True)
class Claim:
    """A difference that is more than chance."""

    group: Group
    metric: str

    @property
    def difference(self) -> Interval:
        """After minus before."""
        return self.group.difference[self.metric]


def claims(groups: Iterable[Group]) -> tuple[Claim, ...]:
    """Return what may be claimed of all groups and metrics together, in their order.

    Holm, "A simple sequentially rejective multiple test procedure" (1979): p-values in ascending order are held
    against α / m, α / (m − 1), … until one is too large. They come from the width of the paired interval, as normal.
    """
    every = [Claim(group, metric) for group in groups if group.users >= FEWEST_USERS for metric in group.difference]
    ordered = sorted(every, key=_p_value)
    claimed = set()
    for place, claim in enumerate(ordered):
        if _p_value(claim) > FALSE_CLAIMS / (len(ordered) - place):
            break
        claimed.add((claim.group.name, claim.metric))
    return tuple(claim for claim in every if (claim.group.name, claim.metric) in claimed)


def claimed_lines(groups: Iterable[Group]) -> Iterator[str]:
    """Say each claim in words, or that there is none."""
    found = claims(groups)
    for claim in found:
        users = f"{claim.group.users:,} users"
        yield f"{claim.group.name}: {claim.metric} {signed(claim.difference)} over {users}, more than chance."
    if not found:
        yield "No difference can be told from chance."


def signed(difference: Interval) -> str:
    """A difference and the ends of its interval."""
    low, high = difference.low or 0.0, difference.high or 0.0
    return f"{difference.mean:+.4f} [{low:+.4f} {high:+.4f}]"


def _p_value(claim: Claim) -> float:
    found = claim.difference
    if found.low is None or found.high is None:
        return 1.0
    error = (found.high - found.low) / (2 * NormalDist().inv_cdf(0.975))
    if error == 0:
        return 0.0 if found.mean else 1.0
    return 2 * NormalDist().cdf(-abs(found.mean) / error)
