"""Every kind of bucket, over real HTTP where it has any: a folder, S3 (moto), Supabase (the local server)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.bucket import Bucket
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.remote import RemoteBucket
from two_tower_assets_tests.storage.servers import KEY, QUICK, supabase_bucket

ANYBODY_READS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::artifacts/*"}
    ],
}
BUCKET_KINDS = ("folder", "s3", "supabase")


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A running S3 server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its URL, with an empty bucket `artifacts` there and the environment that finds it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "secret-of-tester",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_url,
    }.items():
        monkeypatch.setenv(name, value)
    bucket = boto3.resource("s3").Bucket("artifacts")
    bucket.create()
    bucket.Policy().put(Policy=json.dumps(ANYBODY_READS))
    bucket.objects.all().delete()
    return s3_url


@pytest.fixture
def storage_server(tmp_path: Path) -> Iterator[StorageServer]:
    """A running local storage server whose pages are small."""
    with StorageServer(tmp_path / "served", key=KEY, anon_key="anon", largest_page=7) as server:
        yield server


@pytest.fixture(params=BUCKET_KINDS)
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    """An empty bucket of each kind."""
    make: dict[str, Callable[[], Bucket]] = {
        "folder": lambda: FolderBucket(tmp_path / "bucket"),
        "s3": lambda: _s3_bucket(request),
        "supabase": lambda: supabase_bucket(request.getfixturevalue("storage_server").url),
    }
    return make[request.param]()


def _s3_bucket(request: pytest.FixtureRequest) -> RemoteBucket:
    request.getfixturevalue("s3")
    return RemoteBucket("s3://artifacts/some/folder", patience=QUICK)
