"""Preparing, flipping and dropping releases; what readers see meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    InsufficientPrivilege,
    LockNotAvailable,
    NoDataFound,
    ObjectNotInPrerequisiteState,
    SerializationFailure,
    UniqueViolation,
)

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.releases import activate, as_text, release, stage, unit_vectors, verify
from two_tower_assets_tests.database.rows import (
    Connection,
    acting_as,
    add_video,
    column,
    user_id,
    value,
    video_id,
)

VECTORS = {video_id(number): vector for number, vector in enumerate(unit_vectors(8))}


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


def _live(connection: Connection) -> str | None:
    return next(iter(column(connection, "select model_version from public.get_live_release()")), None)


def _shown(connection: Connection) -> set[str]:
    return set(column(connection, "select distinct model_version from public.video_embeddings"))


def _states(connection: Connection) -> dict[str, str]:
    return dict(connection.execute("select model_version, state from public.model_releases").fetchall())


def test_before_the_first_release_the_views_are_there_and_empty(connection: Connection) -> None:
    """A client finds the views at once, and an upsert by REST alone is kept."""
    assert _live(connection) is None
    assert _shown(connection) == set()
    with acting_as(connection, "service_role"):
        connection.execute(
            "insert into public.video_embeddings (video_id, embedding) values (%s, %s)",
            (video_id(1), as_text(VECTORS[video_id(1)])),
        )
        assert _shown(connection) == {"unreleased"}


def test_new_vector_table_has_neither_key_nor_index(connection: Connection) -> None:
    """A table made for COPY is bare; its name is registered and returned."""
    connection.execute("insert into public.model_releases (model_version) values ('20260102T030405Z-abcdef0')")
    table = value(connection, "select two_tower.create_video_embeddings('20260102T030405Z-abcdef0')")
    assert table == "two_tower.video_embeddings_20260102t030405z_abcdef0"
    assert column(connection, "select vector_table from public.model_releases") == [table]
    assert column(connection, "select indexrelid from pg_index where indrelid = %s::regclass", table) == []


def test_staged_vectors_can_be_made_anew_and_live_ones_cannot(connection: Connection) -> None:
    """A crashed publication begins again from an empty table; verified vectors are never emptied."""
    table = stage(connection, "v1", VECTORS)
    connection.execute("update public.model_releases set state = 'failed'")
    assert value(connection, "select two_tower.create_video_embeddings('v1')") == table
    assert value(connection, f"select count(*) from {table}") == 0
    assert _states(connection) == {"v1": "staged"}
    connection.execute("delete from public.model_releases")
    connection.execute(f"drop table {table}, {table.replace('video', 'user')}")
    release(connection, "v1", None, VECTORS)
    with pytest.raises(ObjectNotInPrerequisiteState, match="v1 is live"):
        connection.execute("select two_tower.create_video_embeddings('v1')")
    with pytest.raises(NoDataFound, match="no release v9"):
        connection.execute("select two_tower.create_video_embeddings('v9')")


def test_release_goes_live_with_its_registry_log_and_views(connection: Connection) -> None:
    """One call moves the pointer, the states, the log and both views."""
    release(connection, "v1", None, VECTORS)
    release(connection, "v2", "v1", VECTORS)
    assert _live(connection) == "v2"
    assert _shown(connection) == {"v2"}
    assert _states(connection) == {"v1": "retired", "v2": "live"}
    assert value(connection, "select previous_version from public.model_releases where model_version = 'v2'") == "v1"
    log = connection.execute("select from_version, to_version, action from public.release_log order by id").fetchall()
    assert log == [(None, "v1", "release"), ("v1", "v2", "release")]


def test_rollback_is_the_same_flip(connection: Connection) -> None:
    """A retired release goes live again with its vectors as they were."""
    release(connection, "v1", None, VECTORS)
    release(connection, "v2", "v1", {video_id(1): VECTORS[video_id(1)]})
    activate(connection, "v1", "v2", "rollback")
    assert _live(connection) == "v1"
    assert value(connection, "select count(*) from public.video_embeddings") == len(VECTORS)
    assert _states(connection) == {"v1": "live", "v2": "retired"}
    assert column(connection, "select action from public.release_log order by id")[-1] == "rollback"


def test_activating_the_live_release_changes_nothing(connection: Connection) -> None:
    """Running it twice is running it once."""
    release(connection, "v1", None, VECTORS)
    before = connection.execute("select * from public.live_release").fetchall()
    activate(connection, "v1", "v1")
    assert connection.execute("select * from public.live_release").fetchall() == before
    assert value(connection, "select count(*) from public.release_log") == 1


@pytest.mark.parametrize("expected", [None, "v2"])
def test_wrong_expectation_is_refused(connection: Connection, expected: str | None) -> None:
    """Whoever thinks another release is live, or none, does not flip."""
    release(connection, "v1", None, VECTORS)
    stage(connection, "v2", VECTORS)
    verify(connection, "v2")
    with pytest.raises(SerializationFailure, match="The live release is v1"):
        activate(connection, "v2", expected)
    assert _live(connection) == "v1"


def test_incomplete_release_is_refused(connection: Connection) -> None:
    """Unverified, unindexed, too few rows, nothing promised, unknown: each stays out with its reason."""
    stage(connection, "staged", VECTORS)
    with pytest.raises(ObjectNotInPrerequisiteState, match="is staged, neither verified nor retired"):
        activate(connection, "staged", None)
    stage(connection, "fewer", VECTORS, promised=9)
    verify(connection, "fewer")
    with pytest.raises(ObjectNotInPrerequisiteState, match="has 8 video vectors and promised 9"):
        activate(connection, "fewer", None)
    connection.execute("update public.model_releases set video_count = null where model_version = 'fewer'")
    with pytest.raises(ObjectNotInPrerequisiteState, match="promised nothing"):
        activate(connection, "fewer", None)
    table = stage(connection, "bare", VECTORS)
    verify(connection, "bare")
    connection.execute(f"drop index {table}_hnsw")
    with pytest.raises(ObjectNotInPrerequisiteState, match="are not indexed"):
        activate(connection, "bare", None)
    with pytest.raises(NoDataFound, match="no release unknown"):
        activate(connection, "unknown", None)
    assert _live(connection) is None
    assert _shown(connection) == set()


def test_wrong_action_leaves_everything_as_it_was(connection: Connection) -> None:
    """A failure at the last step undoes the earlier ones, the view's too."""
    release(connection, "v1", None, VECTORS)
    stage(connection, "v2", VECTORS)
    verify(connection, "v2")
    with pytest.raises(CheckViolation):
        activate(connection, "v2", "v1", "experiment")
    assert (_live(connection), _shown(connection), _states(connection)["v1"]) == ("v1", {"v1"}, "live")


