from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError, RestError
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets.publishing import rest_project
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.registry import list_releases
from two_tower_assets.publishing.rest_project import RestProject
from two_tower_assets.publishing.rest_upsert import Upserted, plan_upsert, upsert_embeddings
from two_tower_assets.publishing.target import Target
from two_tower_assets.rest import client
from two_tower_assets_tests.publishing.embedding_files import read_all, with_vectors
from two_tower_assets_tests.publishing.gateway import Fault, Gateway, gateway
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, everything, release, rows


@pytest.fixture
def server(postgrest: PostgREST, serving: str) -> Iterator[Gateway]:
    """The serving database as a project's REST API, with faults on demand and no pauses between attempts."""
    assert serving
    with gateway(postgrest.url) as state, stamina.set_testing(True, attempts=6, cap=True):
        yield state


@pytest.fixture
def project(server: Gateway, project_keys: ProjectKeys) -> Iterator[RestProject]:
    with RestProject(server.url, project_keys.service_role) as project:
        yield project


def send(project: RestProject, folder: Path, batch: int = 100) -> Upserted:
    return upsert_embeddings(project, plan_upsert(project, folder / Files.VIDEO_EMBEDDINGS, batch=batch))


def stored(url: str) -> dict[str, np.ndarray]:
    """The live version's vectors, as Postgres has them."""
    found = rows(url, "select video_id::text, embedding::text from public.video_embeddings")
    return {video: np.array(text[1:-1].split(","), np.float32) for video, text in found}


def lose(url: str, ids: list[str]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("delete from public.video_embeddings where video_id = any(%s::uuid[])", [ids])


def assert_is_the_file(url: str, folder: Path) -> None:
    ids, vectors = read_all(folder / Files.VIDEO_EMBEDDINGS)
    found = stored(url)
    assert sorted(found) == ids
    assert all(np.array_equal(found[video], vector) for video, vector in zip(ids, vectors, strict=True))


def test_missing_and_changed_vectors_are_sent_and_no_others(
    target: Target, server: Gateway, project: RestProject, new: Path
) -> None:
    """Of 300 videos 40 are gone and one has another vector: 41 rows travel, and the table is the file again."""
    release(target, new)
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids[30:70])
    with psycopg.connect(target.url) as connection:
        other = str(vectors[0].tolist())
        connection.execute("update public.video_embeddings set embedding = %s where video_id = %s", [other, ids[5]])
    assert send(project, new) == Upserted(sent=41, unchanged=VIDEOS - 41)
    assert sorted(row["video_id"] for batch in server.written for row in batch) == sorted([ids[5], *ids[30:70]])
    assert_is_the_file(target.url, new)


def test_a_second_run_writes_nothing(target: Target, server: Gateway, project: RestProject, new: Path) -> None:
    """Everything is there already: no writing request is made, and no row is touched."""
    release(target, new)
    before = everything(target.url)
    assert send(project, new) == Upserted(sent=0, unchanged=VIDEOS)
    assert server.written == []
    assert everything(target.url) == before


def test_the_search_finds_what_was_upserted(target: Target, project: RestProject, new: Path) -> None:
    """A video's own vector finds it first, through the index, as soon as it was sent."""
    release(target, new)
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids)
    assert send(project, new).sent == VIDEOS
    for place in range(0, VIDEOS, 50):
        question = str(vectors[place].tolist())
        first = rows(target.url, "select video_id::text from public.recommend_videos_ann(%s, 1)", question)
        assert first == [(ids[place],)]


