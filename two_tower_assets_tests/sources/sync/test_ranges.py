"""Arithmetic of ranges."""

from __future__ import annotations

from uuid import UUID

from two_tower_assets.sources.sync.ranges import FIRST, Range, Sums, agree, are_adjacent, by_place, merged, split

LOW, HIGH = UUID(int=5), UUID(int=9)


def test_bounds_become_ranges_without_gaps() -> None:
    """Each range ends where the next begins, the last one where it is told."""
    assert split([FIRST, LOW, HIGH], None) == [Range(FIRST, LOW), Range(LOW, HIGH), Range(HIGH, None)]


def test_ranges_that_touch_are_joined() -> None:
    """Neighbours become one range, others stay apart."""
    assert merged([Range(FIRST, LOW), Range(LOW, HIGH)]) == [Range(FIRST, HIGH)]
    assert merged([Range(FIRST, LOW), Range(HIGH, None)]) == [Range(FIRST, LOW), Range(HIGH, None)]


def test_ranges_differ_by_count_or_by_hash() -> None:
    """Where one side knows no hash, the counts decide."""
    there = [Sums(1, "5"), Sums(1, "6"), Sums(2), Sums(1)]
    assert [agree(each, Sums(1, "5")) for each in there] == [True, False, False, True]


def test_ranges_with_gaps_are_told_from_those_without() -> None:
    """Each must end exactly where the next one begins; a single one has no gap."""
    assert are_adjacent([Range(FIRST, LOW), Range(LOW, HIGH), Range(HIGH, None)])
    assert are_adjacent([Range(LOW, HIGH)])
    assert not are_adjacent([Range(FIRST, LOW), Range(HIGH, None)])


def test_a_range_without_rows_is_equal_to_an_empty_one() -> None:
    """What a database does not mention holds nothing."""
    assert by_place({2: Sums(3, "7")}, 3) == [Sums(0, "0"), Sums(3, "7"), Sums(0, "0")]
