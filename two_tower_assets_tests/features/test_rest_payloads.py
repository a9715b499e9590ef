"""Feature payloads through a real PostgREST, beside the same read from Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import stamina

from two_tower_assets.environment import Project, read_environment
from two_tower_assets.errors import EnvironmentVariableError, FeatureError, RestError
from two_tower_assets.features import payloads, rest_payloads
from two_tower_assets.features.build import build_space
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.payloads import ITEMS_FILE, USERS_FILE
from two_tower_assets.features.stored import store_items, store_users, stored_items, stored_users
from two_tower_assets.features.users import users_of_blocks
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets.progress import Progress
from two_tower_assets.rest.client import RestClient
from two_tower_assets.settings import FeatureSettings, SampleSettings
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import Snapshot, take_snapshot
from two_tower_assets_tests.publishing.gateway import Fault, Gateway, gateway

SAMPLE = SampleSettings(users=120, videos=90, decisions_per_user=20)
OVER_THE_CAP = SampleSettings(users=1100, videos=1150, decisions_per_user=3)
Serve = Callable[[int], tuple[Gateway, RestClient]]


@pytest.fixture
def serve(database: str, programs: Path, project_keys: ProjectKeys, tmp_path: Path) -> Iterator[Serve]:
    """Start a PostgREST over the database that cuts answers at so many rows; a gateway before it, and a client."""
    with ExitStack() as stack, stamina.set_testing(True, attempts=6, cap=True):

        def start(max_rows: int) -> tuple[Gateway, RestClient]:
            url = authenticator_url(database, project_keys)
            server = PostgREST(
                tmp_path / "rest", database_url=url, keys=project_keys, programs=programs, max_rows=max_rows
            )
            before = stack.enter_context(gateway(stack.enter_context(server).url))
            return before, stack.enter_context(RestClient(before.url, project_keys.service_role))

        yield start


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where payloads from Postgres and from REST are written."""
    made = tmp_path / "sql", tmp_path / "rest_payloads"
    for folder in made:
        folder.mkdir()
    return made


def filled(database: str, folders: tuple[Path, Path], sample: SampleSettings = SAMPLE) -> Snapshot:
    load(database, generate_sample(sample), source="sample")
    return take_snapshot(database, folders[0].parent / "snapshots")


@pytest.mark.parametrize(("cap", "sample"), [(7, SAMPLE), (1000, OVER_THE_CAP)], ids=["cap 7", "cap 1000"])
def test_both_ways_write_the_same_bytes(
    database: str,
    serve: Serve,
    folders: tuple[Path, Path],
    cap: int,
    sample: SampleSettings,
) -> None:
    """However short the server cuts its answers, the files of users and of videos are those of a Postgres URL."""
    as_of = filled(database, folders, sample).cutoff
    sql, rest = folders
    told: list[tuple[int, int]] = []
    _, project = serve(cap)
    users = rest_payloads.read_user_payloads(
        project, rest, as_of=as_of, progress=lambda done, total: told.append((done, total))
    )
    videos = rest_payloads.read_item_payloads(project, rest)
    assert users == payloads.read_user_payloads(database, sql, as_of=as_of) > cap
    assert videos == payloads.read_item_payloads(database, sql) == sample.videos > cap
    for name in (USERS_FILE, ITEMS_FILE):
        assert (rest / name).read_bytes() == (sql / name).read_bytes()
    assert told[-1][0] == told[-1][1]
    assert len(told) >= users / cap


def test_both_ways_give_the_same_vectors(
    database: str, serve: Serve, folders: tuple[Path, Path], project_keys: ProjectKeys
) -> None:
    """With `feature_source = "rest"` the user and item vectors are bit for bit those of `rpc`."""
    snapshot = filled(database, folders)
    space = build_space(snapshot, settings=FeatureSettings())
    server, _ = serve(1000)
    project = Project(server.url, project_keys.service_role)
    made = []
    for source, folder in zip(("rpc", "rest"), folders, strict=True):
        settings = FeatureSettings(feature_source=source)  # type: ignore[arg-type]
        store_users(snapshot, database, folder, settings, project=project)
        store_items(snapshot, database, folder, settings, project=project)
        users = users_of_blocks(stored_users(folder), as_of=snapshot.cutoff, space=space)
        items = item_matrix(stored_items(folder, snapshot), space)
        made.append((users.rows(slice(None)), items.rows(slice(None))))
    for from_sql, from_rest in zip(*made, strict=True):
        assert len(from_sql) > 80
        assert from_sql.any()
        assert (from_sql == from_rest).all()


@pytest.mark.parametrize("faults", [["429"], ["503", "503"], ["reset"], ["cut"], ["cut", "429", "reset", "503"]])
def test_faults_that_pass_are_waited_out(
    database: str,
    serve: Serve,
    folders: tuple[Path, Path],
    faults: list[Fault],
) -> None:
    """Refusals for a while, and connections cut before and after the answer, leave the file as it is without them."""
    as_of = filled(database, folders).cutoff
    sql, rest = folders
    server, project = serve(7)
    server.read_faults = ["pass", *faults, "pass", *faults]
    rest_payloads.read_user_payloads(project, rest, as_of=as_of)
    assert server.read_faults == []
    payloads.read_user_payloads(database, sql, as_of=as_of)
    assert (rest / USERS_FILE).read_bytes() == (sql / USERS_FILE).read_bytes()