def test_pages_are_followed_when_the_server_cuts_them(
    target: Target, project: RestProject, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 7 rows a page, 300 rows are still all read and recognised."""
    monkeypatch.setattr(rest_project, "PAGE", 7)
    release(target, new)
    assert send(project, new, batch=300) == Upserted(sent=0, unchanged=VIDEOS)


def test_videos_that_are_not_in_the_file_stay(target: Target, project: RestProject, new: Path) -> None:
    """A vector that somebody added to the live version is neither changed nor counted."""
    release(target, new)
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids[:1])
    with psycopg.connect(target.url) as connection:
        connection.execute(
            "insert into public.video_embeddings (video_id, embedding) values (gen_random_uuid(), %s)",
            [str(vectors[3].tolist())],
        )
    assert send(project, new) == Upserted(sent=1, unchanged=VIDEOS - 1)
    assert len(stored(target.url)) == VIDEOS + 1


@pytest.mark.parametrize(
    "faults", [["429"], ["503", "503"], ["reset"], ["cut"], ["cut", "429", "reset", "cut", "503"]]
)
def test_faults_that_pass_are_waited_out(
    target: Target, server: Gateway, project: RestProject, new: Path, faults: list[Fault]
) -> None:
    """After refusals, and connections cut before and after the rows were written, the table is the file."""
    release(target, new)
    ids, _ = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids)
    server.faults, server.read_faults = list(faults), list(faults)
    assert send(project, new).sent == VIDEOS
    assert server.faults == server.read_faults == []
    assert_is_the_file(target.url, new)


def test_a_request_without_an_answer_is_given_up_and_repeated(
    target: Target, server: Gateway, project_keys: ProjectKeys, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a reading nor a writing request waits for ever."""
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(5, read=1))
    release(target, new)
    ids, _ = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids[:20])
    server.faults, server.read_faults = ["hang"], ["hang"]
    with RestProject(server.url, project_keys.service_role) as project:
        assert send(project, new) == Upserted(sent=20, unchanged=VIDEOS - 20)
    assert_is_the_file(target.url, new)


def test_a_broken_run_goes_on_where_it_broke(
    target: Target, server: Gateway, project: RestProject, new: Path
) -> None:
    """The second of three batches keeps failing; the next run sends the 200 rows that are missing."""
    release(target, new)
    ids, _ = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids)
    server.faults = ["pass", *["503"] * 6]  # type: ignore[list-item]
    with pytest.raises(RestError, match=r"No success in 6 attempts: HTTP 503 slow down.*then run again"):
        send(project, new)
    assert sorted(stored(target.url)) == ids[:100]
    assert send(project, new) == Upserted(sent=200, unchanged=100)
    assert_is_the_file(target.url, new)


def test_every_repeated_request_is_told(
    target: Target, server: Gateway, project_keys: ProjectKeys, new: Path
) -> None:
    """One line for each failure, with its status."""
    release(target, new)
    told: list[str] = []
    server.read_faults = ["429", "reset"]
    with RestProject(server.url, project_keys.service_role, reached=told.append) as project:
        project.live()
    assert told[0] == "failed for now: HTTP 429 slow down"
    assert len(told) == 2


def test_nothing_live_is_refused_with_the_way_to_a_first_release(
    serving: str, server: Gateway, project: RestProject, new: Path
) -> None:
    """Before the first release the view has no version's table behind it; nothing is sent."""
    before = everything(serving)
    with pytest.raises(PublishingError, match=r"No release is live.*SUPABASE_DB_URL"):
        send(project, new)
    assert server.written == []
    assert everything(serving) == before


def test_another_live_version_is_refused(
    target: Target, server: Gateway, project: RestProject, old: Path, new: Path
) -> None:
    """Both versions are named, and nothing is sent."""
    release(target, old)
    before = everything(target.url)
    with pytest.raises(PublishingError, match=f"of version {NEW}, and version {OLD} is live"):
        send(project, new)
    assert server.written == []
    assert everything(target.url) == before


def test_a_flip_meanwhile_mixes_no_versions(target: Target, project: RestProject, old: Path, new: Path) -> None:
    """Between two batches another version goes live: its table takes no row of ours, and the error says so."""
    release(target, old)
    release(target, new)
    ids, _ = read_all(new / Files.VIDEO_EMBEDDINGS)
    lose(target.url, ids)
    plan = plan_upsert(project, new / Files.VIDEO_EMBEDDINGS, batch=100)

    def flip(done: int, total: int) -> None:
        assert total == VIDEOS
        if done == 100:
            rollback(target)

    with pytest.raises(PublishingError, match="another one went live there meanwhile"):
        upsert_embeddings(project, plan, progress=flip)
    assert_is_the_file(target.url, old)
    assert rows(target.url, "select distinct model_version from public.video_embeddings") == [(OLD,)]
    table = next(x.vector_table for x in list_releases(target.url) if x.model_version == NEW)
    assert rows(target.url, f"select count(*), min(model_version) from {table}") == [(100, NEW)]


