"""Which buckets the environment means."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from two_tower_assets.environment import Environment
from two_tower_assets.errors import EnvironmentVariableError, StorageError
from two_tower_assets.home import Home
from two_tower_assets.storage.buckets import open_buckets
from two_tower_assets_tests.storage.servers import random_file


def environment(tmp_path: Path, **values: str) -> Environment:
    return replace(Environment(Home(tmp_path / "home")), **values)


def test_the_home_folder_by_default(tmp_path: Path) -> None:
    """Without any variable the buckets are two folders of the data set's own."""
    buckets = open_buckets(environment(tmp_path), "default")
    folder = tmp_path / "home" / "storage" / "default"
    assert buckets.public.url == str(folder / "model-artifacts")
    assert buckets.private.url == str(folder / "model-artifacts-private")
    assert buckets.base_url == (folder / "model-artifacts" / "two-tower" / "v3" / "current").as_uri()


def test_the_supabase_project(tmp_path: Path) -> None:
    """With a project and a key its Storage is used, under the names that are set, and the URL ends in current."""
    named = environment(
        tmp_path, supabase_url="https://x.supabase.co", supabase_key="sb_secret", bucket="b", prefix="p/q"
    )
    buckets = open_buckets(named, "default")
    assert buckets.base_url == "https://x.supabase.co/storage/v1/object/public/b/p/q/current"
    assert buckets.private.url == "https://x.supabase.co/storage/v1/object/b-private"
    assert "sb_secret" not in repr(buckets)


def test_a_project_without_a_key(tmp_path: Path) -> None:
    """A project alone is an error that names the key to set; a storage URL goes before it."""
    named = environment(tmp_path, supabase_url="https://x.supabase.co")
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_SERVICE_ROLE_KEY"):
        open_buckets(named, "default")
    assert open_buckets(replace(named, storage_url=str(tmp_path / "here")), "default").public.url == str(
        tmp_path / "here" / "model-artifacts"
    )


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    """`file://` with an escaped letter names the folder that is meant."""
    buckets = open_buckets(environment(tmp_path, storage_url=(tmp_path / "a b").as_uri()), "default")
    buckets.public.create("x", random_file(tmp_path / "x", 3), max_age=1, content_type="x/y")
    assert (tmp_path / "a b" / "model-artifacts" / "x").stat().st_size == 3


def test_s3(tmp_path: Path, s3: str) -> None:
    """An S3 URL holds both buckets as folders, and clients read at its endpoint."""
    buckets = open_buckets(environment(tmp_path, storage_url="s3://artifacts/team/"), "default")
    assert buckets.private.url == "s3://artifacts/team/model-artifacts-private"
    assert buckets.base_url == f"{s3}/artifacts/team/model-artifacts/two-tower/v3/current"


@pytest.mark.parametrize("url", ["gs://bucket/x", "memory://x", "s3://user:hidden@bucket/x", "s3:///x"])
def test_other_storage_is_refused(tmp_path: Path, url: str) -> None:
    """Storage that cannot create exclusively, or a URL with a password, is refused without repeating it."""
    with pytest.raises(StorageError, match="TWO_TOWER_STORAGE_URL") as caught:
        open_buckets(environment(tmp_path, storage_url=url), "default")
    assert "hidden" not in str(caught.value)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package for S3 is missing the error says how to install it."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    for name in ("remote", "remote_errors"):
        monkeypatch.delitem(sys.modules, f"two_tower_assets.storage.{name}", raising=False)
    with pytest.raises(StorageError, match=r"pip install 'two-tower-assets\[s3\]'"):
        open_buckets(environment(tmp_path, storage_url="s3://bucket/x"), "default")


def test_a_prefix_that_is_no_path(tmp_path: Path) -> None:
    """A prefix that servers would read differently is refused at once."""
    with pytest.raises(StorageError, match="MODEL_ARTIFACTS_PREFIX"):
        open_buckets(environment(tmp_path, prefix="a/../b"), "default")
