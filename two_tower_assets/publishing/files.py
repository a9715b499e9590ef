"""A version's files in the buckets: under its own prefix, written once; and `current/`, which follows what is live.

Clients that read by name use `current/`, whose manifest is switched last and names the version; functions load the
version's own folder. What does not live here: moving many files (`storage.transfer`) and deciding what is live
(`flip`).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError, StorageError
from two_tower_assets.home import sha256_of
from two_tower_assets.progress import Progress, silent
from two_tower_assets.steps import Reached, unheard
from two_tower_assets.storage.bucket import NotStored
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.parallel import as_finished
from two_tower_assets.storage.reading import digest_of, stored_bytes, stored_digest
from two_tower_assets.storage.reading import fetch as fetch_stored
from two_tower_assets.storage.transfer import (
    WORKERS,
    ListedFile,
    LocalFile,
    Stored,
    compare_files,
    store_files,
)

VERSION_MAX_AGE: Final = 365 * 24 * 3600
"""Seconds that caches may keep a version's own files, which never change."""
CURRENT_MAX_AGE: Final = 60
"""Seconds that caches may keep the files of `current/`."""

_CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".wasm": "application/wasm",
}
_OTHER: Final = "application/octet-stream"
_REMEDY: Final = "Materialize publishing/stored_files, which stores and compares the version's files."


@dataclass(frozen=True)
class VersionFiles:
    """What storing a version's files did."""

    prefix: str
    """Folder of the version in both buckets."""
    uploaded: tuple[str, ...]
    found: tuple[str, ...]
    """Stored already, with the right bytes."""
    size: int
    """Bytes of all files."""


@dataclass(frozen=True)
class Followed:
    """What making `current/` follow did."""

    model_version: str
    written: tuple[str, ...]
    """Files that changed; empty when `current/` held the version already."""


def store_version(
    buckets: Buckets,
    folder: Path,
    manifest: Manifest,
    *,
    released: bool,
    reached: Reached = unheard,
    progress: Progress = silent,
) -> VersionFiles:
    """Store a version's files below its prefix, each read back; the manifest last, so that it promises what is there.

    Args:
        buckets: where to; weights and the report go to the private one.
        folder: the version's folder, whose manifest holds.
        manifest: of the folder.
        released: whether the version is or was live: then stored files are never mended, only compared.
        reached: told after each file.
        progress: bytes sent and read back.

    Raises:
        StorageError: a bucket refuses, or other bytes lie under a released file's name.
    """
    prefix = buckets.version_prefix(manifest.model_version)
    private = [_local(folder, name) for name in sorted(Files.PRIVATE) if (folder / name).exists()]
    public = [_local(folder, file.path) for file in manifest.files]
    parts = [
        (buckets.private, private, progress),
        (buckets.public, public, progress),
        (buckets.public, [_local(folder, Files.MANIFEST)], silent),
    ]
    done = [
        store_files(
            bucket,
            prefix,
            files,
            max_age=VERSION_MAX_AGE,
            may_mend=not released,
            reached=reached,
            progress=told,
        )
        for bucket, files, told in parts
    ]
    if not released:
        listed = {Files.MANIFEST, *(file.path for file in manifest.files)}
        strangers = sorted(set(done[1].strangers) - listed)
        buckets.public.remove([f"{prefix}/{name}" for name in strangers])
    return _summary(prefix, done)


def follow_live(buckets: Buckets, model_version: str, folder: Path | None, *, reached: Reached = unheard) -> Followed:
    """Make `current/` hold the files of the live version, its manifest last.

    Args:
        buckets: where the version is stored.
        model_version: what is live.
        folder: the version's folder on this machine, whose files spare a download where they are the same.
        reached: told after each file and after the switch.

    Raises:
        PublishingError: the version's manifest is not stored.
        StorageError: a bucket refuses, or a stored file is not what the manifest says.
    """
    text, manifest = _stored_manifest(buckets, model_version)
    current = f"{buckets.prefix}/current"
    if _follows_already(buckets, current, text, manifest):
        return Followed(model_version, ())
    files = [ListedFile(name=file.path, sha256=file.sha256, size=file.size) for file in manifest.files]
    written: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)

        def bring(file: ListedFile) -> bool:
            return _bring(buckets, model_version, file, folder or scratch, scratch)

        for file, changed in as_finished(bring, files, WORKERS):
            if changed:
                written.append(file.name)
                reached(f"current {file.name}")
        path = scratch / Files.MANIFEST
        path.write_bytes(text)
        _replace(buckets, f"{current}/{Files.MANIFEST}", path)
    reached("switched current")
    listed = {f"{current}/{name}" for name in (Files.MANIFEST, *(file.name for file in files))}
    buckets.public.remove(sorted(buckets.public.sizes(current).keys() - listed))
    return Followed(model_version, (*sorted(written), Files.MANIFEST))


