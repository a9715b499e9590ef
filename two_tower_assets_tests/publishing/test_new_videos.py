from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.new_videos import embed_new_videos
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.database.rows import add_video
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, release, rows

MOST = 10
TABLE = "two_tower.video_embeddings_20260301t120000z_0123456"


@pytest.fixture
def live(target: Target, old: Path) -> Target:
    """OLD is live, and its files are in storage alone."""
    release(target, old)
    return target


def add(url: str, *numbers: int, **columns: object) -> list[str]:
    with psycopg.connect(url) as connection:
        return [
            add_video(
                connection, number, tags=["tag 1", f"tag {2 + number % 5}"], performers=["performer 2"], **columns
            )
            for number in numbers
        ]


def vectors(url: str) -> dict[str, np.ndarray]:
    found = rows(url, "select video_id::text, embedding::real[] from public.video_embeddings")
    return {video: np.array(vector, np.float32) for video, vector in found}


def test_a_new_video_is_found_by_its_own_vector_under_the_live_version(live: Target, tmp_path: Path) -> None:
    """Nothing of the version is on this machine: its model comes from storage; the search returns the video first."""
    added = add(live.url, 1, 2, 3)
    done = embed_new_videos(live, tmp_path / "artifacts", most=MOST)
    assert (done.model_version, sorted(done.added)) == (OLD, added)
    stored = vectors(live.url)
    assert len(stored) == VIDEOS + 3
    for video in added:
        nearest = rows(
            live.url,
            "select video_id::text from public.recommend_videos_ann(%s, 1, p_model_version => %s)",
            str(stored[video].tolist()),
            OLD,
        )
        assert nearest == [(video,)]


def test_again_nothing_happens(live: Target, tmp_path: Path) -> None:
    """A second time adds nothing and touches no row."""
    add(live.url, 1)
    embed_new_videos(live, tmp_path, most=MOST)
    before = rows(live.url, f"select video_id, xmin::text from {TABLE} order by 1")
    assert embed_new_videos(live, tmp_path, most=MOST).added == ()
    assert rows(live.url, f"select video_id, xmin::text from {TABLE} order by 1") == before


def test_an_inactive_video_needs_nothing(live: Target, tmp_path: Path) -> None:
    """It gets its vector when it becomes active."""
    (video,) = add(live.url, 1, is_active=False)
    assert embed_new_videos(live, tmp_path, most=MOST).added == ()
    with psycopg.connect(live.url) as connection:
        connection.execute("update public.videos set is_active = true")
    assert embed_new_videos(live, tmp_path, most=MOST).added == (video,)


def test_after_a_rollback_the_version_that_is_live_again_is_filled(
    target: Target, old: Path, new: Path, artifacts: Path
) -> None:
    """Each version gets vectors of its own model, the same whether its files come from here or from storage."""
    release(target, old)
    release(target, new)
    (video,) = add(target.url, 1)
    assert embed_new_videos(target, artifacts, most=MOST).model_version == NEW
    of_new = vectors(target.url)[video]
    rollback(target)
    assert video not in vectors(target.url)
    assert embed_new_videos(target, artifacts, most=MOST).model_version == OLD
    of_old = vectors(target.url)[video]
    assert not np.allclose(of_new, of_old)
    with psycopg.connect(target.url) as connection:
        connection.execute("delete from public.video_embeddings where video_id = %s", (video,))
    embed_new_videos(target, artifacts / "absent", most=MOST)
    np.testing.assert_array_equal(vectors(target.url)[video], of_old)


def test_a_video_that_had_been_liked_before_the_cut_off_keeps_its_popularity(live: Target, tmp_path: Path) -> None:
    """One that comes back into the catalogue is placed by its LIKEs, a new one as a newcomer."""
    liked, plain = add(live.url, 1, 6, created_at=CUTOFF - timedelta(days=300))
    with psycopg.connect(live.url) as connection:
        for user in range(40):
            connection.execute(
                "insert into public.user_video_decisions values (gen_random_uuid(), %s, 'like', %s)",
                (liked, CUTOFF - timedelta(days=user)),
            )
    embed_new_videos(live, tmp_path, most=MOST)
    stored = vectors(live.url)
    # The last two numbers are the popularity and what makes the part's length 1.
    assert not np.allclose(stored[liked][-2:], stored[plain][-2:])
    np.testing.assert_allclose(stored[liked][:-2], stored[plain][:-2], atol=1e-6)


def test_a_large_gap_is_left_to_a_retrain(live: Target, tmp_path: Path) -> None:
    """More than the bound: nothing is added, and the error says what to start."""
    add(live.url, *range(MOST + 1))
    with pytest.raises(PublishingError, match="Start the job `release`"):
        embed_new_videos(live, tmp_path, most=MOST)
    assert len(vectors(live.url)) == VIDEOS


def test_files_that_are_not_the_released_ones_are_never_used(live: Target, old: Path, tmp_path: Path) -> None:
    """Altered here: storage's are taken. Altered there too: refused, and nothing is written."""
    add(live.url, 1)
    own = tmp_path / "artifacts" / OLD
    shutil.copytree(old, own)
    (own / Files.TOWERS).write_bytes(b"another model")
    stored = tmp_path / "buckets" / "model-artifacts-private" / "two-tower/v3" / OLD / Files.TOWERS
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + b"!")
    with pytest.raises(PublishingError, match="is not the one that was released"):
        embed_new_videos(live, own.parent, most=MOST)
    assert len(vectors(live.url)) == VIDEOS
    stored.write_bytes(whole)
    assert len(embed_new_videos(live, own.parent, most=MOST).added) == 1


def test_without_a_release_it_says_what_to_start(target: Target, tmp_path: Path) -> None:
    """Nothing is live."""
    with pytest.raises(PublishingError, match="Start the job `release`"):
        embed_new_videos(target, tmp_path, most=MOST)
