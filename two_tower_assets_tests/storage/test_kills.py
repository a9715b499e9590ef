"""A transfer killed with -9 after each of its steps: the next run completes it, and no file was ever sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.bucket import Bucket
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.listed import compare_files
from two_tower_assets.storage.transfer import store_files
from two_tower_assets_tests.storage.servers import local_files, supabase_bucket

FILES = 4
STEPS = 2 * FILES
CHILD = """
import os, signal, sys
from pathlib import Path
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.transfer import store_files
from two_tower_assets_tests.storage.servers import local_files, supabase_bucket
place, folder, steps_left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
def reached(step):
    global steps_left
    steps_left -= 1
    if steps_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
bucket = supabase_bucket(place) if place.startswith("http") else FolderBucket(Path(place))
files = local_files(folder, size=300_000)
store_files(bucket, f"p/{sys.argv[3]}", files, max_age=1, may_mend=False, workers=2, reached=reached)
"""


@pytest.mark.parametrize("kind", ["folder", "supabase"])
def test_killed_at_each_step_and_resumed(storage_server: StorageServer, tmp_path: Path, kind: str) -> None:
    """After each kill what is listed is whole; the next run sends the rest, and every file went up exactly once."""
    place = storage_server.url if kind == "supabase" else str(tmp_path / "bucket")
    bucket: Bucket = supabase_bucket(place) if kind == "supabase" else FolderBucket(Path(place))
    files = local_files(tmp_path / "v1", size=300_000)
    assert len(files) == FILES
    for step in range(1, STEPS + 1):
        _killed(place, tmp_path / "v1", step)
        whole = {f"p/{step}/{file.name}": file.size for file in files}
        assert bucket.sizes(f"p/{step}").items() <= whole.items()
        store_files(bucket, f"p/{step}", files, max_age=1, may_mend=False)
        assert compare_files(bucket, f"p/{step}", files) == ()
        if kind == "supabase":
            assert _uploads(storage_server, f"/p/{step}/") == dict.fromkeys(whole, 1)
    assert not list(tmp_path.rglob("*.partial"))


def _killed(place: str, folder: Path, step: int) -> None:
    command = [sys.executable, "-c", CHILD, place, str(folder), str(step)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    done = subprocess.run(command, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def _uploads(server: StorageServer, part: str) -> Counter[str]:
    """Count the uploads that succeeded, by path in the bucket."""
    start = "/storage/v1/object/model-artifacts/"
    return Counter(
        call.path.removeprefix(start)
        for call in server.served
        if call.method == "POST" and call.path.startswith(start) and part in call.path and call.status == 200
    )
