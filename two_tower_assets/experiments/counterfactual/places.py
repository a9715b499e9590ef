"""With what chance a ranking puts a video at a place, as the functions give places away (`_shared/explore.ts`).

A place shows, with the chance `share`, one of the candidates that would not have been shown, all alike; else the next
that was chosen. Given places that the ranking might not have filled so itself, it goes on from there: what stands
before is not shown again. Letters: K places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import NamedTuple


@dataclass(frozen=True)
class Candidates:
    """What a ranking would fill a list with; no video twice."""

    chosen: Sequence[str]
    """In order."""
    others: Sequence[str]
    """That places are given away to."""


class Place(NamedTuple):
    """One place of a list that was served."""

    chance: float
    """That the ranking shows there what stands there, given the places before."""
    expected: float
    """What is foretold of the ranking there, in the mean over what it may show."""


def places(served: Sequence[str], ranking: Candidates, share: float, foretold: Mapping[str, float]) -> list[Place]:
    """Follow a list from its first place, [K].

    Args:
        served: the videos of the list, none twice.
        ranking: another one's candidates for the same user.
        share: of places that are given away.
        foretold: reward of each candidate.
    """
    shown: set[str] = set()
    pool = set(ranking.others)
    found = []
    for video in served:
        explored = share if pool else 0.0
        best = next((one for one in ranking.chosen if one not in shown), None)
        expected = explored * fsum(foretold[one] for one in pool) / len(pool) if pool else 0.0
        if best is not None:
            expected += (1 - explored) * foretold[best]
        chance = 1 - explored if video == best else explored / len(pool) if video in pool else 0.0
        found.append(Place(chance, expected))
        shown.add(video)
        pool.discard(video)
    return found
