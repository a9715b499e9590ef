"""Uploading a version to the local storage server, beside one plain HTTP client that sends the very same files.

The server runs in a process of its own. Only uploads are compared; reading back is printed beside them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import httpx

from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.storage.listed import WORKERS, LocalFile
from two_tower_assets.storage.supabase_bucket import SupabaseBucket
from two_tower_assets.storage.supabase_client import SupabaseClient
from two_tower_assets.storage.transfer import store_files
from two_tower_assets_tests.bench.cost import Cost, measured, together
from two_tower_assets_tests.bench.report import Line, Moved

SIZES_MB = (25, 14.2, 8, 5, 4, 2, 1, 0.8)
REPEATS = 7
BOUND = 1.3
KEY = "sb_secret_bench"
BUCKET = "model-artifacts"


def measure() -> Iterator[Line]:
    """Yield the time of our uploads against the plain client's."""
    with tempfile.TemporaryDirectory() as name, _server(Path(name) / "served") as url:
        files = _files(Path(name) / "version")
        bucket = SupabaseBucket(SupabaseClient(url, KEY), BUCKET, public=True)
        ours, reading, plain = [], [], []
        # The first round warms both up and is not counted.
        for turn in range(REPEATS + 1):
            uploaded, verified = _ours(bucket, f"ours/{turn}", files)
            sent = _plain(url, f"plain/{turn}", files)
            if turn:
                ours.append(uploaded)
                reading.append(verified)
                plain.append(sent)
            bucket.remove([f"{who}/{turn}/{file.name}" for who in ("ours", "plain") for file in files])
    uploading, floor = together(ours, statistics.median), statistics.median(plain)
    figure = uploading.seconds
    size = sum(file.size for file in files)
    yield Line(
        stage="storage",
        what=f"uploading {len(files)} files of {size / 1e6:.0f} MB, {WORKERS} at once, each once and hashed before",
        figure=f"{figure:.2f} s (and {statistics.median(reading):.2f} s to read all back and compare)",
        against=f"the same files by one plain HTTP client, {WORKERS} at once: {floor:.2f} s",
        ratio=figure / floor,
        target=f"<= {BOUND} x",
        met=figure / floor <= BOUND,
        seconds=figure,
        peak_mib=uploading.grown_mib,
        moved=Moved(size, "bytes"),
    )


def _ours(bucket: SupabaseBucket, prefix: str, files: Sequence[LocalFile]) -> tuple[Cost, float]:
    """Return seconds until the last file was uploaded (and the memory of all), and those until all were read back."""
    moments: list[float] = []

    def reached(step: str) -> None:
        if step.startswith("uploaded "):
            moments.append(time.perf_counter())

    with measured(afresh=False) as cost:
        start = time.perf_counter()
        done = store_files(bucket, prefix, files, max_age=60, may_mend=False, reached=reached)
    assert len(done.uploaded) == len(files)
    seconds = moments[-1] - start
    return dataclasses.replace(cost, seconds=seconds), cost.seconds - seconds


def _plain(url: str, prefix: str, files: Sequence[LocalFile]) -> float:
    """Return seconds that forms of the same files take; connections are kept alive, as the client does by itself."""
    with httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:

        def send(file: LocalFile) -> int:
            with file.path.open("rb") as stream:
                form = {"": (file.name, stream, file.content_type)}
                return client.post(f"{url}/storage/v1/object/{BUCKET}/{prefix}/{file.name}", files=form).status_code

        start = time.perf_counter()
        with ThreadPoolExecutor(WORKERS) as pool:
            statuses = set(pool.map(send, files))
        seconds = time.perf_counter() - start
    assert statuses == {200}
    return seconds


def _files(folder: Path) -> list[LocalFile]:
    folder.mkdir()
    return [_file(folder / f"file_{i}.bin", int(size * 1e6), i) for i, size in enumerate(SIZES_MB)]


def _file(path: Path, size: int, seed: int) -> LocalFile:
    content = random.Random(seed).randbytes(size)
    path.write_bytes(content)
    return LocalFile(
        name=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=size,
        path=path,
        content_type="application/octet-stream",
    )


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(folder: Path, connection: Connection) -> None:
    with StorageServer(folder, key=KEY) as server:
        connection.send(server.url)
        connection.recv()
