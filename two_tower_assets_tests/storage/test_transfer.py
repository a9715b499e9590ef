"""Storing many files: each once, all read back, others' told, changed ones refused and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import Bucket
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.listed import ListedFile, compare_files
from two_tower_assets.storage.reading import stored_bytes
from two_tower_assets.storage.transfer import bring_up_to_date, store_files
from two_tower_assets_tests.storage.servers import local_file, local_files, random_file

OPTIONS = {"max_age": 60, "may_mend": False}


def alter(bucket: Bucket, path: str, scratch: Path) -> None:
    """Change one byte of a stored file."""
    content = bytearray(stored_bytes(bucket, path))
    content[len(content) // 2] ^= 1
    scratch.write_bytes(content)
    bucket.replace(path, scratch, max_age=1, content_type="x/y")


def test_all_files_are_stored_and_verified(bucket: Bucket, tmp_path: Path) -> None:
    """The result names what was sent, each step is told once, progress ends at everything sent and read back."""
    files = local_files(tmp_path / "v1")
    steps: list[str] = []
    counts: list[tuple[int, int]] = []
    done = store_files(
        bucket,
        "p/v1",
        files[1:],
        last=files[:1],
        reached=steps.append,
        progress=lambda *c: counts.append(c),
        **OPTIONS,
    )
    total = sum(file.size for file in files)
    assert set(done.uploaded) == {file.name for file in files}
    assert (done.found, done.mended, done.strangers) == ((), (), ())
    assert (done.uploaded_bytes, done.found_bytes) == (total, 0)
    assert sorted(steps) == sorted(f"{what} {file.name}" for file in files for what in ("uploaded", "verified"))
    assert steps[-2:] == [f"uploaded {files[0].name}", f"verified {files[0].name}"]
    assert counts[-1] == (2 * total, 2 * total)
    assert counts == sorted(counts)
    assert compare_files(bucket, "p/v1", files) == ()


def test_a_second_run_sends_nothing(bucket: Bucket, tmp_path: Path) -> None:
    """What is there with the right bytes is found, read back, and not sent; files of others are told, not touched."""
    files = local_files(tmp_path / "v1")
    store_files(bucket, "p/v1", files, **OPTIONS)
    bucket.create("p/v1/deep/stranger", files[2].path, max_age=1, content_type="x/y")
    steps: list[str] = []
    done = store_files(bucket, "p/v1", files, reached=steps.append, **OPTIONS)
    assert done.uploaded == ()
    assert done.found == tuple(file.name for file in files)
    assert done.found_bytes == sum(file.size for file in files)
    assert done.strangers == ("deep/stranger",)
    assert sorted(steps) == sorted(f"verified {file.name}" for file in files)


def test_one_byte_changed_is_refused_and_named(bucket: Bucket, tmp_path: Path) -> None:
    """In a version that was released a stored file with one byte changed is an error, and is left as evidence."""
    files = local_files(tmp_path / "v1")
    store_files(bucket, "p/v1", files, **OPTIONS)
    alter(bucket, "p/v1/file_1.json", tmp_path / "scratch")
    with pytest.raises(StorageError, match=r"never changed: file_1\.json holds other bytes of the same size"):
        store_files(bucket, "p/v1", files, **OPTIONS)
    assert compare_files(bucket, "p/v1", files) == ("file_1.json holds other bytes of the same size",)


def test_a_version_never_released_is_mended(bucket: Bucket, tmp_path: Path) -> None:
    """There a changed file and a cut one are taken away and sent again."""
    files = local_files(tmp_path / "v1")
    store_files(bucket, "p/v1", files, **OPTIONS)
    alter(bucket, "p/v1/file_1.json", tmp_path / "scratch")
    bucket.replace("p/v1/file_0.json", random_file(tmp_path / "short", 7), max_age=1, content_type="x/y")
    assert set(compare_files(bucket, "p/v1", files)) == {
        "file_0.json has 7 bytes instead of 30000",
        "file_1.json holds other bytes of the same size",
    }
    done = store_files(bucket, "p/v1", files, max_age=60, may_mend=True)
    assert done.mended == ("file_0.json", "file_1.json")
    assert done.uploaded == done.mended
    assert compare_files(bucket, "p/v1", files) == ()


def test_a_local_file_that_was_changed_is_not_stored(tmp_path: Path) -> None:
    """A file whose bytes are not those of its hash, or that is gone, is named before a byte of it is sent."""
    bucket = FolderBucket(tmp_path / "bucket")
    changed, gone = (local_file(random_file(tmp_path / name, 100)) for name in ("changed.onnx", "gone.onnx"))
    changed.path.write_bytes(b"\0" * 100)
    gone.path.unlink()
    for file, problem in ((changed, "not what its hash says"), (gone, "missing")):
        with pytest.raises(StorageError, match=f"{file.name} is {problem}"):
            store_files(bucket, "p/v1", [file], **OPTIONS)
    assert bucket.sizes("") == {}


def test_what_differs_is_said_in_sentences(bucket: Bucket, tmp_path: Path) -> None:
    """Missing, cut, changed and unlisted files are each told, in the list's order, strangers last."""
    files = local_files(tmp_path / "v1")
    store_files(bucket, "p/v1", files[:3], **OPTIONS)
    bucket.create("p/v1/a stranger", files[0].path, max_age=1, content_type="x/y")
    listed = [
        replace(files[2], size=1),
        files[3],
        ListedFile(name=files[1].name, sha256="0" * 64, size=files[1].size),
    ]
    assert compare_files(bucket, "p/v1", listed) == (
        f"{files[2].name} has {files[2].size} bytes instead of 1",
        f"{files[3].name} is missing",
        f"{files[1].name} holds other bytes of the same size",
        "a stranger is there but not listed",
        f"{files[0].name} is there but not listed",
    )


def test_bringing_up_to_date_writes_only_what_differs(bucket: Bucket, tmp_path: Path) -> None:
    """A missing or differing file is written and an equal one is not."""
    first, second = (local_file(random_file(tmp_path / str(i), 100 + i, i), "m.json") for i in range(2))
    done = [bring_up_to_date(bucket, "current", file, max_age=1) for file in (first, first, second, second, first)]
    assert done == [True, False, True, False, True]
    assert stored_bytes(bucket, "current/m.json") == first.path.read_bytes()


def test_the_first_error_ends_the_transfer(tmp_path: Path) -> None:
    """When telling of a step fails, no other file is begun, and the error comes out as it is."""
    files = local_files(tmp_path / "v1", count=12)
    bucket = FolderBucket(tmp_path / "bucket")

    def stop(step: str) -> None:
        raise InterruptedError(step)

    with pytest.raises(InterruptedError, match="uploaded"):
        store_files(bucket, "p/v1", files, workers=1, reached=stop, **OPTIONS)
    assert 0 < len(bucket.sizes("")) < len(files)
