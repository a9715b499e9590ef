"""What falls into which bin, whatever a column holds."""

from __future__ import annotations

import math
import sys

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from two_tower_assets.monitoring.bins import Bins, number_bins, word_bins

numbers = st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=40)


def test_ten_numbers_fall_into_ten_bins() -> None:
    """Bins are tenths of the reference."""
    values = pl.Series([float(value) for value in range(100)])
    counts = pl.Series(number_bins(values).codes(values)).value_counts().sort("")
    assert counts["count"].to_list() == [9, 10, 10, 10, 10, 10, 10, 10, 10, 11]


def test_a_value_that_most_rows_have_is_told_from_its_neighbours() -> None:
    """A constant column has a bin of its own: what is above or below it is seen."""
    bins = number_bins(pl.Series([5.0] * 50))
    below, same, above = bins.codes(pl.Series([4.9, 5.0, 5.1])).tolist()
    assert below < same < above
    assert bins.labels[same] == "5"


def test_null_nan_and_infinity_are_missing() -> None:
    """They are no number, and none of them moves an edge."""
    odd = pl.Series([None, math.nan, math.inf, -math.inf, 1.0, 2.0])
    bins = number_bins(odd)
    assert bins.edges == number_bins(pl.Series([1.0, 2.0])).edges
    assert [bins.labels[code] for code in bins.codes(odd).tolist()][:4] == ["missing"] * 4


def test_a_column_without_any_value_has_bins_all_the_same() -> None:
    """What is there later is told from what is missing."""
    bins = number_bins(pl.Series([None, None], dtype=pl.Float64))
    assert bins.labels == ("any number", "missing")
    assert bins.codes(pl.Series([None, 3.0])).tolist() == [1, 0]


@given(numbers, numbers)
@example([sys.float_info.max], [])
def test_every_value_has_exactly_one_bin(reference: list[float | None], later: list[float | None]) -> None:
    """Whatever the reference held, and whatever comes."""
    bins = number_bins(pl.Series(reference, dtype=pl.Float64))
    codes = bins.codes(pl.Series(later, dtype=pl.Float64))
    assert len(codes) == len(later)
    assert all(0 <= code < bins.size for code in codes.tolist())


def test_words_that_were_not_there_are_other() -> None:
    """And so is null; frequent words come first, ties by name."""
    bins = word_bins(pl.Series(["b", "a", "a", "c", None]))
    assert bins.labels == ("a", "b", "c", "other")
    assert bins.codes(pl.Series(["c", "new", None])).tolist() == [2, 3, 3]


def test_names_are_told_apart_by_what_the_model_knows() -> None:
    """A rare name that it knows is other, one that it does not know is unknown."""
    bins = Bins(kind="names", words=("a",))
    assert bins.codes(pl.Series(["a", "b", "c"]), ["a", "b"]).tolist() == [0, 1, 2]


def test_truths_that_are_null_count_for_nothing() -> None:
    """They have no bin."""
    assert Bins(kind="truths").codes(pl.Series([True, None, False])).tolist() == [1, -1, 0]