def require_stored(buckets: Buckets, model_version: str, manifest_hash: str) -> None:
    """Refuse a version whose files are not stored under exactly this manifest, which is stored after them.

    Raises:
        PublishingError: they are not.
    """
    text, _ = _stored_manifest(buckets, model_version)
    if hashlib.sha256(text).hexdigest() != manifest_hash:
        raise PublishingError(
            f"Other files are stored for version {model_version} than are to be released",
            where=f"{buckets.public.url}/{buckets.version_prefix(model_version)}",
            remedy=_REMEDY,
        )


def read_manifest(buckets: Buckets, model_version: str) -> Manifest:
    """Return a version's stored manifest.

    Raises:
        PublishingError: it is not stored, or is none.
    """
    return _stored_manifest(buckets, model_version)[1]


def fetch_file(buckets: Buckets, model_version: str, name: str, target: Path) -> None:
    """Write a public file of a version into a local one.

    Raises:
        StorageError: it is not stored, or is not what the version's manifest says.
    """
    file = next((file for file in read_manifest(buckets, model_version).files if file.path == name), None)
    path = f"{buckets.version_prefix(model_version)}/{name}"
    if file is None or fetch_stored(buckets.public, path, target).sha256 != file.sha256:
        raise StorageError(
            f"The stored {name} is not what the manifest of version {model_version} says",
            where=f"{buckets.public.url}/{path}",
            remedy="Find out who changed it, then publish a new version.",
        )


def version_differences(buckets: Buckets, model_version: str, manifest_hash: str | None) -> tuple[str, ...]:
    """Read all public files of a version back and say what is not as released, a sentence each."""
    text, manifest = _stored_manifest(buckets, model_version)
    differences = compare_files(buckets.public, buckets.version_prefix(model_version), _listed(text, manifest))
    if hashlib.sha256(text).hexdigest() != manifest_hash:
        differences = (f"{Files.MANIFEST} is not the one released", *differences)
    return differences


def current_differences(buckets: Buckets, model_version: str) -> tuple[str, ...]:
    """Read `current/` back and say what is not the live version's, a sentence each."""
    text, manifest = _stored_manifest(buckets, model_version)
    return compare_files(buckets.public, f"{buckets.prefix}/current", _listed(text, manifest))


def _local(folder: Path, name: str) -> LocalFile:
    path = folder / name
    return LocalFile(
        name=name,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        path=path,
        content_type=_content_type(name),
    )


def _listed(text: bytes, manifest: Manifest) -> list[ListedFile]:
    own = digest_of([text])
    return [
        *(ListedFile(name=file.path, sha256=file.sha256, size=file.size) for file in manifest.files),
        ListedFile(name=Files.MANIFEST, sha256=own.sha256, size=own.size),
    ]


def _stored_manifest(buckets: Buckets, model_version: str) -> tuple[bytes, Manifest]:
    path = f"{buckets.version_prefix(model_version)}/{Files.MANIFEST}"
    where = f"{buckets.public.url}/{path}"
    try:
        text = stored_bytes(buckets.public, path)
        manifest = Manifest.model_validate_json(text)
    except NotStored:
        raise PublishingError(
            f"The files of version {model_version} are not in storage", where=where, remedy=_REMEDY
        ) from None
    except ValidationError:
        raise PublishingError(
            f"The stored manifest of version {model_version} is none", where=where, remedy=_REMEDY
        ) from None
    if manifest.model_version != model_version:
        raise PublishingError(
            f"The manifest stored for version {model_version} is of {manifest.model_version}",
            where=where,
            remedy=_REMEDY,
        )
    return text, manifest


def _follows_already(buckets: Buckets, current: str, text: bytes, manifest: Manifest) -> bool:
    """Whether `current/` was switched to this manifest: its files were all there before that."""
    try:
        switched = stored_bytes(buckets.public, f"{current}/{Files.MANIFEST}") == text
    except NotStored:
        return False
    listed = {f"{current}/{file.path}": file.size for file in manifest.files}
    return switched and buckets.public.sizes(current) == {f"{current}/{Files.MANIFEST}": len(text), **listed}


def _bring(buckets: Buckets, model_version: str, file: ListedFile, folder: Path, scratch: Path) -> bool:
    """Put a file into `current/` unless it is there; return whether it was put."""
    path = f"{buckets.prefix}/current/{file.name}"
    if stored_digest(buckets.public, path) == file.digest:
        return False
    source = folder / file.name
    if not source.is_file() or sha256_of(source) != file.sha256:
        source = scratch / file.name
        source.parent.mkdir(parents=True, exist_ok=True)
        fetch_file(buckets, model_version, file.name, source)
    _replace(buckets, path, source)
    return True


def _replace(buckets: Buckets, path: str, source: Path) -> None:
    buckets.public.replace(path, source, max_age=CURRENT_MAX_AGE, content_type=_content_type(path))


def _content_type(name: str) -> str:
    return _CONTENT_TYPES.get(Path(name).suffix, _OTHER)


def _summary(prefix: str, parts: Iterable[Stored]) -> VersionFiles:
    done = list(parts)
    return VersionFiles(
        prefix=prefix,
        uploaded=tuple(name for part in done for name in part.uploaded),
        found=tuple(name for part in done for name in part.found),
        size=sum(part.uploaded_bytes + part.found_bytes for part in done),
    )
