from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.features.frames import raw_items, raw_users, user_blocks
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.payloads import parse_items, parse_users
from two_tower_assets.features.reference import item_vector, user_vector
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.users import user_matrix, users_of_blocks
from two_tower_assets.settings import FeatureSettings
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets_tests.features.worlds import (
    CUTOFF,
    HYBRID,
    PLAIN,
    START,
    World,
    as_payload_rows,
    busy_world,
    dense_worlds,
    large_world,
    naive_item,
    naive_payload,
    space,
    uid,
    world,
    worlds,
)


@given(worlds())
def test_items_equal_the_readable_definition(some: World):
    """Item vectors of frames and of payloads both equal the per-payload definition, inactive videos included."""
    target = some.space()
    payloads = [naive_item(video) for video in some.videos.iter_rows(named=True)]
    expected = np.array([item_vector(payload, target) for payload in payloads])
    parsed = parse_items(as_payload_rows((payload.video_id, payload) for payload in payloads))
    for frame in (some.videos, parsed):
        matrix = item_matrix(frame, target)
        assert matrix.ids.tolist() == some.videos["id"].to_list()
        np.testing.assert_allclose(matrix.rows(slice(None)), expected, rtol=0, atol=1e-5)


@given(worlds() | dense_worlds(), st.integers(0, 41), st.sampled_from([PLAIN, HYBRID]))
def test_users_equal_the_readable_definition(some: World, hours: int, settings: FeatureSettings):
    """User vectors of frames and of payloads both equal the per-payload definition at any moment."""
    as_of, target = START + timedelta(hours=hours), some.space(settings)
    past = some.until(as_of)
    users = past.decisions["user_id"].unique().sort().to_list()
    payloads = [naive_payload(some, user, as_of) for user in users]
    expected = np.array([user_vector(payload, as_of, target) for payload in payloads])
    ids = bool(target.videos)
    from_frames = raw_users(past.decisions, videos=some.videos, profiles=some.profiles, video_ids=ids)
    parsed = parse_users(as_payload_rows((payload.user_id, payload) for payload in payloads), video_ids=ids)
    for frame in (from_frames, parsed):
        matrix = user_matrix(frame, as_of=as_of, space=target)
        assert matrix.ids.tolist() == users
        actual = matrix.rows(slice(None))
        np.testing.assert_allclose(actual, expected.reshape(actual.shape), rtol=0, atol=1e-5)


def users_now(snapshot: Snapshot, target: FeatureSpace) -> FeatureMatrix:
    """Vectors of a snapshot's users at its cut-off, from its frames."""
    blocks = user_blocks(snapshot, as_of=snapshot.cutoff, video_ids=bool(target.videos))
    return users_of_blocks(blocks, as_of=snapshot.cutoff, space=target)


@pytest.mark.parametrize("settings", [PLAIN, HYBRID], ids=["content", "hybrid"])
def test_users_follow_the_payload_definition_at_scale(tmp_path: Path, settings: FeatureSettings):
    """At the cut-off the users of a snapshot, block by block, have the states of the point-in-time computation."""
    large = large_world(users=5_000, videos=300, decisions=30_000, tags=30, performers=10)
    decided_once = large.decisions.unique(["user_id", "video_id"], keep="first", maintain_order=True)
    some = replace(large, decisions=decided_once)
    target, history = some.space(settings), some.history
    matrix = users_now(some.snapshot(tmp_path), target)
    user = np.arange(len(history.user_ids))
    moment = np.full(len(user), microseconds(CUTOFF))
    states = some.states(target).vectors(user, history.prefix_at(user, moment), moment)
    assert matrix.ids.tolist() == history.user_ids.to_list()
    np.testing.assert_allclose(matrix.rows(slice(None)), states, rtol=0, atol=1e-5)


def test_a_snapshot_without_users(tmp_path: Path):
    """Without decisions there are no user vectors, and items still have theirs."""
    snapshot = world([{"id": uid(1), "tags": ["a"]}], []).snapshot(tmp_path)
    assert users_now(snapshot, space(["a"])).rows(slice(None)).shape == (0, 10)
    assert users_now(snapshot, space(["a"], videos=[uid(1)])).rows(slice(None)).shape == (0, 12)
    assert item_matrix(raw_items(snapshot), space(["a"])).rows(slice(None)).tolist() == [[0, 0, 0, 1]]


def test_names_are_counted_by_video_and_repetition():
    """A name on two liked videos counts twice; bags of tags and performers are normalised apart."""
    some = world(
        [
            {"id": uid(1), "tags": ["a", "b"], "performers": ["a"]},
            {"id": uid(2), "tags": ["a", "other"]},
        ],
        [(uid(1), uid(1), "like", START), (uid(1), uid(2), "like", START), (uid(1), uid(3), "like", START)],
    )
    frame = raw_users(some.decisions, videos=some.videos, profiles=some.profiles)
    row = user_matrix(frame, as_of=CUTOFF, space=space(["a", "b"], ["a"])).rows(np.array([0]))[0]
    np.testing.assert_allclose(row[-3:], [2 / 5**0.5, 1 / 5**0.5, 1], rtol=1e-6)


def test_only_the_thousand_newest_videos_are_named():
    """Of more than a thousand LIKEs, and NOPEs, the newest stand first, and of one moment the smallest ids stay."""
    some = busy_world()
    row = raw_users(some.decisions, videos=some.videos, profiles=some.profiles, video_ids=True).row(0, named=True)
    payload = naive_payload(some, uid(1), CUTOFF)
    assert tuple(row["liked_video_ids"]) == payload.liked_video_ids
    assert tuple(row["noped_video_ids"]) == payload.noped_video_ids
    assert len(row["liked_video_ids"]) == len(row["noped_video_ids"]) == 1000


def test_a_payload_without_lists_of_videos_has_empty_bags():
    """Payloads of a function that does not know the lists yet give zeros, not an error."""
    stats = '{"decision_stats": {"like_count": 0, "nope_count": 0, "decision_count": 0}}'
    old = pl.DataFrame({"id": [uid(1)], "payload": [stats]})
    rows = parse_users(old, video_ids=True)
    matrix = user_matrix(rows, as_of=CUTOFF, space=space(videos=[uid(1)]))
    assert matrix.rows(slice(None))[0, -2:].tolist() == [0, 0]
