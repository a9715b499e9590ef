"""What is popular lately: counted by hand, under the filters, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.rows import (
    Connection,
    acting_as,
    add_video,
    column,
    tag_id,
    user_id,
    value,
    video_id,
)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


def like(connection: Connection, user: int, video: int, days_ago: float, decision_type: str = "like") -> None:
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, %s, now() - %s * interval '1 day')",
        (user_id(user), video_id(video), decision_type, days_ago),
    )


def count(connection: Connection, half_life_days: float = 30, max_age: str = "0") -> bool:
    return bool(value(connection, "select public.refresh_popularity(%s, %s::interval)", half_life_days, max_age))


def popular(connection: Connection, **arguments: Any) -> list[tuple[int, float]]:
    casts = {
        "p_banned_tag_ids": "uuid[]",
        "p_exclude_video_ids": "uuid[]",
        "p_user_id": "uuid",
        "p_released_before": "timestamptz",
    }
    names = ", ".join(f"{name} => %({name})s" + (f"::{casts[name]}" if name in casts else "") for name in arguments)
    rows = connection.execute(
        f"select video_id::text, popularity from public.popular_videos({names})", arguments or None
    )
    return [(int(video[-12:], 16), popularity) for video, popularity in rows]


def numbers(connection: Connection, **arguments: Any) -> list[int]:
    return [number for number, _ in popular(connection, **arguments)]


def test_likes_fade_by_half_in_a_half_life(connection: Connection) -> None:
    """A LIKE of now counts 1, of a half-life ago 0.5, of two 0.25; NOPEs and LIKEs to come count nothing."""
    for number in range(1, 5):
        add_video(connection, number, product_released_at=f"2024-01-0{number}")
    like(connection, 1, 1, 30)
    like(connection, 2, 1, 60, "swipe_like")
    like(connection, 1, 2, 0.00001)
    like(connection, 3, 3, 1, "nope")
    like(connection, 4, 3, -1)
    like(connection, 5, 3, 0, "unlike_")
    assert count(connection)
    found = popular(connection)
    assert [number for number, _ in found] == [2, 1, 4, 3]
    assert [popularity for _, popularity in found] == pytest.approx([1, 0.75, 0, 0], abs=1e-4)


def test_another_half_life_gives_another_order(connection: Connection) -> None:
    """Three LIKEs of last month are behind one of now with a week's half-life, before it with a year's."""
    for number in (1, 2):
        add_video(connection, number)
    for user in (1, 2, 3):
        like(connection, user, 1, 30)
    like(connection, 1, 2, 0.001)
    assert count(connection, 7)
    assert numbers(connection) == [2, 1]
    assert count(connection, 365, "infinity")
    assert numbers(connection) == [1, 2]


@pytest.mark.parametrize(("days_ago", "half_life"), [(9000, 0.5), (9000, 10000), (0.1, 0.001)])
def test_very_old_likes_neither_overflow_nor_vanish(
    connection: Connection, days_ago: float, half_life: float
) -> None:
    """Thousands of half-lives away a LIKE still puts its video before one that nobody liked."""
    add_video(connection, 1)
    add_video(connection, 2, product_released_at="2026-01-01")
    like(connection, 1, 1, days_ago)
    assert count(connection, half_life)
    (first, popularity), (second, _) = popular(connection)
    assert (first, second) == (1, 2)
    assert 0 < popularity <= 1


def test_it_is_counted_again_only_when_it_is_old(connection: Connection) -> None:
    """Within five minutes the last count stands; later, or on request, new LIKEs and taken back ones show."""
    for number in (1, 2):
        add_video(connection, number)
    like(connection, 1, 1, 1)
    assert count(connection, max_age="5 minutes")
    connection.execute("delete from public.user_video_decisions")
    like(connection, 1, 2, 1)
    assert not count(connection, max_age="5 minutes")
    assert popular(connection)[0][0] == 1
    assert count(connection)
    assert column(connection, "select video_id::text from two_tower.video_popularity") == [video_id(2)]


def test_one_counts_while_others_go_on(connection: Connection, database: str) -> None:
    """A second counter does not wait for the first."""
    with connect(database) as other:
        assert count(other)
        assert not count(connection)


@pytest.mark.parametrize("half_life", [0, -1, "NaN", "infinity", None])
def test_a_half_life_that_is_none_is_refused(connection: Connection, half_life: object) -> None:
    """The message names the argument."""
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="p_half_life_days"):
        connection.execute("select public.refresh_popularity(%s::float8)", (half_life,))


def test_filters_hold_for_the_liked_and_for_the_rest(connection: Connection) -> None:
    """Inactive, unreleased, unsafe, of other regions, banned, excluded and decided videos stay away."""
    hidden: dict[int, dict[str, Any]] = {
        1: {"is_active": False},
        2: {"product_released_at": "2999-01-01"},
        3: {"safety_level": 2},
        4: {"region_codes": ["US"]},
        5: {"tags": ["banned"]},
    }
    for offset in (0, 100):
        for number, columns in hidden.items():
            add_video(connection, number + offset, **columns)
        for number in range(6, 10):
            add_video(connection, number + offset)
    for number in range(1, 10):
        like(connection, 1, number, number)
    assert count(connection)
    like(connection, 2, 7, 0, "nope")
    like(connection, 2, 107, 0, "other")
    asked = {
        "p_allowed_regions": ["JP"],
        "p_banned_tag_ids": [tag_id(connection, "banned")],
        "p_exclude_video_ids": [video_id(8), video_id(108)],
        "p_user_id": user_id(2),
    }
    assert numbers(connection, **asked) == [6, 9, 106, 109]
    assert numbers(connection, **asked, p_limit=3) == [6, 9, 106]
    assert numbers(connection, **asked, p_limit=1) == [6]
    assert 2 in numbers(connection, p_released_before="3000-01-01")


def test_a_signed_in_user_is_not_shown_what_they_decided_on(connection: Connection) -> None:
    """By their token, without being named; naming another user tells them nothing of that user."""
    for number in (1, 2, 3):
        add_video(connection, number)
        like(connection, 9, number, number)
    like(connection, 1, 1, 1, "nope")
    like(connection, 2, 2, 1, "nope")
    assert count(connection)
    with acting_as(connection, "authenticated", user=1):
        assert numbers(connection) == [2, 3]
        assert numbers(connection, p_user_id=user_id(2)) == [1, 2, 3]
    with acting_as(connection, "service_role"):
        assert numbers(connection, p_user_id=user_id(2)) == [1, 3]
        assert count(connection)
    with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
        count(connection)
    with acting_as(connection, "anon"), pytest.raises(psycopg.errors.InsufficientPrivilege):
        numbers(connection)
