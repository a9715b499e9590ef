"""Who uses the stack's sample: videos with tags, people with decisions, and videos that are not released yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from two_tower_assets_tests.artifacts.versions import video_id

FAN, OTHER, NEWCOMER, WRITER = (str(UUID(int=0x5EED_0000 + number)) for number in range(4))
"""A user with many LIKEs (the sample user), one with few, one without any, and one who decides during the tests."""
UNRELEASED = tuple(video_id(number) for number in range(280, 290))
TAGS = 10


def put_people(database: str) -> None:
    """Put the people into a database that holds the videos of the two releases."""
    now = datetime.now(UTC)
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("update public.videos set product_released_at = %s", [now - timedelta(days=30)])
        cursor.execute(
            "update public.videos set product_released_at = %s where id = any(%s::uuid[])",
            [now + timedelta(days=30), list(UNRELEASED)],
        )
        cursor.executemany(
            "insert into public.tags (id, name) values (%s, %s)", [(_tag(i), f"tag {i}") for i in range(TAGS)]
        )
        cursor.executemany(
            "insert into public.video_tags (video_id, tag_id) values (%s, %s)",
            [(video_id(video), _tag(video % TAGS)) for video in range(300)],
        )
        cursor.executemany(
            "insert into public.profiles (user_id, created_at) values (%s, %s)",
            [(user, now - timedelta(days=100)) for user in (FAN, OTHER, WRITER)],
        )
        cursor.executemany(
            "insert into public.user_video_decisions (user_id, video_id, decision_type, created_at)"
            " values (%s, %s, %s, %s)",
            [
                *((FAN, video_id(i), "like", now - timedelta(days=1, minutes=i)) for i in range(0, 40, 2)),
                *((FAN, video_id(i), "swipe_nope", now - timedelta(days=1, minutes=i)) for i in range(1, 40, 2)),
                *((OTHER, video_id(i), "grid_like", now - timedelta(days=2, minutes=i)) for i in range(100, 105)),
                *((WRITER, video_id(i), "like", now - timedelta(days=3, minutes=i)) for i in range(200, 203)),
            ],
        )


def decided(database: str, user: str) -> set[str]:
    """The videos that a user has decided on."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "select video_id::text from public.user_video_decisions where user_id = %s", [user]
        ).fetchall()
    return {row[0] for row in rows}


def decide(database: str, user: str, video: str, decision_type: str) -> None:
    """Take a decision now."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into public.user_video_decisions (user_id, video_id, decision_type) values (%s, %s, %s)",
            [user, video, decision_type],
        )


def _tag(number: int) -> str:
    return str(UUID(int=0x7A60_0000 + number))
