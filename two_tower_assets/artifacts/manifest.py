"""`manifest.json`: every public file of a version with its hash, written last; and holding a folder against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from two_tower_assets.artifacts.documents import REMEDY, Document
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import sha256_of
from two_tower_assets.training.checkpoint import read_facts


class ManifestFile(Document):
    """One file: its path in the folder, hex SHA-256 and size in bytes."""

    path: str
    sha256: str
    size: int


class Manifest(Document):
    """The whole file."""

    model_version: str
    generated_at: datetime
    commit_sha: str
    files: tuple[ManifestFile, ...]
    """Sorted by path."""
    model_meta: dict[str, Any]

    def sha256_of_file(self, path: str) -> str | None:
        """Return the hash of a listed file, or None."""
        return next((file.sha256 for file in self.files if file.path == path), None)


def write_manifest(folder: Path) -> Manifest:
    """List what is in the folder now, so a version without exports or embeddings has a manifest too.

    The commit is the one that fitted the weights: unchanged code under a later commit is the same version.

    Args:
        folder: a version's folder with at least `model_meta.json` and the weights.
    """
    meta = ModelMeta.read(folder / Files.MODEL_META)
    manifest = Manifest(
        model_version=meta.model_version,
        generated_at=meta.exported_at,
        commit_sha=read_facts(folder / Files.TOWERS).commit,
        files=tuple(_describe(folder, path) for path in _public_files(folder)),
        model_meta=meta.model_dump(mode="json"),
    )
    manifest.write(folder / Files.MANIFEST)
    return manifest


def verify(folder: Path) -> Manifest:
    """Hold every public file against the manifest.

    Raises:
        ArtifactError: there is no manifest, or a file is changed, missing or not listed; the text names them.
    """
    manifest = Manifest.read(folder / Files.MANIFEST)
    listed = {file.path: file for file in manifest.files}
    found = set(_public_files(folder))
    problems = [
        *(f"{path} is missing" for path in sorted(listed.keys() - found)),
        *(f"{path} is not listed" for path in sorted(found - listed.keys())),
        *(f"{path} was changed" for path in _changed(folder, listed, found)),
    ]
    if problems:
        raise ArtifactError(
            f"The folder is not what its manifest says: {'; '.join(problems)}", where=str(folder), remedy=REMEDY
        )
    _require_own_meta(folder, manifest)
    return manifest


def manifest_hash(folder: Path) -> str:
    """Hex SHA-256 of `manifest.json`, which stands for all public bytes of the version."""
    return sha256_of(folder / Files.MANIFEST)


def _changed(folder: Path, listed: Mapping[str, ManifestFile], found: set[str]) -> Iterator[str]:
    for path in sorted(listed.keys() & found):
        if _describe(folder, path) != listed[path]:
            yield path


def _require_own_meta(folder: Path, manifest: Manifest) -> None:
    meta = ModelMeta.read(folder / Files.MODEL_META)
    if meta.model_version != manifest.model_version or meta.model_dump(mode="json") != manifest.model_meta:
        raise ArtifactError(
            f"The manifest of version {manifest.model_version} repeats other metadata than {Files.MODEL_META} holds",
            where=str(folder),
            remedy=REMEDY,
        )


def _public_files(folder: Path) -> list[str]:
    """Names of all files but the manifest, the private ones and hidden ones (half-written by a crash)."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    own = {Files.MANIFEST, *Files.PRIVATE}
    return sorted(
        path.as_posix()
        for path in paths
        if path.as_posix() not in own and not any(part.startswith(".") for part in path.parts)
    )


def _describe(folder: Path, path: str) -> ManifestFile:
    file = folder / path
    return ManifestFile(path=path, sha256=sha256_of(file), size=file.stat().st_size)
