"""Two versions asked about decisions that came after both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from two_tower_assets.defs.comparing.measured import compare_versions
from two_tower_assets.errors import ArtifactError, EvaluationError
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets_tests.artifacts.versions import CUTOFF, VERSION, make_version
from two_tower_assets_tests.features.worlds import uid, world


def snapshot(folder: Path, *, late: bool) -> Snapshot:
    """Ten people who decide before the versions were trained, and, if so wished, after it."""
    hour = timedelta(hours=1)
    rows = [
        (uid(user), uid(user + step), "like", CUTOFF - (5 - step) * hour) for user in range(10) for step in range(3)
    ]
    if late:
        rows += [
            (uid(user), uid(20 + 3 * user + step), "like", CUTOFF + step * hour)
            for user in range(10)
            for step in range(3)
        ]
    videos = [{"id": uid(video), "tags": [f"tag {video % 3}"]} for video in range(80)]
    return world(videos, rows).snapshot(folder)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One version, which every other question is about."""
    root = tmp_path_factory.mktemp("artifacts")
    make_version(root)
    return root


def test_each_person_is_asked_about_what_came_after_both(artifacts: Path, tmp_path: Path) -> None:
    """Ten people with two hidden LIKEs each; a version finds as much as itself, by the same lists."""
    found = compare_versions(artifacts, VERSION, VERSION, snapshot(tmp_path, late=True), EvaluationSettings())
    assert (found.groups[0].users, found.likes, found.begin) == (10, 20, CUTOFF)
    assert found.groups[0].difference[RECALL].mean == 0
    assert (found.same.mean, found.changed) == (1, ())


def test_without_later_decisions_it_says_how_to_get_them(artifacts: Path, tmp_path: Path) -> None:
    """The snapshot ends where the versions' knowledge does."""
    with pytest.raises(EvaluationError, match=r"since both versions were trained.*sources/\*"):
        compare_versions(artifacts, VERSION, VERSION, snapshot(tmp_path, late=False), EvaluationSettings())


def test_an_unknown_version_is_told_with_those_that_are_here(artifacts: Path, tmp_path: Path) -> None:
    """Both names are in the error."""
    with pytest.raises(ArtifactError, match=rf"no version elsewhere.*{VERSION}"):
        compare_versions(artifacts, VERSION, "elsewhere", snapshot(tmp_path, late=True), EvaluationSettings())
