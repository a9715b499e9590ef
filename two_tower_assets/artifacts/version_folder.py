"""Folders of model versions under `artifacts/`: which there are and what each was made from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.training.checkpoint import CheckpointFacts, read_facts
from two_tower_assets.training.version import is_model_version, model_version


def versions(artifacts: Path) -> tuple[str, ...]:
    """Names of the version folders that hold weights, newest first."""
    if not artifacts.is_dir():
        return ()
    names = (path.parent.name for path in artifacts.glob(f"*/{Files.TOWERS}"))
    return tuple(sorted(filter(is_model_version, names), reverse=True))


def find_version(artifacts: Path, fingerprint: str) -> str | None:
    """Return the newest version whose weights were made from `fingerprint`, or None.

    Only headers are read. A folder whose weights are damaged or are another version's is passed over: it is no
    version to go on with, and making the version anew is the remedy.
    """
    return next((facts.model_version for facts in _all_facts(artifacts) if facts.fingerprint == fingerprint), None)


def new_version(artifacts: Path, now: datetime, commit: str) -> str:
    """Make the folder of a new version and return its name; two in one second get a second each.

    Args:
        artifacts: the folder of all versions; made when missing.
        now: an aware datetime.
        commit: 40 hex digits.
    """
    while True:
        name = model_version(now, commit)
        try:
            (artifacts / name).mkdir(parents=True)
        except FileExistsError:
            now += timedelta(seconds=1)
        else:
            return name


def _all_facts(artifacts: Path) -> Iterator[CheckpointFacts]:
    for name in versions(artifacts):
        try:
            facts = read_facts(artifacts / name / Files.TOWERS)
        except ArtifactError:
            continue
        if facts.model_version == name:
            yield facts
