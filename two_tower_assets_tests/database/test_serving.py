"""What the Edge Functions ask: one version throughout, stale vectors told from fresh, decided videos never shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.releases import activate, as_text, release, stage, unit_vectors, verify
from two_tower_assets_tests.database.rows import (
    Connection,
    acting_as,
    add_video,
    column,
    user_id,
    user_payload,
    value,
    video_id,
)

VIDEOS = 30
VECTORS = unit_vectors(VIDEOS)
NEWER_VECTORS = unit_vectors(VIDEOS, seed=1)
QUERY = unit_vectors(1, seed=2)[0]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Thirty videos, live as v1, asked by the service role's rules."""
    with connect(database, autocommit=True) as opened:
        for number in range(VIDEOS):
            add_video(
                opened, number, title=f"Video {number}", maker="m", price=number, tags=["b", "a"], performers=["p"]
            )
        release(opened, "v1", None, {video_id(n): VECTORS[n] for n in range(VIDEOS)})
        yield opened


def decide(connection: Connection, user: int, video: int, decision_type: str = "like", ago: str = "1 hour") -> None:
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, %s, now() - %s::interval)",
        (user_id(user), video_id(video), decision_type, ago),
    )


def flip(connection: Connection, version: str = "v2", expected: str = "v1") -> None:
    stage(connection, version, {video_id(n): NEWER_VECTORS[n] for n in range(VIDEOS)})
    verify(connection, version)
    activate(connection, version, expected)


def call(connection: Connection, function: str, user: int, version: str = "v1", **arguments: Any) -> Any:
    """Call a function as PostgREST does: the service role, named arguments, vectors and lists as text and arrays."""
    casts = {"p_embedding": "extensions.vector", "p_as_of": "timestamptz", "p_exclude_video_ids": "uuid[]"}
    given = {"p_user_id": user_id(user), "p_model_version": version, **arguments}
    names = ", ".join(f"{name} => %({name})s" + (f"::{casts[name]}" if name in casts else "") for name in given)
    with connection.transaction():
        connection.execute("set local role service_role")
        row = connection.execute(f"select public.{function}({names})", given).fetchone()
    assert row is not None
    return row[0]


def keep(connection: Connection, user: int, version: str = "v1", vector: np.ndarray = QUERY, **more: Any) -> Any:
    as_of = more.pop("as_of", None) or value(connection, "select now()")
    arguments = {"p_embedding": as_text(vector), "p_as_of": as_of, **more}
    return call(connection, "store_user_embedding", user, version, **arguments)


def recommend(connection: Connection, user: int, version: str = "v1", **arguments: Any) -> Any:
    return call(connection, "recommend_for_user", user, version, **arguments)


def shown(answer: Any) -> list[int]:
    return [int(row["id"][-12:], 16) for row in answer["candidates"]]


def nearest(vectors: np.ndarray, without: set[int]) -> list[int]:
    return [int(n) for n in np.argsort(-(vectors @ QUERY)) if n not in without]


def test_state_gives_the_payload_and_the_vector_that_was_kept(connection: Connection) -> None:
    """Before, no vector; after, the one kept, with the moment its payload was read at."""
    decide(connection, 1, 3)
    before = call(connection, "user_embedding_state", 1)
    assert (before["embedding"], before["updated_at"]) == (None, None)
    assert before["payload"] == user_payload(connection, 1)
    kept_at = keep(connection, 1, as_of=before["as_of"])
    after = call(connection, "user_embedding_state", 1)
    np.testing.assert_array_equal(np.array(json.loads(after["embedding"]), np.float32), QUERY)
    assert after["updated_at"] == before["as_of"]
    assert datetime.fromisoformat(after["updated_at"]) == kept_at
    assert call(connection, "user_embedding_state", 1, p_refresh=True)["embedding"] is None


