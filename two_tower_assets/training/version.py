"""Names of model versions: when the checkpoint was made and from which commit."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from two_tower_assets.errors import EnvironmentVariableError

NO_COMMIT: Final = "0" * 40
"""The commit when the code is in no git repository."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_VERSION: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{7}")


def model_version(now: datetime, commit: str) -> str:
    """Return `<UTC yyyymmddThhmmssZ>-<7 hex of the commit>`; versions sort by time as text.

    Args:
        now: an aware datetime.
        commit: 40 hex digits, as `current_commit` gives.
    """
    assert now.tzinfo is not None
    assert _COMMIT.fullmatch(commit)
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{commit[:7]}"


def is_model_version(text: str) -> bool:
    """Whether `text` has the form that `model_version` gives."""
    return _VERSION.fullmatch(text) is not None


def current_commit(override: str | None, folder: Path) -> str:
    """Return the commit of the code: `override` (GITHUB_SHA) when set, else git's HEAD, else forty zeros.

    Args:
        override: 40 hex digits, or None or empty to ask git.
        folder: any folder of the repository.

    Raises:
        EnvironmentVariableError: `override` is not 40 hex digits.
    """
    if override:
        if not _COMMIT.fullmatch(override):
            raise EnvironmentVariableError(
                f"{override!r} is not a commit of 40 hex digits", where="GITHUB_SHA", remedy="Correct it or unset it."
            )
        return override
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return NO_COMMIT
    commit = asked.stdout.strip()
    return commit if asked.returncode == 0 and _COMMIT.fullmatch(commit) else NO_COMMIT
