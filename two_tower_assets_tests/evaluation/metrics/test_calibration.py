from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.metrics.calibration import brier_score, log_loss, reliability

PROBABILITY = np.array([0.9, 0.1, 0.4, 0.6])
LIKED = np.array([True, False, True, False])
NO_PROBABILITY, NO_DECISION = np.empty(0), np.empty(0, dtype=np.bool_)

DECISIONS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_brier_score_is_the_mean_squared_error() -> None:
    """Errors 0.1, 0.1, 0.6, 0.6."""
    assert brier_score(PROBABILITY, LIKED) == pytest.approx((0.01 + 0.01 + 0.36 + 0.36) / 4)


def test_log_loss_is_the_surprise_at_what_happened() -> None:
    """What happened was given 0.9, 0.9, 0.4 and 0.4."""
    assert log_loss(PROBABILITY, LIKED) == pytest.approx(-(2 * math.log(0.9) + 2 * math.log(0.4)) / 4)


def test_a_wrong_certainty_costs_much_and_not_everything() -> None:
    """Probability 1 of what did not happen costs −ln ε, about 36."""
    assert log_loss(np.array([1.0]), np.array([False])) == pytest.approx(-math.log(2.0**-52))


def test_the_table_compares_within_bins_of_equal_mass() -> None:
    """Two bins: 0.1 and 0.4 with one LIKE of two, 0.6 and 0.9 with one of two."""
    table = reliability(PROBABILITY, LIKED, bins=2)
    assert table.count_B.tolist() == [2, 2]
    assert table.predicted_B.tolist() == pytest.approx([0.25, 0.75])
    assert table.observed_B.tolist() == pytest.approx([0.5, 0.5])
    assert table.expected_calibration_error == pytest.approx(0.25)


def test_equal_probabilities_share_a_bin() -> None:
    """A constant probability is one bin, off by its distance from the base rate."""
    table = reliability(np.full(8, 0.5), np.array([True] * 6 + [False] * 2))
    assert table.count_B.tolist() == [8]
    assert table.expected_calibration_error == pytest.approx(0.25)


def test_without_decisions_nothing_is_known() -> None:
    """Every figure is NaN and the table is empty."""
    table = reliability(NO_PROBABILITY, NO_DECISION)
    assert len(table.count_B) == 0
    figures = [brier_score(NO_PROBABILITY, NO_DECISION), log_loss(NO_PROBABILITY, NO_DECISION)]
    assert np.isnan([*figures, table.expected_calibration_error]).all()


@given(DECISIONS, st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_table_holds_every_decision_whatever_their_order(
    decisions: list[tuple[float, bool]], bins: int, random: Random
) -> None:
    """Counts add up, means stay within a bin's order, and shuffling changes nothing."""
    table = reliability(*_columns(decisions), bins=bins)
    assert table.count_B.sum() == len(decisions)
    assert (table.count_B > 0).all()
    assert (np.diff(table.predicted_B) >= -1e-12).all()
    assert 0 <= table.expected_calibration_error <= 1
    random.shuffle(decisions)
    shuffled = reliability(*_columns(decisions), bins=bins)
    np.testing.assert_array_equal(shuffled.count_B, table.count_B)
    np.testing.assert_allclose(shuffled.predicted_B, table.predicted_B, atol=1e-12)
    np.testing.assert_allclose(shuffled.observed_B, table.observed_B, atol=1e-12)


@given(DECISIONS)
def test_saying_what_happened_is_perfect(decisions: list[tuple[float, bool]]) -> None:
    """Probability 1 for a LIKE and 0 for a NOPE: no error of any kind."""
    _, liked = _columns(decisions)
    certain = liked.astype(np.float64)
    assert brier_score(certain, liked) == 0
    assert log_loss(certain, liked) == pytest.approx(0, abs=1e-15)
    assert reliability(certain, liked).expected_calibration_error == 0


def _columns(decisions: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in decisions]), np.array([liked for _, liked in decisions])
