"""A serving database in which people look around: its videos, and two releases whose files lie in a home."""

from __future__ import annotations

import psycopg

from two_tower_assets_tests.artifacts.versions import feature_space, items
from two_tower_assets_tests.publishing.releasing import VIDEOS


def serving_videos(database: str, videos: int = VIDEOS) -> None:
    """Put the videos of the small test versions into a migrated database."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.videos (id, title) values (%s, %s)",
            [(video, f"video {i}") for i, video in enumerate(items(feature_space(), videos).ids.tolist())],
        )
