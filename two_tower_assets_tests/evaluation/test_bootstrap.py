from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from two_tower_assets.evaluation.bootstrap import Interval, Resampling

values = st.lists(st.floats(-10, 10), min_size=1, max_size=40)


def test_means_leave_out_users_without_a_value_and_columns_without_any() -> None:
    """NaN is nobody's zero."""
    columns = {"some": np.array([1.0, np.nan, 3.0]), "none": np.full(3, np.nan)}
    found = Resampling(3).means(columns)
    assert set(found) == {"some"}
    assert found["some"].mean == 2.0
    assert Resampling(3).mean(columns["none"]) is None


def test_a_ratio_is_of_sums() -> None:
    """(1 + 3) / (2 + 4), not the mean of two ratios; without a denominator there is none."""
    found = Resampling(2).ratio(np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    assert found is not None
    assert found.mean == pytest.approx(4 / 6)
    assert Resampling(2).ratio(np.ones(2), np.zeros(2)) is None


@given(values)
@settings(max_examples=50)
def test_an_interval_holds_its_mean_and_lies_within_the_values(numbers: list[float]) -> None:
    """Whatever the values."""
    found = Resampling(len(numbers), resamples=200).mean(np.array(numbers))
    assert found is not None
    tolerance = 1e-9
    assert min(numbers) - tolerance <= found.low <= found.high <= max(numbers) + tolerance
    assert min(numbers) - tolerance <= found.mean <= max(numbers) + tolerance


def test_the_difference_of_equal_methods_is_exactly_nothing() -> None:
    """Paired: the same users are drawn for both."""
    column = np.random.default_rng(0).random(50)
    assert Resampling(50).mean(column - column) == Interval(mean=0.0, low=0.0, high=0.0)


def test_pairing_narrows_a_difference() -> None:
    """Two methods that vary together: the interval of their difference is far narrower than either's."""
    rng = np.random.default_rng(0)
    first = rng.random(200)
    second = first + 0.01 * rng.random(200)
    found = Resampling(200).means({"first": first, "difference": second - first})
    widths = {name: interval.high - interval.low for name, interval in found.items()}
    assert widths["difference"] < 0.1 * widths["first"]


def test_the_same_seed_gives_the_same_digits_and_a_hundred_times_the_users_a_tenth_of_the_width() -> None:
    """And another seed gives other ones."""
    few = np.random.default_rng(0).normal(0.1, 0.2, 100)
    one, again, other = (Resampling(100, seed=seed).mean(few) for seed in (0, 0, 1))
    assert one == again
    assert one != other
    many = Resampling(10_000).mean(np.tile(few, 100))
    assert (many.high - many.low) == pytest.approx((one.high - one.low) / 10, rel=0.15)


def test_blocks_do_not_change_what_a_column_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean is the same and the bounds are near, however many resamples are held at once."""
    column = np.random.default_rng(0).random(30)
    whole = Resampling(30).mean(column)
    monkeypatch.setattr("two_tower_assets.evaluation.bootstrap._BLOCK_CELLS", 300)
    parts = Resampling(30).mean(column)
    assert parts.mean == whole.mean
    assert parts.low == pytest.approx(whole.low, abs=0.02)


def test_95_of_100_intervals_hold_the_truth() -> None:
    """1000 samples of 80 users from an exponential distribution of mean 1: 92 to 97 % of the intervals hold it."""
    rng = np.random.default_rng(3)
    samples = {str(number): rng.exponential(size=80) for number in range(1000)}
    found = Resampling(80).means(samples)
    held = np.mean([interval.low <= 1.0 <= interval.high for interval in found.values()])
    assert 0.92 <= held <= 0.97
