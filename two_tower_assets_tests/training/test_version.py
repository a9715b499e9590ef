from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.training.version import NO_COMMIT, current_commit, is_model_version, model_version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_version_is_the_utc_second_and_seven_digits_of_the_commit() -> None:
    """Local times are converted, and versions sort by time as text."""
    tokyo = datetime(2026, 11, 24, 8, 5, 3, tzinfo=timezone(timedelta(hours=9)))
    assert model_version(tokyo, COMMIT) == "20261123T230503Z-0123456"
    assert is_model_version("20261123T230503Z-0123456")
    assert not is_model_version("current")
    assert model_version(datetime(2027, 1, 1, tzinfo=UTC), NO_COMMIT) > model_version(tokyo, COMMIT)


def test_the_commit_is_the_override_then_git_then_zeros(tmp_path: Path) -> None:
    """GITHUB_SHA wins; a repository is asked; outside one there are forty zeros."""
    assert current_commit(COMMIT, tmp_path) == COMMIT
    assert current_commit(None, tmp_path) == NO_COMMIT
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "--no-verify", "-m", "one"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert current_commit("", tmp_path) == head.stdout.strip()


def test_a_commit_that_is_none_is_refused() -> None:
    """The error names GITHUB_SHA."""
    with pytest.raises(EnvironmentVariableError, match="GITHUB_SHA"):
        current_commit("main", Path())
