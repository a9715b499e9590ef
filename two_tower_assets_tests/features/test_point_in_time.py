from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.features.liked_names import LikedNames
from two_tower_assets.features.names import name_columns
from two_tower_assets.features.reference import user_vector
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import microseconds, moment_of
from two_tower_assets.settings import FeatureSettings
from two_tower_assets_tests.features.worlds import (
    HYBRID,
    START,
    World,
    dense_worlds,
    large_world,
    naive_payload,
    space,
    uid,
    world,
    worlds,
)

TOLERANCE = 1e-5


def at(hours: float):
    return START + timedelta(hours=hours)


def naive_vectors(some: World, decisions: np.ndarray, target: FeatureSpace) -> np.ndarray:
    history = some.history
    moments = [moment_of(history.time[decision]) for decision in decisions]
    users = [history.user_ids[int(history.user[decision])] for decision in decisions]
    vectors = [
        user_vector(naive_payload(some, user, moment), moment, target)
        for user, moment in zip(users, moments, strict=True)
    ]
    return np.array(vectors, dtype=np.float32).reshape(len(decisions), target.user_dim)


def test_vectors_by_hand():
    """A user's second and third decisions see what came strictly before, prices and names included."""
    some = world(
        [
            {"id": uid(1), "price": 100.0, "tags": ["a", "b"], "performers": ["p"]},
            {"id": uid(2), "price": 300.0, "tags": ["a"]},
            {"id": uid(3), "price": None, "tags": ["b"]},
        ],
        [
            (uid(9), uid(1), "like", at(0)),
            (uid(9), uid(2), "like", at(24)),
            (uid(9), uid(3), "nope", at(36)),
            (uid(9), uid(4), "like", at(48)),
        ],
        [(uid(9), at(-24))],
    )
    vectors = some.states(space(["a", "b"], ["p"])).of_decisions(np.arange(4))
    root = 5**0.5
    hour = START.hour / 23
    expected = [
        [1, 0, 0, 0.5, 0, 0, 0, 0, 12 / 23, 0, 0, 0],
        [2, 100, 100, 1, 1, 0, 1, 1, hour, 1 / 2**0.5, 1 / 2**0.5, 1],
        [2.5, 200, 200, 1, 2, 0, 2, 0.5, hour, 2 / root, 1 / root, 1],
        [3, 200, 200, 2 / 3, 2, 1, 3, 1, hour, 2 / root, 1 / root, 1],
    ]
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)


@given(worlds() | dense_worlds(), st.integers(0, 3), st.integers(0, 3), st.integers(0, 6))
def test_bulk_equals_the_naive_definition(some: World, tags: int, performers: int, videos: int):
    """Every decision's vector equals plain Python over the strictly earlier rows of that user."""
    sizes = {"max_tag_vocab": tags, "max_actress_vocab": performers, "max_video_vocab": videos}
    target = some.space(HYBRID.model_copy(update=sizes))
    decisions = np.arange(len(some.history.time))
    bulk = some.states(target).of_decisions(decisions)
    np.testing.assert_allclose(bulk, naive_vectors(some, decisions, target), rtol=0, atol=TOLERANCE)


@given(worlds(), st.integers(0, 41))
def test_the_future_changes_nothing(some: World, hours: int):
    """Deleting everything from a moment on leaves every earlier example's vector the same, bit by bit."""
    moment, target = at(hours), space(("drama", "日本語"), ("🎬 film",), videos=[uid(2), uid(0), uid(9)])
    past = some.until(moment)
    earlier = np.flatnonzero(some.history.time < microseconds(moment))
    assert len(earlier) == len(past.history.time)
    whole = some.states(target).of_decisions(earlier)
    alone = past.states(target).of_decisions(np.arange(len(earlier)))
    assert whole.tobytes() == alone.tobytes()


def test_the_future_changes_nothing_at_scale():
    """The same holds for long histories, whose counts start from checkpoints."""
    some = large_world(users=40, videos=200, decisions=20_000, tags=40, performers=20)
    target = some.space(HYBRID)
    moment = START + timedelta(days=90)
    earlier = np.flatnonzero(some.history.time < microseconds(moment))
    whole = some.states(target).of_decisions(earlier)
    alone = some.until(moment).states(target).of_decisions(np.arange(len(earlier)))
    assert whole.tobytes() == alone.tobytes()


