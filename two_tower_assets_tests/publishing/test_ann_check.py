from __future__ import annotations

from pathlib import Path

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.artifacts.embeddings import read_blocks, read_ids
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.ann_check import AnnRecall, Found, check_vectors, recall
from two_tower_assets.publishing.ann_filters import ONE_PERCENT, SEEN, contains, filters_for
from two_tower_assets.publishing.evidence import require_ann
from two_tower_assets.publishing.registry import read_release
from two_tower_assets.publishing.staging import stage
from two_tower_assets.publishing.target import Target
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.publishing.releasing import NEW, SETTINGS, VIDEOS, user_probes

NONE = -np.inf


@pytest.fixture
def catalogue(target: Target, new: Path) -> Target:
    """A staged version whose videos differ in level, region and tags, and users who have seen the first hundred."""
    ids = read_ids(new / Files.VIDEO_EMBEDDINGS).tolist()
    with psycopg.connect(target.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "update public.videos set safety_level = %s, region_codes = %s where id = %s",
            [(number % 2, ["JP"] if number % 3 else ["US"], video) for number, video in enumerate(ids)],
        )
        cursor.execute(
            "insert into public.tags (id, name) select gen_random_uuid(), 'tag ' || n from generate_series(1, 4) as n"
        )
        cursor.execute(
            "insert into public.video_tags (video_id, tag_id)"
            " select v.id, t.id from (select id, safety_level from public.videos order by id offset 200) as v,"
            " public.tags as t where t.name = 'tag 1' or (t.name = 'tag 2' and v.safety_level = 1)"
        )
        users = user_probes().users.tolist()
        cursor.executemany("insert into public.profiles (user_id) values (%s)", [(user,) for user in users])
        cursor.executemany(
            "insert into public.user_video_decisions (user_id, video_id, decision_type) values (%s, %s, 'like')",
            [(user, video) for user in users[1:] for video in ids[:100]],
        )
    stage(target, new, settings=SETTINGS)
    return target


def checked(target: Target, folder: Path) -> AnnRecall:
    """The check of a staged version."""
    with psycopg.connect(target.url, autocommit=True) as connection:
        release = read_release(connection, folder.name)
        assert release is not None
        return check_vectors(connection, release, folder, user_probes(), filtered_probes=20)


def test_each_filter_keeps_what_its_condition_says(catalogue: Target, new: Path) -> None:
    """Shares of 300 videos, counted by hand.

    19 of 20 users have seen 100; half are level 0; two thirds are of JP; the last 100 have a banned tag; 3 are 1 %.
    """
    kept = {found.filter: found.kept for found in checked(catalogue, new).filtered}
    assert kept == pytest.approx(
        {
            SEEN: (300 + 19 * 200) / (20 * 300),
            "safety level": 0.5,
            "region": 2 / 3,
            "banned tags": 2 / 3,
            ONE_PERCENT: 0.01,
        }
    )


def test_a_small_catalogue_is_found_whole_under_every_filter(catalogue: Target, new: Path) -> None:
    """Exact search backs the index up, so that no row which exists is missing."""
    for found in checked(catalogue, new).filtered:
        assert (found.recall_at_10, found.recall_at_50, found.missing) == (1, 1, 0), found.filter


@pytest.mark.parametrize("vector_index", ["vector", "halfvec"])
def test_either_index_is_used_and_finds_nearly_all(target: Target, new: Path, vector_index: str) -> None:
    """The planner has no other way than the index, whatever its numbers are."""
    settings = SETTINGS.model_copy(update={"vector_index": vector_index})
    stage(target, new, settings=settings)
    found = checked(target, new)
    assert found.vector_index == vector_index
    assert min(found.recall_at_10, found.recall_at_50) > 0.95


