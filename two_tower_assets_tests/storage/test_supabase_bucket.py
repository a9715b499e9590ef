"""Supabase Storage: what its server refuses and how, connections that go silent, and secrets that stay secret."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from two_tower_assets.errors import EnvironmentVariableError, StorageError
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.bucket import AlreadyStored, NotStored, Unavailable
from two_tower_assets.storage.reading import stored_bytes
from two_tower_assets.storage.supabase_client import SupabaseClient
from two_tower_assets.storage.supabase_errors import for_people, read_answer
from two_tower_assets_tests.loopback import serving
from two_tower_assets_tests.storage.servers import KEY, random_file, supabase_bucket

OCTETS = "application/octet-stream"
DUPLICATE = {"statusCode": "409", "error": "Duplicate", "message": "The resource already exists"}


def make_bucket(server: StorageServer, name: str, **options: object) -> None:
    answer = httpx.post(
        f"{server.url}/storage/v1/bucket",
        json={"id": name, "name": name, **options},
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("public", [True, False])
def test_a_missing_bucket_is_made(storage_server: StorageServer, tmp_path: Path, public: bool) -> None:
    """The first write makes the bucket, public or private as asked; reading alone makes nothing."""
    bucket = supabase_bucket(storage_server.url, "things", public=public)
    assert bucket.sizes("") == {}
    with pytest.raises(NotStored):
        stored_bytes(bucket, "a")
    assert not [call for call in storage_server.served if call.path.endswith("/bucket") and call.method == "POST"]
    bucket.create("a", random_file(tmp_path / "x", 10), max_age=1, content_type=OCTETS)
    assert httpx.get(bucket.public_url("a")).status_code == (200 if public else 400)
    assert len(stored_bytes(bucket, "a")) == 10


@pytest.mark.parametrize("public", [True, False])
def test_a_bucket_of_the_other_kind_is_refused(storage_server: StorageServer, tmp_path: Path, public: bool) -> None:
    """People's data never goes to a bucket that is public, nor models to one that nobody can read."""
    make_bucket(storage_server, "things", public=not public)
    bucket = supabase_bucket(storage_server.url, "things", public=public)
    for write in (bucket.create, bucket.replace):
        with pytest.raises(StorageError, match="The bucket is p"):
            write("a", random_file(tmp_path / "x", 10), max_age=1, content_type=OCTETS)
    assert bucket.sizes("") == {}


def test_a_bucket_made_by_two_at_once(storage_server: StorageServer, tmp_path: Path) -> None:
    """A bucket that somebody else makes in between is used as it is."""
    make_bucket(storage_server, "things", public=False)
    bucket = supabase_bucket(storage_server.url, "things", public=False)
    bucket._make()
    bucket.create("a", random_file(tmp_path / "x", 10), max_age=1, content_type=OCTETS)
    assert bucket.sizes("") == {"a": 10}


def test_too_large_a_file_is_refused_with_the_remedy(storage_server: StorageServer, tmp_path: Path) -> None:
    """Over the bucket's limit the error says what to raise, and nothing is stored."""
    make_bucket(storage_server, "model-artifacts", public=True, file_size_limit=1000)
    bucket = supabase_bucket(storage_server.url)
    bucket.create("fits", random_file(tmp_path / "x", 1000), max_age=1, content_type=OCTETS)
    with pytest.raises(StorageError, match=r"maximum allowed size.*too\.bin.*Raise the file size limit"):
        bucket.create("too.bin", random_file(tmp_path / "x", 1001), max_age=1, content_type=OCTETS)
    assert bucket.sizes("") == {"fits": 1000}


def test_a_letter_outside_ascii_is_refused_with_the_remedy(storage_server: StorageServer, tmp_path: Path) -> None:
    """The server takes no such path, and the error says which names it takes."""
    bucket = supabase_bucket(storage_server.url)
    with pytest.raises(StorageError, match=r"Invalid key.*ASCII letters"):
        bucket.create("モデル/a", random_file(tmp_path / "x", 1), max_age=1, content_type=OCTETS)


@pytest.mark.parametrize("key", ["sb_wrong", "anon"])
def test_a_key_that_may_not_write(storage_server: StorageServer, tmp_path: Path, key: str) -> None:
    """A wrong key and one without rights are refused at once, with the variable to set, and never repeated."""
    bucket = supabase_bucket(storage_server.url, key=key)
    with pytest.raises(StorageError, match="SUPABASE_SERVICE_ROLE_KEY"):
        bucket.create("a", random_file(tmp_path / "x", 1), max_age=1, content_type=OCTETS)
    assert len(storage_server.served) == 1