def test_dropped_vectors_cannot_go_live_until_made_again(connection: Connection) -> None:
    """The live version's vectors stay; a retired version's can go, and be published again."""
    release(connection, "v1", None, VECTORS)
    release(connection, "v2", "v1", VECTORS)
    with pytest.raises(ObjectNotInPrerequisiteState, match="v2 is live"):
        connection.execute("select two_tower.drop_release_vectors('v2')")
    connection.execute("select two_tower.drop_release_vectors('v1')")
    assert value(connection, "select to_regclass('two_tower.video_embeddings_v1')") is None
    with pytest.raises(ObjectNotInPrerequisiteState, match="vectors of release v1 are gone"):
        activate(connection, "v1", "v2", "rollback")
    assert value(connection, "select two_tower.create_video_embeddings('v1')") == "two_tower.video_embeddings_v1"
    with pytest.raises(NoDataFound, match="no release v9"):
        connection.execute("select two_tower.drop_release_vectors('v9')")


@pytest.mark.parametrize("version", ["unreleased", "Unreleased", "a b", "", "x" * 41, "a';drop", "-a", "ü"])
def test_version_that_cannot_name_a_table_is_refused(connection: Connection, version: str) -> None:
    """Names are checked where they are registered."""
    with pytest.raises(CheckViolation):
        connection.execute("insert into public.model_releases (model_version) values (%s)", (version,))


