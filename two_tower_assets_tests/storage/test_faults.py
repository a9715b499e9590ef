"""A proxy breaks what passes between client and server: a transfer completes or says why, and no half is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from two_tower_assets.errors import StorageError
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.bucket import Bucket, Unavailable
from two_tower_assets.storage.listed import LocalFile, compare_files
from two_tower_assets.storage.remote import RemoteBucket
from two_tower_assets.storage.transfer import store_files
from two_tower_assets_tests.storage.fault_proxy import KINDS, Fault, Kind, Proxy, fault_proxy, is_read, is_upload
from two_tower_assets_tests.storage.servers import QUICK, local_files, supabase_bucket

Matches = Callable[[str, str], bool]


@pytest.fixture(params=["supabase", "s3"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bucket, Proxy]]:
    """A bucket that is reached through a proxy."""
    if request.param == "supabase":
        with fault_proxy(request.getfixturevalue("storage_server").url) as proxy:
            yield supabase_bucket(proxy.url, timeout=10), proxy
    else:
        with fault_proxy(request.getfixturevalue("s3")) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            yield RemoteBucket("s3://artifacts/folder", patience=QUICK), proxy


def send(bucket: Bucket, files: list[LocalFile]) -> tuple[str, ...]:
    return store_files(bucket, "p/v1", files, max_age=60, may_mend=False, workers=2).uploaded


@pytest.mark.parametrize("matches", [is_upload, is_read, lambda *_: True], ids=["uploads", "reads", "any"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_passing_fault_is_survived(
    broken: tuple[Bucket, Proxy], tmp_path: Path, kind: Kind, matches: Matches
) -> None:
    """Whatever breaks twice, the transfer completes, and each file is stored as it is, once."""
    bucket, proxy = broken
    files = local_files(tmp_path / "v1")
    proxy.faults.append(Fault(kind, 2, matches))
    send(bucket, files)
    assert [struck for struck, _, _ in proxy.struck] == [kind] * 2
    assert compare_files(bucket, "p/v1", files) == ()


@pytest.mark.parametrize("kind", ["reset", "500", "503 of a gateway", "429"])
def test_a_lasting_fault_ends_in_a_clear_error(broken: tuple[Bucket, Proxy], tmp_path: Path, kind: Kind) -> None:
    """When uploads go on breaking, an error says so; what is stored is whole, and the next run sends the rest."""
    bucket, proxy = broken
    files = local_files(tmp_path / "v1")
    proxy.faults.append(Fault(kind, 10_000, is_upload))
    with pytest.raises(Unavailable, match="what was stored already is kept"):
        send(bucket, files)
    proxy.faults.clear()
    whole = {f"p/v1/{file.name}": file.size for file in files}
    stored = bucket.sizes("p/v1")
    assert stored.items() <= whole.items()
    sent = send(bucket, files)
    assert {f"p/v1/{name}" for name in sent} == whole.keys() - stored.keys()
    assert compare_files(bucket, "p/v1", files) == ()


@pytest.mark.parametrize("kind", ["reply lost", "cut reply"])
def test_no_reply_ever_arrives(broken: tuple[Bucket, Proxy], tmp_path: Path, kind: Kind) -> None:
    """Files arrive though every reply to an upload is lost: reading back shows it, and the transfer completes."""
    bucket, proxy = broken
    files = local_files(tmp_path / "v1")
    proxy.faults.append(Fault(kind, 10_000, is_upload_of_a_file))
    send(bucket, files)
    assert compare_files(bucket, "p/v1", files) == ()


def test_reads_that_go_on_breaking_end_in_a_clear_error(broken: tuple[Bucket, Proxy], tmp_path: Path) -> None:
    """A file that never comes back whole is an error of the storage, never taken for an altered file."""
    bucket, proxy = broken
    files = local_files(tmp_path / "v1", count=2)
    proxy.faults.append(Fault("cut reply", 10_000, lambda method, path: is_read(method, path) and ".onnx" in path))
    with pytest.raises(Unavailable):
        send(bucket, files)


def test_a_lost_reply_is_not_sent_again(storage_server: StorageServer, tmp_path: Path) -> None:
    """A file that arrived, though the reply to it was lost, is recognised by reading it back and not sent twice."""
    files = local_files(tmp_path / "v1")
    with fault_proxy(storage_server.url) as proxy:
        proxy.faults.append(Fault("reply lost", 3, is_upload_of_a_file))
        send(supabase_bucket(proxy.url), files)
    assert len(uploads(storage_server)) == len(files)


def test_what_is_there_is_not_sent_again(storage_server: StorageServer, tmp_path: Path) -> None:
    """A transfer broken in the middle goes on where it was: over both runs each file is sent once."""
    files = local_files(tmp_path / "v1", count=6)
    with fault_proxy(storage_server.url) as proxy:
        proxy.faults.append(Fault("reset", 10_000, lambda method, path: is_upload(method, path) and "file_3" in path))
        with pytest.raises(Unavailable):
            send(supabase_bucket(proxy.url), files)
    first = uploads(storage_server)
    assert 0 < len(first) < len(files)
    send(supabase_bucket(storage_server.url), files)
    assert len(uploads(storage_server)) == len(files)
    assert len(set(uploads(storage_server))) == len(files)
    send(supabase_bucket(storage_server.url), files)
    assert len(uploads(storage_server)) == len(files)


def test_a_connection_gone_silent_is_not_used_again(storage_server: StorageServer, tmp_path: Path) -> None:
    """Every reply is followed by silence on its connection, and nothing waits for the timeout."""
    files = local_files(tmp_path / "v1")
    with fault_proxy(storage_server.url) as proxy:
        proxy.faults.append(Fault("reply and silence", 10_000))
        send(supabase_bucket(proxy.url, timeout=600), files)
    assert len(uploads(storage_server)) == len(files)


def test_a_way_that_damages_what_is_sent(storage_server: StorageServer, tmp_path: Path) -> None:
    """Bytes changed under way each time are an error that names the file, after a bounded mending."""
    files = local_files(tmp_path / "v1", count=2)
    with fault_proxy(storage_server.url) as proxy:
        proxy.faults.append(Fault("altered request", 10_000, lambda *call: is_upload(*call) and ".onnx" in call[1]))
        with pytest.raises(StorageError, match=r"does not come back as it was sent: deep/er/model\.onnx"):
            store_files(supabase_bucket(proxy.url), "p/v1", files, max_age=1, may_mend=True)
    assert len([path for path in uploads(storage_server) if ".onnx" in path]) == 3


def test_bytes_changed_under_way_are_mended(storage_server: StorageServer, tmp_path: Path) -> None:
    """When an upload is damaged once, a version that was never released is mended by itself."""
    files = local_files(tmp_path / "v1", count=2)
    with fault_proxy(storage_server.url) as proxy:
        proxy.faults.append(Fault("altered request", 1, lambda *call: is_upload(*call) and ".onnx" in call[1]))
        stored = store_files(supabase_bucket(proxy.url), "p/v1", files, max_age=1, may_mend=True)
    assert stored.mended == ("deep/er/model.onnx",)
    assert compare_files(supabase_bucket(storage_server.url), "p/v1", files) == ()


def is_upload_of_a_file(method: str, path: str) -> bool:
    return is_upload(method, path) and "/bucket" not in path


def uploads(server: StorageServer) -> list[str]:
    """Paths of all uploads that succeeded."""
    return [call.path for call in server.served if is_upload_of_a_file(call.method, call.path) and call.status == 200]
