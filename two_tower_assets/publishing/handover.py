"""Telling later steps of a CI job where the live release's files are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BASE_URL_VARIABLE: Final = "MODEL_ARTIFACT_BASE_URL"


def hand_over(github_env: Path | None, base_url: str) -> None:
    """Append `MODEL_ARTIFACT_BASE_URL=…` to the file that a GitHub runner reads variables from, if there is one."""
    if github_env is None:
        return
    with github_env.open("a", encoding="utf-8") as file:
        file.write(f"{BASE_URL_VARIABLE}={base_url}\n")
