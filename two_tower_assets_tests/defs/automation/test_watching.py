"""What monitoring looks at, asked of a real serving database and the files of real releases."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.defs.monitoring.looking import drift_of, likes_of, vectors_of, watched_versions
from two_tower_assets.defs.monitoring.printing import print_state
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.errors import MissingAssetError
from two_tower_assets.publishing.registry import list_releases
from two_tower_assets.publishing.released_files import released_file
from two_tower_assets_tests.database.rows import user_id
from two_tower_assets_tests.defs.automation.ticking import Live
from two_tower_assets_tests.publishing.releasing import NEW, OLD

SERVE = """
insert into public.served_lists
values (%s, %s, %s, now() - interval '1 hour', 'none', 0, %s::uuid[], '{0.5,0.4}', '{model,popular}', '{1,1}')
"""
DECIDE = "insert into public.user_video_decisions values (%s, %s, %s, now() - interval '30 minutes')"


def site_of(live: Live) -> Site:
    return Workspace(home=str(live.home)).site


def test_before_the_first_release_each_says_that_there_is_nothing(empty: Live) -> None:
    """And none of them is an error: a first run passes."""
    site = site_of(empty)
    assert "No release is live" in (drift_of(site, empty.home, None).reason or "")
    assert likes_of(site).reason == "No list was ever served from this database"
    assert vectors_of(site).reason == "No release is live"
    assert watched_versions(site) == ("", "")
    with pytest.raises(MissingAssetError, match="Start the job `monitor`"):
        print_state(site, as_json=False)


def test_a_release_from_before_drift_was_watched_says_so(live: Live) -> None:
    """It has no reference, neither here nor in storage."""
    (release,) = (each for each in list_releases(live.url) if each.model_version == NEW)
    reason = drift_of(site_of(live), live.home, release).reason or ""
    assert Files.REFERENCE in reason
    assert "The next release has one" in reason


def test_vectors_are_compared_with_the_release_before(live: Live) -> None:
    """Of random towers nothing is left but chance, over the videos that both have."""
    found = vectors_of(site_of(live))
    assert (found.model_version, found.previous_version) == (NEW, OLD)
    assert (found.videos, found.common) == (312, 300)
    assert found.largest_norm_error < 1e-5
    assert found.churn is not None
    assert found.churn.mean > 0.5


def test_a_file_of_a_release_comes_from_storage_where_it_is_not_here(live: Live) -> None:
    """The same bytes; a private one that was never stored is None."""
    site = site_of(live)
    (release,) = (each for each in list_releases(live.url) if each.model_version == NEW)
    own = live.home / "artifacts" / NEW / Files.VIDEO_EMBEDDINGS
    content = own.read_bytes()
    own.unlink()
    with released_file(site.target.buckets, site.home.artifacts, release, Files.VIDEO_EMBEDDINGS) as path:
        assert path is not None
        assert path != own
        assert path.read_bytes() == content
    with released_file(site.target.buckets, site.home.artifacts, release, Files.REFERENCE) as path:
        assert path is None


def test_served_lists_are_held_against_later_decisions(live: Live) -> None:
    """A LIKE on the model's place and a NOPE on the popular one."""
    with psycopg.connect(live.url) as connection:
        videos = [row[0] for row in connection.execute("select id from public.videos order by id limit 2")]
        connection.execute(SERVE, (uuid.uuid4(), user_id(1), NEW, videos))
        for video, kind in zip(videos, ("swipe_like", "nope"), strict=True):
            connection.execute(DECIDE, (user_id(1), video, kind))
    model, popular = likes_of(site_of(live)).rates
    assert (model.model_version, model.source, model.lists, model.decisions) == (NEW, "model", 1, 1)
    assert model.rate is not None
    assert popular.rate is not None
    assert (model.rate.mean, popular.rate.mean) == (1.0, 0.0)