def test_progress_reaches_the_number_of_rows(target: Target, project: RestProject, new: Path) -> None:
    """Told after each batch."""
    release(target, new)
    told: list[tuple[int, int]] = []
    plan = plan_upsert(project, new / Files.VIDEO_EMBEDDINGS, batch=120)
    upsert_embeddings(project, plan, progress=lambda done, total: told.append((done, total)))
    assert told == [(120, VIDEOS), (240, VIDEOS), (300, VIDEOS)]


def test_a_plan_says_what_would_be_sent_and_changes_nothing(
    target: Target, server: Gateway, project: RestProject, new: Path, tmp_path: Path
) -> None:
    """Rows, batches and bytes of a file with two more videos than the live version has."""
    release(target, new)
    before = everything(target.url)
    ids, vectors = read_all(new / Files.VIDEO_EMBEDDINGS)
    more = sorted([*ids, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"])
    path = with_vectors(new, tmp_path / NEW, more, np.concatenate([vectors, vectors[:2]]))
    plan = plan_upsert(project, path, batch=100)
    assert (plan.file.rows, plan.batches, plan.stored) == (302, 4, 300)
    assert plan.live is not None
    assert (plan.live.model_version, plan.target, plan.refusal()) == (NEW, server.url, None)
    assert everything(target.url) == before
    upsert_embeddings(project, plan)
    exact = sum(len(str(row)) for batch in server.written for row in batch)
    assert server.written
    assert plan.request_bytes / 302 == pytest.approx(exact / sum(map(len, server.written)), rel=0.02)


def test_a_key_that_may_not_write_is_named_and_not_shown(
    serving: str, server: Gateway, project_keys: ProjectKeys
) -> None:
    """The public key and one of another secret are refused with the variable to set."""
    assert serving
    for key in (project_keys.anon, ProjectKeys(new_secret()).service_role):
        with RestProject(server.url, key) as project:
            with pytest.raises(RestError, match=r"refuses the key.*SUPABASE_SERVICE_ROLE_KEY") as caught:
                project.live()
            assert key not in str(caught.value) + repr(project)


def test_a_project_that_was_never_migrated_is_told_how(
    serving: str, server: Gateway, project: RestProject, postgrest: PostgREST
) -> None:
    """Without the RPC the remedy is the migration."""
    with psycopg.connect(serving) as connection:
        connection.execute("drop function public.get_live_release()")
    postgrest.stop()
    postgrest.start()
    with gateway(postgrest.url) as again, RestProject(again.url, postgrest.keys.service_role) as other:
        assert server.url != again.url
        with pytest.raises(RestError, match=r"lacks tables or functions.*two-tower migrate"):
            other.live()
    assert repr(project) == f"RestProject({server.url!r})"


def test_nobody_answers(project_keys: ProjectKeys) -> None:
    """A port where nothing listens ends in an error after the attempts."""
    with (
        stamina.set_testing(True, attempts=6, cap=True),
        RestProject("http://127.0.0.1:9", project_keys.anon) as project,
        pytest.raises(RestError, match=r"No success in 6 attempts.*Check the URL"),
    ):
        project.live()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=256))
def test_the_text_of_a_vector_reads_back_as_the_same_numbers(numbers: list[float]) -> None:
    """Shortest text, no bit lost."""
    vector = np.array(numbers, np.float32)
    with warnings.catch_warnings(action="error"):
        text = ",".join(vector.astype(np.str_))
    assert np.array_equal(np.array(text.split(","), np.float32), vector)
