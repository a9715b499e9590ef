"""How the publishing tests release: with evidence that passes, and looking at everything a release may change."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from two_tower_assets.environment import read_environment
from two_tower_assets.publishing.evidence import EvaluationEvidence
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.release import Publication, publish
from two_tower_assets.publishing.staging import prepare_users, stage, store_files
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.user_vectors import UserVectors
from two_tower_assets.publishing.verification import verify
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.storage.buckets import open_buckets
from two_tower_assets_tests.artifacts.versions import CUTOFF

OLD = "20260301T120000Z-0123456"
NEW = "20260302T120000Z-0123456"
VIDEOS = 300
SETTINGS = ReleaseSettings(min_ann_recall=0.9, min_filtered_ann_recall=0.9)


def target_at(url: str, buckets: Path) -> Target:
    """A database, and buckets in a folder."""
    environment = read_environment({"TWO_TOWER_STORAGE_URL": str(buckets)}, folder=buckets)
    return Target(url, open_buckets(environment, "tests"))


def passing(version: str) -> EvaluationEvidence:
    """An evaluation that the gate let pass."""
    return EvaluationEvidence(model_version=version, passed=True, metrics={"recall@200": 0.5}, recipe={})


def user_probes(count: int = 20) -> Probes:
    """Random users with random unit vectors."""
    vectors = np.random.default_rng(5).normal(size=(count, 256)).astype(np.float32)
    ids = np.array([str(uuid.UUID(int=number + 1)) for number in range(count)])
    return Probes(ids, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def prepared(folder: Path, count: int = 20) -> UserVectors:
    """Random users whose vectors are another version's in another version."""
    random = np.random.default_rng(int(folder.name[:8]))
    vectors = random.normal(size=(count, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return UserVectors(as_of=CUTOFF, count=count, blocks=lambda: [(user_probes(count).users, vectors)])


def release(target: Target, folder: Path, settings: ReleaseSettings = SETTINGS) -> Publication:
    """Publish a version whose evidence passes."""
    return publish(
        target,
        folder,
        users=prepared(folder),
        probes=user_probes(),
        evaluation=passing(folder.name),
        settings=settings,
    )


def stage_only(target: Target, folder: Path) -> None:
    """Write beside and verify, as `two-tower publish --stage-only` does."""
    store_files(target, folder)
    stage(target, folder, settings=SETTINGS)
    prepare_users(target, folder.name, prepared(folder))
    verify(target, folder, probes=user_probes(), evaluation=passing(folder.name), settings=SETTINGS)


def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of one query."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement, values).fetchall()


def everything(url: str) -> dict[str, Any]:
    """The registry, the pointer, the log, and the identity of every table and index a release may touch."""
    return {
        "releases": rows(url, "select * from public.model_releases order by 1"),
        "live": rows(url, "select * from public.live_release"),
        "log": rows(url, "select * from public.release_log order by id"),
        "tables": rows(
            url,
            "select oid, relname, relfilenode from pg_class"
            " where relnamespace = 'two_tower'::regnamespace order by relname",
        ),
        "seen": rows(url, "select video_id, model_version, updated_at from public.video_embeddings order by 1"),
    }
