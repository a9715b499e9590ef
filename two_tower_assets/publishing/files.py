"""A version's files in storage: its own folder, written once, and what of it differs from its manifest.

What does not live here: moving many files (`storage.transfer`), `current/` (`current`), what is live (`registry`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.home import sha256_of
from two_tower_assets.progress import Progress, silent
from two_tower_assets.steps import Reached, unheard
from two_tower_assets.storage.bucket import NotStored
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.listed import ListedFile, LocalFile, compare_files
from two_tower_assets.storage.reading import stored_bytes
from two_tower_assets.storage.transfer import Stored, bring_up_to_date, store_files

VERSION_MAX_AGE: Final = 365 * 24 * 3600
"""Seconds that caches may keep a version's file: it never changes."""
SHORT_MAX_AGE: Final = 60
"""Seconds that caches may keep a file that is replaced now and then."""

_PRIVATE_ONCE: Final = Files.PRIVATE - {Files.REPORT}
_CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".wasm": "application/wasm",
}


@dataclass(frozen=True)
class VersionFiles:
    """What storing a version's files did."""

    public: Stored
    private: Stored
    """Weights alone; the report is kept up to date beside them."""
    report_sent: bool
    prefix: str
    """Folder of the version in both buckets."""
    manifest_sha256: str

    @property
    def changed(self) -> bool:
        """Whether anything was sent."""
        return bool(self.public.uploaded or self.private.uploaded or self.report_sent)


@dataclass(frozen=True)
class StoredManifest:
    """A version's manifest as it is in storage."""

    manifest: Manifest
    content: bytes

    @property
    def files(self) -> tuple[ListedFile, ...]:
        """The files that it lists."""
        return tuple(ListedFile(name=file.path, sha256=file.sha256, size=file.size) for file in self.manifest.files)

    @property
    def itself(self) -> ListedFile:
        """The manifest as a file."""
        sha256 = hashlib.sha256(self.content).hexdigest()
        return ListedFile(name=Files.MANIFEST, sha256=sha256, size=len(self.content))


def store_version(
    buckets: Buckets,
    folder: Path,
    manifest: Manifest,
    *,
    released: bool,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> VersionFiles:
    """Store a version's files, each once, the manifest last, and read all of them back.

    Begun again after a break, it sends only what is missing. The report alone, a private page whose looks may be
    refreshed, is replaced when it differs.

    Args:
        buckets: public and private.
        folder: the version's folder on this machine.
        manifest: what was verified there.
        released: whether the version was ever live: then a stored file that differs is refused, and not mended.
        reached: hears `uploaded <name>` and `verified <name>`.
        progress: counts bytes sent and read back.

    Raises:
        PublishingError: the folder's manifest is another one.
        StorageError: a local or a stored file is not what the manifest says, or a bucket refuses.
    """
    _require_same(folder, manifest)
    prefix = buckets.version_prefix(manifest.model_version)
    public = [
        local_file(folder / file.path, ListedFile(name=file.path, sha256=file.sha256, size=file.size))
        for file in manifest.files
    ]
    last = _described(folder / Files.MANIFEST)
    weights = [_described(folder / name) for name in sorted(_PRIVATE_ONCE) if (folder / name).is_file()]
    private = store_files(
        buckets.private, prefix, weights, max_age=VERSION_MAX_AGE, may_mend=not released, reached=reached
    )
    report_sent = _refresh_report(buckets, prefix, folder, reached)
    stored = store_files(
        buckets.public,
        prefix,
        public,
        last=[last],
        max_age=VERSION_MAX_AGE,
        may_mend=not released,
        reached=reached,
        progress=progress,
    )
    return VersionFiles(stored, private, report_sent, prefix, last.sha256)


def read_manifest(buckets: Buckets, model_version: str, *, sha256: str | None = None) -> StoredManifest:
    """Read the manifest in a version's own folder.

    Args:
        buckets: where.
        model_version: whose.
        sha256: hash that it must have, when it is known from elsewhere.

    Raises:
        NotStored: there is none.
        PublishingError: it is no manifest, another version's, or not the one that was released.
    """
    path = f"{buckets.version_prefix(model_version)}/{Files.MANIFEST}"
    content = stored_bytes(buckets.public, path)
    problem = None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        problem = "is not a manifest"
    else:
        if manifest.model_version != model_version:
            problem = f"is of version {manifest.model_version}"
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        problem = "is not the one that was released"
    if problem is not None:
        raise PublishingError(
            f"The stored {Files.MANIFEST} of version {model_version} {problem}",
            where=f"{buckets.public.url}/{path}",
            remedy="Find out who changed it, then publish a new version.",
        )
    return StoredManifest(manifest, content)


def require_stored(buckets: Buckets, model_version: str, manifest_sha256: str) -> None:
    """Refuse a version whose files are not stored under exactly this manifest, which is stored after them.

    Raises:
        PublishingError: they are not.
    """
    try:
        read_manifest(buckets, model_version, sha256=manifest_sha256)
    except NotStored:
        raise PublishingError(
            f"The files of version {model_version} are not in storage",
            where=f"{buckets.public.url}/{buckets.version_prefix(model_version)}",
            remedy="Materialize publishing/stored_files, which stores and compares them.",
        ) from None


def differences(buckets: Buckets, model_version: str, *, sha256: str | None = None) -> tuple[str, ...]:
    """Read everything public of a version back, and `current/`, and say what differs; empty when nothing does.

    Args:
        buckets: where.
        model_version: the live one.
        sha256: hash of its manifest, when it is known from elsewhere.

    Raises:
        StorageError: the bucket cannot be read.
    """
    try:
        stored = read_manifest(buckets, model_version, sha256=sha256)
    except NotStored:
        return (f"{model_version}: {Files.MANIFEST} is missing",)
    except PublishingError as error:
        return (error.what,)
    listed = [*stored.files, stored.itself]
    return tuple(
        f"{folder}: {problem}"
        for folder in (model_version, "current")
        for problem in compare_files(buckets.public, f"{buckets.prefix}/{folder}", listed)
    )


def local_file(path: Path, listed: ListedFile) -> LocalFile:
    """Return a listed file with its bytes at `path`."""
    content_type = _CONTENT_TYPES.get(Path(listed.name).suffix, "application/octet-stream")
    return LocalFile(name=listed.name, sha256=listed.sha256, size=listed.size, path=path, content_type=content_type)


def _refresh_report(buckets: Buckets, prefix: str, folder: Path, reached: Reached) -> bool:
    if not (folder / Files.REPORT).is_file():
        return False
    sent = bring_up_to_date(buckets.private, prefix, _described(folder / Files.REPORT), max_age=SHORT_MAX_AGE)
    if sent:
        reached(f"uploaded {Files.REPORT}")
    reached(f"verified {Files.REPORT}")
    return sent


def _require_same(folder: Path, manifest: Manifest) -> None:
    if Manifest.read(folder / Files.MANIFEST) != manifest:
        raise PublishingError(
            f"The manifest of version {manifest.model_version} was changed while it was being published",
            where=str(folder / Files.MANIFEST),
            remedy="Materialize the artifacts of this version again, then publish it.",
        )


def _described(path: Path) -> LocalFile:
    listed = ListedFile(name=path.name, sha256=sha256_of(path), size=path.stat().st_size)
    return local_file(path, listed)
