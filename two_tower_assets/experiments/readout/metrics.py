"""The metrics of an experiment by name: what each is measured of, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from two_tower_assets.experiments.moments import Moments
from two_tower_assets.experiments.readout.users import Linear, Sums

PREFERENCE: Final = "preference"
"""Of an interleaving: by how many LIKEs more a user prefers the arm's picks."""


@dataclass(frozen=True)
class Metric:
    """A metric."""

    name: str
    words: str
    per_user: bool = True
    """Known of each user; else of a group of users, by its lists."""
    more_is_better: bool = True


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric("like_rate", "like rate"),
        Metric("likes_per_user", "likes per user"),
        Metric("decisions_per_user", "decisions per user"),
        Metric("coverage", "coverage", per_user=False),
        Metric("maker_concentration", "maker concentration", per_user=False, more_is_better=False),
        Metric(PREFERENCE, "likes of its own picks, per user"),
    )
}
OF_USERS: Final = ("likes_per_user", "like_rate", "decisions_per_user")
OF_LISTS: Final = ("coverage", "maker_concentration")
DEEDS: Final = {"likes_per_user": "likes", "like_rate": "likes", "decisions_per_user": "decisions"}
"""What a user must have done to be active in a metric."""
_RATIO: Final = "like_rate"


def moments(metric: str, of: Sums, both: Sums) -> Moments:
    """Sums of a metric over an arm's users, [D], with the same before they entered.

    Args:
        metric: one of `OF_USERS`.
        of: the arm.
        both: the arms that are compared, whose past is measured on one scale.
    """
    looks = len(of.users)
    if metric != _RATIO:
        name = DEEDS[metric]
        return of.moments(Linear.plain(looks, name), Linear.plain(looks, f"{name}_before"))
    return of.moments(
        Linear.ratio(of, "likes", "decisions"), Linear.ratio(both, "likes_before", "decisions_before").known()
    )