@pytest.mark.parametrize("decision_type", ["like", "nope", "skipped"])
def test_any_later_decision_makes_a_vector_stale(connection: Connection, decision_type: str) -> None:
    """Of the same moment too, since a payload holds decisions strictly before its own; one to come does not count."""
    as_of = keep(connection, 1)
    decide(connection, 1, 1, ago="-1 hour")
    decide(connection, 2, 2, decision_type)
    assert call(connection, "user_embedding_state", 1)["embedding"] is not None
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, %s, %s)",
        (user_id(1), video_id(3), decision_type, as_of),
    )
    assert call(connection, "user_embedding_state", 1)["embedding"] is None


def test_an_earlier_vector_never_replaces_a_later_one(connection: Connection) -> None:
    """Two requests at once: whichever writes last, the vector of the later payload stays."""
    now = value(connection, "select now()")
    keep(connection, 1, vector=VECTORS[0], as_of=now)
    keep(connection, 1, vector=VECTORS[1], as_of=now - timedelta(seconds=1))
    assert json.loads(call(connection, "user_embedding_state", 1)["embedding"])[0] == pytest.approx(VECTORS[0][0])
    assert value(connection, "select updated_at from public.user_embeddings") == now


def test_version_that_is_not_live_is_refused_by_every_call(connection: Connection) -> None:
    """PT409 before anything is read or written."""
    flip(connection)
    embedding = {"p_embedding": as_text(QUERY), "p_as_of": value(connection, "select now()")}
    for function, arguments in (
        ("user_embedding_state", {}),
        ("store_user_embedding", embedding),
        ("recommend_for_user", {}),
        ("recommend_for_user", embedding),
    ):
        with pytest.raises(psycopg.Error) as caught:
            call(connection, function, 1, **arguments)
        assert caught.value.sqlstate == "PT409"
    assert value(connection, "select count(*) from two_tower.user_embedding_versions") == 0


def test_last_good_version_goes_on_whole_when_asked_to(connection: Connection) -> None:
    """Its own vectors of users and videos, not the live ones; once they are dropped, PT503."""
    decide(connection, 1, 3)
    keep(connection, 1)
    flip(connection)
    assert shown(recommend(connection, 1, p_allow_retired=True)) == nearest(VECTORS, {3})
    keep(connection, 2, p_allow_retired=True)
    assert column(connection, "select distinct model_version from two_tower.user_embedding_versions") == ["v1"]
    assert recommend(connection, 1, "v2").keys() == {"as_of", "payload"}
    connection.execute("select two_tower.drop_release_vectors('v1')")
    for function in ("recommend_for_user", "user_embedding_state"):
        with pytest.raises(psycopg.Error) as caught:
            call(connection, function, 1, p_allow_retired=True)
        assert caught.value.sqlstate == "PT503"


def test_prepared_version_is_not_served_before_it_is_live(connection: Connection) -> None:
    """Neither staged nor verified, whatever is allowed."""
    stage(connection, "v2", {video_id(n): NEWER_VECTORS[n] for n in range(VIDEOS)})
    for state in ("staged", "verified"):
        connection.execute("update public.model_releases set state = %s where model_version = 'v2'", (state,))
        with pytest.raises(psycopg.Error) as caught:
            recommend(connection, 1, "v2", p_allow_retired=True)
        assert caught.value.sqlstate == "PT503"


def test_candidates_are_those_of_the_vector_search_without_the_decided(connection: Connection) -> None:
    """First what to embed, then, with the vector, the nearest, and the vector is kept; then one call is enough."""
    for video, decision_type in ((3, "like"), (4, "nope"), (5, "skipped")):
        decide(connection, 1, video, decision_type)
    first = recommend(connection, 1)
    assert first["payload"] == user_payload(connection, 1)
    second = recommend(connection, 1, p_embedding=as_text(QUERY), p_as_of=first["as_of"])
    assert not second["popular"]
    assert shown(second) == nearest(VECTORS, {3, 4, 5})
    similarities = [1 - row["distance"] for row in second["candidates"]]
    np.testing.assert_allclose(similarities, [VECTORS[n] @ QUERY for n in shown(second)], atol=1e-6)
    third = recommend(connection, 1, p_limit=7, p_exclude_video_ids=[video_id(shown(second)[0])])
    assert shown(third) == shown(second)[1:8]
    assert third["updated_at"] == first["as_of"]
    plain = column(
        connection,
        """select video_id::text
           from public.recommend_videos_ann(%s::extensions.vector, 500, p_exclude_video_ids => %s::uuid[])""",
        as_text(QUERY),
        [video_id(n) for n in (3, 4, 5)],
    )
    assert [row["id"] for row in second["candidates"]] == plain


