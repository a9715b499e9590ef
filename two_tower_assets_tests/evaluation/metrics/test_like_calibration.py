from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.metrics.calibration import brier_score, log_loss, reliability
from two_tower_assets.evaluation.metrics.like_calibration import fit_calibration


def drawn(seed: int, decisions: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Similarities, and LIKEs with probability sigmoid(6 · similarity + 1)."""
    rng = np.random.default_rng(seed)
    similarity = rng.uniform(-1, 1, decisions)
    return similarity, rng.random(decisions) < 1 / (1 + np.exp(-6 * similarity - 1))


def test_two_scores_get_their_own_like_shares() -> None:
    """At −1 one LIKE of four, at 1 three of four: the logits are ∓ln 3, so a = ln 3 and b = 0."""
    a, b = fit_calibration(np.repeat([-1.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=np.bool_))
    assert (a, b) == (pytest.approx(math.log(3), rel=1e-3), pytest.approx(0, abs=1e-12))


def test_a_known_probability_is_found_again() -> None:
    """On 20 000 decisions a is 6 and b is 1 within three standard errors, and the figures confirm it."""
    similarity, liked = drawn(0)
    fitted = fit_calibration(similarity, liked)
    assert fitted.a == pytest.approx(6, abs=0.3)
    assert fitted.b == pytest.approx(1, abs=0.1)
    probability = fitted.probability(similarity)
    assert reliability(probability, liked).expected_calibration_error < 0.02
    assert log_loss(probability, liked) < log_loss(np.full(len(liked), liked.mean()), liked)
    assert brier_score(probability, liked) < 0.15


def test_the_mean_probability_is_the_base_rate() -> None:
    """What logistic regression with a free constant guarantees, also where a is held down by the ridge."""
    similarity, liked = drawn(1, 50)
    assert fit_calibration(similarity, liked).probability(similarity).mean() == pytest.approx(liked.mean(), abs=1e-9)


@pytest.mark.parametrize("kind", [True, False])
def test_decisions_of_one_kind_leave_the_base_rate_alone(kind: bool) -> None:
    """Nine LIKEs and no NOPE: (9 + ½) / 10 whatever the score, and the other way round."""
    fitted = fit_calibration(np.arange(9.0), np.full(9, kind))
    assert fitted.a == 0
    assert fitted.probability(np.array([-5.0, 5.0])).tolist() == pytest.approx([0.95 if kind else 0.05] * 2)


def test_scores_that_are_all_equal_leave_the_base_rate_alone() -> None:
    """One LIKE of three at a score whose mean is another number in floating point, so that it seems to vary."""
    score = np.full(3, 0.1)
    assert score.std() > 0
    fitted = fit_calibration(score, np.arange(3) < 1)
    assert fitted.a == 0
    assert fitted.probability(score).tolist() == pytest.approx([1 / 3] * 3)


def test_without_decisions_a_like_is_as_likely_as_not() -> None:
    """Nothing is known: one half."""
    assert fit_calibration(np.empty(0), np.empty(0, dtype=np.bool_)) == (0, 0)


def test_a_threshold_that_separates_perfectly_gives_a_steep_and_finite_slope() -> None:
    """All LIKEs above 0.3 and all NOPEs below: probabilities near 0 and 1, and half at the threshold's gap."""
    similarity = np.linspace(-1, 1, 200)
    fitted = fit_calibration(similarity, similarity > 0.3)
    assert math.isfinite(fitted.a)
    assert fitted.probability(np.array([-1.0, 1.0])).tolist() == pytest.approx([0, 1], abs=1e-6)
    assert -fitted.b / fitted.a == pytest.approx(0.3, abs=0.02)


def test_one_like_among_a_hundred_thousand_is_fitted_too() -> None:
    """The steepest of cases, at 316 standard deviations from the rest."""
    score = np.append(np.zeros(100_000), 1.0)
    probability = fit_calibration(score, score > 0).probability(np.array([0.0, 1.0]))
    assert probability.tolist() == pytest.approx([0, 1], abs=1e-5)


def test_scores_that_are_liked_less_the_higher_they_are_get_a_negative_slope() -> None:
    """Turning the scores around turns a around and leaves b."""
    similarity, liked = drawn(2)
    fitted, turned = fit_calibration(similarity, liked), fit_calibration(-similarity, liked)
    assert turned.a == pytest.approx(-fitted.a, rel=1e-9)
    assert turned.b == pytest.approx(fitted.b, rel=1e-9)


@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-10, 10))
def test_the_unit_of_a_score_does_not_matter(seed: int, unit: float, shift: float) -> None:
    """Scores in another unit and from another zero give the same probabilities."""
    similarity, liked = drawn(seed, 40)
    other = unit * similarity + shift
    np.testing.assert_allclose(
        fit_calibration(other, liked).probability(other),
        fit_calibration(similarity, liked).probability(similarity),
        atol=1e-6,
    )


def test_a_score_that_is_no_number_is_refused() -> None:
    """It would make every probability NaN, silently."""
    with pytest.raises(AssertionError):
        fit_calibration(np.array([0.1, np.nan]), np.array([True, False]))
