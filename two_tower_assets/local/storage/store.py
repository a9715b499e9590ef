"""Buckets and objects on disk: a file of bytes and a small JSON file each, and all that the JSON says in memory.

An object appears, changes or vanishes with its JSON file, after its bytes are on the disk. Bytes that no JSON names
(left by a crash, or replaced) are swept when the store is opened, or a minute later.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import write_text
from two_tower_assets.local.storage.refusals import BUCKET_EXISTS, DUPLICATE, NO_BUCKET, NO_FILE, Refused
from two_tower_assets.storage.partial_files import sync_folder

_READERS_DONE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class StoredBucket:
    """A bucket."""

    id: str
    public: bool
    file_size_limit: int | None
    created_at: str


@dataclass(frozen=True)
class StoredObject:
    """An object: everything but its bytes."""

    bucket: str
    name: str
    id: str
    blob: str
    """Name of the file with the bytes."""
    size: int
    etag: str
    content_type: str
    cache_control: str
    updated_at: str


class Store:
    """Safe to use from several threads of the one process that has it open."""

    def __init__(self, folder: Path) -> None:
        """Open or make a store.

        Raises:
            LocalStackError: another process has it open.
        """
        self._blobs, self._objects, self._buckets = (folder / name for name in ("blobs", "objects", "buckets"))
        for part in (self._blobs, self._objects, self._buckets):
            part.mkdir(parents=True, exist_ok=True)
        self._open = _opened(folder / "lock")
        self._lock = threading.Lock()
        self._retired: deque[tuple[float, Path]] = deque()
        buckets = (StoredBucket(**_read(path)) for path in _all(self._buckets))
        self._by_bucket = {bucket.id: bucket for bucket in buckets}
        objects = (StoredObject(**_read(path)) for path in _all(self._objects))
        self._by_name = {(stored.bucket, stored.name): stored for stored in objects}
        self._sweep()

    def close(self) -> None:
        """Let another process open it."""
        os.close(self._open)

    def new_blob(self) -> Path:
        """Return a path that no object's bytes are at."""
        return self._blobs / uuid4().hex

    def blob(self, stored: StoredObject) -> Path:
        """Return where an object's bytes are, for at least a minute from now."""
        return self._blobs / stored.blob

    def create_bucket(self, name: str, *, public: bool, file_size_limit: int | None) -> None:
        """Make a bucket."""
        with self._lock:
            if name in self._by_bucket:
                raise Refused(BUCKET_EXISTS)
            bucket = StoredBucket(name, public, file_size_limit, _now())
            write_text(self._buckets / _file_name(name), json.dumps(asdict(bucket)))
            sync_folder(self._buckets)
            self._by_bucket[name] = bucket

    def buckets(self) -> list[StoredBucket]:
        """Return all buckets by name."""
        with self._lock:
            return sorted(self._by_bucket.values(), key=lambda bucket: bucket.id)

    def bucket(self, name: str) -> StoredBucket:
        """Return one bucket."""
        if (found := self._by_bucket.get(name)) is None:
            raise Refused(NO_BUCKET)
        return found

    def get(self, bucket: str, name: str) -> StoredObject:
        """Return an object."""
        if (found := self._by_name.get((bucket, name))) is None:
            raise Refused(NO_FILE)
        return found

    def below(self, bucket: str, prefix: str) -> list[StoredObject]:
        """Return all objects of a bucket whose names begin with a prefix, by name."""
        with self._lock:
            everything = sorted(self._by_name.items(), key=itemgetter(0))
        return [stored for (home, name), stored in everything if home == bucket and name.startswith(prefix)]

    def put(self, incoming: StoredObject, *, upsert: bool) -> StoredObject:
        """Make an object of bytes that are on the disk. What it replaces hands its id on."""
        key = (incoming.bucket, incoming.name)
        with self._lock:
            before = self._by_name.get(key)
            if before and not upsert:
                raise Refused(DUPLICATE)
            stored = replace(incoming, id=before.id) if before else incoming
            sync_folder(self._blobs)
            write_text(self._facts(stored), json.dumps(asdict(stored)))
            sync_folder(self._objects)
            self._by_name[key] = stored
            if before:
                self._retire(before)
        return stored

    def remove(self, bucket: str, names: Sequence[str]) -> list[StoredObject]:
        """Delete objects and return those that there were."""
        with self._lock:
            found = [stored for name in names if (stored := self._by_name.pop((bucket, name), None)) is not None]
            for stored in found:
                self._facts(stored).unlink()
                self._retire(stored)
            sync_folder(self._objects)
        return found

    def _facts(self, stored: StoredObject) -> Path:
        return self._objects / _file_name(f"{stored.bucket}/{stored.name}")

    def _retire(self, stored: StoredObject) -> None:
        # Not at once: somebody may be about to open it.
        now = time.monotonic()
        self._retired.append((now, self.blob(stored)))
        while self._retired[0][0] < now - _READERS_DONE_SECONDS:
            self._retired.popleft()[1].unlink(missing_ok=True)

    def _sweep(self) -> None:
        named = {stored.blob for stored in self._by_name.values()}
        for path in self._blobs.iterdir():
            if path.name not in named:
                path.unlink()


def new_object(
    bucket: str, name: str, blob: Path, *, size: int, etag: str, content_type: str, cache_control: str
) -> StoredObject:
    """Describe an object whose bytes are at `blob`, to be put."""
    return StoredObject(
        bucket, name, str(uuid4()), blob.name, size, etag, content_type, cache_control, updated_at=_now()
    )


def _opened(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise LocalStackError(
            "Another storage server is using the folder",
            where=str(path.parent),
            remedy="Stop it, or give this one another folder.",
        ) from None
    return handle


def _all(folder: Path) -> list[Path]:
    # Hidden ones are half-written.
    return [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))


def _file_name(name: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
