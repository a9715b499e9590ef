"""A version's files in storage, and `current/` that follows: on a folder, and on the local Supabase Storage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from two_tower_assets.artifacts.manifest import Manifest, manifest_hash
from two_tower_assets.contract import Files
from two_tower_assets.environment import Environment
from two_tower_assets.errors import PublishingError, StorageError
from two_tower_assets.home import Home
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.publishing.current import follow_live
from two_tower_assets.publishing.files import VersionFiles, differences, read_manifest, store_version
from two_tower_assets.storage.bucket import Bucket, NotStored
from two_tower_assets.storage.buckets import Buckets, open_buckets
from two_tower_assets.storage.reading import stored_bytes
from two_tower_assets_tests.artifacts.versions import VERSION, feature_space, make_version

SECOND = "20260302T123000Z-0123456"
PREFIX = "two-tower/v3"


@dataclass(frozen=True)
class Versions:
    """Folders of two versions on this machine; the second has a file that the first lacks."""

    first: Path
    second: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Two versions, made once."""
    folder = tmp_path_factory.mktemp("artifacts")
    first = make_version(folder, videos=40)
    second = make_version(folder, SECOND, videos=50, seed=1, space=feature_space(videos=5))
    for version in (first, second):
        (version / Files.REPORT).write_text(f"<p>about people, {version.name}</p>")
        (version / Files.REFERENCE).write_bytes(f"counts of {version.name}".encode())
    return Versions(first, second)


@pytest.fixture
def versions(made: Versions, tmp_path: Path) -> Versions:
    """A copy that the test may spoil."""
    shutil.copytree(made.first.parent, tmp_path / "artifacts")
    return Versions(tmp_path / "artifacts" / VERSION, tmp_path / "artifacts" / SECOND)


@pytest.fixture(params=["folder", "supabase"])
def buckets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Buckets]:
    """Empty buckets, as the environment opens them."""
    environment = Environment(Home(tmp_path / "home"))
    if request.param == "folder":
        yield open_buckets(environment, "default")
        return
    with StorageServer(tmp_path / "server", key="k") as server:
        yield open_buckets(Environment(Home(tmp_path), supabase_url=server.url, supabase_key="k"), "default")


def store(buckets: Buckets, folder: Path, *, released: bool = False) -> VersionFiles:
    return store_version(buckets, folder, Manifest.read(folder / Files.MANIFEST), released=released)


def public_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - Files.PRIVATE


def holds(bucket: Bucket, prefix: str, folder: Path) -> None:
    """Assert that a prefix holds exactly the public files of a version."""
    assert bucket.sizes(prefix).keys() == {f"{prefix}/{name}" for name in public_names(folder)}
    for name in public_names(folder):
        assert stored_bytes(bucket, f"{prefix}/{name}") == (folder / name).read_bytes(), name


