from __future__ import annotations

import numpy as np
import pytest

from two_tower_assets.evaluation.metrics.hits import Hits

# user 0 has targets at ranks 0, 2 and beyond, user 1 none, user 2 one at rank 1
HITS = Hits(np.array([0, 0, 0, 2]), np.array([0, 2, -1, 1]), 3)


def test_targets_are_counted_by_user() -> None:
    """Three, none and one; among the first two places one, none and one."""
    assert HITS.relevant_U.tolist() == [3, 0, 1]
    assert HITS.found_U(2).tolist() == [1, 0, 1]
    assert HITS.found_U(3).tolist() == [2, 0, 1]


def test_a_part_keeps_users_and_ranks() -> None:
    """Leaving out a target changes neither who the users are nor where the others stand."""
    part = HITS.part(np.array([False, True, False, True]))
    assert (part.row.tolist(), part.rank.tolist(), part.users) == ([0, 2], [2, 1], 3)


@pytest.mark.parametrize(
    ("row", "rank"), [([1, 0], [0, 0]), ([0, 3], [0, 0]), ([0], [-2]), ([0], [0, 1]), ([-1], [0])]
)
def test_rows_must_ascend_below_the_number_of_users(row: list[int], rank: list[int]) -> None:
    """Unordered or unknown users, ranks below −1 and columns of two lengths are mistakes of the caller."""
    with pytest.raises(AssertionError):
        Hits(np.array(row), np.array(rank), 3)
