from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.errors import ArtifactError, PublishingError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.staging import prepare_users, stage
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.user_check import check_users
from two_tower_assets.publishing.user_vectors import UserVectors
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.publishing.releasing import NEW, OLD, SETTINGS, prepared, release, rows, user_probes

USERS = "two_tower.user_embeddings_20260302t120000z_0123456"


def shown(url: str) -> set[tuple[str, int]]:
    """What a reader of the view sees: version and number of users."""
    return set(rows(url, "select model_version, count(*) from public.user_embeddings group by 1"))


def test_users_move_with_the_model(target: Target, old: Path, new: Path) -> None:
    """At the flip each active user's vector of the new version is there, and after a rollback the old one again."""
    release(target, old)
    assert shown(target.url) == {(OLD, 20)}
    release(target, new)
    assert shown(target.url) == {(NEW, 20)}
    rollback(target)
    assert shown(target.url) == {(OLD, 20)}


def test_prepared_vectors_are_the_models_and_speak_for_the_cut_off(target: Target, new: Path) -> None:
    """Bit by bit, stamped with the moment that their features were taken at, so a later decision makes them stale."""
    stage(target, new, settings=SETTINGS)
    users = prepared(new)
    assert prepare_users(target, NEW, users).written
    ((ids, vectors),) = users.blocks()
    stored = dict(rows(target.url, f"select user_id::text, embedding::real[] from {USERS}"))
    np.testing.assert_array_equal(np.array([stored[user] for user in ids], np.float32), vectors)
    assert rows(target.url, f"select distinct updated_at from {USERS}") == [(CUTOFF,)]
    assert shown(target.url) == set()
    found = check_users(target.url, NEW, users)
    assert (found.users, found.newer, found.largest_difference) == (20, 0, 0)


def test_preparing_again_computes_and_writes_nothing(target: Target, new: Path) -> None:
    """Not even the vectors are asked for."""
    stage(target, new, settings=SETTINGS)
    users = prepared(new)
    prepare_users(target, NEW, users)

    def never() -> list[tuple[np.ndarray, np.ndarray]]:
        pytest.fail("vectors were computed again")

    assert not prepare_users(target, NEW, replace(users, blocks=never)).written


def test_a_vector_of_a_later_moment_is_never_put_back(target: Target, new: Path) -> None:
    """Who came back meanwhile keeps the vector that they were given then."""
    release(target, new)
    later = str([1.0] + [0.0] * 255)
    one = user_probes().users[3]
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute(
            "update public.user_embeddings set embedding = %s, updated_at = %s where user_id = %s",
            (later, CUTOFF + timedelta(days=1), one),
        )
    users = replace(prepared(new), as_of=CUTOFF + timedelta(hours=1))
    assert prepare_users(target, NEW, users).written
    assert rows(target.url, "select updated_at from public.user_embeddings where user_id = %s", one) == [
        (CUTOFF + timedelta(days=1),)
    ]
    assert check_users(target.url, NEW, users).newer == 1


def test_a_vector_that_is_not_the_models_fails_the_check(target: Target, new: Path) -> None:
    """A changed one is found by its difference, a missing one is counted."""
    stage(target, new, settings=SETTINGS)
    users = prepared(new)
    prepare_users(target, NEW, users)
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute(
            f"update {USERS} set embedding = %s, updated_at = %s where user_id = %s",
            (str([1.0] + [0.0] * 255), CUTOFF - timedelta(days=1), user_probes().users[0]),
        )
        with pytest.raises(PublishingError, match="differs from the model's by"):
            check_users(target.url, NEW, users)
        connection.execute(f"delete from {USERS} where user_id = %s", (user_probes().users[0],))
        with pytest.raises(PublishingError, match=r"1 active user\(s\) have no vector"):
            check_users(target.url, NEW, users)


@pytest.mark.parametrize("number", [np.nan, np.inf, 2.0])
def test_an_unusable_vector_is_refused_and_its_user_named(target: Target, new: Path, number: float) -> None:
    """Nothing of the batch is stored."""
    stage(target, new, settings=SETTINGS)
    vectors = np.zeros((2, 256), np.float32)
    vectors[:, 0] = (1, number)
    users = UserVectors(CUTOFF, 2, lambda: [(user_probes(2).users, vectors)])
    with pytest.raises(ArtifactError, match=rf"1 user\(s\) are not of unit length .*: {user_probes(2).users[1]}"):
        prepare_users(target, NEW, users)
    assert rows(target.url, f"select count(*) from {USERS}") == [(0,)]


def test_other_users_than_were_announced_are_refused(target: Target, new: Path) -> None:
    """The number is kept with the release, so it must be right."""
    stage(target, new, settings=SETTINGS)
    with pytest.raises(PublishingError, match="21 users were announced and 20 came"):
        prepare_users(target, NEW, replace(prepared(new), count=21))


def test_users_of_a_version_that_is_not_staged_are_refused(target: Target, new: Path) -> None:
    """There is no table for them; the check says so too."""
    with pytest.raises(PublishingError, match="are not staged"):
        prepare_users(target, NEW, prepared(new))
    with pytest.raises(PublishingError, match="are not staged"):
        check_users(target.url, NEW, prepared(new))


def test_staging_a_version_blocks_no_writer_of_the_live_users(target: Target, old: Path, new: Path) -> None:
    """While the next version's vectors are being indexed, a function stores a user's vector without waiting."""
    release(target, old)

    def store(step: str) -> None:
        if step.startswith("indexed"):
            with psycopg.connect(target.url, autocommit=True) as connection:
                connection.execute("set lock_timeout = '1ms'")
                connection.execute("set search_path = public, extensions")
                connection.execute(
                    "insert into public.user_embeddings (user_id, embedding)"
                    " select gen_random_uuid(), embedding from public.user_embeddings limit 1"
                )
                connection.execute(
                    "select public.store_user_embedding(gen_random_uuid(), %s, embedding, now())"
                    " from public.user_embeddings limit 1",
                    (OLD,),
                )

    assert stage(target, new, settings=SETTINGS, reached=store).written
    assert shown(target.url) == {(OLD, 22)}
