"""The local storage server, asked in plain HTTP: it answers as the real one was recorded to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage3 import SyncStorageClient

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.storage_server import StorageServer

KEY = "sb_secret_local"
KILLED_SERVER = """
import os, signal, sys
from pathlib import Path
import httpx
from two_tower_assets.local.storage_server import StorageServer
with StorageServer(Path(sys.argv[1]), key="k") as server:
    api = httpx.Client(base_url=server.url + "/storage/v1", headers={"authorization": "Bearer k"})
    api.post("/bucket", json={"id": "b", "public": True})
    api.post("/object/b/kept", content=b"kept", headers={"content-type": "a/b", "cache-control": "max-age=7"})
    (Path(sys.argv[1]) / "blobs" / "half").write_bytes(b"ha")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    """A running server with a public bucket `open`, and `shut` of at most 1000 bytes a file."""
    with StorageServer(tmp_path / "storage", key=KEY, anon_key="anon") as running, caller(running) as api:
        api.post("/bucket", json={"id": "open", "public": True})
        api.post("/bucket", json={"id": "shut", "public": False, "file_size_limit": 1000})
        yield running


@pytest.fixture
def api(server: StorageServer) -> Iterator[httpx.Client]:
    """A plain client with the key, which uses no connection twice."""
    with caller(server) as client:
        yield client


