"""The doors as clients find them: real tokens at a real PostgREST, for what matters most of each person's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets_tests.database.access.functions import FUNCTIONS
from two_tower_assets_tests.database.access.people import VECTOR, A, B, seed
from two_tower_assets_tests.database.access.relations import RELATIONS
from two_tower_assets_tests.database.rows import user_id, video_id

UNAUTHORIZED, FORBIDDEN = 401, 403
PEOPLE = {user_id(A): "A", user_id(B): "B"}
READS: dict[str, dict[str, Any]] = {
    "user_video_decisions?select=user_id": {"anon": UNAUTHORIZED, "A": ["A"], "B": ["B"], "service_role": ["A", "B"]},
    "profiles?select=user_id": {"anon": UNAUTHORIZED, "A": ["A"], "B": ["B"], "service_role": ["A", "B"]},
    "user_embeddings?select=user_id": {"anon": UNAUTHORIZED, "A": ["A"], "B": ["B"], "service_role": ["A", "B"]},
    "served_lists?select=user_id": {
        "anon": UNAUTHORIZED,
        "A": FORBIDDEN,
        "B": FORBIDDEN,
        "service_role": ["A", "B"],
    },
    "model_releases?select=model_version": {
        "anon": UNAUTHORIZED,
        "A": ["v1"],
        "B": ["v1"],
        "service_role": ["v1", "v2"],
    },
    "model_releases": {"anon": UNAUTHORIZED, "A": FORBIDDEN, "B": FORBIDDEN, "service_role": [None, None]},
    "live_release?select=model_version": {"anon": UNAUTHORIZED, "A": ["v1"], "B": ["v1"], "service_role": ["v1"]},
    "release_log?select=to_version": {
        "anon": UNAUTHORIZED,
        "A": FORBIDDEN,
        "B": FORBIDDEN,
        "service_role": ["v1"],
    },
    "video_embeddings?select=model_version": {
        "anon": UNAUTHORIZED,
        "A": FORBIDDEN,
        "B": FORBIDDEN,
        "service_role": ["v1"],
    },
    "videos?select=title": {
        "anon": UNAUTHORIZED,
        "A": ["first", "second"],
        "B": ["first", "second"],
        "service_role": ["first", "second"],
    },
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "get_user_embedding_features": {"user_id": user_id(A)},
    "get_user_embedding_feature_batch": {"p_limit": 10},
    "get_item_embedding_features": {"video_id": video_id(1)},
    "get_item_embedding_feature_batch": {"p_limit": 10},
    "recommend_videos_ann": {"p_embedding": VECTOR},
    "get_live_release": {},
    "get_serving": {},
    "get_sync_ranges": {"p_table": "videos", "p_key": ["id"], "p_columns": ["id"], "p_bounds": [video_id(0)]},
    "refresh_popularity": {},
    "popular_videos": {},
    "user_embedding_state": {"p_user_id": user_id(A), "p_model_version": "v1"},
    "store_user_embedding": {
        "p_user_id": user_id(A),
        "p_model_version": "v1",
        "p_embedding": VECTOR,
        "p_as_of": "2024-01-01",
    },
    "recommend_for_user": {"p_user_id": user_id(A), "p_model_version": "v1"},
}


class Api:
    """One caller's client."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.client.request(method, f"/{path}", json=body, headers=headers)

    def changed(self, method: str, path: str, body: object = None) -> int | list[str]:
        """Whose rows a request changed, or the status of its refusal."""
        answer = self.ask(method, path, body, prefer="return=representation")
        return [PEOPLE[row["user_id"]] for row in answer.json()] if answer.is_success else answer.status_code


