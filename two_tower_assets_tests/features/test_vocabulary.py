from __future__ import annotations

import polars as pl

from two_tower_assets.features.vocabulary import build_vocabulary


def names(*rows: list[str | None] | None) -> pl.Series:
    return pl.Series(rows, dtype=pl.List(pl.String))


def test_order_is_by_frequency_then_name():
    """More frequent names come first, equally frequent ones in code point order."""
    rows = names(["b", "a", "ä"], ["b", "a", "Z"], ["b"])
    assert build_vocabulary(rows, min_frequency=1, max_size=9) == ("b", "a", "Z", "ä")


def test_frequency_is_a_number_of_videos():
    """A name twice on one video counts once; rows and names that are null count nothing."""
    rows = names(["a", "a", "a"], ["b", None], ["b"], None, [])
    assert build_vocabulary(rows, min_frequency=2, max_size=9) == ("b",)


def test_size_is_limited():
    """The most frequent names are kept; a size of zero keeps none."""
    rows = names(["a", "b"], ["b"])
    assert build_vocabulary(rows, min_frequency=1, max_size=1) == ("b",)
    assert build_vocabulary(rows, min_frequency=1, max_size=0) == ()


def test_empty_catalogue():
    """Without videos the vocabulary is empty."""
    assert build_vocabulary(names(), min_frequency=1, max_size=5) == ()
