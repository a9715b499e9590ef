"""Bounds for every look, the alarm over arms' sizes, and how many users are needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from two_tower_assets.experiments.power import POWER, detectable, power_of, users_needed
from two_tower_assets.experiments.sample_ratio import CONCENTRATION, mismatch
from two_tower_assets.experiments.sequences import FEWEST_USERS, margin, rho_squared


@pytest.mark.parametrize("users", [FEWEST_USERS, 1000, 20_000])
def test_the_margin_is_where_the_mixture_reaches_one_in_alpha(users: int) -> None:
    """∫ exp(λ S − λ² n / 2) dN(λ; 0, ρ²), integrated numerically at S = n × margin, is 1 / α."""
    alpha, planned = 0.05, 5000
    total = users * float(margin(np.asarray(float(users)), planned, alpha))
    rho = math.sqrt(rho_squared(planned, alpha))
    peak = total / (users + 1 / rho**2)

    def weighed(rate: float) -> float:
        return math.exp(rate * total - rate**2 * users / 2) * stats.norm.pdf(rate, scale=rho)

    found, _ = integrate.quad(weighed, peak - 12 * rho, peak + 12 * rho, points=[peak], limit=200)
    assert found == pytest.approx(1 / alpha, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_margin_is_narrowest_where_it_is_planned(alpha: float) -> None:
    """The closed form of ρ is within half a percent of the best one, searched for."""
    users = 3000.0

    def width(log_planned: float) -> float:
        return float(margin(np.asarray(users), math.exp(log_planned), alpha))

    best = optimize.minimize_scalar(width, bounds=(math.log(100), math.log(1e6)), method="bounded").fun
    assert width(math.log(users)) <= 1.005 * best


def test_nothing_is_claimed_of_a_handful() -> None:
    """The margin is infinite before the fewest users, and shrinks from there on."""
    widths = margin(np.array([1.0, FEWEST_USERS - 1, FEWEST_USERS, 1000, 1e6]), 1000, 0.05)
    assert np.isinf(widths[:2]).all()
    assert (np.diff(widths[2:]) < 0).all()


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=4))
def test_the_alarm_is_scipys_bayes_factor(users: list[int]) -> None:
    """Multinomial with the planned shares over Dirichlet-multinomial with the prior."""
    shares = [1 / len(users)] * len(users)
    prior = np.full(len(users), CONCENTRATION / len(users))
    planned = stats.multinomial.logpmf(users, sum(users), shares)
    unknown = stats.dirichlet_multinomial.logpmf(users, prior, sum(users))
    assert mismatch(users, shares) == pytest.approx(min(1.0, math.exp(min(0.0, planned - unknown))), rel=1e-6)


def test_uneven_shares_may_be_planned() -> None:
    """One user in ten in the arm is no mismatch where one in ten is planned, and one where a half is."""
    assert mismatch([9000, 1000], [0.9, 0.1]) == 1.0
    assert mismatch([9000, 1000], [0.5, 0.5]) < 1e-9


@pytest.mark.parametrize("shares", [[0.5, 0.6], [1.0, 0.0]])
def test_shares_that_are_none_are_refused(shares: list[float]) -> None:
    """They must be positive and add up to one."""
    with pytest.raises(ValueError, match="add up to 1"):
        mismatch([1, 1], shares)


def test_one_planned_look_needs_the_textbooks_users() -> None:
    """4 (1.96 + 0.84)² σ² / δ²: 31.4 users a unit of σ² / δ²."""
    expected = 4 * (1.959964 + 0.841621) ** 2 / 0.05**2
    assert users_needed(0.05, 1.0, always_valid=False) == pytest.approx(expected, rel=1e-4)


@given(st.floats(0.01, 1), st.floats(0.2, 5), st.booleans())
def test_as_many_users_as_needed_detect_as_much_as_asked(difference: float, deviation: float, always: bool) -> None:
    """Needed, detectable and power are one function, read three ways."""
    users = users_needed(difference, deviation, always_valid=always)
    assert detectable(users, deviation, always_valid=always) <= difference * (1 + 1e-9)
    assert power_of(difference, users, deviation, always_valid=always) >= POWER - 1e-9
    if users > FEWEST_USERS:
        assert detectable(users - 2, deviation, always_valid=always) > difference


def test_no_number_of_users_shows_nothing() -> None:
    """A difference of zero, or next to it."""
    assert users_needed(0.0, 1.0) == math.inf
    assert users_needed(1e-9, 1.0) == math.inf