@pytest.fixture
def callers(database: str, postgrest: PostgREST, project_keys: ProjectKeys) -> Iterator[dict[str, Api]]:
    """Clients of each kind, over a database in which A and B have rows."""
    with connect(database, autocommit=True) as connection:
        seed(connection)
    tokens = {
        "nobody": None,
        "anon": project_keys.anon,
        "A": project_keys.authenticated(user_id(A)),
        "B": project_keys.authenticated(user_id(B)),
        "service_role": project_keys.service_role,
    }
    clients = {name: Api(postgrest.url, token) for name, token in tokens.items()}
    yield clients
    for client in clients.values():
        client.client.close()


def test_reading(callers: dict[str, Api]) -> None:
    """Each caller reads their own rows, all rows, or gets a refusal; a caller without a token is `anon`."""
    for path, answers in READS.items():
        for caller, wanted in {**answers, "nobody": UNAUTHORIZED}.items():
            answer = callers[caller].ask("GET", path)
            if isinstance(wanted, int):
                assert answer.status_code == wanted, (path, caller)
                continue
            assert answer.status_code == 200, (path, caller, answer.text)
            name = path.partition("select=")[2]
            seen = [PEOPLE.get(row.get(name, ""), row.get(name)) for row in answer.json()]
            assert sorted(seen, key=str) == wanted, (path, caller)


def test_writing_decisions(callers: dict[str, Api]) -> None:
    """A decides for A alone; requests that name B's rows, or all rows, reach none of B's."""
    mine = {"user_id": user_id(A), "video_id": video_id(2), "decision_type": "like"}
    others = {**mine, "user_id": user_id(B)}
    table, of_b = "user_video_decisions", f"user_video_decisions?user_id=eq.{user_id(B)}"
    everything = f"{table}?decision_type=neq.none"
    for caller in ("nobody", "anon"):
        for method, body in (("POST", mine), ("PATCH", {"decision_type": "nope"}), ("DELETE", None)):
            assert callers[caller].changed(method, everything if method != "POST" else table, body) == UNAUTHORIZED
    a = callers["A"]
    assert a.changed("POST", table, mine) == ["A"]
    assert a.changed("POST", table, others) == FORBIDDEN
    assert (
        a.changed("POST", f"{table}?on_conflict=user_id,video_id", {**others, "video_id": video_id(1)}) == FORBIDDEN
    )
    assert a.changed("PATCH", of_b, {"decision_type": "nope"}) == []
    assert a.changed("PATCH", everything, {"user_id": user_id(B)}) == FORBIDDEN
    assert a.changed("PATCH", everything, {"decision_type": "nope"}) == ["A", "A"]
    assert a.changed("DELETE", of_b) == []
    assert a.changed("DELETE", everything) == ["A", "A"]
    left = callers["B"].ask("GET", table).json()
    assert [(row["user_id"], row["decision_type"]) for row in left] == [(user_id(B), "like")]
    assert callers["service_role"].changed("POST", table, others) == ["B"]
    assert callers["service_role"].changed("DELETE", everything) == ["B", "B"]


def test_writing_profiles_and_vectors(callers: dict[str, Api]) -> None:
    """A renames A and nobody else, and neither writes a vector nor takes one away."""
    name = {"display_name": "renamed"}
    for caller in ("nobody", "anon"):
        assert callers[caller].changed("PATCH", f"profiles?user_id=eq.{user_id(A)}", name) == UNAUTHORIZED
    assert callers["A"].changed("PATCH", "profiles?user_id=not.is.null", name) == ["A"]
    assert callers["A"].changed("PATCH", f"profiles?user_id=eq.{user_id(B)}", name) == []
    assert callers["A"].changed("DELETE", f"profiles?user_id=eq.{user_id(A)}") == FORBIDDEN
    vector = {"user_id": user_id(A), "embedding": VECTOR}
    for method, body in (("POST", vector), ("PATCH", {"embedding": VECTOR}), ("DELETE", None)):
        path = "user_embeddings" if method == "POST" else f"user_embeddings?user_id=eq.{user_id(A)}"
        assert callers["A"].changed(method, path, body) == FORBIDDEN
        assert callers["anon"].changed(method, path, body) == UNAUTHORIZED
    upserted = callers["service_role"].ask(
        "POST", "user_embeddings?on_conflict=model_version,user_id", vector, prefer="resolution=merge-duplicates"
    )
    assert upserted.status_code in {200, 201}


