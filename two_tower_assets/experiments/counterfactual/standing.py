"""With what chance a video stands at a place, as the functions give places away (`_shared/explore.ts`).

Each place goes, with the chance `share`, to one of the candidates that would not have been shown, all alike; else to
the next that was chosen. What is logged is the chance given the places before. A ranking's value needs it whatever
stands before: given the places of another ranking, a candidate's best video would be its next at every place until it
stands somewhere, and count many times. Letters: J chosen, K places, E places that were given away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.moments import Numbers


@dataclass(frozen=True)
class Making:
    """How a list is made of what was chosen, as many as it has places."""

    length: int
    others: int
    """Candidates that places are given away to."""
    share: float
    """Chance of each place to be given away, while there are others left."""


@dataclass(frozen=True)
class Standing:
    """Chances over all lists that a making may give."""

    chosen_JK: Numbers
    """That the j-th chosen (row) stands at the k-th place (column)."""
    other_K: Numbers
    """That a certain one of the others stands there."""

    def lengthened(self, length: int) -> Standing:
        """Return the chances at so many places, the further ones of which stay empty."""
        further = length - len(self.other_K)
        return Standing(np.pad(self.chosen_JK, ((0, 0), (0, further))), np.pad(self.other_K, (0, further)))

    def anywhere(self) -> Standing:
        """Return the chances to stand in the list at all, the same at each place."""
        length = len(self.other_K)
        # Of many chances that sum to 1 the sum may be more by a rounding.
        in_list_J = np.minimum(self.chosen_JK.sum(axis=1, keepdims=True), 1.0)
        return Standing(np.repeat(in_list_J, length, axis=1), np.full(length, min(self.other_K.sum(), 1.0)))


def standing(made: Making) -> Standing:
    """Go from place to place: the chance that so many were given away before tells what may stand there."""
    length, others = made.length, made.others
    away_E = np.zeros(length + 1)
    away_E[0] = 1
    share_E = np.where(np.arange(length + 1) < others, made.share, 0.0)
    chosen_JK, other_K = np.zeros((length, length)), np.zeros(length)
    for place in range(length):
        kept_E, given_E = away_E * (1 - share_E), away_E * share_E
        before = np.arange(place + 1)
        chosen_JK[place - before, place] = kept_E[before]
        other_K[place] = given_E.sum() / others if others else 0.0
        away_E = kept_E
        away_E[1:] += given_E[:-1]
    return Standing(chosen_JK, other_K)


def as_logged(explored_K: NDArray[np.bool_], chance_K: Numbers) -> Making:
    """Find how a list was made from what was logged of it.

    Where nothing was given away the log does not say how many others there were; that they would have sufficed for
    all places changes no chance that matters.

    Args:
        explored_K: which places were given away.
        chance_K: of what stands at each, given the places before.
    """
    length, given_K, kept_K = len(chance_K), chance_K[explored_K], chance_K[~explored_K]
    if not len(given_K):
        return Making(length, length, float(1 - kept_K[0]))
    if not len(kept_K):
        return _all_given_away(chance_K)
    # Where the first place that was kept was certain, all others stand before it.
    if kept_K[0] == 1:
        return Making(length, len(given_K), float(given_K[0] * len(given_K)))
    share = float(1 - kept_K[0])
    return Making(length, round(share / given_K[0]), share)


def _all_given_away(chance_K: Numbers) -> Making:
    """The chances share / others, share / (others − 1) … of two places tell both."""
    if len(chance_K) == 1:
        return Making(1, 1, float(chance_K[0]))
    others = round(float(chance_K[1] / (chance_K[1] - chance_K[0])))
    return Making(len(chance_K), others, float(chance_K[0] * others))