def alter(bucket: Bucket, path: str, scratch: Path) -> None:
    """Change one byte of a stored file."""
    content = bytearray(stored_bytes(bucket, path))
    content[len(content) // 2] ^= 1
    scratch.write_bytes(content)
    bucket.replace(path, scratch, max_age=1, content_type="x/y")


def test_public_and_private_files_go_their_ways(buckets: Buckets, versions: Versions) -> None:
    """The public bucket holds the manifest and its files, the private one weights, counts and report, no more."""
    steps: list[str] = []
    manifest = Manifest.read(versions.first / Files.MANIFEST)
    done = store_version(buckets, versions.first, manifest, released=False, reached=steps.append)
    holds(buckets.public, f"{PREFIX}/{VERSION}", versions.first)
    for name in Files.PRIVATE:
        assert stored_bytes(buckets.private, f"{PREFIX}/{VERSION}/{name}") == (versions.first / name).read_bytes()
    assert buckets.private.sizes("").keys() == {f"{PREFIX}/{VERSION}/{name}" for name in Files.PRIVATE}
    assert set(done.public.uploaded) == public_names(versions.first)
    assert (done.private.uploaded, done.report_sent, done.prefix) == (
        (Files.TOWERS, Files.REFERENCE),
        True,
        f"{PREFIX}/{VERSION}",
    )
    assert done.manifest_sha256 == manifest_hash(versions.first)
    assert steps[-2:] == [f"uploaded {Files.MANIFEST}", f"verified {Files.MANIFEST}"]
    assert {step.split()[1] for step in steps} == public_names(versions.first) | Files.PRIVATE


def test_storing_again_sends_nothing(buckets: Buckets, versions: Versions) -> None:
    """A second time, released or not, nothing is sent; a report whose looks changed is all that is replaced."""
    assert store(buckets, versions.first).changed
    for released in (False, True):
        assert not store(buckets, versions.first, released=released).changed
    (versions.first / Files.REPORT).write_text("<p>nicer</p>")
    again = store(buckets, versions.first, released=True)
    assert (again.public.uploaded, again.private.uploaded, again.report_sent) == ((), (), True)
    assert stored_bytes(buckets.private, f"{PREFIX}/{VERSION}/{Files.REPORT}") == b"<p>nicer</p>"


@pytest.mark.parametrize("name", [Files.MANIFEST, Files.USER_TOWER, Files.VIDEO_EMBEDDINGS, Files.TOWERS])
def test_one_byte_changed_in_storage(buckets: Buckets, versions: Versions, tmp_path: Path, name: str) -> None:
    """Of a released version it is refused and named; of one never released it is mended."""
    store(buckets, versions.first)
    bucket = buckets.private if name in Files.PRIVATE else buckets.public
    alter(bucket, f"{PREFIX}/{VERSION}/{name}", tmp_path / "scratch")
    with pytest.raises(StorageError, match=f"never changed: {name} holds other bytes"):
        store(buckets, versions.first, released=True)
    done = store(buckets, versions.first)
    assert (*done.public.mended, *done.private.mended) == (name,)
    assert stored_bytes(bucket, f"{PREFIX}/{VERSION}/{name}") == (versions.first / name).read_bytes()


@pytest.mark.parametrize("name", [Files.USER_TOWER, Files.VIDEO_EMBEDDINGS])
def test_one_byte_changed_on_this_machine(buckets: Buckets, versions: Versions, name: str) -> None:
    """A local file that is not what the manifest says is refused and named, and not stored."""
    content = bytearray((versions.first / name).read_bytes())
    content[-1] ^= 1
    (versions.first / name).write_bytes(content)
    with pytest.raises(StorageError, match=f"{name} is not what its hash says"):
        store(buckets, versions.first)
    stored = buckets.public.sizes("")
    assert f"{PREFIX}/{VERSION}/{name}" not in stored
    assert f"{PREFIX}/{VERSION}/{Files.MANIFEST}" not in stored


def test_a_manifest_changed_meanwhile(buckets: Buckets, versions: Versions) -> None:
    """When the folder's manifest is not the one verified, nothing is stored."""
    manifest = Manifest.read(versions.first / Files.MANIFEST)
    shutil.copy(versions.second / Files.MANIFEST, versions.first / Files.MANIFEST)
    with pytest.raises(PublishingError, match="changed while it was being published"):
        store_version(buckets, versions.first, manifest, released=False)
    assert buckets.public.sizes("") == {}


@pytest.mark.parametrize("local", [True, False])
def test_current_follows(buckets: Buckets, versions: Versions, local: bool) -> None:
    """`current/` holds exactly the live version's files, forth and back, from this machine or from storage."""
    for folder in (versions.first, versions.second):
        store(buckets, folder)
    for folder in (versions.first, versions.second, versions.first):
        steps: list[str] = []
        done = follow_live(buckets, folder.name, folder if local else None, reached=steps.append)
        holds(buckets.public, f"{PREFIX}/current", folder)
        assert done.written[-1] == Files.MANIFEST
        assert "switched current" in steps
        assert set(steps[: steps.index("switched current")]) == {f"current {name}" for name in done.written[:-1]}
        assert not follow_live(buckets, folder.name, folder if local else None).changed
    assert done.removed == (Files.VIDEO_VOCABULARY,)
    assert steps[-1] == "cleared current"


def test_current_is_mended_after_a_break(buckets: Buckets, versions: Versions) -> None:
    """Stopped at any step on the way to the second version, following either version afterwards gives it whole."""
    for folder in (versions.first, versions.second):
        store(buckets, folder)
    follow_live(buckets, VERSION)
    steps: list[str] = []
    follow_live(buckets, SECOND, reached=steps.append)
    for stop in range(len(steps)):
        for wanted in (versions.first, versions.second):
            follow_live(buckets, VERSION)
            seen: list[str] = []

            def reached(step: str, seen: list[str] = seen, stop: int = stop) -> None:
                seen.append(step)
                if len(seen) > stop:
                    raise InterruptedError(step)

            with pytest.raises(InterruptedError):
                follow_live(buckets, SECOND, reached=reached)
            follow_live(buckets, wanted.name)
            holds(buckets.public, f"{PREFIX}/current", wanted)


def test_an_altered_version_is_never_followed(buckets: Buckets, versions: Versions, tmp_path: Path) -> None:
    """A stored file or manifest with one byte changed is named; with the local file only the manifest is needed."""
    store(buckets, versions.first)
    path = f"{PREFIX}/{VERSION}/{Files.USER_TOWER}"
    alter(buckets.public, path, tmp_path / "scratch")
    with pytest.raises(
        StorageError, match=f"stored {Files.USER_TOWER} of version {VERSION} is not what its manifest"
    ):
        follow_live(buckets, VERSION)
    assert f"{PREFIX}/current/{Files.MANIFEST}" not in buckets.public.sizes(PREFIX)
    follow_live(buckets, VERSION, versions.first)
    holds(buckets.public, f"{PREFIX}/current", versions.first)
    alter(buckets.public, f"{PREFIX}/{VERSION}/{Files.MANIFEST}", tmp_path / "scratch")
    with pytest.raises(PublishingError, match=Files.MANIFEST):
        follow_live(buckets, VERSION, versions.first, sha256=manifest_hash(versions.first))


def test_a_version_that_is_not_there(buckets: Buckets) -> None:
    """Following or reading a version that was never stored says that its manifest is missing."""
    with pytest.raises(NotStored, match=VERSION):
        follow_live(buckets, VERSION)
    with pytest.raises(NotStored, match=VERSION):
        read_manifest(buckets, VERSION)


def test_differences_are_told(buckets: Buckets, versions: Versions, tmp_path: Path) -> None:
    """Nothing differs after publishing; then what was changed, removed or added is told with its folder."""
    assert differences(buckets, VERSION) == (f"{VERSION}: {Files.MANIFEST} is missing",)
    store(buckets, versions.first)
    follow_live(buckets, VERSION, versions.first)
    assert differences(buckets, VERSION, sha256=manifest_hash(versions.first)) == ()
    alter(buckets.public, f"{PREFIX}/{VERSION}/{Files.USER_TOWER}", tmp_path / "scratch")
    buckets.public.remove([f"{PREFIX}/current/{Files.NORMALIZER}"])
    buckets.public.create(f"{PREFIX}/current/x", tmp_path / "scratch", max_age=1, content_type="x/y")
    assert differences(buckets, VERSION) == (
        f"{VERSION}: {Files.USER_TOWER} holds other bytes of the same size",
        f"current: {Files.NORMALIZER} is missing",
        "current: x is there but not listed",
    )
    (wrong,) = differences(buckets, VERSION, sha256="0" * 64)
    assert wrong == f"The stored {Files.MANIFEST} of version {VERSION} is not the one that was released"


def test_a_manifest_of_another_version(buckets: Buckets, versions: Versions) -> None:
    """A manifest that names another version, or is none, is refused."""
    path = f"{PREFIX}/{VERSION}/{Files.MANIFEST}"
    buckets.public.create(path, versions.second / Files.MANIFEST, max_age=1, content_type="x/y")
    with pytest.raises(PublishingError, match=f"of version {VERSION} is of version {SECOND}"):
        read_manifest(buckets, VERSION)
    buckets.public.replace(path, versions.second / Files.USER_TOWER, max_age=1, content_type="x/y")
    with pytest.raises(PublishingError, match="is not a manifest"):
        read_manifest(buckets, VERSION)


def test_clients_see_types_and_ages(tmp_path: Path, versions: Versions) -> None:
    """Over HTTP a version's files may be kept for a year, `current/` for a minute, and private ones not be read."""
    with StorageServer(tmp_path / "server", key="k") as server:
        buckets = open_buckets(Environment(Home(tmp_path), supabase_url=server.url, supabase_key="k"), "default")
        store(buckets, versions.first)
        follow_live(buckets, VERSION)
        assert buckets.base_url == f"{server.url}/storage/v1/object/public/model-artifacts/{PREFIX}/current"
        for folder, age in ((VERSION, 31_536_000), ("current", 60)):
            answer = httpx.get(f"{buckets.base_url.removesuffix('current')}{folder}/{Files.MANIFEST}")
            assert json.loads(answer.content)["model_version"] == VERSION
            assert answer.headers["cache-control"] == f"max-age={age}"
            assert answer.headers["content-type"] == "application/json"
        hidden = buckets.private.public_url(f"{PREFIX}/{VERSION}/{Files.REPORT}")
        assert httpx.get(hidden).status_code == 400
