"""What every bucket promises, held by each kind alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import AlreadyStored, Bucket, NotStored, checked_path
from two_tower_assets.storage.reading import fetch, local_digest, stored_bytes, stored_digest
from two_tower_assets_tests.storage.servers import random_file

SEGMENT = r"[A-Za-z0-9_()@=;+,!-][A-Za-z0-9 ._()@=;:+,!-]{0,12}"
OCTETS = "application/octet-stream"


def put(bucket: Bucket, path: str, source: Path) -> None:
    bucket.create(path, source, max_age=60, content_type=OCTETS)


def test_what_is_created_is_read_back(bucket: Bucket, tmp_path: Path) -> None:
    """Bytes come back as they were sent: none, one, and more than a block."""
    for size in (0, 1, (1 << 20) + 17):
        source = random_file(tmp_path / "source", size, seed=size)
        put(bucket, f"some/where/{size}.bin", source)
        assert stored_bytes(bucket, f"some/where/{size}.bin") == source.read_bytes()
        assert stored_digest(bucket, f"some/where/{size}.bin") == local_digest(source)
        assert fetch(bucket, f"some/where/{size}.bin", tmp_path / "copy") == local_digest(tmp_path / "copy")


def test_creating_twice_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    """A second create raises and leaves the first bytes, whether or not its own are the same."""
    first, second = random_file(tmp_path / "1", 1000, 1), random_file(tmp_path / "2", 2000, 2)
    put(bucket, "a/b.bin", first)
    for source in (second, first):
        with pytest.raises(AlreadyStored, match=r"never changed.*b\.bin"):
            put(bucket, "a/b.bin", source)
    assert stored_bytes(bucket, "a/b.bin") == first.read_bytes()


def test_one_of_many_creators_wins(bucket: Bucket, tmp_path: Path) -> None:
    """Of eight creating one path at once exactly one succeeds, and its bytes are the ones stored."""
    sources = [random_file(tmp_path / str(i), 50_000, i) for i in range(8)]
    barrier = threading.Barrier(len(sources))

    def attempt(source: Path) -> bool:
        barrier.wait()
        try:
            put(bucket, "race/file.bin", source)
        except AlreadyStored:
            return False
        return True

    with ThreadPoolExecutor(len(sources)) as pool:
        won = list(pool.map(attempt, sources))
    assert sum(won) == 1
    assert stored_bytes(bucket, "race/file.bin") == sources[won.index(True)].read_bytes()


def test_replacing_needs_nothing_before(bucket: Bucket, tmp_path: Path) -> None:
    """Replace stores where there is nothing, and anew where there is something."""
    for seed, size in enumerate((5000, 10, 7000)):
        source = random_file(tmp_path / "source", size, seed)
        bucket.replace("current/manifest.json", source, max_age=1, content_type="application/json")
        assert stored_bytes(bucket, "current/manifest.json") == source.read_bytes()


def test_readers_see_whole_files_only(bucket: Bucket, tmp_path: Path) -> None:
    """While a file is replaced over and over, every read gives one of the files whole."""
    sources = [random_file(tmp_path / str(i), 1_500_000 + i, i) for i in range(2)]
    whole = {local_digest(source) for source in sources}
    bucket.replace("live.bin", sources[0], max_age=1, content_type=OCTETS)
    stop = threading.Event()

    def replace() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            bucket.replace("live.bin", sources[turn % 2], max_age=1, content_type=OCTETS)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(replace)
        try:
            seen = [stored_digest(bucket, "live.bin") for _ in range(12)]
        finally:
            stop.set()
        writing.result()
    assert set(seen) <= whole


def test_a_missing_file_is_named(bucket: Bucket, tmp_path: Path) -> None:
    """Reading what is not there raises with its path, also before anything was ever stored."""
    for _ in range(2):
        with pytest.raises(NotStored, match="no/such"):
            stored_bytes(bucket, "no/such.file")
        assert stored_digest(bucket, "no/such.file") is None
        put(bucket, f"no/{len(bucket.sizes(''))}", random_file(tmp_path / "x", 1))


def test_sizes_are_complete(bucket: Bucket, tmp_path: Path) -> None:
    """All files below a folder are listed with their sizes, over many pages and in folders of folders."""
    assert bucket.sizes("v1") == {}
    expected = {}
    for i in range(17):
        path = f"v1/{'deep/er/' if i % 3 == 0 else ''}{i:02}.bin"
        put(bucket, path, random_file(tmp_path / "x", i * 10, i))
        expected[path] = i * 10
    put(bucket, "v10/other.bin", random_file(tmp_path / "x", 5))
    assert bucket.sizes("v1") == expected
    assert bucket.sizes("v1/deep") == {path: size for path, size in expected.items() if "deep" in path}
    assert bucket.sizes("") == {**expected, "v10/other.bin": 5}


def test_removing(bucket: Bucket, tmp_path: Path) -> None:
    """Files named are gone, others stay, missing ones are passed over, and the path may be created again."""
    source = random_file(tmp_path / "x", 100)
    for name in ("a/1", "a/2", "b/3"):
        put(bucket, name, source)
    bucket.remove(["a/1", "a/nothing", "b/3"])
    assert bucket.sizes("") == {"a/2": 100}
    bucket.remove([])
    put(bucket, "b/3", source)
    assert bucket.sizes("b") == {"b/3": 100}


def test_a_public_url_gives_the_file(bucket: Bucket, tmp_path: Path) -> None:
    """The public URL is that of the path, without a slash at its end; over HTTP it shows type and age."""
    source = random_file(tmp_path / "x", 300)
    bucket.create("p/current/m.wasm", source, max_age=31_536_000, content_type="application/wasm")
    url = bucket.public_url("p/current/m.wasm")
    assert url == bucket.public_url("p/current") + "/m.wasm"
    if url.startswith("file://"):
        assert Path(url.removeprefix("file://")).read_bytes() == source.read_bytes()
        return
    answer = httpx.get(url)
    assert answer.content == source.read_bytes()
    assert answer.headers["content-type"] == "application/wasm"
    assert answer.headers["cache-control"] == "max-age=31536000"


def test_a_missing_source_stores_nothing(bucket: Bucket, tmp_path: Path) -> None:
    """When the local file is not there, an error says so and no file appears."""
    with pytest.raises((StorageError, FileNotFoundError)):
        put(bucket, "a/b", tmp_path / "nothing here")
    assert bucket.sizes("") == {}


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "a/../b", ".", "a/%2e", "a?b", "a#b", "a\\b", "a/.b.partial"]
)
def test_odd_paths_are_refused(bucket: Bucket, tmp_path: Path, path: str) -> None:
    """A path that kinds of bucket would read differently is refused by each, before anything happens."""
    with pytest.raises(StorageError):
        put(bucket, path, random_file(tmp_path / "x", 1))
    with pytest.raises(StorageError):
        stored_bytes(bucket, path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.from_regex(r"[A-Za-z0-9_()@=;+,!-][A-Za-z0-9 ._()@=;:+,!-]{0,12}", fullmatch=True), min_size=1, max_size=4
    )
)
def test_paths_stay_as_they_are(bucket: Bucket, tmp_path: Path, segments: list[str]) -> None:
    """A path of ordinary letters is stored, listed, read and removed under exactly that name."""
    path = checked_path("/".join(segments))
    bucket.replace(path, random_file(tmp_path / "x", 3), max_age=1, content_type=OCTETS)
    assert bucket.sizes("") == {path: 3}
    assert len(stored_bytes(bucket, path)) == 3
    bucket.remove([path])
    assert bucket.sizes("") == {}
