from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.upkeep import require_live, while_live
from two_tower_assets.publishing.writer import refusals
from two_tower_assets_tests.publishing.releasing import NEW, OLD, release, rows


@pytest.fixture
def both(target: Target, old: Path, new: Path) -> Target:
    """OLD was live, NEW is."""
    release(target, old)
    release(target, new)
    return target


def test_nothing_is_added_to_a_version_that_is_no_longer_live(both: Target) -> None:
    """What was prepared for the version before a flip is refused after it, and nothing is written."""
    with connect(both.url, autocommit=True) as connection:
        assert require_live(connection).model_version == NEW
        rollback(both)
        refused = pytest.raises(PublishingError, match=f"Version {NEW} is no longer live: {OLD} is")
        with refused, while_live(connection, NEW):
            connection.execute("delete from public.user_embeddings")
        assert require_live(connection).model_version == OLD
    assert rows(both.url, "select count(*) from public.user_embeddings") == [(20,)]


def test_a_flip_waits_for_what_is_being_added_and_is_tried_again(both: Target) -> None:
    """While a block is written the pointer cannot move; afterwards it moves."""
    with connect(both.url, autocommit=True) as connection, connect(both.url, autocommit=True) as other:
        refused = pytest.raises(PublishingError, match="held a table for too long")
        with while_live(connection, NEW), refused, refusals(both.url):
            other.execute("select two_tower.activate_release(%s, %s, 'rollback')", (OLD, NEW))
    assert rollback(both).model_version == OLD
