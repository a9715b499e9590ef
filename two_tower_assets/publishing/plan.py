"""What publishing a version would change, found out without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.artifacts.embeddings import count_rows
from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect, without_password
from two_tower_assets.publishing.evidence import examine_folder
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.vectors import is_staged
from two_tower_assets.settings import ReleaseSettings


@dataclass(frozen=True)
class PlannedFile:
    """A file of the version."""

    path: str
    """In its bucket."""
    size: int
    """Bytes."""
    private: bool
    stored: bool
    """Whether a file of that name and size lies there already; its bytes are compared when publishing."""


@dataclass(frozen=True)
class Plan:
    """What would be done, in order."""

    model_version: str
    database: str
    """URL of the serving database, without its password."""
    bucket: str
    live: str | None
    """What is live now."""
    state: str | None
    """The version's state in the registry, when it is known there."""
    files: tuple[PlannedFile, ...]
    rows: int
    """Video vectors to copy and index; 0 when they lie there."""
    users: int | None
    """Active users whose vectors would be prepared; None when they are."""
    statements: tuple[str, ...]
    """SQL that would run, in order."""

    @property
    def bytes_to_upload(self) -> int:
        """Bytes of the files that are not stored yet."""
        return sum(file.size for file in self.files if not file.stored)


def plan(target: Target, folder: Path, *, users: int, settings: ReleaseSettings) -> Plan:
    """Look at the version, the database and the buckets, and say what publishing would do.

    Args:
        target: where it would be published.
        folder: the version's folder.
        users: how many users are active.
        settings: of the index, and what is kept.

    Raises:
        PublishingError: the folder is not fit to be released.
        StorageError: a bucket cannot be read.
        DatabaseError: there is no connection.
    """
    manifest, shown = examine_folder(folder)
    version = manifest.model_version
    with connect(target.url, autocommit=True) as connection:
        live, release = read_live(connection), read_release(connection, version)
        staged = release is not None and is_staged(connection, release, shown.manifest_hash)
    prepared = staged and release is not None and release.user_count is not None
    before = live.model_version if live else None
    return Plan(
        model_version=version,
        database=without_password(target.url),
        bucket=target.buckets.public.url,
        live=before,
        state=release.state if release else None,
        files=tuple(_files(target, folder, manifest)),
        rows=0 if staged else count_rows(folder / Files.VIDEO_EMBEDDINGS),
        users=None if prepared else users,
        statements=tuple(
            _statements(version, before, staged=staged, prepared=prepared, release=release, settings=settings)
        ),
    )


def _files(target: Target, folder: Path, manifest: Manifest) -> Iterator[PlannedFile]:
    prefix = target.buckets.version_prefix(manifest.model_version)
    public = [*(file.path for file in manifest.files), Files.MANIFEST]
    private = sorted(name for name in Files.PRIVATE if (folder / name).exists())
    for bucket, names in ((target.buckets.public, public), (target.buckets.private, private)):
        present = bucket.sizes(prefix)
        for name in names:
            size, path = (folder / name).stat().st_size, f"{prefix}/{name}"
            yield PlannedFile(path, size, bucket is target.buckets.private, present.get(path) == size)


def _statements(
    version: str,
    live: str | None,
    *,
    staged: bool,
    prepared: bool,
    release: Release | None,
    settings: ReleaseSettings,
) -> Iterator[str]:
    suffix = version.lower().replace("-", "_")
    if not staged:
        yield f"insert into public.model_releases (model_version) values ('{version}')"  # noqa: S608 - shown, not run
        yield f"select two_tower.create_video_embeddings('{version}')"
        yield f"copy two_tower.video_embeddings_{suffix} (video_id, embedding) from stdin (format binary, freeze)"
        index = f"{settings.hnsw_m}, {settings.hnsw_ef_construction}, '{settings.vector_index}'"
        yield f"select two_tower.index_video_embeddings('{version}', {index})"
    if not prepared:
        yield f"insert into two_tower.user_embeddings_{suffix} … on conflict (user_id) do update …"
    if release is None or release.state in {"staged", "failed"}:
        yield f"update public.model_releases set state = 'verified', … where model_version = '{version}'"  # noqa: S608 - same
    if live != version:
        expected = "null" if live is None else f"'{live}'"
        yield f"select two_tower.activate_release('{version}', {expected}, 'release')"
        yield f"select two_tower.drop_release_vectors(…) of all but the newest {settings.keep_versions} versions"
