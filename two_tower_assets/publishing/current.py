"""`current/`: the released version's files under names that do not change, for clients that read them by name.

It follows what Postgres says is live and decides nothing. Files first, the manifest last: it names the version.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.errors import StorageError
from two_tower_assets.publishing.files import SHORT_MAX_AGE, local_file, read_manifest
from two_tower_assets.steps import Reached, unheard
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.listed import WORKERS, ListedFile, LocalFile, unlisted
from two_tower_assets.storage.parallel import as_finished
from two_tower_assets.storage.reading import fetch, local_digest, stored_digest
from two_tower_assets.storage.transfer import bring_up_to_date

CURRENT: Final = "current"


@dataclass(frozen=True)
class Followed:
    """What it took to make `current/` hold a version."""

    model_version: str
    written: tuple[str, ...]
    """Files whose bytes were others, the manifest last."""
    removed: tuple[str, ...]
    """Files that the version does not have."""

    @property
    def changed(self) -> bool:
        """Whether anything was."""
        return bool(self.written or self.removed)


def follow_live(
    buckets: Buckets,
    model_version: str,
    folder: Path | None = None,
    *,
    sha256: str | None = None,
    reached: Reached = unheard,
) -> Followed:
    """Make `current/` hold a version's files, and nothing else. A file that is equal already is not written.

    Args:
        buckets: where.
        model_version: one whose own folder is complete in storage.
        folder: its folder on this machine, when there is one, which saves fetching: a file is taken from there when
            its hash is the manifest's, and from the version's own folder in storage otherwise.
        sha256: hash of its manifest, when it is known from elsewhere.
        reached: hears `current <name>` for each file written, `switched current`, and `cleared current`.

    Raises:
        PublishingError: the stored manifest is not the version's.
        StorageError: a file of the version is missing or altered in storage, or the bucket refuses.
    """
    stored = read_manifest(buckets, model_version, sha256=sha256)
    prefix = f"{buckets.prefix}/{CURRENT}"
    written: set[str] = set()
    with tempfile.TemporaryDirectory() as name:
        copier = _Copier(buckets, model_version, folder, Path(name))
        for file, changed in as_finished(copier.bring, stored.files, WORKERS):
            if changed:
                written.add(file.name)
                reached(f"{CURRENT} {file.name}")
        manifest = Path(name) / Files.MANIFEST
        manifest.write_bytes(stored.content)
        switched = copier.replace(local_file(manifest, stored.itself))
    if switched:
        reached(f"switched {CURRENT}")
    removed = unlisted(prefix, buckets.public.sizes(prefix), (*stored.files, stored.itself))
    if removed:
        buckets.public.remove([f"{prefix}/{name}" for name in removed])
        reached(f"cleared {CURRENT}")
    names = [file.name for file in stored.files if file.name in written]
    return Followed(model_version, (*names, *([Files.MANIFEST] if switched else [])), removed)


@dataclass(frozen=True)
class _Copier:
    buckets: Buckets
    model_version: str
    folder: Path | None
    scratch: Path

    def bring(self, file: ListedFile) -> bool:
        """Make one file of `current/` equal, and return whether that was needed."""
        if stored_digest(self.buckets.public, f"{self.buckets.prefix}/{CURRENT}/{file.name}") == file.digest:
            return False
        with ExitStack() as stack:
            source = self._source(file, stack)
            self.replace(local_file(source, file))
        return True

    def replace(self, file: LocalFile) -> bool:
        return bring_up_to_date(self.buckets.public, f"{self.buckets.prefix}/{CURRENT}", file, max_age=SHORT_MAX_AGE)

    def _source(self, file: ListedFile, stack: ExitStack) -> Path:
        local = self.folder / file.name if self.folder is not None else None
        if local is not None and local.is_file() and local_digest(local) == file.digest:
            return local
        path = f"{self.buckets.version_prefix(self.model_version)}/{file.name}"
        target = self.scratch / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        stack.callback(target.unlink, missing_ok=True)
        if fetch(self.buckets.public, path, target) != file.digest:
            raise StorageError(
                f"The stored {file.name} of version {self.model_version} is not what its manifest says",
                where=f"{self.buckets.public.url}/{path}",
                remedy="Find out who changed it, then roll back or publish a new version.",
            )
        return target