@pytest.mark.parametrize("table", ["served_lists", "model_releases", "live_release", "release_log"])
def test_records_are_changed_by_no_client(callers: dict[str, Api], table: str) -> None:
    """What was served and released is neither changed nor deleted through the API, not even with the service key."""
    column = {"served_lists": "arm", "release_log": "note"}.get(table, "model_version")
    for caller, refusal in {
        "nobody": UNAUTHORIZED,
        "anon": UNAUTHORIZED,
        "A": FORBIDDEN,
        "service_role": FORBIDDEN,
    }.items():
        for method, body in (("PATCH", {column: "changed"}), ("DELETE", None)):
            path = f"{table}?{column}=not.is.null"
            assert callers[caller].ask(method, path, body).status_code == refusal, (caller, method)


def test_functions(callers: dict[str, Api]) -> None:
    """Every function that clients can name answers exactly the roles that may call it."""
    public = {
        name.split("(")[0].removeprefix("public."): roles
        for name, roles in FUNCTIONS.items()
        if "public." in name[:7]
    }
    assert set(public) == set(ARGUMENTS)
    for name, roles in public.items():
        for caller, role in {
            "nobody": "anon",
            "anon": "anon",
            "A": "authenticated",
            "service_role": "service_role",
        }.items():
            status = callers[caller].ask("POST", f"rpc/{name}", ARGUMENTS[name]).status_code
            refused = UNAUTHORIZED if role == "anon" else FORBIDDEN
            assert status == (200 if role in roles else refused), (name, caller)


def test_user_function_is_for_oneself(callers: dict[str, Api]) -> None:
    """B, who asks for A, is refused; B, who asks for B, is answered."""
    name = "rpc/get_user_embedding_features"
    assert callers["B"].ask("POST", name, {"user_id": user_id(A)}).status_code == FORBIDDEN
    assert callers["B"].ask("POST", name, {"user_id": user_id(B)}).json()["user_id"] == user_id(B)
    assert callers["service_role"].ask("POST", name, {"user_id": user_id(A)}).json()["user_id"] == user_id(A)


def test_the_owners_schema_is_not_served(callers: dict[str, Api]) -> None:
    """No table or function of `two_tower` has an address, nor does asking for the schema give it one."""
    inner = [name.split(".")[1] for name in RELATIONS if name.startswith("two_tower.")]
    functions = {name.split("(")[0].split(".")[1] for name in FUNCTIONS if name.startswith("two_tower.")}
    for client in callers.values():
        for name in inner:
            assert client.ask("GET", name).status_code == 404
            assert client.ask("GET", name, **{"accept-profile": "two_tower"}).status_code == 406
        for name in functions:
            assert client.ask("POST", f"rpc/{name}", {}).status_code == 404


def test_tokens_of_others_open_nothing(
    callers: dict[str, Api], postgrest: PostgREST, project_keys: ProjectKeys
) -> None:
    """A token that has expired, is of another project, or has lost its signature is refused before a row is read."""
    expired = project_keys.authenticated(user_id(A), lifetime=timedelta(minutes=-5))
    foreign = ProjectKeys(new_secret()).service_role
    cut = project_keys.service_role.rpartition(".")[0] + "."
    assert callers["A"].ask("GET", "profiles").status_code == 200
    for token in (expired, foreign, cut):
        stranger = Api(postgrest.url, token)
        assert stranger.ask("GET", "profiles").status_code == UNAUTHORIZED
        assert stranger.ask("POST", "rpc/get_live_release", {}).status_code == UNAUTHORIZED
        stranger.client.close()
