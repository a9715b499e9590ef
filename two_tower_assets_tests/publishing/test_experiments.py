"""Versions of experiments: prepared without going live, kept while they serve, and made live by a promotion."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.contract import Files, UserPayload
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.experiments import registry
from two_tower_assets.experiments.assignment import arm_of, is_in
from two_tower_assets.experiments.definition import define
from two_tower_assets.publishing.flip import promote, rollback
from two_tower_assets.publishing.new_videos import embed_new_videos, embed_new_videos_of_arms
from two_tower_assets.publishing.registry import list_releases, live_release
from two_tower_assets.publishing.returning_users import refresh_users_of_arms
from two_tower_assets.publishing.staging import prepare_users, stage
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.verification import verify
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.artifacts.versions import CUTOFF, make_version
from two_tower_assets_tests.database.rows import add_video, user_id
from two_tower_assets_tests.publishing.releasing import (
    NEW,
    OLD,
    SETTINGS,
    passing,
    prepared,
    release,
    rows,
    stage_only,
    user_probes,
)


def create(target: Target, version: str) -> None:
    """A draft that compares what is live with a version."""
    arms = [
        {"name": "control", "weight": 0.5},
        {"name": "challenger", "weight": 0.5, "model_version": version},
    ]
    with connect(target.url, autocommit=True) as connection:
        planned = define(name="e", salt="e", arms=arms, primary_metric="like_rate", planned_users=1000)
        registry.create(connection, planned)


def start(target: Target) -> None:
    with connect(target.url, autocommit=True) as connection:
        registry.start(connection, "e", Decimal("0.5"))


def stop(target: Target) -> None:
    with connect(target.url, autocommit=True) as connection:
        registry.stop(connection, "e")


def with_vectors(target: Target) -> list[str]:
    """Versions whose vectors are kept, newest first."""
    return [one.model_version for one in list_releases(target.url) if one.vector_table is not None]


def test_a_version_is_prepared_for_an_experiment_and_promoted_by_the_same_flip(
    target: Target, old: Path, new: Path
) -> None:
    """OLD stays live until then; afterwards NEW is, `current/` follows, the log says why, and there is a way back."""
    release(target, old)
    stage_only(target, new)
    assert live_release(target.url).model_version == OLD
    assert [(one.model_version, one.state, one.user_count) for one in list_releases(target.url)] == [
        (NEW, "verified", 20),
        (OLD, "live", 20),
    ]
    create(target, NEW)
    start(target)
    flip = promote(target, NEW, note="experiment e")
    assert (flip.model_version, flip.previous, flip.changed) == (NEW, OLD, True)
    assert live_release(target.url).model_version == NEW
    stored = b"".join(target.buckets.public.read(f"{target.buckets.prefix}/current/{Files.MANIFEST}"))
    assert stored == (new / Files.MANIFEST).read_bytes()
    log = rows(target.url, "select from_version, to_version, action, note from public.release_log order by id")
    assert log[-1] == (OLD, NEW, "release", "experiment e")
    assert not promote(target, NEW).changed
    assert rollback(target).model_version == OLD
    assert promote(target, NEW).changed


def test_what_cannot_go_live_is_not_promoted(target: Target, old: Path, new: Path) -> None:
    """A version that nobody knows, whose files are not in storage, or whose vectors are gone."""
    release(target, old)
    with pytest.raises(PublishingError, match="vectors of version 20200101T000000Z-fffffff are gone"):
        promote(target, "20200101T000000Z-fffffff")
    stage(target, new, settings=SETTINGS)
    prepare_users(target, new.name, prepared(new))
    verify(target, new, probes=user_probes(), evaluation=passing(new.name), settings=SETTINGS)
    with pytest.raises(PublishingError, match=f"files of version {NEW} are not in storage"):
        promote(target, NEW)
    rows(target.url, "select two_tower.drop_release_vectors(%s)::text", NEW)
    with pytest.raises(PublishingError, match=f"vectors of version {NEW} are gone"):
        promote(target, NEW)
    assert live_release(target.url).model_version == OLD


def test_vectors_of_an_experiment_outlast_the_releases_after_it(target: Target, tmp_path: Path) -> None:
    """As a draft, and while it runs; after its stop they are as superseded as any."""
    settings = ReleaseSettings(min_ann_recall=0.9, min_filtered_ann_recall=0.9, keep_versions=1)
    folders = [make_version(tmp_path, f"2026030{day}T120000Z-0123456", videos=20, seed=day) for day in range(1, 4)]
    oldest, before, live = (folder.name for folder in folders)
    release(target, folders[0], settings)
    create(target, oldest)
    for folder in folders[1:]:
        assert release(target, folder, settings).flip.dropped == ()
    start(target)
    assert superseded(target) == []
    assert with_vectors(target) == [live, before, oldest]
    stop(target)
    assert superseded(target) == [oldest]


def test_new_videos_are_embedded_for_the_arms_of_a_running_experiment(
    target: Target, old: Path, new: Path, tmp_path: Path
) -> None:
    """By each version's own model, so that no arm alone has them; for drafts not yet, and of a large gap none."""
    release(target, old)
    stage_only(target, new)
    create(target, NEW)
    with connect(target.url, autocommit=True) as connection:
        videos = [add_video(connection, number, tags=["tag 1"]) for number in (1, 2)]
    folder = tmp_path / "artifacts"
    assert embed_new_videos_of_arms(target, folder, most=10) == ()
    start(target)
    (refused,) = embed_new_videos_of_arms(target, folder, most=1)
    assert (refused.model_version, refused.added, refused.too_many) == (NEW, (), True)
    (done,) = embed_new_videos_of_arms(target, folder, most=10)
    assert (done.model_version, sorted(done.added)) == (NEW, videos)
    assert embed_new_videos_of_arms(target, folder, most=10)[0].added == ()
    assert sorted(embed_new_videos(target, folder, most=10).added) == videos
    promote(target, NEW)
    assert embed_new_videos(target, folder, most=10).added == ()
    assert embed_new_videos_of_arms(target, folder, most=10) == ()


