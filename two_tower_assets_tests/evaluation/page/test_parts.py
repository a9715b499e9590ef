from __future__ import annotations

import numpy as np

from two_tower_assets.evaluation.page.exposure import exposure, popularity_decile
from two_tower_assets.evaluation.page.people import Lists, choose, people
from two_tower_assets.evaluation.page.video_map import video_map
from two_tower_assets.evaluation.report import MODEL
from two_tower_assets.evaluation.task import Later, make_task
from two_tower_assets.features.history import LIKE, NOPE
from two_tower_assets_tests.features.worlds import START, uid, world


def test_shares_of_makers_are_of_the_first_ten_places() -> None:
    """Two lists of two: B has three of four places, A one; one LIKE of each; padding does not count."""
    found = exposure(
        {MODEL: np.array([[1, 2, -1], [0, 1, -1]])},
        np.array([0, 2]),
        makers=["A", "B", "B"],
        likes_C=np.array([5, 3, 1]),
    )
    assert [(maker.name, maker.liked, maker.shown[MODEL]) for maker in found.makers] == [
        ("B", 0.5, 0.75),
        ("A", 0.5, 0.25),
    ]
    assert sum(found.liked_deciles) == 1.0


def test_deciles_count_from_the_most_liked() -> None:
    """Twenty videos, two a tenth; equals keep their order."""
    assert popularity_decile(np.arange(20)[::-1]).tolist() == [number // 2 for number in range(20)]


def test_people_are_spread_over_groups_and_not_over_success() -> None:
    """Of 2 new, 50 light and 50 heavy users ten are taken: 2, 4 and 4, from the fewest to the most decisions."""
    decisions = np.concatenate([np.zeros(2), np.arange(1, 51), np.arange(51, 101)]).astype(np.int64)
    group = np.repeat([0, 1, 2], [2, 50, 50])
    rows = choose(decisions, group, 10)
    assert [int(group[row]) for row in rows] == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert (decisions[rows[2]], decisions[rows[5]], decisions[rows[6]], decisions[rows[9]]) == (1, 50, 51, 100)


def test_a_suggestion_is_explained_by_the_nearest_liked_video() -> None:
    """User 0 liked videos 0 and 1; video 2 lies beside 1 and was refused later, 3 was liked later beyond the list."""
    place = world(
        [{"id": uid(video)} for video in range(4)],
        [(uid(0), uid(0), "like", START), (uid(0), uid(1), "like", START)],
    )
    history = place.history
    later = Later(np.array([0, 0]), np.array([2, 3]), np.array([NOPE, LIKE], dtype=np.int8))
    task = make_task(
        history,
        later,
        candidates=np.arange(4, dtype=np.int32),
        state_end=history.user_offsets[1:],
        moment=np.zeros(1, dtype=np.int64),
    )
    lists = Lists(
        task=task,
        history=history,
        top_UK=np.array([[2, -1]]),
        score_UK=np.array([[0.5, -np.inf]], dtype=np.float32),
        target_rank_T=np.array([-1]),
        embedding_VD=np.array([[1, 0], [0, 1], [0.1, 0.99], [1, 0]], dtype=np.float32),
        titles=["zero", "one", "two", "three"],
    )
    (person,) = people(lists, light_decisions=10)
    assert person.group == "light"
    assert set(person.liked) == {"zero", "one"}
    (suggestion,) = person.shown
    assert (suggestion.title, suggestion.later) == ("two", "noped")
    assert suggestion.reasons[0].title == "one"
    assert [(missed.title, missed.rank) for missed in person.missed] == [("three", None)]


def test_the_map_keeps_neighbours_together_and_is_the_same_each_time() -> None:
    """Two far clusters of 30: the nearest on the map is of the same cluster; 40 of 60 when asked for fewer."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(8)[:2], 30, axis=0)
    embedding = centres + 0.05 * rng.normal(size=(60, 8))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    titles, tags = [f"t{number}" for number in range(60)], [["a"]] * 30 + [["b"]] * 30
    found = video_map(embedding, titles, tags, np.arange(60))
    again = video_map(embedding, titles, tags, np.arange(60))
    assert found == again
    at = np.array([(point.x, point.y) for point in found.points])
    distance = np.linalg.norm(at[:, None] - at[None], axis=2) + np.eye(60) * 9
    assert (distance.argmin(axis=1) // 30 == np.arange(60) // 30).mean() > 0.95
    assert len(video_map(embedding, titles, tags, np.arange(60), points=40).points) == 40
    assert video_map(embedding[:0], [], [], np.arange(0)) is None
