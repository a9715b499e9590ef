"""A sync of a real project, over its REST API and over its Postgres."""

from __future__ import annotations

import pytest

from two_tower_assets_tests.sources.sync.project import DECISIONS, Project, Way, contents, written

BOTH = pytest.mark.parametrize("way", ["rest", "direct"])


@BOTH
def test_everything_comes_once(project: Project, copy_url: str, way: Way) -> None:
    """The first sync makes all tables byte-equal, the second finds nothing to do."""
    first = project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)
    assert first.counts("inserted")["user_video_decisions"] == DECISIONS
    assert not first.unchanged
    again = project.bring(way, copy_url)
    assert written(again) == 0
    assert again.unchanged
    assert again.content_hash == first.content_hash