def test_a_project_that_stays_busy_is_given_up(database: str, serve: Serve, folders: tuple[Path, Path]) -> None:
    """After six refusals in a row the error says how many attempts were made."""
    filled(database, folders)
    server, project = serve(1000)
    server.read_faults = ["429"] * 6
    with pytest.raises(RestError, match="No success in 6 attempts: HTTP 429"):
        rest_payloads.read_item_payloads(project, folders[1])


def test_pages_that_lose_rows_are_refused(database: str, serve: Serve, folders: tuple[Path, Path]) -> None:
    """Functions that leave users or videos out give fewer decisions, or videos, than the tables have."""
    as_of = filled(database, folders).cutoff
    body = """create or replace function two_tower.{}(p_after uuid, p_limit int, p_offset int, {})
      returns setof uuid language sql stable as $$
      select distinct v.{} from {} as v
      where (p_after is null or v.{} > p_after) and v.{}::text not like '%7' order by 1 limit p_limit $$"""
    users = ("page_of_users", "p_as_of timestamptz", "user_id", "public.user_video_decisions", "user_id", "user_id")
    videos = ("page_of_videos", "p_include_inactive boolean", "id", "public.videos", "id", "id")
    with psycopg.connect(database) as connection:
        for names in (users, videos):
            connection.execute(body.format(*names))
    _, project = serve(1000)
    with pytest.raises(FeatureError, match=r"user_embedding_feature_batch hold \d+ of \d+ rows"):
        rest_payloads.read_user_payloads(project, folders[1], as_of=as_of)
    with pytest.raises(FeatureError, match=r"item_embedding_feature_batch hold \d+ of 90 rows"):
        rest_payloads.read_item_payloads(project, folders[1])


def test_rows_that_change_meanwhile_are_read_again(database: str, serve: Serve, folders: tuple[Path, Path]) -> None:
    """A late decision of a user whose page has been read is in the file; when they keep coming, an error says so."""
    as_of = filled(database, folders).cutoff
    sql, rest = folders

    def late(times: int) -> Progress:
        def decide(done: int, total: int) -> None:
            nonlocal times
            if done < total / 4 and times:
                times -= 1
                _decide_late(database, as_of)

        return decide

    _, project = serve(10)
    rest_payloads.read_user_payloads(project, rest, as_of=as_of, progress=late(1))
    payloads.read_user_payloads(database, sql, as_of=as_of)
    assert (rest / USERS_FILE).read_bytes() == (sql / USERS_FILE).read_bytes()
    with pytest.raises(FeatureError, match="Rows changed each of the 3 times"):
        rest_payloads.read_user_payloads(project, rest, as_of=as_of, progress=late(1000))


def test_a_key_that_may_not_read_is_named(
    database: str, serve: Serve, folders: tuple[Path, Path], project_keys: ProjectKeys
) -> None:
    """The anon key is refused with the variable to set; it is not shown."""
    filled(database, folders)
    server, _ = serve(1000)
    with (
        RestClient(server.url, project_keys.anon) as project,
        pytest.raises(RestError, match="SUPABASE_SERVICE_ROLE_KEY") as caught,
    ):
        rest_payloads.read_item_payloads(project, folders[1])
    assert project_keys.anon not in str(caught.value)


@pytest.mark.parametrize(("set_name", "missing"), [("SUPABASE_URL", "SERVICE_ROLE_KEY"), ("HOME", "SUPABASE_URL")])
def test_an_environment_without_a_project(tmp_path: Path, set_name: str, missing: str) -> None:
    """What is not set is named."""
    environment = read_environment({set_name: "https://project.supabase.co"}, folder=tmp_path)
    with pytest.raises(EnvironmentVariableError, match=f"{missing} is not set"):
        _ = environment.project


def test_a_key_with_a_line_break_is_not_repeated() -> None:
    """It is refused before anything is sent, whose error would show it."""
    with pytest.raises(EnvironmentVariableError, match="without line breaks") as caught:
        RestClient("http://127.0.0.1:9", "sb_secret_first\nsecond")
    assert "sb_secret" not in str(caught.value)


def _decide_late(database: str, as_of: datetime) -> None:
    """The first user decides on one more video, as if a day before `as_of`."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into public.user_video_decisions (user_id, video_id, decision_type, created_at)"
            " select u.user_id, v.id, 'like', %s from (select min(user_id::text)::uuid as user_id"
            " from public.user_video_decisions) as u, public.videos as v where not exists (select from"
            " public.user_video_decisions as d where d.user_id = u.user_id and d.video_id = v.id) limit 1",
            [as_of - timedelta(days=1)],
        )