def caller(server: StorageServer, key: str = KEY) -> httpx.Client:
    return httpx.Client(
        base_url=f"{server.url}/storage/v1",
        headers={"authorization": f"Bearer {key}"},
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def refusal(answer: httpx.Response) -> tuple[Any, ...]:
    """Read a refusal, which comes as HTTP 400 whatever it means."""
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"]
    return body["statusCode"], body["error"], body["code"]


def test_buckets(api: httpx.Client) -> None:
    """Buckets are made once, shown with their kind and limit, and listed."""
    assert refusal(api.post("/bucket", json={"id": "open"})) == ("409", "Duplicate", "BucketAlreadyExists")
    assert api.post("/bucket", json={"id": "third", "name": "third"}).json() == {"name": "third"}
    shown = api.get("/bucket/shut").json()
    assert (shown["id"], shown["public"], shown["file_size_limit"]) == ("shut", False, 1000)
    assert [bucket["id"] for bucket in api.get("/bucket").json()] == ["open", "shut", "third"]
    assert refusal(api.get("/bucket/none")) == ("404", "Bucket not found", "NoSuchBucket")


def test_a_second_upload_is_a_duplicate(api: httpx.Client) -> None:
    """Without x-upsert the second upload is refused and changes nothing; with it, and by PUT, it replaces."""
    assert api.post("/object/open/a", content=b"1").json()["Key"] == "open/a"
    assert refusal(api.post("/object/open/a", content=b"2")) == ("409", "Duplicate", "KeyAlreadyExists")
    assert api.get("/object/open/a").content == b"1"
    first = api.get("/object/public/open/a").headers["etag"]
    for method, content, headers in (("POST", b"3", {"x-upsert": "true"}), ("PUT", b"4", {})):
        assert api.request(method, "/object/open/a", content=content, headers=headers).status_code == 200
        assert api.get("/object/open/a").content == content
    assert api.get("/object/public/open/a").headers["etag"] != first


def test_what_is_missing(api: httpx.Client) -> None:
    """A missing object and a missing bucket are told apart, in reads, uploads, listings and removals."""
    assert refusal(api.get("/object/open/none")) == ("404", "not_found", "NoSuchKey")
    assert refusal(api.get("/object/info/open/none")) == ("404", "not_found", "NoSuchKey")
    missing = ("404", "Bucket not found", "NoSuchBucket")
    assert refusal(api.get("/object/none/a")) == missing
    assert refusal(api.post("/object/none/a", content=b"1")) == missing
    assert refusal(api.post("/object/list/none", json={"prefix": ""})) == missing
    removal = {"prefixes": ["nothing", "no more"]}
    assert api.request("DELETE", "/object/open", json=removal).json() == []
    assert refusal(api.request("DELETE", "/object/none", json=removal)) == missing


def test_the_size_limit(api: httpx.Client) -> None:
    """Exactly the limit fits; a byte more does not, in a form or plain, and nothing of it stays."""
    assert api.post("/object/shut/fits", content=b"x" * 1000).status_code == 200
    too_large = ("413", "Payload too large", "EntityTooLarge")
    assert refusal(api.post("/object/shut/more", content=b"x" * 1001)) == too_large
    assert refusal(api.post("/object/shut/more", files={"": ("more", b"x" * 3_000_000)})) == too_large
    assert refusal(api.get("/object/shut/more"))[2] == "NoSuchKey"


def test_names(api: httpx.Client) -> None:
    """Names of ASCII letters and the signs of S3 are taken, others are invalid keys."""
    assert api.post("/object/open/a b/(c)@d=1,2+3;4'5!&$.x", content=b"1").status_code == 200
    for name in ("モデル", "a^b", "a%7Cb", "a%25b"):
        assert refusal(api.post(f"/object/open/{name}", content=b"1")) == ("400", "InvalidKey", "InvalidKey")


def test_who_may_do_what(server: StorageServer, api: httpx.Client) -> None:
    """A bad token, none, and one that row-level security stops; a public bucket is read without any."""
    api.post("/object/open/a", content=b"1")
    api.post("/object/shut/a", content=b"1")
    with caller(server, "ey.forged.token") as forged, caller(server, "anon") as anon:
        for call in (
            forged.get("/object/open/a"),
            forged.post("/object/open/b", content=b"1"),
            forged.get("/bucket"),
        ):
            assert refusal(call) == ("403", "Unauthorized", "AccessDenied")
        stopped = anon.post("/object/open/b", content=b"1")
        assert refusal(stopped)[0] == "403"
        assert "row-level security" in stopped.json()["message"]
    base = f"{server.url}/storage/v1/object"
    assert refusal(httpx.get(f"{base}/open/a"))[2] == "InvalidRequest"
    assert httpx.get(f"{base}/public/open/a").content == b"1"
    assert refusal(httpx.get(f"{base}/public/shut/a"))[2] == "NoSuchBucket"
    assert api.get("/object/authenticated/shut/a").content == b"1"


def test_reading_in_public(api: httpx.Client) -> None:
    """A read shows ETag, age and type as uploaded; gives ranges; answers 304 to the ETag; HEAD has no body."""
    form = {"cacheControl": "31536000"}
    content = bytes(range(256)) * 40
    api.post("/object/open/v/m.wasm", data=form, files={"": ("m.wasm", content, "application/wasm")})
    got = api.get("/object/public/open/v/m.wasm")
    assert got.content == content
    assert got.headers["cache-control"] == "max-age=31536000"
    assert got.headers["content-type"] == "application/wasm"
    assert got.headers["content-length"] == str(len(content))
    part = api.get("/object/public/open/v/m.wasm", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    same = api.get("/object/public/open/v/m.wasm", headers={"if-none-match": got.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    head = api.head("/object/public/open/v/m.wasm")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", got.headers["etag"])
    info = api.get("/object/info/open/v/m.wasm").json()
    assert (info["size"], info["content_type"], info["cache_control"]) == (
        len(content),
        "application/wasm",
        "max-age=31536000",
    )


def test_listing(api: httpx.Client) -> None:
    """One folder a call; 100 entries unless more are asked for; folders have no id; search, order and offset hold."""
    for i in range(105):
        api.post(f"/object/open/v1/{i:03}.bin", content=b"x" * i)
    api.post("/object/open/v1/deep/er.bin", content=b"1")
    page = api.post("/object/list/open", json={"prefix": "v1"}).json()
    assert len(page) == 100
    assert (page[0]["name"], page[0]["id"], page[0]["metadata"]) == ("deep", None, None)
    assert page[5]["name"] == "004.bin"
    assert page[5]["metadata"]["size"] == 4
    rest = api.post("/object/list/open", json={"prefix": "v1/", "offset": 100}).json()
    assert [entry["name"] for entry in rest] == [f"{i:03}.bin" for i in range(99, 105)]
    assert len(api.post("/object/list/open", json={"prefix": "v1", "limit": 1000}).json()) == 106
    found = api.post("/object/list/open", json={"prefix": "v1", "search": "09", "sortBy": {"order": "desc"}}).json()
    assert [entry["name"] for entry in found] == [f"{i:03}.bin" for i in range(99, 89, -1)]
    assert api.post("/object/list/open", json={"prefix": "v"}).json() == []
    assert [entry["name"] for entry in api.post("/object/list/open", json={"prefix": ""}).json()] == ["v1"]


def test_copy_and_move(api: httpx.Client) -> None:
    """Onto an existing name both are duplicates, copy not with x-upsert; a missing source is missing."""
    for name in ("a", "b"):
        api.post(f"/object/open/{name}", content=name.encode())
    onto_b = {"bucketId": "open", "sourceKey": "a", "destinationKey": "b"}
    for how in ("copy", "move"):
        assert refusal(api.post(f"/object/{how}", json=onto_b)) == ("409", "Duplicate", "KeyAlreadyExists")
        assert refusal(api.post(f"/object/{how}", json={**onto_b, "sourceKey": "none"}))[2] == "NoSuchKey"
    assert api.get("/object/open/b").content == b"b"
    assert api.post("/object/copy", json=onto_b, headers={"x-upsert": "true"}).json()["Key"] == "open/b"
    assert api.get("/object/open/b").content == b"a"
    assert api.post("/object/move", json={**onto_b, "destinationKey": "c"}).status_code == 200
    assert refusal(api.get("/object/open/a"))[2] == "NoSuchKey"
    assert api.get("/object/open/c").content == b"a"


def test_a_broken_form_is_refused(api: httpx.Client) -> None:
    """A form without a boundary, and one that ends early, store nothing."""
    for content_type, body in (
        ("multipart/form-data", b"--x\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\ncontent-disposition: form-data; name="f"; filename="a"\r\n\r\nhalf',
        ),
        ("multipart/form-data; boundary=x", b""),
    ):
        answer = api.post("/object/open/a", content=body, headers={"content-type": content_type})
        assert refusal(answer)[2] == "InvalidRequest"
    assert refusal(api.get("/object/open/a"))[2] == "NoSuchKey"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([b"\r\n", b"--", b"--bound", b"\r\n--bound", b"\r\n--bounD--", b"x", b"\r"]), max_size=40
    ),
    st.integers(1, 40),
)
def test_forms_arrive_whole(api: httpx.Client, pieces: list[bytes], chunk: int) -> None:
    """Whatever the file holds, bytes like a boundary too, and however it is cut on the way, it is stored as it is."""
    content = b"".join(piece for piece in pieces).replace(b"\r\n--bound", b"\r\n--boun")
    form = (
        b'--bound\r\nContent-Disposition: form-data; name="cacheControl"\r\n\r\n60\r\n'
        b'--bound\r\nContent-Disposition: form-data; name=""; filename="f.bin"\r\nContent-Type: a/b\r\n\r\n'
        + content
        + b"\r\n--bound--\r\n"
    )
    parts = (form[i : i + chunk] for i in range(0, len(form), chunk))
    headers = {"content-type": "multipart/form-data; boundary=bound", "x-upsert": "true"}
    assert api.post("/object/open/form", content=parts, headers=headers).status_code == 200
    got = api.get("/object/open/form")
    assert got.content == content
    assert (got.headers["content-type"], got.headers["cache-control"]) == ("a/b", "max-age=60")


def test_the_published_client_is_served(server: StorageServer, tmp_path: Path) -> None:
    """The client that Supabase publishes works against it, unchanged."""
    headers = {"apikey": KEY, "Authorization": f"Bearer {KEY}"}
    with httpx.Client() as http:
        client = SyncStorageClient(f"{server.url}/storage/v1/", headers, http_client=http)
        client.create_bucket("third", options={"public": True})
        assert client.get_bucket("third").public
        (tmp_path / "f").write_bytes(b"content")
        files = client.from_("third")
        assert (
            files.upload("v/f.json", tmp_path / "f", {"cache-control": "5", "content-type": "a/b"}).path == "v/f.json"
        )
        assert files.download("v/f.json") == b"content"
        assert [entry["name"] for entry in files.list("v")] == ["f.json"]
        assert files.exists("v/f.json")
        assert not files.exists("v/none")
        files.copy("v/f.json", "v/g.json")
        files.move("v/g.json", "v/h.json")
        assert [gone["name"] for gone in files.remove(["v/f.json"])] == ["v/f.json"]
        assert httpx.get(files.get_public_url("v/h.json")).content == b"content"


def test_silence_after_a_refused_upload(server: StorageServer) -> None:
    """The same connection gets no answer any more, a new one does, and a server told not to goes on answering."""
    for goes_silent in (True, False):
        with StorageServer(server._folder.parent / str(goes_silent), key=KEY, goes_silent=goes_silent) as other:
            url = f"{other.url}/storage/v1/bucket"
            with httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=0.5) as client:
                refusal(client.post(f"{other.url}/storage/v1/object/none/a", content=b"1"))
                if goes_silent:
                    with pytest.raises(httpx.ReadTimeout):
                        client.get(url)
                assert client.get(url).json() == []


def test_everything_survives_a_restart_and_a_kill(tmp_path: Path) -> None:
    """After kill -9 a new server has what was answered for, and nothing half written."""
    folder = tmp_path / "storage"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", KILLED_SERVER, str(folder)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((folder / "blobs").iterdir())) == 2
    with StorageServer(folder, key=KEY) as server:
        got = httpx.get(f"{server.url}/storage/v1/object/public/b/kept")
        assert (got.content, got.headers["content-type"], got.headers["cache-control"]) == (
            b"kept",
            "a/b",
            "max-age=7",
        )
        assert len(list((folder / "blobs").iterdir())) == 1


def test_one_server_a_folder_and_a_port(server: StorageServer, tmp_path: Path) -> None:
    """A second server on the same folder, or on the same port, is refused with the place."""
    with pytest.raises(LocalStackError, match="Another storage server is using the folder"):
        StorageServer(server._folder, key=KEY).start()
    port = int(server.url.rsplit(":", 1)[1])
    with pytest.raises(LocalStackError, match=f"127.0.0.1:{port}"):
        StorageServer(tmp_path / "other", key=KEY, port=port).start()


def test_the_log_of_requests(server: StorageServer, api: httpx.Client) -> None:
    """Every answered request is kept with method, path and status, and the key is in no repr."""
    api.post("/object/open/a", content=b"1")
    api.post("/object/open/a", content=b"1")
    calls = [(call.method, call.path.removeprefix("/storage/v1"), call.status) for call in server.served]
    assert calls[-2:] == [("POST", "/object/open/a", 200), ("POST", "/object/open/a", 400)]
    assert KEY not in repr(server) + repr(server.served)