def test_vectors_of_an_arm_are_renewed_by_its_model_for_its_users(
    target: Target, old: Path, new: Path, tmp_path: Path
) -> None:
    """Of who decided, those whom Python assigns to the arm as the database does; of an interleaving everybody.

    For drafts and after the stop nobody; the live version's vectors stay as they are.
    """
    release(target, old)
    stage_only(target, new)
    with connect(target.url, autocommit=True) as connection:
        video = add_video(connection, 1, tags=["tag 1"])
        users = [user_id(number) for number in range(7001, 7041)]
        for user in users:
            decision = (user, video)
            connection.execute("insert into public.user_video_decisions values (%s, %s, 'like')", decision)
    create(target, NEW)
    folder = tmp_path / "artifacts"
    assert refresh_users_of_arms(target, folder, days=1) == ()
    start(target)
    (done,) = refresh_users_of_arms(target, folder, days=1)
    challengers = {
        user for user in users if is_in((0.0, 0.5), UUID(user)) and arm_of("e", (0.5, 0.5), UUID(user)) == 1
    }
    assert 0 < len(challengers) < len(users)
    assert (done.model_version, done.users, renewed(target, NEW)) == (NEW, len(challengers), challengers)
    with connect(target.url, autocommit=True) as connection:
        payload = connection.execute("select get_user_embedding_features(%s, %s)", (min(challengers), done.as_of))
        expected = ModelFolder.open(new).embed_payload(UserPayload.model_validate(payload.fetchone()[0]), done.as_of)
    ((stored,),) = rows(
        target.url,
        "select embedding::real[] from two_tower.user_embedding_versions where (model_version, user_id) = (%s, %s)",
        NEW,
        min(challengers),
    )
    np.testing.assert_allclose(stored, expected, atol=1e-5)
    assert refresh_users_of_arms(target, folder, days=1)[0].users == 0
    assert not renewed(target, OLD)
    stop(target)
    assert refresh_users_of_arms(target, folder, days=1) == ()
    with connect(target.url, autocommit=True) as connection:
        arms = [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 0.5, "model_version": NEW}]
        planned = define(
            name="both", kind="interleaving", salt="s", arms=arms, primary_metric="preference", planned_users=1000
        )
        registry.create(connection, planned)
        registry.start(connection, "both", Decimal(1))
    assert refresh_users_of_arms(target, folder, days=1)[0].users == len(users) - len(challengers)
    assert renewed(target, NEW) == set(users)


def renewed(target: Target, version: str) -> set[str]:
    """Users with a vector of a version that was not prepared with it."""
    known = "select user_id::text from two_tower.user_embedding_versions where model_version = %s and updated_at > %s"
    return {user for (user,) in rows(target.url, known, version, CUTOFF)}


def superseded(target: Target) -> list[str]:
    """What the next release would drop."""
    with connect(target.url, autocommit=True) as connection:
        return [version for (version,) in connection.execute(query("release_superseded"), {"others": 1})]
