"""The files of a released version, for work that goes on with its model: ours where they are whole, else storage's.

Every file is held against the hash that was released, wherever it comes from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.home import sha256_of
from two_tower_assets.publishing.evidence import weights_hash
from two_tower_assets.publishing.files import read_manifest
from two_tower_assets.publishing.registry import Release
from two_tower_assets.storage.bucket import Bucket, NotStored
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.reading import fetch

_NOT_NEEDED: Final = frozenset({Files.VIDEO_EMBEDDINGS, Files.WASM})
"""Large files that no model is made of."""
_REMEDY: Final = "Roll back to a version that is whole, or train and release a new one."


def data_cutoff(buckets: Buckets, artifacts: Path, release: Release) -> datetime:
    """Return the moment before which a release knows of decisions.

    Raises:
        PublishingError: its manifest is gone or another one.
        StorageError: the bucket cannot be read.
    """
    manifest = _manifest(buckets, artifacts / release.model_version, release)
    return ModelMeta.model_validate(manifest.model_meta).data.cutoff


@contextmanager
def released_folder(buckets: Buckets, artifacts: Path, release: Release) -> Iterator[Path]:
    """Yield a folder with the files that a release's model is made of, the private weights among them.

    Args:
        buckets: where the version was stored.
        artifacts: folder of all versions on this machine.
        release: from the registry.

    Raises:
        PublishingError: a file is gone, or is not the one that was released.
        StorageError: the bucket cannot be read.
    """
    own = artifacts / release.model_version
    hashes = _hashes(_manifest(buckets, own, release), release)
    if all(_is(own / name, sha256) for name, sha256 in hashes.items()):
        yield own
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, sha256 in hashes.items():
            _fetch(buckets, release.model_version, file, sha256, folder / file)
        yield folder


@contextmanager
def released_file(buckets: Buckets, artifacts: Path, release: Release, name: str) -> Iterator[Path | None]:
    """Yield one file of a release, ours where it is there and storage's where not; None where it is in neither.

    Args:
        buckets: where the version was stored.
        artifacts: folder of all versions on this machine.
        release: from the registry.
        name: one of `contract.Files`.

    Raises:
        PublishingError: the file is not the one that was released.
        StorageError: the bucket cannot be read.
    """
    own = artifacts / release.model_version / name
    public = name not in Files.PRIVATE
    sha256 = _manifest(buckets, own.parent, release).sha256_of_file(name) if public else None
    if _is(own, sha256):
        yield own
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / name
        bucket = buckets.public if public else buckets.private
        if bucket.sizes(path := f"{buckets.version_prefix(release.model_version)}").get(f"{path}/{name}") is None:
            yield None
            return
        _fetch(buckets, release.model_version, name, sha256, target)
        yield target


def _manifest(buckets: Buckets, own: Path, release: Release) -> Manifest:
    if release.manifest_hash is not None and _is(own / Files.MANIFEST, release.manifest_hash):
        return Manifest.read(own / Files.MANIFEST)
    try:
        return read_manifest(buckets, release.model_version, sha256=release.manifest_hash).manifest
    except NotStored:
        raise _gone(release.model_version, Files.MANIFEST, buckets.public) from None


def _hashes(manifest: Manifest, release: Release) -> dict[str, str | None]:
    """Name to hash; None for weights of a release from before theirs was kept."""
    public = {file.path: file.sha256 for file in manifest.files if file.path not in _NOT_NEEDED}
    return {**public, Files.TOWERS: weights_hash(release)}


def _is(path: Path, sha256: str | None) -> bool:
    return path.is_file() and sha256 in {None, sha256_of(path)}


def _fetch(buckets: Buckets, version: str, name: str, sha256: str | None, target: Path) -> None:
    bucket = buckets.private if name in Files.PRIVATE else buckets.public
    path = f"{buckets.version_prefix(version)}/{name}"
    try:
        found = fetch(bucket, path, target)
    except NotStored:
        raise _gone(version, name, bucket) from None
    if sha256 not in {None, found.sha256}:
        raise PublishingError(
            f"The stored {name} of version {version} is not the one that was released",
            where=f"{bucket.url}/{path}",
            remedy=_REMEDY,
        )


def _gone(version: str, name: str, bucket: Bucket) -> PublishingError:
    return PublishingError(
        f"{name} of version {version} is neither on this machine nor in storage", where=bucket.url, remedy=_REMEDY
    )
