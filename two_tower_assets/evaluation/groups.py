"""Segments: which users, and which of everybody's targets, figures are given for besides the whole.

A group of users sees whole lists; a group of targets counts some of the LIKEs and takes the others for neither hit
nor miss.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.report import ALL, KNOWN, NEW
from two_tower_assets.evaluation.shelf import Shelf
from two_tower_assets.evaluation.task import RankingTask

LIGHT = "light"
HEAVY = "heavy"
TAIL = "tail videos"
MAKER_GROUPS = ("large makers", "middle makers", "small makers", "unknown maker")


def user_groups(task: RankingTask, shelf: Shelf, light_decisions: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and [U] mask of each group of users that has somebody in it; the first is the one that is judged."""
    known = task.has_history
    is_light = shelf.decisions_U <= light_decisions
    everybody = ALL if known.all() else KNOWN
    groups = {everybody: known, NEW: ~known, LIGHT: known & is_light, HEAVY: known & ~is_light}
    yield from ((name, mask) for name, mask in groups.items() if mask.any())


def target_groups(task: RankingTask, shelf: Shelf) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and [T] mask of each group of targets of known users that has any."""
    known_T = task.has_history[task.targets.row]
    place = task.targets.place
    yield from _nonempty(TAIL, known_T & shelf.is_tail_C[place])
    for number, name in zip((0, 1, 2, -1), MAKER_GROUPS, strict=True):
        yield from _nonempty(name, known_T & (shelf.maker_group_C[place] == number))


def _nonempty(name: str, mask: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if mask.any():
        yield name, mask
