"""Code versions: a hash over the sources of a stage and of everything it builds on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import two_tower_assets
from two_tower_assets.database.queries import sql_folder

STAGES: Final = (
    "sources",
    "features",
    "training",
    "evaluation",
    "artifacts",
    "publishing",
    "experiments",
    "monitoring",
)
"""In the order of the dataflow; each may import those before it."""

_LAST_ROOM: Final = {"training": "artifacts"}
"""The last package that a stage's assets build on, where it is not their own: a fit is steered by validation, and a
version's files are written once, so code that would write other files makes another version."""

_SHARED: Final = ("contract.py", "settings/*.py")
_SOURCES: Final = frozenset({".py", ".css", ".js"})


@cache
def code_version(stage: str) -> str:
    """First 16 hex digits of the SHA-256 over the sources of a stage and of what it builds on, and over the SQL."""
    package = Path(two_tower_assets.__file__).parent
    rooms = ["database", *STAGES[: STAGES.index(_LAST_ROOM.get(stage, stage)) + 1]]
    files = [file for pattern in _SHARED for file in sorted(package.glob(pattern))]
    files += [file for room in rooms for file in sorted((package / room).rglob("*")) if _counts(file, stage)]
    files += [package / "defs" / "assets" / f"{room}.py" for room in rooms[1:]]
    files += sorted(sql_folder().rglob("*.sql"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _counts(file: Path, stage: str) -> bool:
    """Whether a file decides what a stage makes: how the report's page looks changes no weights."""
    return file.suffix in _SOURCES and not (stage == "training" and "page" in file.parts)
