from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.keys import USER_TOKEN_LIFETIME, ProjectKeys, make_token, new_secret
from two_tower_assets.local.postgrest import MAX_ROWS, PostgREST, authenticator_url

USER, OTHER = (f"0a0a0a0a-0000-4000-8000-00000000000{i}" for i in (1, 2))


def call(server: PostgREST, token: str | None, path: str, **body: Any) -> httpx.Response:
    """POST to a function, as a client does."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{server.url}/rpc/{path}", json=body, headers=headers, trust_env=False)


def test_each_token_runs_as_its_role(postgrest: PostgREST, project_keys: ProjectKeys) -> None:
    """The service role may ask what is live; a signed-in user and a stranger may not."""
    assert call(postgrest, project_keys.service_role, "get_live_release").json() == []
    for token in (None, project_keys.anon, project_keys.authenticated(USER)):
        answer = call(postgrest, token, "get_live_release")
        assert answer.status_code in {401, 403}
        assert answer.json()["code"] == "42501"


def test_a_signed_in_user_is_known_by_id(postgrest: PostgREST, project_keys: ProjectKeys) -> None:
    """`auth.uid()` is the token's subject: own features are given, another's refused."""
    own = call(postgrest, project_keys.authenticated(USER), "get_user_embedding_features", user_id=USER)
    assert own.json()["user_id"] == USER
    other = call(postgrest, project_keys.authenticated(USER), "get_user_embedding_features", user_id=OTHER)
    assert other.status_code in {401, 403}


def test_a_token_of_another_secret_or_of_a_mightier_role_is_refused(
    postgrest: PostgREST, project_keys: ProjectKeys
) -> None:
    """Signatures are checked, and no claim makes a superuser: the server's own login may not become one."""
    assert call(postgrest, ProjectKeys(new_secret()).service_role, "get_live_release").status_code == 401
    forged = make_token(project_keys.secret, "postgres", lifetime=USER_TOKEN_LIFETIME)  # type: ignore[arg-type]
    assert call(postgrest, forged, "get_live_release").status_code in {401, 403}


def test_answers_are_cut_at_the_hosted_limit(postgrest: PostgREST, project_keys: ProjectKeys, database: str) -> None:
    """Of 1001 videos one request gives 1000."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into public.videos (id, title) select gen_random_uuid(), 'v' from generate_series(1, %s)",
            [MAX_ROWS + 1],
        )
    headers = {"Authorization": f"Bearer {project_keys.service_role}"}
    rows = httpx.get(f"{postgrest.url}/videos?select=id", headers=headers, trust_env=False).json()
    assert len(rows) == MAX_ROWS


def test_it_ends_and_begins_again(postgrest: PostgREST) -> None:
    """After `stop` nothing listens and no process is left; `stop` again is no error; `start` serves anew."""
    pid = json.loads((postgrest.folder / "postgrest.json").read_text())["pid"]
    address = httpx.URL(postgrest.url)
    postgrest.stop()
    postgrest.stop()
    assert not postgrest.is_running()
    assert not psutil.pid_exists(pid)
    with socket.socket() as probe:
        assert probe.connect_ex((str(address.host), address.port or 0)) != 0
    with pytest.raises(LocalStackError, match="does not run"):
        _ = postgrest.url
    postgrest.start()
    assert postgrest.is_running()


def test_a_server_that_nobody_stopped_is_ended_by_the_next(
    postgrest: PostgREST, database: str, project_keys: ProjectKeys, programs: Path
) -> None:
    """Another object over the same folder, as another process would have, replaces the running server."""
    first = json.loads((postgrest.folder / "postgrest.json").read_text())["pid"]
    url = authenticator_url(database, project_keys)
    with PostgREST(postgrest.folder, database_url=url, keys=project_keys, programs=programs) as second:
        assert second.is_running()
        process = psutil.Process(first) if psutil.pid_exists(first) else None
        assert process is None or process.status() == psutil.STATUS_ZOMBIE


def test_a_taken_port_is_told_with_the_end_of_the_log(
    database: str, project_keys: ProjectKeys, programs: Path, tmp_path: Path
) -> None:
    """A fixed port that somebody else has stops the start; the error shows the server's words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = PostgREST(
            tmp_path,
            database_url=authenticator_url(database, project_keys),
            keys=project_keys,
            programs=programs,
            port=taken.getsockname()[1],
        )
        with pytest.raises(LocalStackError, match="PostgREST did not start"):
            server.start()
    assert not server.is_running()


def test_neither_repr_nor_log_shows_a_secret(postgrest: PostgREST, project_keys: ProjectKeys, database: str) -> None:
    """The signing secret and the database's password stay inside."""
    shown = repr(postgrest) + (postgrest.folder / "postgrest.log").read_text()
    shown += (postgrest.folder / "postgrest.json").read_text()
    assert project_keys.secret not in shown
    assert psycopg.conninfo.conninfo_to_dict(authenticator_url(database, project_keys))["password"] not in shown
