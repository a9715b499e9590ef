"""Looks at the buckets: at a real storage server in every wrong state, and in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from storage3.types import CreateOrUpdateBucketOptions

from two_tower_assets.doctor.examination import Check, examine
from two_tower_assets.doctor.storage import look_at_buckets
from two_tower_assets.environment import Project, read_environment
from two_tower_assets.errors import StorageError
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.buckets import Buckets, open_buckets
from two_tower_assets.storage.supabase_client import SupabaseClient
from two_tower_assets_tests.doctor.looks import Record, levels, note
from two_tower_assets_tests.storage.servers import KEY

LARGEST = 3 << 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StorageServer]:
    """A running storage server without buckets."""
    with StorageServer(tmp_path / "served", key=KEY, anon_key="anon") as running:
        yield running


def project(server: StorageServer, key: str = KEY) -> tuple[Buckets, Project]:
    variables = {"SUPABASE_URL": server.url, "SUPABASE_SERVICE_ROLE_KEY": key}
    environment = read_environment(variables, folder=Path("/"))
    return open_buckets(environment, "tests"), environment.project


def make(server: StorageServer, name: str, options: CreateOrUpdateBucketOptions) -> None:
    SupabaseClient(server.url, KEY).api.create_bucket(name, options=options)


def test_right_buckets(server: StorageServer) -> None:
    """A public and a private one, with room for the largest file."""
    make(server, "model-artifacts", {"public": True, "file_size_limit": LARGEST})
    make(server, "model-artifacts-private", {"public": False})
    found = list(look_at_buckets(*project(server), LARGEST))
    assert levels(found) == ["ok", "ok"]
    assert [finding.what for finding in found] == [
        "a public bucket, files of at most 3 MiB",
        "a private bucket, no limit of its own",
    ]


def test_missing_buckets_are_told_and_made_when_asked(server: StorageServer, record_property: Record) -> None:
    """Nothing is made by looking; `--fix` makes the one public and the other private."""
    look = Check("storage", lambda: look_at_buckets(*project(server), LARGEST))
    assert levels(look.look()) == levels(look.look()) == ["problem", "problem"]
    note(record_property, "no buckets", *look.look())
    assert [finding.done for _, finding in examine([look], fix=True)] == [
        "made the public bucket model-artifacts",
        "made the private bucket model-artifacts-private",
    ]
    assert levels(look.look()) == ["ok", "ok"]


def test_the_wrong_kind(server: StorageServer) -> None:
    """A private bucket where clients read, a public one where people's data go."""
    make(server, "model-artifacts", {"public": False})
    make(server, "model-artifacts-private", {"public": True})
    found = list(look_at_buckets(*project(server), LARGEST))
    assert levels(found) == ["problem", "problem"]
    assert "not public, but clients" in found[0].what
    assert "not private, but what goes there shows people's data" in found[1].what


def test_too_small_a_limit(server: StorageServer) -> None:
    """A bucket that the largest file of the newest version here does not fit into."""
    make(server, "model-artifacts", {"public": True, "file_size_limit": LARGEST - 1})
    small = next(iter(look_at_buckets(*project(server), LARGEST)))
    assert (small.level, small.what) == ("problem", "files of 3.0 MiB at most, and the largest is 3.0")


@pytest.mark.parametrize("key", ["anon", "sb_secret_of_somebody_else"])
def test_a_key_that_may_not(server: StorageServer, key: str) -> None:
    """What the server says of the key, and not the key."""
    with pytest.raises(StorageError) as caught:
        list(look_at_buckets(*project(server, key), LARGEST))
    assert "sb_secret" not in str(caught.value)


def test_a_folder(tmp_path: Path) -> None:
    """Nothing before the first release, and then the folder."""
    environment = read_environment({"TWO_TOWER_HOME": str(tmp_path)}, folder=tmp_path)
    buckets = open_buckets(environment, "tests")
    assert levels(look_at_buckets(buckets, None, 0)) == ["unused", "unused"]
    (tmp_path / "storage" / "tests" / "model-artifacts").mkdir(parents=True)
    assert levels(look_at_buckets(buckets, None, 0)) == ["ok", "unused"]
