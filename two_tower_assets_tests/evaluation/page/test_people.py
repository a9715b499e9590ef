from __future__ import annotations

import numpy as np
import polars as pl

from two_tower_assets.evaluation.page.people import Lists, choose, people
from two_tower_assets.evaluation.task import Later, make_task
from two_tower_assets.features.history import LIKE, History

VIDEOS = 14
NOPE = -LIKE


def history(past: list[list[tuple[int, int]]]) -> History:
    """Users with (video, kind) decisions, oldest first."""
    lengths = [len(decisions) for decisions in past]
    rows = [decision for decisions in past for decision in decisions]
    return History(
        user_ids=pl.Series([f"{user:08x}-0000" for user in range(len(past))]),
        video_ids=np.array([f"v{video}" for video in range(VIDEOS)]),
        active=np.ones(VIDEOS, dtype=np.bool_),
        released_at=np.zeros(VIDEOS, dtype=np.int64),
        user_offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        video=np.array([video for video, _ in rows], dtype=np.int32),
        kind=np.array([kind for _, kind in rows], dtype=np.int8),
        time=np.arange(len(rows), dtype=np.int64),
    )


def lists() -> Lists:
    """User 0 liked 0, refused 1, liked 2 and an unknown video, then liked 5, 12, 13, refused 6; user 1 is new."""
    of_users = history([[(0, LIKE), (1, NOPE), (2, LIKE), (-1, LIKE)], []])
    later = [(0, 5, LIKE), (0, 6, NOPE), (0, 12, LIKE), (0, 13, LIKE), (1, 3, LIKE)]
    task = make_task(
        of_users,
        Later(*(np.array(column) for column in zip(*later, strict=True))),
        candidates=np.arange(VIDEOS, dtype=np.int32),
        state_end=of_users.user_offsets[1:],
        moment=np.zeros(2, dtype=np.int64),
    )
    angle = np.linspace(0, 1, VIDEOS)
    return Lists(
        task=task,
        history=of_users,
        top_UK=np.array([[5, 6, 3, 4, 7, 8, 9, 10, 11, 1, 0, 12], [3, 4, 5, *[-1] * 9]]),
        score_UK=np.linspace(0.9, 0.1, 24, dtype=np.float32).reshape(2, 12),
        target_rank_T=np.array([0, 11, -1, 0]),
        embedding_VD=np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32),
        titles=[f"title {video}" for video in range(VIDEOS)],
    )


def test_a_person_has_the_past_the_list_and_what_came_after() -> None:
    new, known = people(lists(), light_decisions=10)
    assert (known.user, known.group, known.decisions, known.likes) == ("00000000", "light", 4, 2)
    assert known.liked == ("title 2", "title 0")
    assert [place.title for place in known.shown[:3]] == ["title 5", "title 6", "title 3"]
    assert [place.later for place in known.shown[:3]] == ["liked", "noped", None]
    assert len(known.shown) == 10
    assert (new.user, new.group, new.liked, new.likes) == ("00000001", "new", (), 0)


def test_reasons_are_the_liked_videos_nearest_by_cosine_and_never_a_refused_one() -> None:
    """Video 5 lies at 5/13, the liked ones at 2/13 and 0."""
    _, known = people(lists(), light_decisions=10)
    reasons = known.shown[0].reasons
    assert [reason.title for reason in reasons] == ["title 2", "title 0"]
    np.testing.assert_allclose([reason.similarity for reason in reasons], np.cos([3 / 13, 5 / 13]), rtol=1e-5)


def test_a_new_user_gets_the_fallback_without_similarities_or_reasons() -> None:
    new, _ = people(lists(), light_decisions=10)
    assert [place.title for place in new.shown] == ["title 3", "title 4", "title 5"]
    assert {place.similarity for place in new.shown} == {None}
    assert {place.reasons for place in new.shown} == {()}


def test_later_likes_that_are_not_shown_are_named_with_their_place() -> None:
    """Rank 11 is the twelfth place; what was not ranked so far has none; what is shown is not missed."""
    _, known = people(lists(), light_decisions=10)
    assert known.later_likes == 3
    assert [(missed.title, missed.rank) for missed in known.missed] == [("title 12", 12), ("title 13", None)]


def test_heavy_users_have_more_decisions_than_light_ones_may() -> None:
    assert [person.group for person in people(lists(), light_decisions=3)] == ["new", "heavy"]


def test_users_are_spread_over_the_groups_and_over_decisions_within_each() -> None:
    """20 new users, 40 light with 1 to 40 decisions, 40 heavy with 41 to 80; both ends of each are among them."""
    decisions = np.concatenate((np.zeros(20), np.arange(1, 81))).astype(np.int64)
    group = np.repeat([0, 1, 2], [20, 40, 40])
    chosen = choose(decisions, group, 10)
    assert np.bincount(group[chosen]).tolist() == [2, 4, 4]
    assert decisions[chosen].tolist() == [0, 0, 1, 14, 27, 40, 41, 54, 67, 80]


def test_a_missing_group_leaves_its_places_to_the_others() -> None:
    chosen = choose(np.arange(1, 31), np.repeat([1, 2], [3, 27]), 10)
    assert np.bincount(np.repeat([1, 2], [3, 27])[chosen], minlength=3).tolist() == [0, 3, 7]


def test_fewer_users_than_asked_for_are_all_taken_once() -> None:
    assert sorted(choose(np.array([0, 3, 7]), np.array([0, 1, 2]), 10)) == [0, 1, 2]
    assert choose(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 10) == []
