"""Clients of the test servers, which do not wait long, and files to send."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from two_tower_assets.storage.bucket import Patience
from two_tower_assets.storage.listed import LocalFile
from two_tower_assets.storage.supabase_bucket import SupabaseBucket
from two_tower_assets.storage.supabase_client import SupabaseClient

KEY = "sb_secret_of_the_tests"
QUICK = Patience(attempts=4, first_wait=0.01, longest_wait=0.02)


def supabase_bucket(
    url: str, name: str = "model-artifacts", *, public: bool = True, key: str = KEY, timeout: float = 5
) -> SupabaseBucket:
    """A bucket at a server, with little patience."""
    return SupabaseBucket(SupabaseClient(url, key, timeout=timeout), name, public=public, patience=QUICK)


def random_file(path: Path, size: int, seed: int = 0) -> Path:
    """Write a file of bytes that repeat for the same seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def local_file(path: Path, name: str | None = None) -> LocalFile:
    """Describe a file as it is now."""
    content = path.read_bytes()
    return LocalFile(
        name=name or path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        path=path,
        content_type="application/octet-stream",
    )


def local_files(folder: Path, count: int = 4, size: int = 30_000) -> list[LocalFile]:
    """Write and describe a few files, one of them empty and one in a folder below."""
    names = ["empty.bin", "deep/er/model.onnx", *(f"file_{i}.json" for i in range(count - 2))]
    sizes = [0, size, *(size + i for i in range(count - 2))]
    return [
        local_file(random_file(folder / name, size, seed), name)
        for seed, (name, size) in enumerate(zip(names, sizes, strict=True))
    ]
