"""Reading a stored file whole: its hash and size, its bytes, or into a local file; over again after a broken read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.storage.bucket import BLOCK_BYTES, Bucket, NotStored
from two_tower_assets.storage.retries import patiently


@dataclass(frozen=True)
class Digest:
    """What tells two files apart."""

    sha256: str
    size: int


def digest_of(blocks: Iterable[bytes]) -> Digest:
    """Hash bytes given in blocks."""
    sha256, size = hashlib.sha256(), 0
    for block in blocks:
        sha256.update(block)
        size += len(block)
    return Digest(sha256.hexdigest(), size)


def local_digest(path: Path) -> Digest:
    """Hash a local file.

    Raises:
        FileNotFoundError: there is none.
    """
    with path.open("rb") as file:
        return digest_of(iter(lambda: file.read(BLOCK_BYTES), b""))


def stored_digest(bucket: Bucket, path: str) -> Digest | None:
    """Read a stored file back and hash it; None when there is none."""
    try:
        return patiently(lambda: digest_of(bucket.read(path)), bucket.patience)
    except NotStored:
        return None


def stored_bytes(bucket: Bucket, path: str) -> bytes:
    """Return a small stored file.

    Raises:
        NotStored: there is none.
    """
    return patiently(lambda: b"".join(bucket.read(path)), bucket.patience)


def fetch(bucket: Bucket, path: str, target: Path) -> Digest:
    """Write a stored file into a local one, and hash it on the way.

    Raises:
        NotStored: there is none.
    """

    def attempt() -> Digest:
        sha256, size = hashlib.sha256(), 0
        with target.open("wb") as file:
            for block in bucket.read(path):
                sha256.update(block)
                size += file.write(block)
        return Digest(sha256.hexdigest(), size)

    return patiently(attempt, bucket.patience)
