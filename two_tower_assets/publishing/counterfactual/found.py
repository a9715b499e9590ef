"""What a version's vector search finds for users at the moments of their lists, and what these videos are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.database.queries import query
from two_tower_assets.experiments.counterfactual.diversity import NO_MAKER
from two_tower_assets.features.times import MISSING_TIME
from two_tower_assets.publishing.counterfactual.served import ServedList
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.writer import Connection


@dataclass(frozen=True)
class Found:
    """For one list, nearest first; letters: C candidates, K places."""

    ids: Sequence[str]
    distance_C: NDArray[np.float64]
    served_distance_K: NDArray[np.float64]
    """Of the videos that were served; NaN where the version has no vector of one."""


def find(connection: Connection, release: Release, lists: Sequence[ServedList], candidates: int) -> list[Found]:
    """Search for each list, in their order.

    Args:
        connection: to the database that serves.
        release: whose vectors the lists carry.
        lists: with vectors.
        candidates: fewest that a list is chosen from.
    """
    asked = {
        "lists": [one.list_id for one in lists],
        "vectors": [one.embedding for one in lists],
        "vector_table": release.vector_table,
        "vector_index": release.vector_index,
        "candidates": candidates,
    }
    rows = connection.execute(query("counterfactual_candidates"), asked).fetchall()
    return [Found(ids, np.array(near, np.float64), np.array(served, np.float64)) for ids, near, served in rows]


@dataclass(frozen=True)
class Videos:
    """What lists are put in order by; letters: V videos, C some of them."""

    place: dict[str, int]
    price_V: NDArray[np.float64]
    """NaN for null."""
    released_at_V: NDArray[np.int64]
    """Microseconds, `MISSING_TIME` for null."""
    maker_V: NDArray[np.int64]
    """A number for each maker, `NO_MAKER` for none."""
    tags_V: Sequence[NDArray[np.int64]]
    """Numbers of the different tags of each."""

    @classmethod
    def read(cls, connection: Connection, ids: Sequence[str]) -> Videos:
        """Read some videos as they are now."""
        rows = connection.execute(query("counterfactual_videos"), {"videos": list(ids)}).fetchall()
        makers: dict[str, int] = {}
        tags: dict[str, int] = {}
        return cls(
            place={row[0]: place for place, row in enumerate(rows)},
            price_V=np.array([row[1] for row in rows], np.float64),
            released_at_V=np.array([MISSING_TIME if row[2] is None else row[2] for row in rows], np.int64),
            maker_V=np.array(
                [NO_MAKER if row[3] is None else makers.setdefault(row[3], len(makers)) for row in rows], np.int64
            ),
            tags_V=[np.array([tags.setdefault(tag, len(tags)) for tag in row[4]], np.int64) for row in rows],
        )

    def tagged(self, rows_C: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of all tags among some videos each has, [C, T]."""
        tags = [self.tags_V[row] for row in rows_C]
        names, column = np.unique(np.concatenate([*tags, np.empty(0, np.int64)]), return_inverse=True)
        tagged_CT = np.zeros((len(tags), len(names)), np.bool_)
        tagged_CT[np.repeat(np.arange(len(tags)), [len(each) for each in tags]), column] = True
        return tagged_CT