def test_two_versions_never_share_a_table(connection: Connection) -> None:
    """Versions whose tables would have one name cannot both be registered."""
    connection.execute("insert into public.model_releases (model_version) values ('a-1')")
    with pytest.raises(UniqueViolation):
        connection.execute("insert into public.model_releases (model_version) values ('A_1')")


def test_release_log_only_grows(connection: Connection) -> None:
    """Its rows cannot be changed, deleted or truncated, not even by its owner."""
    release(connection, "v1", None, VECTORS)
    for change in ("update {} set note = ''", "delete from {}", "truncate {}"):
        with pytest.raises(InsufficientPrivilege, match="only grows"):
            connection.execute(change.format("public.release_log"))


def test_upserts_through_the_views_land_in_the_live_version(connection: Connection) -> None:
    """What REST clients send (`on conflict (…) do update`) works on both views and follows the flip."""
    release(connection, "v1", None, VECTORS)
    release(connection, "v2", "v1", VECTORS)
    changed = as_text(unit_vectors(1, seed=9)[0])
    with connection.transaction():
        connection.execute("set local role service_role")
        for view, key in (("video_embeddings", "video_id"), ("user_embeddings", "user_id")):
            for _ in range(2):
                connection.execute(
                    f"""insert into public.{view} ({key}, embedding) values (%s, %s)
                        on conflict ({key}) do update set embedding = excluded.embedding""",
                    (video_id(1), changed),
                )
    holds = "select embedding operator(extensions.=) %s::extensions.vector from {} where video_id = %s"
    assert value(connection, holds.format("two_tower.video_embeddings_v2"), changed, video_id(1)) is True
    assert value(connection, holds.format("two_tower.video_embeddings_v1"), changed, video_id(1)) is False
    assert column(connection, "select model_version from two_tower.user_embedding_versions") == ["v2"]
    activate(connection, "v1", "v2", "rollback")
    assert value(connection, "select count(*) from public.user_embeddings") == 0


def test_vector_of_another_version_cannot_enter(connection: Connection) -> None:
    """A writer that names the wrong version is refused, in both tables."""
    release(connection, "v1", None, VECTORS)
    for view, key in (("video_embeddings", "video_id"), ("user_embeddings", "user_id")):
        with pytest.raises(CheckViolation):
            connection.execute(
                f"insert into public.{view} ({key}, embedding, model_version) values (%s, %s, 'v0')",
                (user_id(1), as_text(VECTORS[video_id(1)])),
            )


def test_vector_of_no_direction_cannot_enter(connection: Connection) -> None:
    """A zero vector has no cosine, and would be missing from the index."""
    release(connection, "v1", None, VECTORS)
    with pytest.raises(CheckViolation):
        connection.execute(
            "insert into public.video_embeddings (video_id, embedding) values (%s, %s)",
            (video_id(99), as_text(np.zeros(256))),
        )


def test_changed_vector_is_stamped(connection: Connection) -> None:
    """An upsert that names no time renews it; one that names its time keeps it."""
    release(connection, "v1", None, VECTORS)
    connection.execute(
        "insert into public.user_embeddings (user_id, embedding, updated_at) values (%s, %s, '2020-01-01')",
        (user_id(1), as_text(VECTORS[video_id(1)])),
    )
    connection.execute("update public.user_embeddings set updated_at = '2021-01-01'")
    assert value(connection, "select updated_at < '2022-01-01' from public.user_embeddings")
    connection.execute("update public.user_embeddings set embedding = embedding")
    assert value(connection, "select updated_at > '2022-01-01' from public.user_embeddings")