def test_candidate_has_all_that_a_list_shows(connection: Connection) -> None:
    """Titles, times in UTC, sorted names, numbers as numbers; nothing of NaN or infinity."""
    connection.execute(
        """update public.videos
           set product_released_at = '2024-05-01 12:00+09', description = 'd', region_codes = '{JP}'
           where id = %s""",
        (video_id(1),),
    )
    connection.execute(
        "update public.videos set price = 'NaN', product_released_at = '-infinity' where id = %s", (video_id(2),)
    )
    decide(connection, 1, 0)
    rows = {
        row["id"]: row
        for row in recommend(connection, 1, p_embedding=as_text(QUERY), p_as_of=value(connection, "select now()"))[
            "candidates"
        ]
    }
    one = rows[video_id(1)]
    assert {key: one[key] for key in one if key != "distance"} == {
        "id": video_id(1),
        "title": "Video 1",
        "description": "d",
        "external_id": None,
        "thumbnail_url": None,
        "product_released_at": "2024-05-01T03:00:00+00:00",
        "price": 1,
        "safety_level": 0,
        "region_codes": ["JP"],
        "tags": ["a", "b"],
        "performers": ["p"],
        "maker": "m",
        "popularity": None,
    }
    assert (rows[video_id(2)]["price"], rows[video_id(2)]["product_released_at"]) == (None, None)


def test_catalogue_of_ones_own_may_have_more_columns(connection: Connection) -> None:
    """Columns named as the functions' own words among them."""
    connection.execute(
        """alter table public.videos
           add place int, add distance int, add popularity int, add user_id uuid, add names text"""
    )
    decide(connection, 1, 0)
    as_of = value(connection, "select now()")
    for user in (1, 2):
        answer = recommend(connection, user, p_embedding=as_text(QUERY), p_as_of=as_of)
        assert len(answer["candidates"]) == VIDEOS - (user == 1)
        assert answer["candidates"][0]["distance"] is not None


def test_unreleased_video_is_never_a_candidate(connection: Connection) -> None:
    """Neither for who likes something nor for who does not."""
    connection.execute(
        "update public.videos set product_released_at = now() + interval '1 minute' where id = %s", (video_id(7),)
    )
    decide(connection, 1, 0)
    as_of = value(connection, "select now()")
    for user in (1, 2):
        assert 7 not in shown(recommend(connection, user, p_embedding=as_text(QUERY), p_as_of=as_of))


def test_who_likes_nothing_gets_what_is_popular(connection: Connection) -> None:
    """Counted at the first such call; with distances to the vector all the same; NOPEd videos stay away."""
    for user, video in ((8, 5), (9, 5), (9, 6), (9, 7)):
        decide(connection, user, video)
    decide(connection, 1, 6, "nope")
    answer = recommend(
        connection, 1, p_limit=3, p_embedding=as_text(QUERY), p_as_of=value(connection, "select now()")
    )
    assert answer["popular"]
    assert shown(answer)[:2] == [5, 7]
    assert [row["popularity"] for row in answer["candidates"]] == pytest.approx([2, 1, 0], abs=0.01)
    np.testing.assert_allclose(
        [1 - row["distance"] for row in answer["candidates"]], [VECTORS[n] @ QUERY for n in shown(answer)], atol=1e-6
    )
    connection.execute("delete from public.video_embeddings where video_id = %s", (video_id(5),))
    assert recommend(connection, 1, p_limit=3)["candidates"][0]["distance"] is None


