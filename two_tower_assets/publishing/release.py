"""Publishing a version whole: write beside, verify, flip, under one lock.

The graph takes the same steps one asset at a time; each can be run again and finds done what is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.evidence import EvaluationEvidence, Evidence, examine_folder, require_evaluation
from two_tower_assets.publishing.files import VersionFiles, store_version
from two_tower_assets.publishing.flip import Flip, make_live
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.registry import was_released
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.user_vectors import StagedUsers, UserVectors, stage_users
from two_tower_assets.publishing.vectors import Staged, stage_vectors
from two_tower_assets.publishing.verification import verify_staged
from two_tower_assets.publishing.writer import LOCK_WAIT_SECONDS, single_writer
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.steps import Reached, unheard


@dataclass(frozen=True)
class Publication:
    """What publishing did, step by step."""

    files: VersionFiles
    staged: Staged
    users: StagedUsers
    evidence: Evidence
    flip: Flip


def publish(
    target: Target,
    folder: Path,
    *,
    users: UserVectors,
    probes: Probes,
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
    note: str | None = None,
    reached: Reached = unheard,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Publication:
    """Store, stage, verify and activate under one lock.

    Args:
        target: where to.
        folder: the version's folder, with its manifest.
        users: active users, whose vectors are prepared.
        probes: real users that the index is checked with.
        evaluation: the gate's verdict for this version.
        settings: of the index, its check and what is kept.
        note: kept in the release log.
        reached: told after each step.
        progress: rows copied and indexed.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: the version or its evidence is not fit to be released, or another writer is at work.
        StorageError: a file cannot be stored, or other bytes lie under its name.
        DatabaseError: there is no connection.
    """
    manifest, shown = examine_folder(folder)
    version = manifest.model_version
    require_evaluation(evaluation, version)
    with single_writer(target.url, wait=lock_wait, doing=f"publish {version}") as connection:
        released = was_released(connection, version)
        files = store_version(target.buckets, folder, manifest, released=released, reached=reached)
        staged = stage_vectors(
            connection,
            target.url,
            folder,
            manifest,
            prefix=target.buckets.version_prefix(version),
            settings=settings,
            reached=reached,
            progress=progress,
        )
        prepared = stage_users(connection, version, users, reached=reached)
        evidence = verify_staged(
            connection,
            folder,
            shown,
            probes=probes,
            evaluation=evaluation,
            settings=settings,
            reached=reached,
        )
        flip = make_live(connection, target, folder, shown, settings=settings, note=note, reached=reached)
        return Publication(files, staged, prepared, evidence, flip)
