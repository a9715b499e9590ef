"""The difference of two arms, with and without what users did before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from two_tower_assets.experiments.lift import lift, variance_share
from two_tower_assets.experiments.moments import Moments

CONTROL = np.array([0.0, 2.0, 4.0])
ARM = np.array([3.0, 5.0])
NUMBERS = st.integers(0, 50).map(float)


def people(seed: int, users: int = 400, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and past of users who differ."""
    random = np.random.default_rng(seed)
    rate = random.gamma(1.0, 1.0, users)
    return random.poisson(3 * rate * (1 + effect)).astype(float), random.poisson(5 * rate).astype(float)


def test_difference_and_variance_by_hand() -> None:
    """Means 2 and 4; variances 4 and 2 of 3 and 2 users: 4 / 3 + 2 / 2."""
    found = lift(Moments.of(CONTROL), Moments.of(ARM))
    assert (float(found.difference), float(found.users)) == (2.0, 5.0)
    assert float(found.variance) == pytest.approx(4 / 3 + 1)


def test_the_planned_look_is_welchs() -> None:
    """SciPy's unequal-variance statistic is the difference in standard errors."""
    control, arm = people(1)[0], people(2, 300, 0.2)[0]
    found = lift(Moments.of(control), Moments.of(arm))
    welch = stats.ttest_ind(arm, control, equal_var=False).statistic
    assert float(found.difference / np.sqrt(found.variance)) == pytest.approx(welch)
    low, high = found.fixed(0.9)
    assert float(high - low) == pytest.approx(2 * 1.6448536 * float(np.sqrt(found.variance)))


def test_cuped_is_the_regression_on_the_past() -> None:
    """With one θ of both arms: least squares of what is left of outcome and past within each arm."""
    (y_0, x_0), (y_1, x_1) = people(3), people(4, 500)
    within_y = np.concatenate([y_0 - y_0.mean(), y_1 - y_1.mean()])
    within_x = np.concatenate([x_0 - x_0.mean(), x_1 - x_1.mean()])
    # Each arm's sums are divided by n − 1 and weighted by n, which least squares does not do.
    weights = np.sqrt(np.concatenate([np.full(len(y), len(y) / (len(y) - 1)) for y in (y_0, y_1)]))
    (theta,), *_ = np.linalg.lstsq((within_x * weights)[:, None], within_y * weights)
    found = lift(Moments.of(y_0, x_0), Moments.of(y_1, x_1))
    adjusted = [y - theta * x for y, x in ((y_0, x_0), (y_1, x_1))]
    assert float(found.difference) == pytest.approx(adjusted[1].mean() - adjusted[0].mean())
    assert float(found.variance) == pytest.approx(sum(each.var(ddof=1) / len(each) for each in adjusted))


def test_cuped_leaves_what_the_past_does_not_explain() -> None:
    """1 − ρ² of the variance, and nothing is changed by a past that is the same for all."""
    (y_0, x_0), (y_1, x_1) = people(5, 20_000), people(6, 20_000)
    correlation = np.corrcoef(np.concatenate([x_0, x_1]), np.concatenate([y_0, y_1]))[0, 1]
    assert float(variance_share(Moments.of(y_0, x_0), Moments.of(y_1, x_1))) == pytest.approx(
        1 - correlation**2, abs=0.002
    )
    flat = [Moments.of(y, np.ones_like(y)) for y in (y_0, y_1)]
    plain = [Moments.of(y) for y in (y_0, y_1)]
    assert float(lift(*flat).variance) == pytest.approx(float(lift(*plain).variance))


def test_users_without_a_past_count_as_average_ones() -> None:
    """Their outcome counts; their past is the mean of the others', so that it moves nothing."""
    found = Moments.of(np.array([1.0, 2.0, 6.0]), np.array([4.0, 8.0, np.nan]))
    assert (float(found.mean), float(found.mean_before)) == (3.0, 6.0)


def test_an_arm_without_users_has_no_lift() -> None:
    """NaN, which no bound is above zero with."""
    found = lift(Moments.of(CONTROL), Moments.of(np.array([])))
    assert np.isnan(found.difference)
    assert not np.any(found.always_valid(100)[0] > 0)


def test_an_outcome_that_is_no_number_is_refused() -> None:
    """One NaN would hide every user's."""
    with pytest.raises(ValueError, match="no finite number"):
        Moments.of(np.array([1.0, np.nan]))


@given(arrays(np.float64, st.integers(2, 20), elements=NUMBERS), st.integers(1, 19))
def test_days_add_up(outcome_U: np.ndarray, cut: int) -> None:
    """Users summed day by day are the users summed at once."""
    parts = [outcome_U[:cut], outcome_U[cut:]]
    days = [Moments.of(part, part[::-1].copy()) for part in parts]
    added = days[0] + days[1]
    whole = Moments.of(outcome_U, np.concatenate([part[::-1] for part in parts]))
    for name in ("users", "outcome", "before", "outcome_squared", "before_squared", "product"):
        assert float(getattr(added, name)) == pytest.approx(float(getattr(whole, name)))


def test_looks_are_the_sums_up_to_each_day() -> None:
    """`running` of what two days brought is the first day, then both."""
    both = Moments(*(np.array([[2.0, 3.0]]) for _ in range(6)))
    assert both.running().users.tolist() == [[2.0, 5.0]]
    assert both.running().at(-1).users.tolist() == [5.0]
