"""The one address as a client library sees it: REST, files, functions and keys."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from supabase import Client, create_client
from supabase.lib.client_options import SyncClientOptions

from two_tower_assets.contract import Files
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.people import FAN, NEWCOMER, OTHER, decided
from two_tower_assets_tests.e2e.stack.running import Up
from two_tower_assets_tests.publishing.releasing import NEW

PUBLIC = "/storage/v1/object/public/model-artifacts/two-tower/v3"


@pytest.fixture
def web(up: Up) -> Iterator[httpx.Client]:
    """A plain client."""
    with httpx.Client(base_url=up.url, trust_env=False, timeout=60) as client:
        yield client


def test_supabases_own_client_works(up: Up, released: Released, web: httpx.Client) -> None:
    """supabase-py reads rows as a server, downloads a file and calls a function at the printed address."""
    options = SyncClientOptions(httpx_client=web, auto_refresh_token=False)
    client: Client = create_client(up.url, up.printed["SUPABASE_SERVICE_ROLE_KEY"], options)
    answer = client.table("user_video_decisions").select("video_id").eq("user_id", FAN).execute()
    assert {row["video_id"] for row in answer.data} == decided(released.database, FAN)
    live = client.rpc("get_live_release", {}).execute()
    assert live.data[0]["model_version"] == NEW
    url = client.storage.from_("model-artifacts").get_public_url(f"two-tower/v3/{NEW}/{Files.MANIFEST}")
    stored = httpx.get(url, trust_env=False).content
    assert stored == (released.home.artifacts / NEW / Files.MANIFEST).read_bytes()
    assert NEW.encode() in client.functions.invoke("embed-user", {"body": {"user_id": FAN}})


def test_rows_are_guarded_by_the_token(web: httpx.Client, up: Up) -> None:
    """A user reads their own decisions and nobody else's; the anon key alone, sent as `apikey`, reads none."""
    anon, own = up.printed["SUPABASE_ANON_KEY"], up.printed["USER_KEY"]
    user = {"apikey": anon, "authorization": f"Bearer {own}"}
    path = "/rest/v1/user_video_decisions?select=user_id"
    assert {row["user_id"] for row in web.get(path, headers=user).json()} == {FAN}
    assert web.get(f"{path}&user_id=eq.{OTHER}", headers=user).json() == []
    assert web.get(path, headers={"apikey": anon}).status_code in {401, 403}
    assert web.get(path, headers={"apikey": up.printed["SUPABASE_SERVICE_ROLE_KEY"]}).status_code == 200
    assert web.get(path, headers={"apikey": "forged"}).status_code == 401


def test_rest_passes_everything_on(web: httpx.Client, up: Up) -> None:
    """Methods, queries, bodies, preferences and ranges reach PostgREST, and its status and headers come back."""
    key = {"apikey": up.printed["SUPABASE_SERVICE_ROLE_KEY"]}
    counting = {**key, "prefer": "count=exact", "range": "0-4"}
    some = web.get("/rest/v1/videos?select=id", headers=counting)
    assert (some.status_code, some.headers["content-range"], len(some.json())) == (206, "0-4/312", 5)
    assert web.head("/rest/v1/videos?select=id", headers=counting).headers["content-range"].endswith("/312")
    row = {"user_id": NEWCOMER, "display_name": "日本語"}
    created = web.post("/rest/v1/profiles", json=row, headers={**key, "prefer": "return=representation"})
    assert (created.status_code, created.json()[0]["display_name"]) == (201, "日本語")
    assert web.post("/rest/v1/profiles", json=row, headers=key).status_code == 409
    assert web.delete(f"/rest/v1/profiles?user_id=eq.{NEWCOMER}", headers=key).status_code == 204
    assert web.get("/rest/v1/no_such_table", headers=key).status_code == 404


def test_a_versions_files_never_change_and_current_does(web: httpx.Client, released: Released) -> None:
    """Caches may keep a version's file for ever and `current/` a minute; a known file is not sent again."""
    for folder, caching in ((NEW, "public, max-age=31536000, immutable"), ("current", "public, max-age=60")):
        answer = web.get(f"{PUBLIC}/{folder}/{Files.USER_TOWER}")
        assert answer.content == (released.home.artifacts / NEW / Files.USER_TOWER).read_bytes()
        assert answer.headers["cache-control"] == caching
        again = web.get(f"{PUBLIC}/{folder}/{Files.USER_TOWER}", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    head = web.head(f"{PUBLIC}/{NEW}/{Files.MANIFEST}")
    assert head.headers["content-type"] == "application/json"
    assert int(head.headers["content-length"]) == (released.home.artifacts / NEW / Files.MANIFEST).stat().st_size


def test_nothing_but_public_files_is_served(web: httpx.Client, released: Released) -> None:
    """The private bucket, folders, half-written files, and paths that climb are all not there; nothing is written."""
    half = released.home.storage / "sample" / "model-artifacts" / ".half.partial"
    half.write_bytes(b"half")
    for path in (
        f"/storage/v1/object/public/model-artifacts-private/two-tower/v3/{NEW}/{Files.TOWERS}",
        f"{PUBLIC}/{NEW}/{Files.TOWERS}",
        f"{PUBLIC}/{NEW}",
        PUBLIC.removesuffix("/two-tower/v3"),
        "/storage/v1/object/public/model-artifacts/.half.partial",
        "/storage/v1/object/public/model-artifacts/%2e%2e/model-artifacts-private/two-tower",
        "/storage/v1/object/public/model-artifacts/a%2F..%2F..%2Fmodel-artifacts-private",
        "/storage/v1/object/public/model-artifacts/%ff",
        "/storage/v1/bucket",
    ):
        answer = web.get(path)
        assert (answer.status_code, answer.json()["statusCode"]) == (400, "404"), path
    refused = web.post(f"{PUBLIC.replace('/public', '')}/new", content=b"x")
    assert (refused.status_code, refused.json()["statusCode"]) == (400, "405")


def test_what_is_not_there_is_said_so(web: httpx.Client) -> None:
    """Unknown paths and functions are 404; there are no public keys; a browser may ask the functions."""
    assert web.get("/").status_code == 404
    assert web.get("/rest/v2/videos").status_code == 404
    assert web.post("/functions/v1/no-such", json={}).json()["code"] == "NOT_FOUND"
    assert web.get("/auth/v1/.well-known/jwks.json").json() == {"keys": []}
    assert web.get("/auth/v1/user").status_code == 404
    preflight = web.options("/functions/v1/embed-user", headers={"origin": "http://example.com"})
    assert preflight.headers["access-control-allow-origin"] == "*"
