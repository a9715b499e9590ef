from __future__ import annotations

import numpy as np
import pytest

from two_tower_assets.evaluation.page.exposure import MAKERS, exposure, popularity_decile

LISTS = {"two_tower": np.array([[0, 1, 2], [0, 1, -1]]), "most_popular": np.array([[3, 3, 3], [3, 3, 3]])}


def test_shares_of_makers_are_of_the_filled_places_and_the_towers_order_them() -> None:
    """Of the towers' five places A has two (video 0), B two (video 1), and one is of no known maker."""
    found = exposure(
        LISTS, np.array([0, 0, 0, 3]), makers=["A", "B", None, "C"], likes_C=np.array([4, 3, 2, 1], dtype=np.int64)
    )
    assert [(row.name, row.shown["two_tower"], row.liked) for row in found.makers] == [
        ("A", 0.4, 0.75),
        ("B", 0.4, 0.0),
        (None, 0.2, 0.0),
    ]
    assert [row.shown["most_popular"] for row in found.makers] == [0.0, 0.0, 0.0]


def test_only_the_first_ten_places_count() -> None:
    """An eleventh place is not in front of anybody."""
    found = exposure(
        {"two_tower": np.arange(11)[np.newaxis]},
        np.array([], dtype=np.int64),
        makers=[f"M{place:02}" for place in range(11)],
        likes_C=np.zeros(11, dtype=np.int64),
    )
    assert [row.name for row in found.makers] == [f"M{place:02}" for place in range(10)]


def test_no_more_makers_than_fit_are_named() -> None:
    lists = {"two_tower": np.arange(40).reshape(4, 10)}
    found = exposure(
        lists, np.arange(40), makers=[f"M{place}" for place in range(40)], likes_C=np.ones(40, dtype=np.int64)
    )
    assert len(found.makers) == MAKERS


def test_deciles_go_from_the_most_liked_tenth_to_the_least() -> None:
    """Twenty videos: two a tenth, equals in their order."""
    likes = np.array([5] * 10 + [9] * 10)
    assert popularity_decile(likes).tolist() == [5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_decile_shares_add_up_to_one_for_lists_and_likes() -> None:
    found = exposure(LISTS, np.array([0, 3]), makers=[None] * 4, likes_C=np.array([4, 3, 2, 1], dtype=np.int64))
    assert sum(found.liked_deciles) == pytest.approx(1)
    assert all(sum(shares) == pytest.approx(1) for shares in found.shown_deciles.values())
    assert found.shown_deciles["two_tower"][0] == pytest.approx(0.4)


def test_nothing_shown_and_nothing_liked_gives_no_maker_and_shares_of_zero() -> None:
    nothing = np.array([], dtype=np.int64)
    found = exposure({"two_tower": nothing.reshape(0, 0)}, nothing, makers=[], likes_C=nothing)
    assert found.makers == ()
    assert found.liked_deciles == (0.0,) * 10
