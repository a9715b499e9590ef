from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from two_tower_assets.defs.release_words import age, duration_of, moment, size, value

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=3, seconds=5), "3 min 5 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=3, seconds=4), "2 h 3 min"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
        (timedelta(days=400, minutes=59), "400 d"),
        (timedelta(days=-1, hours=-2), "-1 d 2 h"),
    ],
)
def test_a_span_is_its_two_largest_units(span: timedelta, text: str) -> None:
    """Smaller ones are left out, not rounded up."""
    assert duration_of(span) == text


def test_the_age_of_nothing_and_of_the_future() -> None:
    """What never was has no age; a clock that runs ahead makes none negative."""
    assert age(None, NOW) == "–"
    assert age(NOW + timedelta(seconds=5), NOW) == "0 s"
    assert age(NOW - timedelta(days=1, hours=1), NOW) == "1 d 1 h"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (2_340_000, "2.3 MB"),
        (5_000_000_000_000, "5,000.0 GB"),
    ],
)
def test_sizes_have_a_unit_that_fits(count: int | None, text: str) -> None:
    """Thousands, as disks are sold."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (12345, "12,345"),
        (0.5, "0.5000"),
        (0.0, "0.0000"),
        (3.2e-7, "3.20e-07"),
        ("word", "word"),
        ([1, 2], "[1, 2]"),
        ([], "–"),
        ("", "–"),
        (0, "0"),
        (False, "no"),
    ],
)
def test_figures_are_written_alike(found: object, text: str) -> None:
    """Whole numbers with separators; small ones do not become zero."""
    assert value(found) == text


def test_a_moment_shows_its_zone() -> None:
    """To the second."""
    assert moment(NOW) == "2026-11-24 12:00:00 UTC"
    assert moment(None) == "–"