def test_another_versions_user_vectors_are_prepared_beside(connection: Connection) -> None:
    """User vectors written for a staged version become visible by its flip."""
    release(connection, "v1", None, VECTORS)
    stage(connection, "v2", VECTORS)
    with connection.transaction():
        connection.execute("set local role service_role")
        connection.execute(
            "insert into two_tower.user_embedding_versions (user_id, embedding, model_version) values (%s, %s, 'v2')",
            (user_id(1), as_text(VECTORS[video_id(1)])),
        )
    assert column(connection, "select model_version from public.user_embeddings") == []
    verify(connection, "v2")
    activate(connection, "v2", "v1")
    assert column(connection, "select model_version from public.user_embeddings") == ["v2"]


def test_only_one_of_two_concurrent_flips_wins(database: str, connection: Connection) -> None:
    """Both expect the same live release; the second one to come is refused."""
    release(connection, "v1", None, VECTORS)
    for version in ("v2", "v3"):
        stage(connection, version, VECTORS)
        verify(connection, version)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def flip(version: str) -> None:
        with connect(database, autocommit=True) as own:
            start.wait()
            try:
                activate(own, version, "v1")
            except SerializationFailure:
                outcomes.append("refused")
            else:
                outcomes.append("live")

    threads = [threading.Thread(target=flip, args=(version,)) for version in ("v2", "v3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["live", "refused"]
    assert value(connection, "select count(*) from public.release_log") == 2


def test_flip_gives_up_when_a_reader_holds_on(database: str, connection: Connection) -> None:
    """A long reading transaction makes the flip fail soon and whole, not hang and block all others."""
    release(connection, "v1", None, VECTORS)
    stage(connection, "v2", VECTORS)
    verify(connection, "v2")
    # The function's own limit is long for a test; the behaviour is the same.
    connection.execute("alter function two_tower.activate_release(text, text, text, text) set lock_timeout = '100ms'")
    with connect(database) as reader:
        reader.execute("select count(*) from public.video_embeddings")
        with pytest.raises(LockNotAvailable):
            activate(connection, "v2", "v1")
    assert (_live(connection), _shown(connection)) == ("v1", {"v1"})
    activate(connection, "v2", "v1")
    assert _live(connection) == "v2"


def test_readers_never_see_two_versions_nor_a_gap_while_releases_flip(database: str, connection: Connection) -> None:
    """While versions flip to and fro, each answer is one version's, whole, from the view and from the search.

    The two versions hold opposite vectors, so for the query a video's similarity says which version answered.
    """
    query = unit_vectors(1, seed=5)[0]
    for number in range(30):
        add_video(connection, number)
    positive = {video_id(number): query for number in range(30)}
    release(connection, "v1", None, positive)
    stage(connection, "v2", {video: -vector for video, vector in positive.items()})
    verify(connection, "v2")
    done = threading.Event()
    problems: list[str] = []
    reads = [0, 0]

    def read(index: int, statement: str, parameters: tuple[str, ...]) -> None:
        with connect(database, autocommit=True) as own:
            while not done.is_set():
                try:
                    rows = own.execute(statement, parameters).fetchall()
                except psycopg.Error as error:
                    problems.append(str(error))
                    return
                if len(rows) != 30 or len({row[1] for row in rows}) != 1:
                    problems.append(f"{len(rows)} rows, { ({row[1] for row in rows}) }")
                reads[index] += 1

    readers = [
        threading.Thread(target=read, args=(0, "select video_id, model_version from public.video_embeddings", ())),
        threading.Thread(
            target=read,
            args=(
                1,
                "select video_id, sign(similarity) from public.recommend_videos_ann(%s::extensions.vector, 50)",
                (as_text(query),),
            ),
        ),
    ]
    for reader in readers:
        reader.start()
    turn = 0
    while turn < 20 or (min(reads) < 20 and not problems):
        activate(connection, *(("v2", "v1") if turn % 2 == 0 else ("v1", "v2")))
        turn += 1
    done.set()
    for reader in readers:
        reader.join()
    assert not problems, problems[:3]
