from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
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
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets_tests.features.worlds import (
    CUTOFF,
    START,
    World,
    as_payload_rows,
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


@given(worlds(), st.integers(0, 41))
def test_users_equal_the_readable_definition(some: World, hours: int):
    """User vectors of frames and of payloads both equal the per-payload definition at any moment."""
    as_of, target = START + timedelta(hours=hours), some.space()
    past = some.until(as_of)
    users = past.decisions["user_id"].unique().sort().to_list()
    payloads = [naive_payload(some, user, as_of) for user in users]
    expected = np.array([user_vector(payload, as_of, target) for payload in payloads])
    from_frames = raw_users(past.decisions, videos=some.videos, profiles=some.profiles)
    parsed = parse_users(as_payload_rows((payload.user_id, payload) for payload in payloads))
    for frame in (from_frames, parsed):
        matrix = user_matrix(frame, as_of=as_of, space=target)
        assert matrix.ids.tolist() == users
        actual = matrix.rows(slice(None))
        np.testing.assert_allclose(actual, expected.reshape(actual.shape), rtol=0, atol=1e-5)


def users_now(snapshot: Snapshot, target: FeatureSpace) -> FeatureMatrix:
    """Vectors of a snapshot's users at its cut-off, from its frames."""
    return users_of_blocks(user_blocks(snapshot, as_of=snapshot.cutoff), as_of=snapshot.cutoff, space=target)


def test_numerics_follow_the_payload_definition_at_scale(tmp_path: Path):
    """At the cut-off the users of a snapshot, block by block, have the states of the point-in-time computation."""
    some = large_world(users=5_000, videos=300, decisions=30_000, tags=30, performers=10)
    target, history = some.space(), some.history
    matrix = users_now(some.snapshot(tmp_path), target)
    user = np.arange(len(history.user_ids))
    moment = np.full(len(user), microseconds(CUTOFF))
    states = some.states(target).vectors(user, history.prefix_at(user, moment), moment)
    assert matrix.ids.tolist() == history.user_ids.tolist()
    np.testing.assert_allclose(matrix.rows(slice(None)), states, rtol=0, atol=1e-5)


def test_a_snapshot_without_users(tmp_path: Path):
    """Without decisions there are no user vectors, and items still have theirs."""
    snapshot = world([{"id": uid(1), "tags": ["a"]}], []).snapshot(tmp_path)
    assert users_now(snapshot, space(["a"])).rows(slice(None)).shape == (0, 10)
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
