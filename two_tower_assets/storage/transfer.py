"""Many files into a bucket, in parallel: what is there is not sent again, and all is read back.

What does not live here: one file's way (`bucket`), waiting out faults (`retries`), comparing alone (`listed`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from two_tower_assets.errors import StorageError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.steps import Reached, unheard
from two_tower_assets.storage.bucket import AlreadyStored, Bucket
from two_tower_assets.storage.listed import WORKERS, ListedFile, LocalFile, difference, require_unchanged, unlisted
from two_tower_assets.storage.parallel import as_finished

_MENDS: Final = 2


@dataclass(frozen=True)
class Stored:
    """What a transfer did. Names are in the order given."""

    uploaded: tuple[str, ...]
    found: tuple[str, ...]
    """Already there, with the right bytes."""
    mended: tuple[str, ...]
    """Of those uploaded, the ones that were there with other bytes and were taken away first."""
    strangers: tuple[str, ...]
    """Below the prefix before, and not in the list."""
    uploaded_bytes: int
    found_bytes: int


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
    for group in (files, last):
        for file, sent in as_finished(transfer.send_missing, group, workers):
            if sent:
                transfer.uploaded.add(file.name)
                reached(f"uploaded {file.name}")
            progress(done := done + file.size, total)
        for file, mended in as_finished(transfer.verify, group, workers):
            if mended:
                transfer.mended.add(file.name)
            reached(f"verified {file.name}")
            progress(done := done + file.size, total)
    return transfer.summary(everything)


def bring_up_to_date(bucket: Bucket, prefix: str, file: LocalFile, *, max_age: int) -> bool:
    """Replace a stored file whose bytes are others, read it back, and return whether that was needed.

    Raises:
        StorageError: the local file is not what its hash says, or comes back with other bytes than were sent.
    """
    if difference(bucket, prefix, file) is None:
        return False
    require_unchanged(file)
    path = f"{prefix}/{file.name}"
    bucket.replace(path, file.path, max_age=max_age, content_type=file.content_type)
    if problem := difference(bucket, prefix, file):
        raise _unstable(bucket, path, problem)
    return True


@dataclass
class _Transfer:
    bucket: Bucket
    prefix: str
    max_age: int
    may_mend: bool
    present: Collection[str]
    uploaded: set[str] = field(default_factory=set)
    mended: set[str] = field(default_factory=set)

    def send_missing(self, file: LocalFile) -> bool:
        """Return whether the file was sent; what is there is compared later, like all."""
        if self._path(file) in self.present:
            return False
        require_unchanged(file)
        return self._create(file)

    def verify(self, file: LocalFile) -> bool:
        """Return whether the stored file had to be mended."""
        for mends in range(_MENDS + 1):
            problem = difference(self.bucket, self.prefix, file)
            if problem is None:
                return mends > 0
            if not self.may_mend:
                raise StorageError(
                    f"A stored file is not the one released, and it is written once and never changed: {problem}",
                    where=f"{self.bucket.url}/{self._path(file)}",
                    remedy="Find out who changed it, then publish a new version.",
                )
            if mends < _MENDS:
                self._mend(file)
        raise _unstable(self.bucket, self._path(file), problem or "")

    def summary(self, files: Sequence[LocalFile]) -> Stored:
        sent = [file for file in files if file.name in self.uploaded | self.mended]
        found = [file for file in files if file.name not in self.uploaded | self.mended]
        return Stored(
            uploaded=tuple(file.name for file in sent),
            found=tuple(file.name for file in found),
            mended=tuple(file.name for file in files if file.name in self.mended),
            strangers=unlisted(self.prefix, self.present, files),
            uploaded_bytes=sum(file.size for file in sent),
            found_bytes=sum(file.size for file in found),
        )

    def _path(self, file: ListedFile) -> str:
        return f"{self.prefix}/{file.name}"

    def _mend(self, file: LocalFile) -> None:
        require_unchanged(file)
        self.bucket.remove([self._path(file)])
        self._create(file)

    def _create(self, file: LocalFile) -> bool:
        path = self._path(file)
        try:
            self.bucket.create(path, file.path, max_age=self.max_age, content_type=file.content_type)
        except AlreadyStored:
            return False  # by another writer since we looked
        return True


def _unstable(bucket: Bucket, path: str, problem: str) -> StorageError:
    return StorageError(
        f"A file does not come back as it was sent: {problem}",
        where=f"{bucket.url}/{path}",
        remedy="Check the storage and what is between it and this machine, then publish again.",
    )
