from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.contract import UserPayload
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.returning_users import refresh_users
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.database.rows import add_video, user_id, user_payload
from two_tower_assets_tests.publishing.releasing import OLD, release, rows


@pytest.fixture
def live(target: Target, old: Path) -> Target:
    """OLD is live, its files are in storage alone, and there are two videos to decide on."""
    release(target, old)
    with psycopg.connect(target.url) as connection:
        for number in (1, 2):
            add_video(connection, number, tags=["tag 1"], performers=["performer 2"], price=100 * number)
    return target


def decide(url: str, user: int, video: int, ago: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into public.user_video_decisions"
            " select %s, id, 'like', now() - %s::interval from public.videos where price = %s",
            (user_id(user), ago, 100 * video),
        )


def stored(url: str) -> dict[str, tuple[np.ndarray, object]]:
    found = rows(url, "select user_id::text, embedding::real[], updated_at from public.user_embeddings")
    return {user: (np.array(vector, np.float32), at) for user, vector, at in found}


def test_who_decided_gets_the_vector_that_a_client_would_compute(live: Target, old: Path, tmp_path: Path) -> None:
    """By the readable client from the user's payload at the moment that the vector speaks for."""
    decide(live.url, 7001, 1, "2 hours")
    done = refresh_users(live, tmp_path, days=30)
    assert (done.model_version, done.users) == (OLD, 1)
    vector, at = stored(live.url)[user_id(7001)]
    assert at == done.as_of
    with psycopg.connect(live.url) as connection:
        payload = UserPayload.model_validate(user_payload(connection, 7001, done.as_of.isoformat()))
    assert payload.decision_stats.like_count == 1
    np.testing.assert_allclose(vector, ModelFolder.open(old).embed_payload(payload, done.as_of), atol=1e-5)


def test_only_vectors_that_a_decision_made_stale_are_renewed(live: Target, tmp_path: Path) -> None:
    """Again: nobody. Another decision: that user alone. Who decided long ago waits until they come."""
    decide(live.url, 7001, 1, "2 hours")
    decide(live.url, 7002, 1, "40 days")
    assert refresh_users(live, tmp_path, days=30).users == 1
    before = stored(live.url)
    assert refresh_users(live, tmp_path, days=30).users == 0
    decide(live.url, 7001, 2, "0 seconds")
    decide(live.url, 7003, 2, "1 minute")
    assert refresh_users(live, tmp_path, days=30).users == 2
    after = stored(live.url)
    changed = {user for user in after if after[user][1] != before.get(user, (None, None))[1]}
    assert changed == {user_id(7001), user_id(7003)}
    assert user_id(7002) not in after


def test_a_vector_of_a_later_moment_is_never_put_back(live: Target, tmp_path: Path) -> None:
    """A function that embeds the user at the same time wins when its moment is later."""
    decide(live.url, 7001, 1, "2 hours")
    first = refresh_users(live, tmp_path, days=30).as_of
    with psycopg.connect(live.url) as connection:
        connection.execute("update public.user_embeddings set updated_at = %s", (first + timedelta(days=1),))
    decide(live.url, 7001, 2, "0 seconds")
    assert refresh_users(live, tmp_path, days=30).users == 0
    assert stored(live.url)[user_id(7001)][1] == first + timedelta(days=1)


def test_without_a_release_it_says_what_to_start(target: Target, tmp_path: Path) -> None:
    """Nothing is live."""
    with pytest.raises(PublishingError, match="Start the job `release`"):
        refresh_users(target, tmp_path, days=30)