def test_a_refused_upload_does_not_stall_what_follows(storage_server: StorageServer, tmp_path: Path) -> None:
    """After refused uploads every next call is answered at once, where a kept-alive connection would go silent."""
    source = random_file(tmp_path / "x", 200_000)
    bucket = supabase_bucket(storage_server.url, timeout=600)
    bucket.create("a", source, max_age=1, content_type=OCTETS)
    for _ in range(5):
        with pytest.raises(AlreadyStored):
            bucket.create("a", source, max_age=1, content_type=OCTETS)
        assert stored_bytes(bucket, "a") == source.read_bytes()
        assert bucket.sizes("") == {"a": 200_000}


def test_the_silence_is_real(storage_server: StorageServer) -> None:
    """One connection kept alive hears nothing after a refused upload, so the test above tests something."""
    make_bucket(storage_server, "model-artifacts", public=True)
    url = f"{storage_server.url}/storage/v1/object/model-artifacts/a"
    with httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=0.5) as client:
        assert client.post(url, content=b"1").status_code == 200
        assert client.get(url).content == b"1"
        assert client.post(url, content=b"2").status_code == 400
        with pytest.raises(httpx.ReadTimeout):
            client.get(url)


SHAPES: list[tuple[int, Any, type[StorageError]]] = [
    (400, {**DUPLICATE, "code": "KeyAlreadyExists"}, AlreadyStored),
    (400, DUPLICATE, AlreadyStored),
    (409, {"code": "ResourceAlreadyExists", "message": "The resource already exists"}, AlreadyStored),
    (409, {"statusCode": 409, "error": "Duplicate", "message": "x"}, AlreadyStored),
    (400, {"statusCode": "404", "error": "not_found", "message": "Object not found"}, NotStored),
    (404, {"code": "NoSuchKey", "message": "Object not found"}, NotStored),
    (400, {"statusCode": "404", "error": "Bucket not found", "message": "Bucket not found"}, NotStored),
    (404, {"code": "NoSuchBucket", "message": "Bucket not found"}, NotStored),
    (429, {"message": "Too many"}, Unavailable),
    (400, {"statusCode": "429", "error": "too_many", "message": "Too many"}, Unavailable),
    (400, {"statusCode": "500", "error": "Internal", "message": "oops"}, Unavailable),
    (544, {"code": "DatabaseTimeout", "message": "slow"}, Unavailable),
    (502, "<html>Bad gateway</html>", Unavailable),
    (404, "<html>Not here</html>", StorageError),
    (404, {"message": "no Route matched with those values"}, StorageError),
    (401, {"message": "Invalid API key"}, StorageError),
    (400, {"statusCode": "403", "error": "Unauthorized", "message": "jwt expired"}, StorageError),
    (400, ["not", "an", "object"], StorageError),
]


@pytest.mark.parametrize(("status", "body", "kind"), SHAPES)
def test_every_shape_of_a_refusal_is_read(status: int, body: Any, kind: type[StorageError]) -> None:
    """The status in the JSON or on the wire, a code or an error word: each is told for what it is."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    error = for_people(read_answer(httpx.Response(status, content=content)), "bucket/a")
    assert type(error) is kind
    assert error.where == "bucket/a"
    assert error.remedy


def test_waiting_as_long_as_the_server_asks() -> None:
    """`Retry-After` in seconds is kept with the error; a date is not read."""
    for value, seconds in (("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)):
        error = for_people(read_answer(httpx.Response(429, headers={"retry-after": value})), "a")
        assert isinstance(error, Unavailable)
        assert error.retry_after == seconds


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent(key: str) -> None:
    """Such a key is refused without being shown, where the HTTP library would have shown it."""
    with pytest.raises(EnvironmentVariableError) as caught:
        SupabaseClient("http://127.0.0.1:1", key)
    assert key not in "".join(traceback.format_exception(caught.value))


def test_the_key_is_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture, echo: str) -> None:
    """Not in any repr, log record or traceback, even when the server repeats it in its answer."""
    caplog.set_level(logging.DEBUG)
    bucket = supabase_bucket(echo)
    with pytest.raises(StorageError) as caught:
        bucket.create("a", random_file(tmp_path / "x", 1), max_age=1, content_type=OCTETS)
    assert "you sent" in str(caught.value)
    shown = [repr(bucket), repr(bucket._client), *traceback.format_exception(caught.value), caplog.text]
    assert not [text for text in shown if KEY in text]


@pytest.fixture
def echo() -> Iterator[str]:
    """URL of a server that repeats the caller's key in every error."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"code": "Odd", "message": f"you sent {self.headers['authorization']}"}).encode()
            self.send_response(400)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_nobody_there(tmp_path: Path) -> None:
    """A project that cannot be reached gives an error that says so, after the retries."""
    bucket = supabase_bucket("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"cannot be reached.*ConnectError.*SUPABASE_URL"):
        bucket.create("a", random_file(tmp_path / "x", 1), max_age=1, content_type=OCTETS)
