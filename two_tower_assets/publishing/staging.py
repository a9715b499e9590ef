"""Writing a version beside the live one, where no reader looks: its files, its videos' vectors, its users' vectors.

Every step can be run again: what is done already is found done. What does not live here: checking what was written
(`verification`) and making it live (`flip`).
"""

from __future__ import annotations

from pathlib import Path

from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.evidence import examine_folder
from two_tower_assets.publishing.files import VersionFiles, store_version
from two_tower_assets.publishing.registry import was_released
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.user_vectors import StagedUsers, UserVectors, stage_users
from two_tower_assets.publishing.vectors import Staged, stage_vectors
from two_tower_assets.publishing.writer import LOCK_WAIT_SECONDS, single_writer
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.steps import Reached, unheard


def store_files(
    target: Target,
    folder: Path,
    *,
    reached: Reached = unheard,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> VersionFiles:
    """Upload a version's files under its own prefix, each read back and compared.

    Args:
        target: where to.
        folder: the version's folder, with its manifest.
        reached: told after each file.
        progress: bytes uploaded.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: the folder is not fit to be released, or another writer is at work.
        StorageError: a file cannot be stored, or other bytes lie under its name.
        DatabaseError: there is no connection.
    """
    manifest, _ = examine_folder(folder)
    with single_writer(target.url, wait=lock_wait, doing=f"store {manifest.model_version}") as connection:
        released = was_released(connection, manifest.model_version)
        return store_version(target.buckets, folder, manifest, released=released, reached=reached, progress=progress)


def stage(
    target: Target,
    folder: Path,
    *,
    settings: ReleaseSettings,
    reached: Reached = unheard,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Staged:
    """Write and index a version's vectors in a table of its own.

    Args:
        target: where to.
        folder: the version's folder, with its manifest.
        settings: index parameters.
        reached: told after each block of rows, and after the index.
        progress: rows copied, then rows indexed, of twice the number of rows.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: the folder or its vectors are not fit to be released, or another writer is at work.
        DatabaseError: there is no connection.
    """
    manifest, _ = examine_folder(folder)
    with single_writer(target.url, wait=lock_wait, doing=f"stage {manifest.model_version}") as connection:
        return stage_vectors(
            connection,
            target.url,
            folder,
            manifest,
            prefix=target.buckets.version_prefix(manifest.model_version),
            settings=settings,
            reached=reached,
            progress=progress,
        )


def prepare_users(
    target: Target,
    version: str,
    users: UserVectors,
    *,
    reached: Reached = unheard,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> StagedUsers:
    """Store active users' vectors under a staged version.

    Args:
        target: where to.
        version: whose vectors they are.
        users: who, and their vectors.
        reached: told after each block.
        progress: users done.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: the version is not staged, or another writer is at work.
        DatabaseError: there is no connection.
    """
    with single_writer(target.url, wait=lock_wait, doing=f"prepare users of {version}") as connection:
        return stage_users(connection, version, users, reached=reached, progress=progress)
