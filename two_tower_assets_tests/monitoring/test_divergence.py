"""Measures of how far two distributions lie apart: by hand, and what holds for any two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from two_tower_assets.monitoring.divergence import Shares, difference, jensen_shannon, psi

weights = arrays(np.float64, 6, elements=st.floats(0, 1)).filter(lambda values: values.sum() > 0.01)
shares = weights.map(lambda values: values / values.sum())


def test_psi_by_hand() -> None:
    """(0.75 − 0.5) ln 1.5 + (0.25 − 0.5) ln 0.5."""
    expected = 0.25 * math.log(1.5) - 0.25 * math.log(0.5)
    assert psi(np.array([0.5, 0.5]), np.array([0.75, 0.25])) == pytest.approx(expected, abs=1e-12)


def test_psi_of_a_bin_that_was_empty_is_large_and_finite() -> None:
    """A rare bin counts as 0.0001 on either side."""
    found = float(psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    assert found == pytest.approx(2 * (1 - 2e-4) * math.log(1e4), rel=1e-3)


def test_jensen_shannon_by_hand() -> None:
    """One half each against everything in one bin: ½ · (½ log₂ ⅔ + ½ log₂ 2) + ½ · log₂ 4/3."""
    expected = 0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) + 0.5 * math.log2(4 / 3)
    assert jensen_shannon(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == pytest.approx(expected, abs=1e-12)


def test_jensen_shannon_of_nothing_in_common_is_one_bit() -> None:
    """Whoever sees one value knows which of both it came from."""
    assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1.0)


def test_a_difference_is_of_the_last_bin() -> None:
    """20 % became 50 %: 30 points, whichever way."""
    few, many = np.array([0.8, 0.2]), np.array([0.5, 0.5])
    assert difference(few, many) == difference(many, few) == pytest.approx(0.3)


@given(shares, shares)
def test_measures_are_symmetric_and_never_negative(one: Shares, other: Shares) -> None:
    """Which of both was first does not matter."""
    for measure in (psi, jensen_shannon, difference):
        assert measure(one, other) >= 0
        assert measure(one, other) == pytest.approx(measure(other, one), abs=1e-9)


@given(shares, shares)
def test_jensen_shannon_is_at_most_a_bit(one: Shares, other: Shares) -> None:
    """Its root is a metric within 0 and 1."""
    assert jensen_shannon(one, other) <= 1 + 1e-12


@given(shares)
def test_equals_are_no_distance_apart(one: Shares) -> None:
    """And many rows are compared as each of them is."""
    for measure in (psi, jensen_shannon, difference):
        assert measure(one, one) == pytest.approx(0, abs=1e-12)
        assert measure(one, np.stack([one, one])).shape == (2,)
