"""What a local folder promises beyond any bucket: no half file survives its writer, and a full disk is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.partial_files import new_partial
from two_tower_assets.storage.reading import stored_bytes
from two_tower_assets_tests.storage.servers import random_file

OCTETS = "application/octet-stream"
HALF_WRITER = """
import os, signal, sys
from pathlib import Path
from two_tower_assets.storage.partial_files import new_partial
with new_partial(Path(sys.argv[1])) as partial:
    partial.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
FULL_DISK = """
import sys
from pathlib import Path
from two_tower_assets.errors import StorageError
from two_tower_assets.storage.folder import FolderBucket
bucket, source = FolderBucket(Path(sys.argv[1])), Path(sys.argv[2])
bucket.create("v/small.bin", Path(sys.argv[3]), max_age=1, content_type="x/y")
for write in (bucket.create, bucket.replace):
    try:
        write("v/big.bin", source, max_age=1, content_type="x/y")
    except StorageError as error:
        print(error.what, "|", error.where, "|", error.remedy)
print(sorted(path.name for path in Path(sys.argv[1]).rglob("*") if path.is_file()), bucket.sizes(""))
bucket.create("v/after.bin", Path(sys.argv[3]), max_age=1, content_type="x/y")
print("after", b"".join(bucket.read("v/after.bin")) == Path(sys.argv[3]).read_bytes())
"""


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """A writer killed with -9 leaves a hidden file: never listed, and gone after the next write beside it."""
    bucket = FolderBucket(tmp_path / "bucket")
    killed = subprocess.run([sys.executable, "-c", HALF_WRITER, str(bucket.root / "v1" / "m.onnx")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((bucket.root / "v1").iterdir())) == 1
    assert bucket.sizes("") == {}
    bucket.create("v1/m.onnx", random_file(tmp_path / "x", 10), max_age=1, content_type=OCTETS)
    assert [path.name for path in (bucket.root / "v1").iterdir()] == ["m.onnx"]


def test_a_living_writer_is_let_be(tmp_path: Path) -> None:
    """What another writer is writing at the moment is not swept."""
    bucket = FolderBucket(tmp_path / "bucket")
    source = random_file(tmp_path / "x", 10)
    with new_partial(bucket.root / "v1" / "slow.bin") as partial:
        bucket.create("v1/quick.bin", source, max_age=1, content_type=OCTETS)
        assert partial.exists()
    assert [path.name for path in (bucket.root / "v1").iterdir()] == ["quick.bin"]


def test_a_stored_file_does_not_follow_its_source(tmp_path: Path) -> None:
    """The bytes are copied: writing into the source afterwards changes nothing stored."""
    bucket, source = FolderBucket(tmp_path / "bucket"), random_file(tmp_path / "x", 10)
    before = source.read_bytes()
    bucket.create("v1/x", source, max_age=1, content_type=OCTETS)
    source.write_bytes(b"other")
    assert stored_bytes(bucket, "v1/x") == before


def test_empty_folders_go_with_their_last_file(tmp_path: Path) -> None:
    """Removing a version's last file leaves no folder of it, and never the bucket's own."""
    bucket, source = FolderBucket(tmp_path / "bucket"), random_file(tmp_path / "x", 10)
    for path in ("p/v1/deep/a", "p/v2/b"):
        bucket.create(path, source, max_age=1, content_type=OCTETS)
    bucket.remove(["p/v1/deep/a"])
    assert [path.name for path in (bucket.root / "p").iterdir()] == ["v2"]
    bucket.remove(["p/v2/b"])
    assert list(bucket.root.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """Where a folder is needed and a file is, the error names the place."""
    (tmp_path / "bucket").write_text("not a folder")
    bucket, source = FolderBucket(tmp_path / "bucket"), random_file(tmp_path / "x", 10)
    for write in (bucket.create, bucket.replace):
        with pytest.raises(StorageError, match=r"could not be written.*bucket"):
            write("v1/x", source, max_age=1, content_type=OCTETS)


def test_a_full_disk_is_named_and_nothing_half_stays(tmp_path: Path) -> None:
    """On a file system of 1 MB a file of 2 MB is refused with the place and the remedy; others go on working."""
    mount = tmp_path / "small disk"
    mount.mkdir()
    big, small = random_file(tmp_path / "big", 2 << 20), random_file(tmp_path / "small", 1000)
    inside = [sys.executable, "-c", FULL_DISK, str(mount), str(big), str(small)]
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" || exit 77; shift; exec "$@"'
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here to mount a small disk with")
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(mount), *inside],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if ran.returncode in {1, 77} and "StorageError" not in ran.stderr and not ran.stdout:
        pytest.skip(f"a small disk may not be mounted here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    created, replaced, listed, after = ran.stdout.splitlines()
    for line in (created, replaced):
        assert "The disk is full" in line
        assert str(mount / "v" / "big.bin") in line
        assert "Make room there" in line
    assert listed == "['small.bin'] {'v/small.bin': 1000}"
    assert after == "after True"
