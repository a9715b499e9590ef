from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.listing import (
    VideoChanges,
    compare_videos,
    find_details,
    flatten,
    list_details,
    read_log,
)
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, release

NAMES = st.text("abc", min_size=1, max_size=3)
NESTED = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2) | st.none(),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, NESTED, max_size=3))
def test_every_leaf_has_its_own_dotted_key(value: dict[str, object]) -> None:
    """Walking the key's parts leads to the leaf, and no key comes twice."""
    leaves = list(flatten(value))
    assert len({key for key, _ in leaves}) == len(leaves)
    for key, leaf in leaves:
        found: object = value
        for part in key.split("."):
            assert isinstance(found, dict)
            found = found[part]
        assert found == leaf


def test_flatten_by_hand() -> None:
    """Lists are leaves; an empty table is one; nothing gives nothing."""
    assert list(flatten({"a": {"b": [1, {"c": 2}], "d": {}}, "e": None})) == [
        ("a.b", [1, {"c": 2}]),
        ("a.d", {}),
        ("e", None),
    ]
    assert list(flatten({})) == []


def test_details_are_the_registry_s_with_measured_sizes(target: Target, old: Path, new: Path) -> None:
    """After two releases: newest first, table and indexes measured apart, evidence as it was kept."""
    release(target, old)
    release(target, new)
    first, second = list_details(target.url)
    assert (first.model_version, first.is_live, first.previous_version) == (NEW, True, OLD)
    assert (second.model_version, second.is_live, second.user_count) == (OLD, False, 20)
    assert first.figures == {"recall@200": 0.5}
    assert first.recipe == {}
    with psycopg.connect(target.url) as connection:
        connection.execute("select two_tower.drop_release_vectors(%s)", [OLD])
        total = connection.execute("select pg_total_relation_size(%s::regclass)", [first.vector_table]).fetchone()
    assert total == (first.total_bytes,)
    assert first.table_bytes is not None
    assert first.table_bytes > VIDEOS * 256 * 4
    dropped = find_details(target.url, OLD)
    assert (dropped.total_bytes, dropped.user_count, dropped.vector_table) == (None, None, None)
    assert compare_videos(target.url, dropped, first) is None


def test_videos_of_two_versions_are_counted_apart(target: Target, old: Path, new: Path) -> None:
    """By hand: seven videos are taken from the old version and one is added to the new one."""
    release(target, old)
    release(target, new)
    before, after = find_details(target.url, OLD), find_details(target.url)
    with psycopg.connect(target.url) as connection:
        connection.execute(
            f"delete from {before.vector_table} where video_id in (select id from public.videos order by id limit 7)"
        )
        connection.execute(
            "insert into public.video_embeddings (video_id, embedding)"
            " select gen_random_uuid(), embedding from public.video_embeddings limit 1"
        )
    assert compare_videos(target.url, before, after) == VideoChanges(gained=8, lost=0, shared=VIDEOS - 7)
    assert compare_videos(target.url, after, before) == VideoChanges(gained=0, lost=8, shared=VIDEOS - 7)


def test_the_log_of_a_version_has_both_directions(target: Target, old: Path, new: Path) -> None:
    """Coming and going, oldest first, with notes; who made it live last is read from there."""
    release(target, old)
    release(target, new)
    rollback(target, note="back")
    entries = read_log(target.url, NEW)
    assert [(x.action, x.from_version, x.to_version, x.note) for x in entries] == [
        ("release", OLD, NEW, None),
        ("rollback", NEW, OLD, "back"),
    ]
    assert [x.to_version for x in read_log(target.url, OLD)] == [OLD, NEW, OLD]
    assert find_details(target.url, NEW).who == entries[0].by_whom == "postgres"


def test_what_is_not_there_is_named(target: Target, old: Path) -> None:
    """Before any release, after one, and with too many to list."""
    with pytest.raises(PublishingError, match="No release is live"):
        find_details(target.url)
    with pytest.raises(PublishingError, match=r"There is no release v0 .*There is none at all"):
        find_details(target.url, "v0")
    release(target, old)
    with pytest.raises(PublishingError, match=rf"Name one of {OLD} \("):
        find_details(target.url, "v0")
    with psycopg.connect(target.url) as connection:
        connection.execute("insert into public.model_releases (model_version) select 'w' || generate_series(1, 6)")
    with pytest.raises(PublishingError, match="Name one of w6, w5, w4, w3, w2, … "):
        find_details(target.url, "v0")
