"""Telling later steps of a CI job what this one found out, such as where the live release's files are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BASE_URL_VARIABLE: Final = "MODEL_ARTIFACT_BASE_URL"


def hand_over(github_env: Path | None, base_url: str) -> None:
    """Export `MODEL_ARTIFACT_BASE_URL` if a GitHub runner listens."""
    if github_env is not None:
        export(github_env, BASE_URL_VARIABLE, base_url)


def export(github_env: Path, name: str, value: str) -> None:
    """Append `name=value` to the file that a GitHub runner reads variables from."""
    assert "\n" not in value
    with github_env.open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")
