from __future__ import annotations

from two_tower_assets.publishing.registry import live_release


def test_nothing_is_live_where_there_is_no_registry(empty_database: str, database: str) -> None:
    """A database without the schema, and one with the schema alone, have no live release; neither is an error."""
    assert live_release(empty_database) is None
    assert live_release(database) is None
