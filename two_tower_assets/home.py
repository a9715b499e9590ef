"""Where things lie on disk: every path under `TWO_TOWER_HOME`, and how files appear there whole or not at all.

What does not live here: the names of files inside one model version (`contract.Files`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_READ_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Home:
    """The folder that holds everything this project writes."""

    root: Path

    @property
    def snapshots(self) -> Path:
        """One folder a snapshot of the source rows, and beside them what was computed from it."""
        return self.root / "snapshots"

    @property
    def artifacts(self) -> Path:
        """One folder a model version."""
        return self.root / "artifacts"

    @property
    def experiments(self) -> Path:
        """One folder a data set: readouts, and what a later look need not read again."""
        return self.root / "experiments"

    @property
    def postgres(self) -> Path:
        """The embedded Postgres cluster."""
        return self.root / "postgres"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: compute logs and the pointers from assets to their files."""
        return self.root / "dagster"

    @property
    def storage(self) -> Path:
        """The local stand-in for the storage buckets."""
        return self.root / "storage"

    @property
    def stack(self) -> Path:
        """The local stack: its keys, and the logs and records of its servers."""
        return self.root / "stack"

    @property
    def programs(self) -> Path:
        """Programs of others, fetched once by npm and known by their hash, one folder a version."""
        return self.root / "programs"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it on success and vanishes on failure.

    The bytes are flushed to disk before the rename, so a crash leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_BLOCK):
            digest.update(block)
    return digest.hexdigest()
