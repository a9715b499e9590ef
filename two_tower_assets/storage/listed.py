"""Files by name, hash and size, and holding them against what is stored.

What does not live here: sending them (`transfer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import Bucket
from two_tower_assets.storage.parallel import as_finished
from two_tower_assets.storage.reading import Digest, local_digest, stored_digest

WORKERS: Final = 4
"""How many files are sent or read at once."""


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """A file that a manifest promises."""

    name: str
    """Path below the prefix."""
    sha256: str
    """Hex."""
    size: int
    """Bytes."""

    @property
    def digest(self) -> Digest:
        """What its bytes must give."""
        return Digest(self.sha256, self.size)


@dataclass(frozen=True, kw_only=True)
class LocalFile(ListedFile):
    """Such a file with its bytes on this machine."""

    path: Path
    content_type: str


def compare_files(
    bucket: Bucket, prefix: str, files: Sequence[ListedFile], *, workers: int = WORKERS
) -> tuple[str, ...]:
    """Read files back and say what differs, one sentence a file; empty when all is as listed and no other there."""
    found = dict(as_finished(lambda file: difference(bucket, prefix, file), files, workers))
    strangers = unlisted(prefix, bucket.sizes(prefix), files)
    return (
        *(problem for file in files if (problem := found[file]) is not None),
        *(f"{name} is there but not listed" for name in strangers),
    )


def difference(bucket: Bucket, prefix: str, file: ListedFile) -> str | None:
    """Read one file back and say how it differs, or None when it does not."""
    path = f"{prefix}/{file.name}"
    stored = stored_digest(bucket, path)
    if stored is not None and stored != file.digest:
        # Once more before it is said: the way here may be to blame.
        stored = stored_digest(bucket, path)
    if stored == file.digest:
        return None
    if stored is None:
        return f"{file.name} is missing"
    if stored.size != file.size:
        return f"{file.name} has {stored.size} bytes instead of {file.size}"
    return f"{file.name} holds other bytes of the same size"


def unlisted(prefix: str, present: Iterable[str], files: Iterable[ListedFile]) -> tuple[str, ...]:
    """Return names below a prefix that are not in the list."""
    listed = {f"{prefix}/{file.name}" for file in files}
    return tuple(path.removeprefix(f"{prefix}/") for path in sorted(set(present) - listed))


def require_unchanged(file: LocalFile) -> None:
    """Hold a local file against its own hash.

    Raises:
        StorageError: it is missing or was changed.
    """
    try:
        found = local_digest(file.path)
    except FileNotFoundError:
        found = None
    if found != file.digest:
        raise StorageError(
            f"{file.name} is {'missing' if found is None else 'not what its hash says'}, and was not stored",
            where=str(file.path),
            remedy="Materialize the artifacts of this version again.",
        )