def test_the_exact_answer_is_that_of_all_pairs(catalogue: Target, new: Path) -> None:
    """The seen filter's admitted videos are exactly those that a person has not decided on."""
    ids = read_ids(new / Files.VIDEO_EMBEDDINGS)
    probes = user_probes()
    with psycopg.connect(catalogue.url, autocommit=True) as connection:
        seen = filters_for(connection, ids, probes)[0]
    mask = seen.mask(ids, len(probes))
    assert mask[0].all()
    np.testing.assert_array_equal(mask[1:], np.tile(np.arange(VIDEOS) >= 100, (19, 1)))


def test_a_catalogue_without_the_versions_videos_is_refused(target: Target, new: Path) -> None:
    """Published to a database that has none of them, nothing could ever be recommended."""
    stage(target, new, settings=SETTINGS)
    with psycopg.connect(target.url, autocommit=True) as connection:
        connection.execute("update public.videos set is_active = false")
    with pytest.raises(PublishingError, match="None of the version's videos is an active video"):
        checked(target, new)


def test_an_index_that_lost_rows_is_refused(catalogue: Target, new: Path) -> None:
    """Fewer rows than exist under a filter fail the release, however near they are."""
    poor = Found(filter=SEEN, kept=1, recall_at_10=1, recall_at_50=1, missing=2)
    ann = checked(catalogue, new)
    with pytest.raises(PublishingError, match="2 rows that exist are missing under the filter seen videos"):
        require_ann(ann.model_copy(update={"filtered": (poor,)}), SETTINGS, NEW)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"recall_at_10": 0.5}, "finds 0.5000 of the 10 nearest videos under no filter, less than 0.98"),
        ({"recall_at_50": float("nan")}, "finds nan of the 50 nearest videos under no filter"),
        ({"filtered": ()}, "was not asked under filters"),
    ],
)
def test_recall_below_its_bound_is_refused_with_both_figures(changed: dict[str, object], complaint: str) -> None:
    """At both lengths, and a check that was not made counts as failed."""
    good = AnnRecall(
        queries=1,
        rows=1,
        recall_at_10=1,
        recall_at_50=1,
        filtered=(Found(filter=SEEN, kept=1, recall_at_10=0.95, recall_at_50=0.95, missing=0),),
    )
    assert require_ann(good, ReleaseSettings(), NEW) is good
    with pytest.raises(PublishingError, match=complaint):
        require_ann(good.model_copy(update=changed), ReleaseSettings(), NEW)


def test_recall_counts_what_is_as_near_as_the_kth() -> None:
    """By hand: of two users' two nearest, one and two are found; equal similarities are interchangeable."""
    exact = np.array([[0.9, 0.8, 0.1], [0.7, 0.7, 0.7]], np.float32)
    found = np.array([[0.9, 0.1, NONE], [0.7, 0.7, NONE]])
    assert recall(found, exact, 2) == 0.75
    assert recall(found, exact, 1) == 1


def test_recall_asks_for_no_more_than_exists() -> None:
    """A list of one where one exists is whole; a user for whom none exists is left out."""
    exact = np.array([[0.9, NONE], [NONE, NONE]], np.float32)
    assert recall(np.array([[0.9, NONE], [NONE, NONE]]), exact, 10) == 1
    assert recall(np.array([[NONE, NONE], [NONE, NONE]]), exact, 10) == 0


@given(st.lists(st.text(min_size=1, max_size=3)), st.lists(st.text(min_size=1, max_size=3), min_size=1))
def test_contains_is_membership(inside: list[str], asked: list[str]) -> None:
    """For any names."""
    ascending = np.sort(np.array(sorted(set(inside)), np.str_))
    assert contains(ascending, np.array(asked)).tolist() == [value in set(inside) for value in asked]


def test_read_ids_are_those_of_the_blocks(new: Path) -> None:
    """In the file's order."""
    path = new / Files.VIDEO_EMBEDDINGS
    blocks = np.concatenate([ids for ids, _ in read_blocks(path)])
    np.testing.assert_array_equal(read_ids(path), blocks)