def test_empty_catalogue_gives_an_empty_list(connection: Connection) -> None:
    """To both kinds of user."""
    connection.execute("update public.videos set is_active = false")
    decide(connection, 1, 0)
    as_of = value(connection, "select now()")
    for user in (1, 2):
        assert recommend(connection, user, p_embedding=as_text(QUERY), p_as_of=as_of)["candidates"] == []


def test_ten_thousand_decisions_are_all_left_out(connection: Connection) -> None:
    """As many as a heavy user has: the list still has all that is left."""
    connection.execute(
        """insert into public.user_video_decisions
           select %s, gen_random_uuid(), 'like', now() - interval '1 day' from generate_series(1, 10000)""",
        (user_id(1),),
    )
    for number in range(20):
        decide(connection, 1, number)
    answer = recommend(connection, 1, p_embedding=as_text(QUERY), p_as_of=value(connection, "select now()"))
    assert sorted(shown(answer)) == list(range(20, VIDEOS))


@pytest.mark.parametrize(
    ("embedding", "as_of"),
    [("[1,2,3]", "now"), (as_text(np.zeros(256)), "now"), (as_text(QUERY), "tomorrow"), (as_text(QUERY), None)],
)
def test_vector_that_cannot_be_kept_is_refused(connection: Connection, embedding: str, as_of: str | None) -> None:
    """Another dimension, zeros, a moment to come or none."""
    for function in ("store_user_embedding", "recommend_for_user"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            call(connection, function, 1, p_embedding=embedding, p_as_of=as_of)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_only_the_service_role_may_call(connection: Connection, role: str) -> None:
    """Whoever signs in goes through the functions."""
    for function in ("user_embedding_state", "recommend_for_user"):
        with acting_as(connection, role, user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select public.{function}(%s::uuid, 'v1')", (user_id(1),))


def beside(connection: Connection, version: str = "v2") -> None:
    """An experiment runs whose challenger is a version that was never live."""
    stage(connection, version, {video_id(n): NEWER_VECTORS[n] for n in range(VIDEOS)})
    verify(connection, version)
    connection.execute(
        """insert into public.experiments (name, salt, primary_metric, planned_users)
           values ('e', 'salt', 'like_rate', 200)"""
    )
    connection.execute(
        """insert into public.experiment_arms (experiment, arm, place, weight, model_version, ranking)
           values ('e', 'control', 0, 0.5, null, '{}'), ('e', 'challenger', 1, 0.5, %s, '{"candidates": 80}')""",
        (version,),
    )
    connection.execute("update public.experiments set state = 'running', traffic = '[0.25,0.5)', started_at = now()")


def stop(connection: Connection) -> None:
    connection.execute("update public.experiments set state = 'stopped', stopped_at = now()")


def serving(connection: Connection) -> Any:
    """What the functions follow."""
    with acting_as(connection, "service_role"):
        return value(connection, "select public.get_serving()")


def test_what_is_live_and_what_runs_are_one_answer(connection: Connection) -> None:
    """With all that the functions need of an arm; nothing of drafts and of what is over."""
    assert serving(connection)["experiments"] == []
    beside(connection)
    connection.execute("update public.model_releases set manifest_hash = 'hash of ' || model_version")
    assert serving(connection) == {
        "live": {"model_version": "v1", "manifest_hash": "hash of v1"},
        "experiments": [
            {
                "name": "e",
                "kind": "arms",
                "salt": "salt",
                "from": 0.25,
                "until": 0.5,
                "arms": [
                    {"arm": "control", "weight": 0.5, "model_version": None, "manifest_hash": None, "ranking": {}},
                    {
                        "arm": "challenger",
                        "weight": 0.5,
                        "model_version": "v2",
                        "manifest_hash": "hash of v2",
                        "ranking": {"candidates": 80},
                    },
                ],
            }
        ],
    }
    stop(connection)
    assert serving(connection)["experiments"] == []


def test_before_the_first_release_nothing_is_live(database: str) -> None:
    """Said as null, not as an error."""
    with connect(database, autocommit=True) as connection:
        assert serving(connection) == {"live": None, "experiments": []}


def test_two_versions_serve_at_once_each_with_its_own_vectors(connection: Connection) -> None:
    """The challenger's users are embedded, kept and searched under its version; the live one's are not touched."""
    beside(connection)
    decide(connection, 1, 3)
    as_of = value(connection, "select now()")
    given = {"p_embedding": as_text(QUERY), "p_as_of": as_of}
    assert shown(recommend(connection, 1, "v2", p_experiment="e", **given)) == nearest(NEWER_VECTORS, {3})
    assert shown(recommend(connection, 1, "v1", p_experiment="e", **given)) == nearest(VECTORS, {3})
    assert shown(recommend(connection, 1, "v2", p_experiment="e")) == nearest(NEWER_VECTORS, {3})
    kept = "select model_version from two_tower.user_embedding_versions order by 1"
    assert column(connection, kept) == ["v1", "v2"]


def test_a_stop_is_heard_by_the_very_next_call(connection: Connection) -> None:
    """PT409 for the arm's version and for the live one alike, so that it is told of a list that is no exposure."""
    beside(connection)
    keep(connection, 1)
    stop(connection)
    for version in ("v1", "v2"):
        with pytest.raises(psycopg.Error, match="Experiment e does not run") as caught:
            recommend(connection, 1, version, p_experiment="e")
        assert caught.value.sqlstate == "PT409"
    assert "candidates" in recommend(connection, 1)


@pytest.mark.parametrize("state", ["staged", "failed"])
def test_an_arm_is_served_only_while_its_version_is_fit(connection: Connection, state: str) -> None:
    """Also where its row was changed by hand."""
    beside(connection)
    connection.execute("update public.model_releases set state = %s where model_version = 'v2'", (state,))
    with pytest.raises(psycopg.Error) as caught:
        recommend(connection, 1, "v2", p_experiment="e")
    assert caught.value.sqlstate == "PT409"


def test_an_experiment_opens_no_other_version(connection: Connection) -> None:
    """Neither one that no arm has, nor an arm's where the experiment is not named, whatever else is allowed."""
    beside(connection)
    stage(connection, "v3", {video_id(n): NEWER_VECTORS[n] for n in range(VIDEOS)})
    verify(connection, "v3")
    for version, experiment in (("v3", "e"), ("v2", None), ("v2", "unknown")):
        with pytest.raises(psycopg.Error) as caught:
            recommend(connection, 1, version, p_experiment=experiment)
        assert caught.value.sqlstate == "PT409"
    with pytest.raises(psycopg.Error) as caught:
        recommend(connection, 1, "v2", p_allow_retired=True)
    assert caught.value.sqlstate == "PT503"


@pytest.mark.parametrize("state", ["draft", "running"])
def test_vectors_of_an_experiment_are_not_dropped(connection: Connection, state: str) -> None:
    """The refusal names the experiment and says what to do; after its stop they may go."""
    beside(connection)
    if state == "draft":
        connection.execute("update public.experiments set state = 'draft', traffic = null, started_at = null")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="v2 is an arm of experiment e") as caught:
        connection.execute("select two_tower.drop_release_vectors('v2')")
    assert "two-tower experiment stop" in str(caught.value.diag.message_hint)
    if state == "running":
        stop(connection)
        connection.execute("select two_tower.drop_release_vectors('v2')")


def test_an_arm_can_go_live_and_others_can_while_it_serves(connection: Connection) -> None:
    """Flips know nothing of experiments: the arm goes on with its version, live or retired."""
    beside(connection)
    given = {"p_embedding": as_text(QUERY), "p_as_of": value(connection, "select now()"), "p_experiment": "e"}
    for version, before in (("v2", "v1"), ("v1", "v2")):
        activate(connection, version, before)
        assert "candidates" in recommend(connection, 1, "v2", **given)