def test_any_order_gives_the_same_rows():
    """A shuffled batch, one by one and an array given to write to, all give the rows of the ordered batch."""
    some = large_world(users=30, videos=100, decisions=3_000)
    states, history = some.states(some.space(HYBRID)), some.history
    ordered = states.of_decisions(np.arange(3_000))
    shuffled = np.random.default_rng(1).permutation(3_000)
    assert states.of_decisions(shuffled).tobytes() == ordered[shuffled].tobytes()
    one = np.array([1234])
    out = np.full((1, states.space.user_dim), np.nan, dtype=np.float32)
    written = states.vectors(history.user[one], history.strictly_before[one], history.time[one], out=out)
    assert written is out
    assert out.tobytes() == ordered[one].tobytes()


def test_thousands_of_likes():
    """The five-thousandth LIKE of a user sees all before it; medians and bags stay exact."""
    videos = [
        {"id": uid(n), "price": float((n * 7919) % 997), "tags": [f"t{n % 5}", f"u{n % 3}"]} for n in range(5_000)
    ]
    some = world(videos, [(uid(1), uid(n), "like", at(n / 60)) for n in range(5_000)])
    target = some.space(FeatureSettings())
    chosen = np.array([0, 1, 2, 999, 4_998, 4_999])
    vectors = some.states(target).of_decisions(chosen)
    np.testing.assert_allclose(vectors, naive_vectors(some, chosen, target), rtol=0, atol=TOLERANCE)


def test_at_any_moment():
    """A state at a moment between decisions counts the decisions before it and ages to that moment."""
    some = world(
        [{"id": uid(1), "tags": ["a"]}, {"id": uid(2)}],
        [(uid(3), uid(1), "like", at(0)), (uid(3), uid(2), "like", at(10))],
        [(uid(3), at(0))],
    )
    states, history = some.states(space(["a"])), some.history
    user, moment = np.array([0, 0]), np.array([microseconds(at(6)), microseconds(at(-6))])
    raw = states.numeric(user, history.prefix_at(user, moment), moment)
    np.testing.assert_allclose(raw[0], [0.25, 0, 0, 1, 1, 0, 1, 0.25, START.hour])
    np.testing.assert_allclose(raw[1], [-0.25, 0, 0, 0.5, 0, 0, 0, 0, 12])
    assert states.vectors(user, history.prefix_at(user, moment), moment)[:, -1].tolist() == [1, 0]


def test_memory_is_bounded():
    """With a small budget rows are kept further apart, and the vectors stay the same."""
    some = large_world(users=20, videos=100, decisions=6_000)
    target, history = some.space(), some.history
    names, widths = name_columns(some.videos, target.item_bags), (len(target.tags), len(target.performers))
    wide = LikedNames(history, names, segments=widths, first_column=0)
    tight = LikedNames(history, names, segments=widths, first_column=0, checkpoint_bytes=40_000)
    assert tight._checkpoints.nbytes < 50_000 < wide._checkpoints.nbytes
    bags = []
    for liked in (wide, tight):
        out = np.zeros((6_000, sum(widths)), dtype=np.float32)
        liked.write(history.user, history.strictly_before, out)
        bags.append(out.tobytes())
    assert bags[0] == bags[1]


def test_nobody_and_nothing():
    """No decisions, no examples asked for and no vocabulary each give an array of the right shape."""
    empty = world([{"id": uid(1)}], [])
    none = np.array([], dtype=np.int64)
    assert empty.states(space(["a"])).of_decisions(none).shape == (0, 10)
    lonely = world([{"id": uid(1), "tags": ["a"]}], [(uid(1), uid(1), "like", at(0))])
    assert lonely.states(space()).of_decisions(np.array([0])).shape == (1, 9)
    assert empty.states(space(videos=[uid(1)])).of_decisions(none).shape == (0, 11)
    without_videos = world([], [(uid(1), uid(1), "like", at(0)), (uid(1), uid(2), "like", at(1))])
    assert without_videos.states(space(["a"])).of_decisions(np.array([1]))[0, 4] == 1
