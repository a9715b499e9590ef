from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.metrics.makers import maker_concentration, shares_of

MAKER = np.array([7, 7, 3, -1, -1], dtype=np.int32)


def test_shares_are_of_entries() -> None:
    """Of four entries, three are maker 7's (videos 0 and 1) and one is maker 3's; padding is no entry."""
    assert sorted(shares_of(np.array([[0, 1], [0, 2], [-1, -1]]), MAKER)) == [0.25, 0.75]


def test_each_video_of_unknown_maker_has_a_maker_of_its_own() -> None:
    """Videos 3 and 4 are two makers, and video 3 shown twice is one maker twice."""
    assert sorted(shares_of(np.array([3, 3, 4, 2]), MAKER)) == [0.25, 0.25, 0.5]


def test_concentration_is_the_sum_of_squared_shares() -> None:
    """One maker alone has 1, four equal ones 1/4; 9/16 + 1/16 for three quarters and one; unknown for none."""
    assert maker_concentration(np.array([1.0])) == 1
    assert maker_concentration(np.full(4, 0.25)) == 0.25
    assert maker_concentration(np.array([0.25, 0.75])) == 0.625
    assert math.isnan(maker_concentration(shares_of(np.array([-1, -1]), MAKER)))


@given(st.lists(st.integers(0, 4), min_size=1))
def test_shares_add_up_and_concentration_lies_between_equal_and_sole(videos: list[int]) -> None:
    """Σ share = 1, and 1/n ≤ concentration ≤ 1 for n makers."""
    shares = shares_of(np.array(videos), MAKER)
    assert shares.sum() == pytest.approx(1)
    assert 1 / len(shares) - 1e-12 <= maker_concentration(shares) <= 1 + 1e-12
