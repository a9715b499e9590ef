"""Many files into a bucket and back, in parallel: what is there is not sent again, and all is read back.

What does not live here: one file's way (`bucket`), waiting out faults (`retries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from two_tower_assets.errors import StorageError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.steps import Reached, unheard
from two_tower_assets.storage.bucket import AlreadyStored, Bucket
from two_tower_assets.storage.parallel import as_finished
from two_tower_assets.storage.reading import Digest, local_digest, stored_digest

WORKERS: Final = 4
_MENDS: Final = 2


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


@dataclass(frozen=True)
class Stored:
    """What a transfer did. Names are in the order given."""

    uploaded: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    """Already there, with the right bytes."""
    mended: tuple[str, ...] = ()
    """Of all of them, those that were there with other bytes, and were taken away and sent again."""
    strangers: tuple[str, ...] = ()
    """Below the prefix and not in the list."""
    uploaded_bytes: int = 0
    found_bytes: int = 0

    def with_file(self, file: ListedFile, *, sent: bool) -> Stored:
        """Return the same with one file more."""
        if sent:
            return replace(
                self,
                uploaded=(*self.uploaded, file.name),
                uploaded_bytes=self.uploaded_bytes + file.size,
                strangers=tuple(name for name in self.strangers if name != file.name),
            )
        return replace(
            self,
            found=(*self.found, file.name),
            found_bytes=self.found_bytes + file.size,
            strangers=tuple(name for name in self.strangers if name != file.name),
        )


@dataclass
class _Transfer:
    bucket: Bucket
    prefix: str
    max_age: int
    may_mend: bool
    present: dict[str, int]
    mended: set[str] = field(default_factory=set)

    def path(self, file: ListedFile) -> str:
        return f"{self.prefix}/{file.name}"

    def send_missing(self, file: LocalFile) -> bool:
        """Return whether the file was sent; one that differs in size by now is left to the comparison."""
        if self.path(file) in self.present:
            return False
        _require_unchanged(file)
        return self._create(file)

    def verify(self, file: LocalFile) -> None:
        for _ in range(_MENDS):
            if (problem := _difference(self.bucket, self.prefix, file)) is None:
                return
            if not self.may_mend:
                raise StorageError(
                    f"A stored file is not the one released, and it is written once and never changed: {problem}",
                    where=f"{self.bucket.url}/{self.path(file)}",
                    remedy="Find out who changed it, then publish a new version.",
                )
            self._mend(file)
        if problem := _difference(self.bucket, self.prefix, file):
            raise _unstable(self.bucket, self.path(file), problem)

    def _mend(self, file: LocalFile) -> None:
        _require_unchanged(file)
        self.bucket.remove([self.path(file)])
        self.mended.add(file.name)
        self._create(file)

    def _create(self, file: LocalFile) -> bool:
        try:
            self.bucket.create(self.path(file), file.path, max_age=self.max_age, content_type=file.content_type)
        except AlreadyStored:
            return False  # by another writer since we looked; its bytes are compared like all
        return True


def store_files(
    bucket: Bucket,
    prefix: str,
    files: Sequence[LocalFile],
    *,
    max_age: int,
    may_mend: bool,
    last: Sequence[LocalFile] = (),
    workers: int = WORKERS,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> Stored:
    """Store files below a prefix, each once, and read every one of them back.

    Begun again after a break, it sends only what is missing. `reached` hears `uploaded <name>` and
    `verified <name>`, `progress` counts bytes sent and read back; both are called from the calling thread.

    Args:
        bucket: where to.
        prefix: folder in it, without slashes at its ends.
        files: what to store; their bytes must be those of their hashes.
        max_age: seconds that caches may keep them.
        may_mend: whether a stored file with other bytes may be taken away and sent again, as for a version that was
            never released.
        last: more files, stored when all others were read back.
        workers: how many files at once.

    Raises:
        StorageError: a local file is not what its hash says, a stored one is not and may not be mended, or the
            bucket refuses. What was stored by then is whole and stays.
    """
    transfer = _Transfer(bucket, prefix, max_age, may_mend, bucket.sizes(prefix))
    everything = [*files, *last]
    total, done = 2 * sum(file.size for file in everything), 0
    uploaded: set[str] = set()
    for group in (files, last):
        for file, sent in as_finished(transfer.send_missing, group, workers):
            if sent:
                uploaded.add(file.name)
                reached(f"uploaded {file.name}")
            progress(done := done + file.size, total)
        for file, _ in as_finished(transfer.verify, group, workers):
            reached(f"verified {file.name}")
            progress(done := done + file.size, total)
    return _summary(transfer, everything, uploaded)


def bring_up_to_date(bucket: Bucket, prefix: str, file: LocalFile, *, max_age: int) -> bool:
    """Replace a stored file whose bytes are others, read it back, and return whether that was needed.

    Raises:
        StorageError: the local file is not what its hash says, or comes back with other bytes than were sent.
    """
    if _difference(bucket, prefix, file) is None:
        return False
    _require_unchanged(file)
    path = f"{prefix}/{file.name}"
    bucket.replace(path, file.path, max_age=max_age, content_type=file.content_type)
    if problem := _difference(bucket, prefix, file):
        raise _unstable(bucket, path, problem)
    return True


def compare_files(
    bucket: Bucket, prefix: str, files: Sequence[ListedFile], *, workers: int = WORKERS
) -> tuple[str, ...]:
    """Read files back and say what differs, one sentence a file; empty when all is as listed and no other there."""
    found = dict(as_finished(lambda file: _difference(bucket, prefix, file), files, workers))
    strangers = _strangers(prefix, bucket.sizes(prefix), files)
    return (
        *(problem for file in files if (problem := found[file]) is not None),
        *(f"{name} is there but not listed" for name in strangers),
    )


def _summary(transfer: _Transfer, files: Sequence[LocalFile], uploaded: set[str]) -> Stored:
    sent = [file for file in files if file.name in uploaded | transfer.mended]
    found = [file for file in files if file.name not in uploaded | transfer.mended]
    return Stored(
        uploaded=tuple(file.name for file in sent),
        found=tuple(file.name for file in found),
        mended=tuple(file.name for file in files if file.name in transfer.mended),
        strangers=_strangers(transfer.prefix, transfer.present, files),
        uploaded_bytes=sum(file.size for file in sent),
        found_bytes=sum(file.size for file in found),
    )


def _strangers(prefix: str, present: dict[str, int], files: Sequence[ListedFile]) -> tuple[str, ...]:
    listed = {f"{prefix}/{file.name}" for file in files}
    return tuple(path.removeprefix(f"{prefix}/") for path in sorted(present.keys() - listed))


def _difference(bucket: Bucket, prefix: str, file: ListedFile) -> str | None:
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


def _unstable(bucket: Bucket, path: str, problem: str) -> StorageError:
    return StorageError(
        f"A file does not come back as it was sent: {problem}",
        where=f"{bucket.url}/{path}",
        remedy="Check the storage and what is between it and this machine, then publish again.",
    )


def _require_unchanged(file: LocalFile) -> None:
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
