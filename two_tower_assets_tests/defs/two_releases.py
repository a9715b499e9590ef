"""A serving database in which people look around: its videos, and two releases whose files lie in a home."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psycopg

from two_tower_assets.evaluation.recipe import Recipe
from two_tower_assets.publishing.evidence import EvaluationEvidence
from two_tower_assets.publishing.release import publish
from two_tower_assets.publishing.target import Target
from two_tower_assets.settings import ModelSettings, Settings
from two_tower_assets_tests.artifacts.versions import feature_space, items, make_version
from two_tower_assets_tests.publishing.releasing import NEW, OLD, SETTINGS, VIDEOS, prepared, user_probes

MORE_VIDEOS = VIDEOS + 12
OLD_FIGURES = {"recall@200": 0.5, "ndcg@10": 0.25}
NEW_FIGURES = {"recall@200": 0.625, "ndcg@10": 0.2, "auc": 0.75}


def serving_videos(database: str, videos: int = VIDEOS) -> None:
    """Put the videos of the small test versions into a migrated database."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.videos (id, title) values (%s, %s)",
            [(video, f"video {i}") for i, video in enumerate(items(feature_space(), videos).ids.tolist())],
        )


def recipe(*hidden: int) -> dict[str, Any]:
    """The default recipe with other hidden layers."""
    return Recipe.of(Settings(model=ModelSettings(hidden=hidden))).model_dump(mode="json")


def release_with(target: Target, folder: Path, figures: dict[str, float], settings: dict[str, Any]) -> None:
    """Publish a version of which the evaluation says this."""
    evaluation = EvaluationEvidence(model_version=folder.name, passed=True, metrics=figures, recipe=settings)
    publish(
        target,
        folder,
        users=prepared(folder),
        probes=user_probes(),
        evaluation=evaluation,
        settings=SETTINGS,
        note=f"of {folder.name}",
    )


def make_two(artifacts: Path) -> Path:
    """Write OLD with 300 videos, and NEW with 12 more and one more tag; return the folder of both."""
    make_version(artifacts, OLD, videos=VIDEOS, seed=1)
    make_version(artifacts, NEW, videos=MORE_VIDEOS, seed=2, space=feature_space(tags=41))
    return artifacts


def release_two(target: Target, versions: Path, artifacts: Path) -> None:
    """Copy both into a home's artifacts and release OLD, then NEW with another hidden layer."""
    shutil.copytree(versions, artifacts)
    serving_videos(target.url, MORE_VIDEOS)
    release_with(target, artifacts / OLD, OLD_FIGURES, recipe(32))
    release_with(target, artifacts / NEW, NEW_FIGURES, recipe(64, 32))
